//! What time alone brings: "Revoke pending" that has lasted its days ends, next certificates are ordered ahead of the end of the
//! present ones, and administrators are warned where none will come.
//!
//! Candidates are found by reading; each is judged again in the transaction that does something about it.

use std::collections::{BTreeSet, HashMap};

use sealgate_core::licence::Quota;
use sealgate_core::limits::{EXPIRY_WARNINGS, ORDER_LATE, REVOKE_PENDING};
use sealgate_core::mailbox::{Command, Life};
use sealgate_core::order::Purpose;
use sealgate_core::renewal::{self, Current, Step, Terms};
use sealgate_core::saying::Certificates as Said;
use sealgate_core::tenant::{OrganisationId, Settings};
use sealgate_mail::{Address, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::configuration::{changed, key_kind};
use crate::correspondents::certificate;
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::licences;
use crate::life::{Lives, NewOrder, With};
use crate::limits::LOOK_AHEAD_ROWS;
use crate::revocations::note;
use crate::rows::Columns;
use crate::store::Store;
use crate::writer::{Weight, job};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The active mailboxes whose certificate ends so soon after `$1` that it is renewed, or within `$2` days, when a warning may be
/// due; with the authority that renews: the one that issued as it is now, else the standard one.
const ENDING: &str = "SELECT m.organisation, m.address, m.state, m.since, m.known, o.settings, k.id AS key, k.added, k.not_after,
        k.authority, k.warned, k.certificate, k.token, COALESCE(c.id, s.id) AS next_authority,
        COALESCE(c.renew_days, s.renew_days) AS renew_days,
        EXISTS (SELECT 1 FROM orders d WHERE d.organisation = m.organisation AND d.mailbox = m.mailbox
                AND d.ended IS NULL) AS ordered,
        (SELECT MAX(d.ended) FROM orders d WHERE d.organisation = m.organisation AND d.mailbox = m.mailbox
                AND d.state IN ('failed', 'withdrawn')) AS refused
    FROM mailboxes m JOIN keys k ON k.id = m.signing AND k.organisation = m.organisation AND k.mailbox = m.mailbox
    JOIN organisations o ON o.id = m.organisation
    LEFT JOIN authorities a ON a.id = k.authority
    LEFT JOIN authorities c ON c.organisation = m.organisation AND c.name = a.name AND c.current = 1
    LEFT JOIN authorities s ON s.organisation = m.organisation AND s.standard = 1 AND s.current = 1
    WHERE m.state = 'active' AND k.not_after <= $1 + 86400 * MAX(COALESCE(c.renew_days, s.renew_days, 0), $2) ";

/// Days before its end when the first warning of a certificate may be due.
fn warned_ahead() -> i64 {
    EXPIRY_WARNINGS.into_iter().max().unwrap_or_default()
}

/// Keys that may be of these, found by the index of current ones: most end later than any authority renews.
const CURRENT: &str = "SELECT x.id FROM organisations y CROSS JOIN keys x WHERE x.organisation = y.id AND x.current = 1
    AND x.not_after <= $1 + 86400 * MAX(COALESCE((SELECT MAX(renew_days) FROM authorities WHERE current = 1), 0), $2)";

/// Of these all, those that end first before the others.
fn all_ending() -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "{ENDING} AND k.id IN ({CURRENT}) ORDER BY k.not_after"
    ))
}

/// Of these the mailbox `$4` of organisation `$3`.
fn one_ending() -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "{ENDING} AND m.organisation = $3 AND m.mailbox = $4"
    ))
}

/// What is to be done for a mailbox.
type Candidate = (OrganisationId, Address);

impl Store {
    /// Does what time alone brings until `now`, some of it in one call; says how much it was. To be called until that is
    /// nothing.
    pub async fn look_ahead(&self, now: Timestamp) -> Result<usize, StoreError> {
        let waited = self.waited_out(now).await?;
        let ending = self.ending(now).await?;
        let late = self.late(now).await?;
        let done = waited.len() + ending.len() + late.len();
        if done == 0 {
            return Ok(0);
        }
        let work = job(move |connection| {
            Box::pin(async move {
                let of_all = waited.iter().chain(&ending);
                let touched: BTreeSet<_> = of_all.map(|(organisation, _)| *organisation).collect();
                for candidate in &waited {
                    end_waiting(connection, candidate, now).await?;
                }
                for candidate in &ending {
                    end_ahead(connection, candidate, now).await?;
                }
                for order in late {
                    tell_late(connection, order, now).await?;
                }
                for organisation in touched {
                    changed(connection, organisation).await?;
                }
                Ok(())
            })
        });
        self.0.writer.write(Weight::WAKES, work).await?;
        Ok(done)
    }

    async fn waited_out(&self, now: Timestamp) -> Result<Vec<Candidate>, StoreError> {
        let rows = sqlx::query(
            "SELECT organisation, address FROM mailboxes WHERE state = 'revoke-pending' AND since <= $1
             ORDER BY since LIMIT $2",
        )
        .bind(now.plus(-REVOKE_PENDING).0)
        .bind(LOOK_AHEAD_ROWS)
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter()
            .map(|row| Ok((row.organisation("organisation")?, row.address("address")?)))
            .collect()
    }

