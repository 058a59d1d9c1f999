//! Revocations at work: taken, asked for, confirmed. One never ends without confirmation (A12).

use sealgate_core::authority::{AuthorityId, RevocationReason, ToRevoke};
use sealgate_core::order::NextRevocation;
use sealgate_core::saying::{Certificates as Said, Saying};
use sealgate_core::tenant::{KeyId, OrganisationId};
use sealgate_mail::{Address, Timestamp};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::audit::tell;
use crate::configuration::changed;
use crate::correspondents::certificate;
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::keys;
use crate::life::Lives;
use crate::limits::PAGE_ROWS;
use crate::orders::{GATEWAY, Scope};
use crate::rows::{self, Columns};
use crate::store::Store;
use crate::writer::{Weight, job};

/// A revocation that is worked on.
#[derive(Clone, Debug)]
pub struct LeasedRevocation {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub organisation: OrganisationId,
    /// Of which mailbox.
    pub address: Address,
    /// The authority that issued the certificate.
    pub authority: AuthorityId,
    /// What it is asked.
    pub what: ToRevoke,
    /// Attempts before.
    pub attempts: u32,
}

/// A revocation as lists show it.
#[derive(Clone, Debug)]
pub struct RevocationRow {
    /// Its number.
    pub id: i64,
    /// Of which mailbox.
    pub address: Address,
    /// The certificate's number.
    pub key: KeyId,
    /// Why.
    pub reason: RevocationReason,
    /// When it was asked for.
    pub asked: Timestamp,
    /// When its authority is asked next; none of an uploaded certificate.
    pub due: Option<Timestamp>,
    /// When it was confirmed.
    pub confirmed: Option<Timestamp>,
    /// What went wrong the last time.
    pub error: Option<Saying>,
}

impl Store {
    /// Takes up to `limit` due revocations of `scope`, each for `lease` seconds.
    pub async fn take_revocations(
        &self,
        scope: Scope,
        (limit, lease): (u32, i64),
        now: Timestamp,
    ) -> Result<Vec<LeasedRevocation>, StoreError> {
        if !self.revocation_due(scope, now).await? {
            return Ok(Vec::new());
        }
        let work = job(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "UPDATE revocations SET lease = $1 WHERE id IN (
                         SELECT r.id FROM revocations r JOIN authorities a ON a.id = r.authority
                         WHERE r.due <= $2 AND (r.lease IS NULL OR r.lease <= $2) AND ($3 IS NULL OR r.organisation = $3) AND ($4 = 0 OR a.kind = 'built-in')
                             AND ($6 IS NULL OR r.authority = $6)
                         ORDER BY r.due, r.id LIMIT $5
                     ) RETURNING id",
                )
                .bind(now.plus(lease).0)
                .bind(now.0)
                .bind(scope.organisation())
                .bind(scope.built_in)
                .bind(i64::from(limit))
                .bind(scope.authority())
                .fetch_all(&mut *connection)
                .await?;
                let mut taken = Vec::with_capacity(rows.len());
                for row in &rows {
                    let row = sqlx::query(
                        "SELECT r.*, k.certificate, k.chain, k.handle FROM revocations r JOIN keys k ON k.id = r.key
                         WHERE r.id = $1",
                    )
                    .bind(row.field::<i64>("id")?)
                    .fetch_one(&mut *connection)
                    .await?;
                    taken.push(leased(&row, now)?);
                }
                Ok(taken)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Whether a revocation of `scope` is due and nobody works on it: as with orders.
    async fn revocation_due(&self, scope: Scope, now: Timestamp) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT EXISTS (
                 SELECT 1 FROM revocations r JOIN authorities a ON a.id = r.authority
                 WHERE r.due <= $1 AND (r.lease IS NULL OR r.lease <= $1) AND ($2 IS NULL OR r.organisation = $2) AND ($3 = 0 OR a.kind = 'built-in')
                     AND ($4 IS NULL OR r.authority = $4)
             ) AS due",
        )
        .bind(now.0)
        .bind(scope.organisation())
        .bind(scope.built_in)
        .bind(scope.authority())
        .fetch_one(&self.0.readers)
        .await?;
        row.field("due")
    }

    /// Writes what the authority's answer makes of a revocation; the mailbox becomes inactive with its last one (S35).
    pub async fn revocation_answered(
        &self,
        revocation: &LeasedRevocation,
        next: NextRevocation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let revocation = revocation.clone();
        let work = job(move |connection| {
            Box::pin(async move { answered(connection, &revocation, next, now).await })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }

    /// The revocations of an organisation after the one numbered `after`; only open ones if `open`.
    pub async fn revocations(
        &self,
        organisation: OrganisationId,
        (after, open): (i64, bool),
        limit: u32,
    ) -> Result<Vec<RevocationRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM revocations WHERE organisation = $1 AND id > $2 AND ($3 = 0 OR confirmed IS NULL)
             ORDER BY id LIMIT $4",
        )
        .bind(organisation.0)
        .bind(after)
        .bind(open)
        .bind(i64::from(limit.min(PAGE_ROWS)))
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(revocation_row).collect()
    }
}

