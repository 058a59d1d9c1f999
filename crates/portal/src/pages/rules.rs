//! mail.security > S/MIME > Encryption rules: the ordered list, and the form for one rule (S50 to S64, S77, A5 to A7, A25).

mod form;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sealgate_core::journal::Direction;
use sealgate_core::rules::{InboundMode, OutboundMode};
use sealgate_core::saying::Inputs;
use serde::Deserialize;

use super::Nothing;
use crate::Portal;
use crate::auth::{Posted, Read, Write};
use crate::lang::{self, Values, key};
use crate::office::rules::{
    EncryptionRule, EntryVerdict, RuleBody, RuleFieldAnswer, RuleFieldQuestion, RuleFilter,
    RuleMove, RuleSaved, Side,
};
use crate::office::simulator::MailQuestion;
use crate::office::{Applied, Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::terms;
use crate::view::{Fetch, Notice, View, Visit, done, next_page, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/smime/rules", list),
        get::<Read, _, _>("/o/{organisation}/smime/rules/check", check),
        get::<Write, _, _>("/o/{organisation}/smime/rules/new", form::new),
        post::<Write, _, _>("/o/{organisation}/smime/rules/new", form::add),
        post::<Write, _, _>("/o/{organisation}/smime/rules/move", move_to),
        get::<Read, _, _>("/o/{organisation}/smime/rules/{id}", form::edit),
        post::<Write, _, _>("/o/{organisation}/smime/rules/{id}", form::save),
        post::<Write, _, _>("/o/{organisation}/smime/rules/{id}/delete", delete),
        post::<Write, _, _>("/o/{organisation}/smime/rules/{id}/restore", restore),
    ]
}

/// What is shown of a list of rules, beside its filter.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shown {
    /// The rule that was moved, and by which button: `12-up`. That button has the focus again.
    moved: String,
}

#[derive(Template)]
#[template(path = "rules/list.html")]
struct List {
    view: View,
    filter: RuleFilter,
    rules: Page<EncryptionRule>,
    removed: Vec<EncryptionRule>,
    count: u64,
    moved: String,
    question: MailQuestion,
    first: Option<String>,
    next: Option<String>,
}

impl List {
    /// The entries of a field, each to be shown for itself; none for "all".
    fn entries<'b>(&self, field: &'b str) -> Option<Vec<&'b str>> {
        (field != "all").then(|| field.split(", ").collect())
    }

    fn inbound(&self, mode: &Option<InboundMode>) -> &'static str {
        terms::inbound_mode(*mode, self.view.language)
    }

    fn outbound(&self, mode: &Option<OutboundMode>) -> &'static str {
        terms::outbound_mode(*mode, self.view.language)
    }

    /// The first priority on this page, with which it is found again.
    fn start(&self) -> u64 {
        self.rules.items.first().map_or(1, |rule| rule.priority)
    }

    /// Whether the whole list in its order is shown, so that rules can be moved.
    fn is_ordered(&self) -> bool {
        self.view.may.write && self.filter.search.is_none()
    }

    /// The place of the rule at `index` and the number of the rule there, as a move names it.
    fn place(&self, index: usize, offset: isize) -> String {
        let own = self.rules.items.get(index).map_or(1, |rule| rule.priority);
        let there = index
            .checked_add_signed(offset)
            .and_then(|there| self.rules.items.get(there));
        match there {
            Some(rule) => format!("{}-{}", rule.priority, rule.id),
            None => own
                .saturating_add_signed(i64::try_from(offset).unwrap_or(0))
                .to_string(),
        }
    }

    fn has_focus(&self, rule: &EncryptionRule, button: &str) -> bool {
        // At an end of the list there is one button only.
        let only_up = rule.priority == self.count;
        let only_down = rule.priority == 1;
        let way = self
            .moved
            .strip_prefix(&rule.id.to_string())
            .and_then(|rest| rest.strip_prefix('-'));
        match (way, button) {
            (Some("up"), "up") => !only_down,
            (Some("up"), "down") => only_down,
            (Some("down"), "down") => !only_up,
            (Some("down"), "up") => only_up,
            _ => false,
        }
    }

    fn was_moved(&self, rule: &EncryptionRule) -> bool {
        let own = self.moved.split_once('-').map(|(id, _)| id);
        own == Some(rule.id.to_string().as_str())
    }
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<RuleFilter>,
    Query(paging): Query<Paging>,
    Query(shown): Query<Shown>,
) -> Result<Response, Problem> {
    let who = &visit.permitted;
    let rules = portal.office.rules(who, &filter, &paging).await?;
    let (first, next) = next_page(&visit.view, &filter, &paging, &rules);
    let first = first.or_else(|| {
        let begins_later = filter.priority.is_some_and(|from| from > 1);
        begins_later.then(|| visit.view.path.clone())
    });
    page(&List {
        removed: portal.office.removed_rules(who).await?,
        count: portal.office.rule_count(who).await?,
        filter,
        rules,
        moved: shown.moved,
        question: MailQuestion::default(),
        first,
        next,
        view: visit.view,
    })
}

