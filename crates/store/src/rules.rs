//! The list of rules as pages show it: numbered by priority, a page at a time, and the rules that were deleted a while ago.

use std::collections::HashSet;

use sealgate_core::rules::{Rule, RuleId};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteRow};

use crate::error::StoreError;
use crate::limits::{PAGE_ROWS, REMOVED_RULE_SECONDS, REMOVED_RULES_SHOWN};
use crate::rows::{Columns, of_word, size};
use crate::store::Store;

/// A rule with its priority, 1 first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankedRule {
    /// Its priority.
    pub priority: u64,
    /// The rule.
    pub rule: Rule,
}

/// Which rules; every field narrows it.
#[derive(Clone, Debug, Default)]
pub struct RuleQuery {
    /// With a lower priority than this one.
    pub after: u64,
    /// With this text in a field, in any case.
    pub search: Option<String>,
    /// Most rows.
    pub limit: u32,
}

/// What is said where a number names no rule of the organisation.
pub(crate) fn not_found(id: RuleId) -> StoreError {
    StoreError::NotFound(format!("there is no rule {}", id.0))
}

/// A rule of a row.
pub(crate) fn rule(row: &SqliteRow) -> Result<Rule, StoreError> {
    let pattern = |column: &str| {
        row.field::<&str>(column)?
            .parse()
            .map_err(|error| StoreError::damaged(format!("rule: {error}")))
    };
    let word = |column: &str| row.field::<Option<String>>(column);
    Ok(Rule {
        id: RuleId(row.field("id")?),
        managed: pattern("managed")?,
        external: pattern("external")?,
        inbound: word("inbound")?.map(of_word).transpose()?,
        outbound: word("outbound")?.map(of_word).transpose()?,
    })
}

fn ranked(row: &SqliteRow) -> Result<RankedRule, StoreError> {
    Ok(RankedRule {
        priority: size(row.field("place")?),
        rule: rule(row)?,
    })
}

/// Text as a rule field holds it, to be looked for.
fn folded(text: &str) -> String {
    match text.trim().to_lowercase().as_str() {
        "alle" | "any" => "all".to_owned(),
        other => other.to_owned(),
    }
}

impl Store {
    /// One page of an organisation's rules, priority 1 first.
    pub async fn rule_page(
        &self,
        organisation: OrganisationId,
        query: &RuleQuery,
    ) -> Result<Vec<RankedRule>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY priority) AS place FROM rules WHERE organisation = ",
        );
        sql.push_bind(organisation.0)
            .push(") WHERE place > ")
            .push_bind(i64::try_from(query.after).unwrap_or(i64::MAX));
        if let Some(search) = &query.search {
            let text = folded(search);
            sql.push(" AND (instr(lower(managed), ")
                .push_bind(text.clone())
                .push(") > 0 OR instr(lower(external), ")
                .push_bind(text)
                .push(") > 0)");
        }
        sql.push(" ORDER BY place LIMIT ")
            .push_bind(i64::from(query.limit.min(PAGE_ROWS)));
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(ranked).collect()
    }

    /// How many rules an organisation has.
    pub async fn rule_count(&self, organisation: OrganisationId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS rules FROM rules WHERE organisation = $1")
            .bind(organisation.0)
            .fetch_one(&self.0.readers)
            .await?;
        Ok(size(row.field("rules")?))
    }

    /// One rule with its priority.
    pub async fn ranked_rule(
        &self,
        organisation: OrganisationId,
        id: RuleId,
    ) -> Result<RankedRule, StoreError> {
        let row = sqlx::query(
            "SELECT own.*, (SELECT COUNT(*) FROM rules other
                WHERE other.organisation = $1 AND other.priority <= own.priority) AS place
             FROM rules own WHERE own.id = $2 AND own.organisation = $1",
        )
        .bind(organisation.0)
        .bind(id.0)
        .fetch_optional(&self.0.readers)
        .await?;
        ranked(&row.ok_or_else(|| not_found(id))?)
    }

    /// The rules that were deleted lately, newest first, each with the priority it had: those that can be taken back.
    pub async fn removed_rules(
        &self,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Result<Vec<RankedRule>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM removed_rules WHERE organisation = $1 AND removed >= $2 ORDER BY removed DESC, id DESC LIMIT $3",
        )
        .bind(organisation.0)
        .bind(now.plus(-REMOVED_RULE_SECONDS).0)
        .bind(REMOVED_RULES_SHOWN)
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(ranked).collect()
    }

    /// The comparison forms of the mailboxes that have no current key to be encrypted to, but keys for decryption.
    pub async fn mailboxes_with_old_keys(
        &self,
        organisation: OrganisationId,
    ) -> Result<HashSet<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT k.mailbox FROM keys k WHERE k.organisation = $1 AND NOT EXISTS
             (SELECT 1 FROM mailboxes m WHERE m.organisation = $1 AND m.mailbox = k.mailbox AND m.encryption IS NOT NULL)",
        )
        .bind(organisation.0)
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(|row| row.field("mailbox")).collect()
    }
}