pub(crate) fn revocation_row(row: &SqliteRow) -> Result<RevocationRow, StoreError> {
    Ok(RevocationRow {
        id: row.field("id")?,
        address: row.address("mailbox")?,
        key: KeyId(row.field("key")?),
        reason: row.word("reason")?,
        asked: row.time("asked")?,
        due: row.optional_time("due")?,
        confirmed: row.optional_time("confirmed")?,
        error: row.told("error")?,
    })
}

fn leased(row: &SqliteRow, now: Timestamp) -> Result<LeasedRevocation, StoreError> {
    Ok(LeasedRevocation {
        id: row.field("id")?,
        organisation: row.organisation("organisation")?,
        address: row.address("mailbox")?,
        authority: AuthorityId(row.field("authority")?),
        what: ToRevoke {
            certificate: certificate(row.field("certificate")?)?,
            chain: keys::chain(row.field("chain")?)?,
            handle: row.field("handle")?,
            reason: row.word("reason")?,
            now,
        },
        attempts: row.field("attempts")?,
    })
}

async fn answered(
    connection: &mut SqliteConnection,
    revocation: &LeasedRevocation,
    next: NextRevocation,
    now: Timestamp,
) -> Result<(), StoreError> {
    let organisation = revocation.organisation.0;
    let serial = revocation.what.certificate.serial_hex();
    match next {
        NextRevocation::Confirmed => {
            let done = sqlx::query(
                "UPDATE revocations SET confirmed = $1, due = NULL, error = NULL WHERE id = $2 AND confirmed IS NULL",
            )
            .bind(now.0)
            .bind(revocation.id)
            .execute(&mut *connection)
            .await?;
            if done.rows_affected() == 0 {
                return Ok(());
            }
            let mut lives = Lives {
                connection: &mut *connection,
                organisation,
                now,
            };
            lives.revocation_confirmed(&revocation.address).await?;
            let said = Said::Revoked {
                address: revocation.address.to_string(),
                serial: serial.to_string(),
            };
            note(
                connection,
                (revocation.organisation, now),
                EventKind::CertificateRevoked,
                said,
            )
            .await?;
            changed(connection, OrganisationId(organisation)).await?;
            Ok(())
        }
        NextRevocation::Again {
            due,
            attempts,
            error,
            alarm,
        } => {
            sqlx::query("UPDATE revocations SET due = $1, lease = NULL, attempts = $2, error = $3 WHERE id = $4 AND confirmed IS NULL")
                .bind(due.0)
                .bind(attempts)
                .bind(error.as_ref().map(rows::told).transpose()?)
                .bind(revocation.id)
                .execute(&mut *connection)
                .await?;
            if !alarm {
                return Ok(());
            }
            let said = Said::NotRevokedYet {
                address: revocation.address.to_string(),
                serial: serial.to_string(),
                error: Box::new(error.unwrap_or(Saying::Words(String::new()))),
            };
            let event = (EventKind::RevocationLate, said);
            events::insert(connection, organisation, now, event).await
        }
    }
}

/// Gives back what a gateway that crashed was working on. An order that an external command was asked for stays taken until its
/// time is over: the program outlives the gateway. A revocation may be asked for twice.
pub(crate) async fn drop_leases(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql(
        "UPDATE orders SET lease = NULL WHERE lease IS NOT NULL AND (state = 'new'
             OR authority NOT IN (SELECT id FROM authorities WHERE kind = 'command'));
         UPDATE revocations SET lease = NULL WHERE lease IS NOT NULL;",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A line in the audit log and an event of the gateway's own doing.
pub(crate) async fn note(
    connection: &mut SqliteConnection,
    (organisation, now): (OrganisationId, Timestamp),
    kind: EventKind,
    said: impl Into<Saying>,
) -> Result<(), StoreError> {
    let said = said.into();
    tell(connection, organisation, (GATEWAY, now), said.clone()).await?;
    events::insert(connection, organisation.0, now, (kind, said)).await
}