/// What an arrow or a dragged line sends.
#[derive(Deserialize)]
struct Moved {
    /// Number and present priority of the rule: `12-3`.
    id: String,
    /// New priority, and number of the rule there: `2-7`.
    place: String,
}

/// Where the page began.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Start {
    start: Option<u64>,
}

/// Two numbers joined by `-`, the second perhaps missing.
fn pair<A: std::str::FromStr, B: std::str::FromStr>(
    field: &'static str,
    text: &str,
) -> Result<(A, Option<B>), Problem> {
    let (first, second) = match text.split_once('-') {
        Some((first, second)) => (first, Some(second)),
        None => (text, None),
    };
    let wrong = || Problem::wrong(field, Inputs::Pair {});
    let first = first.parse().map_err(|_| wrong())?;
    let second = second.map(str::parse).transpose();
    Ok((first, second.map_err(|_| wrong())?))
}

async fn move_to(
    State(portal): State<Portal>,
    Query(start): Query<Start>,
    Posted(permitted, moved): Posted<Write, Moved>,
) -> Result<Response, Problem> {
    let (id, from) = pair::<i64, u64>("id", &moved.id)?;
    let (to, passes) = pair::<u64, i64>("place", &moved.place)?;
    let from = from.ok_or_else(|| Problem::wrong("id", Inputs::Missing {}))?;
    let way = RuleMove { from, to, passes };
    let result = portal.office.move_rule(&permitted, id, way).await;
    let begin = start.start.unwrap_or(1).max(1);
    let rows = u64::from(Paging::default().rows());
    let begin = if (begin..begin.saturating_add(rows)).contains(&to) {
        begin
    } else {
        to
    };
    let by = if to > from { "down" } else { "up" };
    let back = format!(
        "{}?priority={begin}&moved={id}-{by}",
        table(permitted.organisation_name())
    );
    let notice = match &result {
        Ok(saved) => in_force(
            &portal,
            &saved.applied,
            Notice::new("rule-moved").text("priority", to),
        ),
        Err(problem) if problem.code == "changed-meanwhile" => Notice::new("rule-not-moved"),
        Err(problem) => return Err(problem.clone()),
    };
    done(&portal, &permitted, notice, &back).await
}

/// What the form of one line sends: what the rule said.
#[derive(Deserialize)]
struct Was {
    managed: String,
    external: String,
    #[serde(default)]
    inbound: String,
    #[serde(default)]
    outbound: String,
}

impl Was {
    fn body(&self) -> Result<RuleBody, Problem> {
        Ok(RuleBody {
            managed: self.managed.clone(),
            external: self.external.clone(),
            inbound: form::inbound(&self.inbound)?,
            outbound: form::outbound(&self.outbound)?,
        })
    }
}