    /// Orders that an authority outside has had for a day, which nobody was told of yet.
    async fn late(&self, now: Timestamp) -> Result<Vec<i64>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.id FROM orders o JOIN authorities a ON a.id = o.authority
             WHERE o.due IS NOT NULL AND o.late_told = 0 AND o.created <= $1 AND o.state IN ('asking', 'waiting')
             AND a.kind <> 'by-hand' LIMIT $2",
        )
        .bind(now.plus(-ORDER_LATE).0)
        .bind(LOOK_AHEAD_ROWS)
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(|row| row.field("id")).collect()
    }

    async fn ending(&self, now: Timestamp) -> Result<Vec<Candidate>, StoreError> {
        let mut reading = self.0.readers.begin().await?;
        let rows = sqlx::query(all_ending())
            .bind(now.0)
            .bind(warned_ahead())
            .fetch_all(&mut *reading)
            .await?;
        let mut quotas: HashMap<OrganisationId, Quota> = HashMap::new();
        let mut found = Vec::new();
        for row in &rows {
            let organisation = row.organisation("organisation")?;
            let quota = match quotas.get(&organisation) {
                Some(quota) => *quota,
                None => licences::quota(&mut reading, organisation.0).await?,
            };
            quotas.insert(organisation, quota);
            if step(row, quota, now)? != Step::None {
                found.push((organisation, row.address("address")?));
            }
            if found.len() >= usize::try_from(LOOK_AHEAD_ROWS).unwrap_or(usize::MAX) {
                break;
            }
        }
        Ok(found)
    }
}

fn step(row: &SqliteRow, quota: Quota, now: Timestamp) -> Result<Step, StoreError> {
    let settings: Settings = row.json("settings")?;
    let current = Current {
        life: Life {
            state: row.word("state")?,
            since: row.time("since")?,
            ordered: row.field("ordered")?,
            known: row.field("known")?,
        },
        added: row.time("added")?,
        not_after: row.time("not_after")?,
        uploaded: row.field::<Option<i64>>("authority")?.is_none(),
        refused: row.optional_time("refused")?,
        warned: row.field("warned")?,
    };
    let terms = Terms {
        ahead: row.field::<Option<i64>>("renew_days")?.unwrap_or(0) * DAY,
        replace_uploaded: settings.replace_uploaded,
        quota,
    };
    Ok(renewal::step(current, terms, now))
}

async fn tell_late(
    connection: &mut SqliteConnection,
    order: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "UPDATE orders SET late_told = 1 WHERE id = $1 AND ended IS NULL RETURNING organisation, address, error",
    )
    .bind(order)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let error = row.told("error")?;
    let address = row.address("address")?.to_string();
    let said = match error {
        Some(error) => Said::NotThereBecause {
            address,
            error: Box::new(error),
        },
        None => Said::NotThere { address },
    };
    let whose = row.field("organisation")?;
    events::insert(connection, whose, now, (EventKind::OrderLate, said)).await
}

async fn end_waiting(
    connection: &mut SqliteConnection,
    (organisation, address): &Candidate,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut lives = Lives {
        connection: &mut *connection,
        organisation: organisation.0,
        now,
    };
    if !lives
        .life(address)
        .await?
        .is_some_and(|life| life.waited_out(now))
    {
        return Ok(());
    }
    lives
        .command(address, Command::WaitedOut, With::Nothing)
        .await?;
    let said = Said::InactiveUnconfirmed {
        address: address.to_string(),
    };
    note(
        connection,
        (*organisation, now),
        EventKind::RevocationLate,
        said,
    )
    .await
}

async fn end_ahead(
    connection: &mut SqliteConnection,
    (organisation, address): &Candidate,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = sqlx::query(one_ending())
        .bind(now.0)
        .bind(warned_ahead())
        .bind(organisation.0)
        .bind(address.key())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(()) };
    let quota = licences::quota(connection, organisation.0).await?;
    let until = row.time("not_after")?;
    match step(&row, quota, now)? {
        Step::None => Ok(()),
        Step::Order => {
            let order = NewOrder {
                authority: row.field("next_authority")?,
                purpose: Purpose::Renewal,
                key: key_kind(&certificate(row.field("certificate")?)?),
                token: row.field("token")?,
                batch: None,
                due: now,
            };
            let mut lives = Lives {
                connection: &mut *connection,
                organisation: organisation.0,
                now,
            };
            lives
                .command(address, Command::Renew, With::Order(&order))
                .await?;
            let said = Said::RenewalOrdered {
                address: address.to_string(),
                until,
            };
            note(
                connection,
                (*organisation, now),
                EventKind::RenewalOrdered,
                said,
            )
            .await
        }
        Step::Warn(days) => {
            sqlx::query("UPDATE keys SET warned = $1 WHERE id = $2")
                .bind(days)
                .bind(row.field::<i64>("key")?)
                .execute(&mut *connection)
                .await?;
            let address = address.to_string();
            let said = match days {
                0 => Said::Ended { address, until },
                _ => Said::Ends { address, until },
            };
            note(
                connection,
                (*organisation, now),
                EventKind::CertificateEnds,
                said,
            )
            .await
        }
    }
}
