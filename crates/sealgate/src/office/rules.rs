//! The portal's questions about encryption rules.

pub mod lacking;

use std::sync::Arc;

use async_trait::async_trait;
use sealgate_core::change::{Change, MoveRule};
use sealgate_core::limits::PATTERN_ENTRIES;
use sealgate_core::rules::{Entry, Pattern, PatternError, Rule, RuleId};
use sealgate_core::saying::Refusals;
use sealgate_core::tenant::Organisation;
use sealgate_portal::auth::{Permitted, Read, Write};
use sealgate_portal::office::rules::{
    EncryptionRule, EntryVerdict, RuleBody, RuleEdit, RuleEntry, RuleFieldAnswer,
    RuleFieldQuestion, RuleFilter, RuleMove, RuleSaved, RuleWarnings, Rules, Side,
};
use sealgate_portal::office::{Asked, Page, Paging};
use sealgate_portal::problem::Problem;
use sealgate_store::{RankedRule, RuleQuery};

use super::{PortalOffice, number, problem};
use crate::gateway::now;
use lacking::Shortages;

#[async_trait]
impl Rules for PortalOffice {
    async fn rules(
        &self,
        who: &Permitted<Read>,
        filter: &RuleFilter,
        paging: &Paging,
    ) -> Asked<Page<EncryptionRule>> {
        let from = filter.priority.map(|first| first.saturating_sub(1));
        let query = RuleQuery {
            after: number(paging)?.or(from).unwrap_or(0),
            search: filter.search.clone(),
            limit: paging.rows().saturating_add(1),
        };
        let mut rows =
            (self.0.store.rule_page(who.organisation(), &query).await).map_err(problem)?;
        let most = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
        let is_more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().filter(|_| is_more);
        Ok(Page {
            next: next.map(|row| row.priority.to_string()),
            items: self.shown(who, rows).await?,
        })
    }

    async fn rule_count(&self, who: &Permitted<Read>) -> Asked<u64> {
        let count = self.0.store.rule_count(who.organisation()).await;
        count.map_err(problem)
    }

    async fn rule(&self, who: &Permitted<Read>, id: i64) -> Asked<EncryptionRule> {
        self.rule_now(who, id).await
    }

    async fn removed_rules(&self, who: &Permitted<Read>) -> Asked<Vec<EncryptionRule>> {
        let rows = self.0.store.removed_rules(who.organisation(), now()).await;
        let rows = rows.map_err(problem)?;
        Ok(rows.iter().map(plain).collect())
    }

    async fn rule_warnings(&self, who: &Permitted<Read>, rule: &Rule) -> Asked<RuleWarnings> {
        let shortages = self.shortages(who, std::iter::once(rule)).await?;
        Ok(shortages.warnings(rule))
    }

    async fn rule_field(
        &self,
        who: &Permitted<Read>,
        question: &RuleFieldQuestion,
    ) -> Asked<RuleFieldAnswer> {
        let installation = self.0.installation();
        let organisation = installation.organisation(who.organisation());
        Ok(judged(question, organisation.map(AsRef::as_ref)))
    }

    async fn add_rule(&self, who: &Permitted<Write>, body: &RuleBody) -> Asked<RuleSaved> {
        let rule = body.parse(0)?;
        let applied = self.change(who, vec![Change::AddRule(rule)]).await?;
        let first = RuleQuery {
            limit: 1,
            ..RuleQuery::default()
        };
        let rows = self.0.store.rule_page(who.organisation(), &first).await;
        let rows = rows.map_err(problem)?;
        let rule = self.shown(who, rows).await?.into_iter().next();
        Ok(RuleSaved { rule, applied })
    }

    async fn edit_rule(
        &self,
        who: &Permitted<Write>,
        id: i64,
        edit: &RuleEdit,
    ) -> Asked<RuleSaved> {
        let (was, becomes) = (edit.was.parse(id)?, edit.becomes.parse(id)?);
        self.change_rule(who, id, Change::EditRule { was, becomes })
            .await
    }

    async fn move_rule(&self, who: &Permitted<Write>, id: i64, way: RuleMove) -> Asked<RuleSaved> {
        let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        let way = MoveRule {
            id: RuleId(id),
            from: place(way.from),
            to: place(way.to),
            passes: way.passes.map(RuleId),
        };
        if self.rule_count_now(who).await? < way.to || way.to == 0 {
            return Err(Problem::wrong(
                "to",
                Refusals::NoPriority {
                    to: i64::try_from(way.to).unwrap_or(i64::MAX),
                },
            ));
        }
        self.change_rule(who, id, Change::MoveRule(way)).await
    }

    async fn delete_rule(
        &self,
        who: &Permitted<Write>,
        id: i64,
        was: Option<&RuleBody>,
    ) -> Asked<RuleSaved> {
        let was = match was {
            Some(was) => was.parse(id)?,
            None => self.rule_now(who, id).await?.body.parse(id)?,
        };
        self.change_rule(who, id, Change::RemoveRule(was)).await
    }

    async fn restore_rule(&self, who: &Permitted<Write>, id: i64) -> Asked<RuleSaved> {
        self.change_rule(who, id, Change::RestoreRule(RuleId(id)))
            .await
    }
}

