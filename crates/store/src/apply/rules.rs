//! Changes of the ordered list of rules. `rules.priority` only orders: its numbers have gaps, so that a rule is put, moved or
//! deleted without touching the others.

use std::collections::HashSet;

use sealgate_core::change::MoveRule;
use sealgate_core::rules::{Rule, RuleId};
use sealgate_core::saying::Refusals;

use super::{Run, refused};
use crate::configuration::next_number;
use crate::error::StoreError;
use crate::limits::{REMOVED_RULE_SECONDS, RULE_GAP};
use crate::rows::{Columns, word};
use crate::rules;

impl Run<'_> {
    /// The whole list.
    pub(super) async fn rules(&mut self, rules: &[Rule]) -> Result<(), StoreError> {
        let known = sqlx::query("DELETE FROM rules WHERE organisation = $1 RETURNING id")
            .bind(self.organisation)
            .fetch_all(&mut *self.connection)
            .await?;
        let mut known = known
            .iter()
            .map(|row| row.field("id"))
            .collect::<Result<HashSet<i64>, _>>()?;
        for (place, rule) in (1_i64..).zip(rules) {
            let id = if known.remove(&rule.id.0) {
                rule.id.0
            } else {
                next_number(self.connection, "rule").await?
            };
            self.insert_rule(id, place.saturating_mul(RULE_GAP), rule)
                .await?;
        }
        Ok(())
    }

    /// S55: with the highest priority.
    pub(super) async fn add_rule(&mut self, rule: &Rule) -> Result<(), StoreError> {
        let key = self.key_for(1).await?;
        let id = next_number(self.connection, "rule").await?;
        self.insert_rule(id, key, rule).await
    }

    pub(super) async fn edit_rule(&mut self, was: &Rule, becomes: &Rule) -> Result<(), StoreError> {
        self.as_it_was(was).await?;
        sqlx::query(
            "UPDATE rules SET managed = $1, external = $2, inbound = $3, outbound = $4
             WHERE id = $5 AND organisation = $6",
        )
        .bind(becomes.managed.to_string())
        .bind(becomes.external.to_string())
        .bind(becomes.inbound.as_ref().map(word).transpose()?)
        .bind(becomes.outbound.as_ref().map(word).transpose()?)
        .bind(was.id.0)
        .bind(self.organisation)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn move_rule(&mut self, way: MoveRule) -> Result<(), StoreError> {
        let place = self.place_of(way.id).await?;
        let there = self.at_place(way.to).await?;
        let Some((there, _)) = there else {
            return refused(Refusals::NoPriority {
                to: i64::try_from(way.to).unwrap_or(i64::MAX),
            });
        };
        if place != way.from || way.passes.is_some_and(|seen| seen != there) {
            return refused(Refusals::OrderChanged {});
        }
        if place == way.to {
            return Ok(());
        }
        // Behind the one that is there when it goes down, before it when it goes up.
        let before = if way.to > place { way.to + 1 } else { way.to };
        let key = self.key_for(before).await?;
        sqlx::query("UPDATE rules SET priority = $1 WHERE id = $2 AND organisation = $3")
            .bind(key)
            .bind(way.id.0)
            .bind(self.organisation)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn remove_rule(&mut self, rule: &Rule) -> Result<(), StoreError> {
        self.as_it_was(rule).await?;
        let place = i64::try_from(self.place_of(rule.id).await?).unwrap_or(i64::MAX);
        sqlx::query(
            "DELETE FROM removed_rules WHERE organisation = $1 AND (removed < $2 OR id = $3)",
        )
        .bind(self.organisation)
        .bind(self.now.plus(-REMOVED_RULE_SECONDS).0)
        .bind(rule.id.0)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query(
            "INSERT INTO removed_rules (id, organisation, place, managed, external, inbound, outbound, removed)
             SELECT id, organisation, $1, managed, external, inbound, outbound, $2 FROM rules
             WHERE id = $3 AND organisation = $4",
        )
        .bind(place)
        .bind(self.now.0)
        .bind(rule.id.0)
        .bind(self.organisation)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query("DELETE FROM rules WHERE id = $1 AND organisation = $2")
            .bind(rule.id.0)
            .bind(self.organisation)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn restore_rule(&mut self, id: RuleId) -> Result<(), StoreError> {
        let row = sqlx::query(
            "DELETE FROM removed_rules WHERE id = $1 AND organisation = $2 AND removed >= $3 RETURNING *",
        )
        .bind(id.0)
        .bind(self.organisation)
        .bind(self.now.plus(-REMOVED_RULE_SECONDS).0)
        .fetch_optional(&mut *self.connection)
        .await?;
        let row = row.ok_or_else(|| rules::not_found(id))?;
        let place = usize::try_from(row.field::<i64>("place")?).unwrap_or(usize::MAX);
        let rule = rules::rule(&row)?;
        let key = self.key_for(place).await?;
        self.insert_rule(id.0, key, &rule).await
    }

    async fn insert_rule(&mut self, id: i64, key: i64, rule: &Rule) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO rules (id, organisation, priority, managed, external, inbound, outbound)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(self.organisation)
        .bind(key)
        .bind(rule.managed.to_string())
        .bind(rule.external.to_string())
        .bind(rule.inbound.as_ref().map(word).transpose()?)
        .bind(rule.outbound.as_ref().map(word).transpose()?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Refuses where somebody else changed or deleted the rule since it was looked at.
    async fn as_it_was(&mut self, was: &Rule) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT * FROM rules WHERE id = $1 AND organisation = $2")
            .bind(was.id.0)
            .bind(self.organisation)
            .fetch_optional(&mut *self.connection)
            .await?;
        let row = row.ok_or_else(|| rules::not_found(was.id))?;
        if rules::rule(&row)? == *was {
            return Ok(());
        }
        refused(Refusals::RuleChanged {})
    }

    /// The priority of a rule, 1 first.
    async fn place_of(&mut self, id: RuleId) -> Result<usize, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM rules other WHERE other.organisation = $1 AND other.priority <= own.priority) AS place
             FROM rules own WHERE own.id = $2 AND own.organisation = $1",
        )
        .bind(self.organisation)
        .bind(id.0)
        .fetch_optional(&mut *self.connection)
        .await?;
        let row = row.ok_or_else(|| rules::not_found(id))?;
        Ok(usize::try_from(row.field::<i64>("place")?).unwrap_or(0))
    }

    /// The rule with a priority, and its ordering number.
    async fn at_place(&mut self, place: usize) -> Result<Option<(RuleId, i64)>, StoreError> {
        let Some(before) = place.checked_sub(1) else {
            return Ok(None);
        };
        let row = sqlx::query(
            "SELECT id, priority FROM rules WHERE organisation = $1 ORDER BY priority LIMIT 1 OFFSET $2",
        )
        .bind(self.organisation)
        .bind(i64::try_from(before).unwrap_or(i64::MAX))
        .fetch_optional(&mut *self.connection)
        .await?;
        let found = |row: &sqlx::sqlite::SqliteRow| -> Result<_, StoreError> {
            Ok((RuleId(row.field("id")?), row.field("priority")?))
        };
        row.as_ref().map(found).transpose()
    }

    /// An ordering number between the rule that has priority `place` now and the one above it; the last one if there are
    /// fewer rules. Where there is no room, all rules get new numbers once.
    async fn key_for(&mut self, place: usize) -> Result<i64, StoreError> {
        for _ in 0..2 {
            let below = self.at_place(place).await?.map(|(_, key)| key);
            let above = match below {
                Some(_) => self.at_place(place.saturating_sub(1)).await?,
                None => self.last().await?,
            };
            let above = above.map(|(_, key)| key);
            let between = |above: i64, below: i64| {
                let room = below.saturating_sub(above);
                (room > 1).then(|| above + room / 2)
            };
            let key = match (above, below) {
                (None, None) => Some(RULE_GAP),
                (None, Some(below)) => below.checked_sub(RULE_GAP),
                (Some(above), None) => above.checked_add(RULE_GAP),
                (Some(above), Some(below)) => between(above, below),
            };
            match key {
                Some(key) => return Ok(key),
                None => self.number_anew().await?,
            }
        }
        Err(StoreError::damaged("rules without an order"))
    }

    async fn last(&mut self) -> Result<Option<(RuleId, i64)>, StoreError> {
        let row = sqlx::query(
            "SELECT id, priority FROM rules WHERE organisation = $1 ORDER BY priority DESC LIMIT 1",
        )
        .bind(self.organisation)
        .fetch_optional(&mut *self.connection)
        .await?;
        let found = |row: &sqlx::sqlite::SqliteRow| -> Result<_, StoreError> {
            Ok((RuleId(row.field("id")?), row.field("priority")?))
        };
        row.as_ref().map(found).transpose()
    }

    async fn number_anew(&mut self) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE rules SET priority = numbered.place * $1
             FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY priority) AS place FROM rules WHERE organisation = $2) AS numbered
             WHERE rules.id = numbered.id",
        )
        .bind(RULE_GAP)
        .bind(self.organisation)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}