async fn delete(
    State(portal): State<Portal>,
    Path((_, id)): Path<(String, i64)>,
    Posted(permitted, was): Posted<Write, Was>,
) -> Result<Response, Problem> {
    let was = was.body()?;
    let result = portal.office.delete_rule(&permitted, id, Some(&was)).await;
    let notice = match &result {
        Ok(saved) => in_force(&portal, &saved.applied, Notice::new("rule-deleted")),
        Err(problem) if problem.code == "changed-meanwhile" => Notice::new("rule-not-deleted"),
        Err(problem) => return Err(problem.clone()),
    };
    let back = table(permitted.organisation_name());
    done(&portal, &permitted, notice, &back).await
}

async fn restore(
    State(portal): State<Portal>,
    Path((_, id)): Path<(String, i64)>,
    Posted(permitted, Nothing {}): Posted<Write, Nothing>,
) -> Result<Response, Problem> {
    let saved = portal.office.restore_rule(&permitted, id).await?;
    let priority = saved.rule.as_ref().map_or(1, |rule| rule.priority);
    let notice = Notice::new("rule-restored").text("priority", priority);
    let notice = in_force(&portal, &saved.applied, notice);
    let back = line(permitted.organisation_name(), &saved);
    done(&portal, &permitted, notice, &back).await
}

/// For the script, while somebody writes: why a field cannot be saved so, or what to think of; nothing if it is fine.
async fn check(
    State(portal): State<Portal>,
    fetch: Fetch<Read>,
    Query(field): Query<Field>,
) -> Result<Response, Problem> {
    let question = RuleFieldQuestion {
        side: match field.name.as_str() {
            "external" => Side::External,
            _ => Side::Managed,
        },
        text: field.value,
    };
    let answer = match question.text.trim() {
        "" => return Ok(plain(String::new())),
        _ => {
            portal
                .office
                .rule_field(&fetch.permitted, &question)
                .await?
        }
    };
    Ok(plain(field_text(&answer, fetch.view.language)))
}

/// A field as the script sends it.
#[derive(Deserialize)]
struct Field {
    name: String,
    value: String,
}

fn plain(text: String) -> Response {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// What is to be said of a field, in words; nothing if it is fine.
fn field_text(answer: &RuleFieldAnswer, language: sealgate_core::tenant::Language) -> String {
    let mut lines = Vec::new();
    if answer.count > answer.most {
        let values = Values::new()
            .with("count", count(answer.count))
            .with("most", count(answer.most));
        lines.push(lang::text(language, key("rule-field-too-many"), &values));
    }
    let told = answer.entries.iter().filter_map(|entry| {
        let key = match entry.verdict {
            EntryVerdict::Ok | EntryVerdict::TooMany => return None,
            EntryVerdict::Empty if answer.entries.len() == 1 => key("rule-field-none"),
            EntryVerdict::Empty => key("rule-field-empty"),
            EntryVerdict::Neither if entry.text == "all" => key("rule-field-all-beside"),
            EntryVerdict::Neither => key("rule-field-neither"),
            EntryVerdict::Double => key("rule-field-double"),
            EntryVerdict::NotManaged => key("rule-field-not-managed"),
            EntryVerdict::NotExternal => key("rule-field-not-external"),
        };
        let values = Values::new().with("entry", entry.text.as_str());
        Some(lang::text(language, key, &values))
    });
    lines.extend(told);
    lines.join(" ")
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The notice with the time since when the change decides mails.
fn in_force(portal: &Portal, applied: &Applied, notice: Notice) -> Notice {
    let zone = portal.settings.time_zone.clone();
    let now = jiff::Timestamp::from_second(portal.now().0).unwrap_or_default();
    let time = now.to_zoned(zone).strftime("%H:%M:%S").to_string();
    notice
        .number("live", usize::from(applied.live))
        .text("time", time)
}

fn table(organisation: &str) -> String {
    format!("/o/{organisation}/smime/rules")
}

/// The list where it shows a rule.
fn line(organisation: &str, saved: &RuleSaved) -> String {
    let table = table(organisation);
    match &saved.rule {
        Some(rule) => {
            let rows = u64::from(Paging::default().rows());
            let begin = rule.priority.saturating_sub(1) / rows * rows + 1;
            format!("{table}?priority={begin}#rule-{}", rule.id)
        }
        None => table,
    }
}