impl PortalOffice {
    /// Carries out a change of one rule. What the store refuses here, somebody else was faster with.
    async fn change_rule<P>(
        &self,
        who: &Permitted<P>,
        id: i64,
        change: Change,
    ) -> Asked<RuleSaved> {
        let applied = self.change(who, vec![change]).await;
        let applied = applied.map_err(|refusal| match refusal.code {
            "refused" => Problem {
                detail: refusal.detail,
                ..Problem::new("changed-meanwhile")
            },
            _ => refusal,
        })?;
        let rule = match self.rule_now(who, id).await {
            Err(gone) if gone.code == "not-found" => None,
            other => Some(other?),
        };
        Ok(RuleSaved { rule, applied })
    }

    async fn rule_now<P>(&self, who: &Permitted<P>, id: i64) -> Asked<EncryptionRule> {
        let store = &self.0.store;
        let row = store.ranked_rule(who.organisation(), RuleId(id)).await;
        let shown = self.shown(who, vec![row.map_err(problem)?]).await?;
        shown.into_iter().next().ok_or_else(Problem::not_found)
    }

    async fn rule_count_now<P>(&self, who: &Permitted<P>) -> Asked<usize> {
        let count = self.0.store.rule_count(who.organisation()).await;
        Ok(usize::try_from(count.map_err(problem)?).unwrap_or(usize::MAX))
    }

    /// Rules as the list shows them: with the number of mailboxes that each shuts out.
    async fn shown<P>(
        &self,
        who: &Permitted<P>,
        rows: Vec<RankedRule>,
    ) -> Asked<Vec<EncryptionRule>> {
        let shortages = self
            .shortages(who, rows.iter().map(|row| &row.rule))
            .await?;
        let shown = |row: &RankedRule| EncryptionRule {
            without_certificate: shortages.without_certificate(&row.rule),
            without_key: shortages.without_key(&row.rule),
            ..plain(row)
        };
        Ok(rows.iter().map(shown).collect())
    }

    async fn shortages<'r, P>(
        &self,
        who: &Permitted<P>,
        mut rules: impl Iterator<Item = &'r Rule>,
    ) -> Asked<Arc<Shortages>> {
        let is_needed = rules.any(|rule| lacking::enforces(rule) || lacking::insists(rule));
        let id = who.organisation();
        let installation = self.0.installation();
        let Some(organisation) = installation.organisation(id).filter(|_| is_needed) else {
            return Ok(Arc::default());
        };
        let at = now();
        if let Some(known) = self.0.lacking.get(organisation, at) {
            return Ok(known);
        }
        let mut found = Shortages::default();
        found.find_certificates(organisation, at);
        let with_old_keys = self.0.store.mailboxes_with_old_keys(id).await;
        found.find_keys(organisation, &with_old_keys.map_err(problem)?);
        let found = Arc::new(found);
        self.0.lacking.keep(organisation, at, &found);
        Ok(found)
    }
}

fn plain(row: &RankedRule) -> EncryptionRule {
    EncryptionRule {
        id: row.rule.id.0,
        priority: row.priority,
        body: RuleBody::of(&row.rule),
        without_certificate: 0,
        without_key: 0,
    }
}

/// Entry by entry, what is to be said of a field.
fn judged(question: &RuleFieldQuestion, organisation: Option<&Organisation>) -> RuleFieldAnswer {
    let mut answer = RuleFieldAnswer {
        ok: true,
        all: false,
        count: 0,
        most: PATTERN_ENTRIES,
        entries: Vec::new(),
    };
    if question.text.parse::<Pattern>() == Ok(Pattern::All) {
        answer.all = true;
        return answer;
    }
    let mut seen: Vec<Entry> = Vec::new();
    for text in question.text.split(',').map(str::trim) {
        answer.count += 1;
        // What is far beyond the limit is counted, not read.
        if answer.count > 2 * PATTERN_ENTRIES {
            answer.ok = false;
            continue;
        }
        let verdict = match text.parse::<Entry>() {
            _ if answer.count > PATTERN_ENTRIES => EntryVerdict::TooMany,
            Err(PatternError::Empty) => EntryVerdict::Empty,
            Err(_) => EntryVerdict::Neither,
            Ok(entry) if seen.contains(&entry) => EntryVerdict::Double,
            Ok(entry) => {
                let verdict = belongs(question.side, &entry, organisation);
                seen.push(entry);
                verdict
            }
        };
        answer.ok &= verdict.is_ok();
        answer.entries.push(RuleEntry {
            text: text.to_owned(),
            verdict,
        });
    }
    answer
}

fn belongs(side: Side, entry: &Entry, organisation: Option<&Organisation>) -> EntryVerdict {
    let domain = match entry {
        Entry::Mailbox(address) => address.domain(),
        Entry::Domain(domain) => domain,
    };
    let is_own = organisation.is_some_and(|own| own.route(domain).is_some());
    match (side, is_own) {
        (Side::Managed, false) => EntryVerdict::NotManaged,
        (Side::External, true) => EntryVerdict::NotExternal,
        (Side::Managed, true) | (Side::External, false) => EntryVerdict::Ok,
    }
}
