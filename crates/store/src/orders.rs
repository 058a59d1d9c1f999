//! Orders for certificates at work: taken, made ready, asked about, ended. An order is durable with its key and request before
//! an authority hears of it; whoever takes one keeps it for the time of a lease, and a crash gives it back when that is over.

use sealgate_core::authority::{AuthorityId, OrderId, RevocationReason, Wanted};
use sealgate_core::change::KeyOrigin;
use sealgate_core::mailbox::{Command, Life, MailboxState};
use sealgate_core::order::{Next, OrderState, Purpose};
use sealgate_core::saying::{Certificates as Said, Saying};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::{KeyKind, PrivateKey};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use std::sync::Arc;

use crate::configuration::{changed, next_number};
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::keys::{self, Issuer, NewKey};
use crate::life::{CurrentKeys, Lives, With};
use crate::revocations::note;
use crate::rows::{self, Columns, sentence};
use crate::seal::Purpose as Sealed;
use crate::store::{Inner, Store};
use crate::writer::{Weight, job};

mod list;

pub(crate) use list::order_row;
pub use list::{BatchRow, OrderRow};

/// Who changes what an authority's answer changes, in the audit log.
pub(crate) const GATEWAY: &str = "gateway";

/// Which orders and revocations are worked on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// Those of one organisation; of all if none.
    pub organisation: Option<OrganisationId>,
    /// Only those of the built-in CA, for which nobody outside is asked.
    pub built_in: bool,
    /// Only those of one authority.
    pub authority: Option<AuthorityId>,
}

impl Scope {
    pub(crate) fn organisation(self) -> Option<i64> {
        self.organisation.map(|organisation| organisation.0)
    }

    pub(crate) fn authority(self) -> Option<i64> {
        self.authority.map(|authority| authority.0)
    }
}

/// An order that is worked on.
#[derive(Clone, Debug)]
pub struct LeasedOrder {
    /// Its number.
    pub id: OrderId,
    /// Whose.
    pub organisation: OrganisationId,
    /// For which mailbox.
    pub address: Address,
    /// From which authority.
    pub authority: AuthorityId,
    /// What it is for.
    pub purpose: Purpose,
    /// The key to make.
    pub key: KeyKind,
    /// The token to make it on.
    pub token: Option<String>,
    /// How far it is.
    pub state: OrderState,
    /// Its request, once its key is made.
    pub csr: Option<Vec<u8>>,
    /// The connector's notes.
    pub handle: Option<String>,
    /// Failures in a row.
    pub attempts: u32,
    /// When it was opened.
    pub created: Timestamp,
}

fn leased(row: &SqliteRow) -> Result<LeasedOrder, StoreError> {
    Ok(LeasedOrder {
        id: OrderId(row.field("id")?),
        organisation: row.organisation("organisation")?,
        address: row.address("address")?,
        authority: AuthorityId(row.field("authority")?),
        purpose: row.word("purpose")?,
        key: row.word("key_kind")?,
        token: row.field("token")?,
        state: row.word("state")?,
        csr: row.field("csr")?,
        handle: row.field("handle")?,
        attempts: row.field("attempts")?,
        created: row.time("created")?,
    })
}

fn record(id: OrderId) -> String {
    format!("order {}", id.0)
}

impl Store {
    /// Takes up to `limit` due orders of `scope`, each for `lease` seconds.
    pub async fn take_orders(
        &self,
        scope: Scope,
        (limit, lease): (u32, i64),
        now: Timestamp,
    ) -> Result<Vec<LeasedOrder>, StoreError> {
        if !self.order_due(scope, now).await? {
            return Ok(Vec::new());
        }
        let work = job(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "UPDATE orders SET lease = $1 WHERE id IN (
                         SELECT o.id FROM orders o JOIN authorities a ON a.id = o.authority
                         WHERE o.due <= $2 AND (o.lease IS NULL OR o.lease <= $2) AND ($3 IS NULL OR o.organisation = $3) AND ($4 = 0 OR a.kind = 'built-in')
                             AND ($6 IS NULL OR o.authority = $6)
                         ORDER BY o.due, o.id LIMIT $5
                     ) RETURNING *",
                )
                .bind(now.plus(lease).0)
                .bind(now.0)
                .bind(scope.organisation())
                .bind(scope.built_in)
                .bind(i64::from(limit))
                .bind(scope.authority())
                .fetch_all(connection)
                .await?;
                rows.iter().map(leased).collect()
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// The authorities outside that there is something to ask of.
    pub async fn authorities_due(&self, now: Timestamp) -> Result<Vec<AuthorityId>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.id FROM authorities a WHERE a.kind <> 'built-in' AND (
                 EXISTS (SELECT 1 FROM orders o WHERE o.authority = a.id AND o.due <= $1
                         AND (o.lease IS NULL OR o.lease <= $1))
                 OR EXISTS (SELECT 1 FROM revocations r WHERE r.authority = a.id AND r.due <= $1
                            AND (r.lease IS NULL OR r.lease <= $1)))",
        )
        .bind(now.0)
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter()
            .map(|row| Ok(AuthorityId(row.field("id")?)))
            .collect()
    }

    /// Whether an order of `scope` is due and nobody works on it: asked often, so by an index and without the writer.
    async fn order_due(&self, scope: Scope, now: Timestamp) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT EXISTS (
                 SELECT 1 FROM orders o JOIN authorities a ON a.id = o.authority
                 WHERE o.due <= $1 AND (o.lease IS NULL OR o.lease <= $1) AND ($2 IS NULL OR o.organisation = $2) AND ($3 = 0 OR a.kind = 'built-in')
                     AND ($4 IS NULL OR o.authority = $4)
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

    /// Keeps an order longer: for what is known to take its time. Not one that another authority has by now.
    pub async fn keep_order(
        &self,
        order: &LeasedOrder,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, authority) = (order.id, order.authority);
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE orders SET lease = $1 WHERE id = $2 AND authority = $3 AND ended IS NULL")
                    .bind(until.0)
                    .bind(id.0)
                    .bind(authority.0)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Keeps the key and the request of an order. From here on its authority may hear of it: whatever happens next, it is asked
    /// how far the order is before it is requested again. `false` if the order has ended meanwhile, went to another authority,
    /// or somebody else, whose lease is newer, has made its key: that one asks.
    pub async fn order_ready(
        &self,
        order: &LeasedOrder,
        key: &PrivateKey,
        csr: &[u8],
    ) -> Result<bool, StoreError> {
        let sealed = self
            .0
            .sealer
            .seal_key(Sealed::MailboxKey, &record(order.id), key)?;
        let (id, authority, csr) = (order.id, order.authority, csr.to_vec());
        let work = job(move |connection| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE orders SET sealed = $1, csr = $2, state = 'asking' WHERE id = $3 AND authority = $4 AND state = 'new'",
                )
                .bind(sealed)
                .bind(csr)
                .bind(id.0)
                .bind(authority.0)
                .execute(connection)
                .await?;
                Ok(done.rows_affected() > 0)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// What an authority is asked about an order whose key is made. `answered`: see [`Wanted::answered`].
    pub async fn wanted(
        &self,
        order: &LeasedOrder,
        answered: bool,
        now: Timestamp,
    ) -> Result<Wanted, StoreError> {
        let row =
            sqlx::query("SELECT csr, sealed, handle FROM orders WHERE id = $1 AND ended IS NULL")
                .bind(order.id.0)
                .fetch_optional(&self.0.readers)
                .await?
                .ok_or_else(|| StoreError::NotFound(format!("order {} has ended", order.id.0)))?;
        let key = order_key(&self.0, order.id, &row)?;
        Ok(Wanted {
            order: order.id,
            address: order.address.clone(),
            csr: row.field::<Option<Vec<u8>>>("csr")?.unwrap_or_default(),
            spki: key.spki_der().to_vec(),
            handle: row.field("handle")?,
            answered,
            now,
        })
    }

    /// The public key (SubjectPublicKeyInfo, DER) that an order was made for, also after the order was withdrawn while its
    /// authority was asked; none if its certificate is stored, or no key was made.
    pub async fn order_spki(&self, id: OrderId) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT sealed FROM orders WHERE id = $1 AND sealed IS NOT NULL")
            .bind(id.0)
            .fetch_optional(&self.0.readers)
            .await?;
        row.map(|row| Ok(order_key(&self.0, id, &row)?.spki_der().to_vec()))
            .transpose()
    }

    /// Writes what the authority's answer makes of an order, but for [`Next::Issued`]: see [`Store::order_issued`]. What an
    /// authority answers about an order that another one has by now changes nothing.
    pub async fn order_answered(
        &self,
        order: &LeasedOrder,
        next: Next,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (order, inner) = (order.clone(), Arc::clone(&self.0));
        let work = job(move |connection| {
            Box::pin(async move { answered(connection, &inner, &order, next, now).await })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }

    /// The certificate of an order is there, its issuers behind it: the mailbox has it from here on. What nobody waits for any
    /// more is kept too, and revoked.
    pub async fn order_issued(
        &self,
        order: &LeasedOrder,
        chain: &[Certificate],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (order, chain, inner) = (order.clone(), chain.to_vec(), Arc::clone(&self.0));
        let work = job(move |connection| {
            Box::pin(async move { issued(connection, &inner, (&order, &chain), now).await })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }

    /// The open order of that number, for an administrator who carries it to its authority.
    pub async fn open_order(
        &self,
        organisation: OrganisationId,
        id: OrderId,
    ) -> Result<LeasedOrder, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM orders WHERE id = $1 AND organisation = $2 AND ended IS NULL",
        )
        .bind(id.0)
        .bind(organisation.0)
        .fetch_optional(&self.0.readers)
        .await?
        .ok_or_else(|| {
            StoreError::NotFound(format!(
                "there is no open order {}: see `sealgate order list`",
                id.0
            ))
        })?;
        leased(&row)
    }
}

fn order_key(inner: &Inner, id: OrderId, row: &SqliteRow) -> Result<PrivateKey, StoreError> {
    let sealed: Option<&[u8]> = row.field("sealed")?;
    let sealed = sealed.ok_or_else(|| StoreError::damaged(format!("the key of order {}", id.0)))?;
    inner
        .sealer
        .open_key(Sealed::MailboxKey, &record(id), sealed)
}

async fn answered(
    connection: &mut SqliteConnection,
    inner: &Inner,
    order: &LeasedOrder,
    next: Next,
    now: Timestamp,
) -> Result<(), StoreError> {
    let organisation = order.organisation.0;
    match next {
        Next::Issued(chain) => issued(connection, inner, (order, &chain), now).await,
        Next::Wait { handle, due } => {
            sqlx::query(
                "UPDATE orders SET state = 'waiting', handle = $1, due = $2, lease = NULL, attempts = 0, error = NULL
                 WHERE id = $3 AND authority = $4 AND ended IS NULL",
            )
            .bind(handle)
            .bind(due.0)
            .bind(order.id.0)
            .bind(order.authority.0)
            .execute(connection)
            .await?;
            Ok(())
        }
        Next::Request => {
            sqlx::query("UPDATE orders SET state = 'asking', handle = NULL, reply = NULL WHERE id = $1 AND authority = $2 AND ended IS NULL")
                .bind(order.id.0)
                .bind(order.authority.0)
                .execute(connection)
                .await?;
            Ok(())
        }
        Next::Again {
            due,
            failures,
            error,
            alarm,
        } => {
            let done = sqlx::query("UPDATE orders SET due = $1, lease = NULL, attempts = $2, error = $3 WHERE id = $4 AND authority = $5 AND ended IS NULL")
                .bind(due.0)
                .bind(failures)
                .bind(rows::told(&error)?)
                .bind(order.id.0)
                .bind(order.authority.0)
                .execute(&mut *connection)
                .await?;
            if !alarm || done.rows_affected() == 0 {
                return Ok(());
            }
            let said = late(order, error);
            events::insert(connection, organisation, now, (EventKind::OrderLate, said)).await
        }
        Next::Fail(why) => {
            let mut lives = Lives {
                connection: &mut *connection,
                organisation,
                now,
            };
            if !is_open(lives.connection, order).await? {
                return Ok(());
            }
            let end = With::End(OrderState::Failed, &why);
            lives
                .command(&order.address, Command::OrderFailed, end)
                .await?;
            let said = will_not_come(order, why);
            told(connection, order, (EventKind::OrderFailed, said), now).await
        }
    }
}

fn late(order: &LeasedOrder, error: Saying) -> Said {
    Said::Late {
        address: order.address.to_string(),
        error: Box::new(error),
    }
}

fn will_not_come(order: &LeasedOrder, why: Saying) -> Said {
    Said::WillNotCome {
        address: order.address.to_string(),
        why: Box::new(why),
    }
}

/// Whether an order is still open, and at the same authority.
async fn is_open(
    connection: &mut SqliteConnection,
    order: &LeasedOrder,
) -> Result<bool, StoreError> {
    let row =
        sqlx::query("SELECT 1 FROM orders WHERE id = $1 AND authority = $2 AND ended IS NULL")
            .bind(order.id.0)
            .bind(order.authority.0)
            .fetch_optional(connection)
            .await?;
    Ok(row.is_some())
}

/// An event and a line in the audit log, and a new version of the configuration.
async fn told(
    connection: &mut SqliteConnection,
    order: &LeasedOrder,
    (kind, said): (EventKind, Said),
    now: Timestamp,
) -> Result<(), StoreError> {
    note(connection, (order.organisation, now), kind, said).await?;
    changed(connection, order.organisation).await?;
    Ok(())
}

async fn issued(
    connection: &mut SqliteConnection,
    inner: &Inner,
    (order, chain): (&LeasedOrder, &[Certificate]),
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(certificate) = chain.first() else {
        return Err(StoreError::damaged("no certificate was issued"));
    };
    let row = sqlx::query("SELECT sealed, handle, ended FROM orders WHERE id = $1")
        .bind(order.id.0)
        .fetch_one(&mut *connection)
        .await?;
    if row.field::<Option<&[u8]>>("sealed")?.is_none() {
        // It was stored before.
        return Ok(());
    }
    let key = order_key(inner, order.id, &row)?;
    let new = NewKey {
        organisation: order.organisation.0,
        mailbox: &order.address,
        certificate,
        key: &key,
        chain: chain.get(1..).unwrap_or_default(),
        origin: KeyOrigin::Issued,
        issuer: Some(Issuer {
            authority: order.authority.0,
            handle: row.field("handle")?,
            token: order.token.as_deref(),
        }),
        now,
    };
    let id = keys::insert(connection, inner, new).await?;
    if row.field::<Option<i64>>("ended")?.is_some() {
        return surplus(connection, order, id, now).await;
    }
    let mut lives = Lives {
        connection: &mut *connection,
        organisation: order.organisation.0,
        now,
    };
    let before = lives.life(&order.address).await?;
    let keys = CurrentKeys {
        signing: Some(id),
        encryption: certificate.may_encrypt().is_ok().then_some(id),
    };
    lives
        .command(&order.address, Command::Issued, With::Keys(keys))
        .await?;
    if order.purpose == Purpose::Replacement {
        lives
            .revoke_all(&order.address, Some(id), RevocationReason::Superseded)
            .await?;
    }
    sqlx::query(
        "UPDATE orders SET state = 'issued', ended = $1, due = NULL, sealed = NULL, error = NULL WHERE id = $2",
    )
    .bind(now.0)
    .bind(order.id.0)
    .execute(&mut *connection)
    .await?;
    told(
        connection,
        order,
        news(before, &order.address, certificate),
        now,
    )
    .await
}

fn news(before: Option<Life>, address: &Address, certificate: &Certificate) -> (EventKind, Said) {
    let (address, until) = (address.to_string(), certificate.not_after());
    match before.map(|life| life.state) {
        Some(MailboxState::ActivationPending) => (
            EventKind::MailboxActive,
            Said::MailboxActive { address, until },
        ),
        _ => (
            EventKind::CertificateRenewed,
            Said::Renewed { address, until },
        ),
    }
}

/// A certificate came for an order that was withdrawn: it is revoked.
async fn surplus(
    connection: &mut SqliteConnection,
    order: &LeasedOrder,
    key: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE orders SET sealed = NULL WHERE id = $1")
        .bind(order.id.0)
        .execute(&mut *connection)
        .await?;
    let mut lives = Lives {
        connection: &mut *connection,
        organisation: order.organisation.0,
        now,
    };
    let issuer = (key, Some(order.authority.0));
    lives
        .revoke(
            &order.address,
            issuer,
            RevocationReason::CessationOfOperation,
        )
        .await?;
    let said = Said::Surplus {
        address: order.address.to_string(),
    };
    told(connection, order, (EventKind::OrderFailed, said), now).await
}

/// Opens a batch of orders.
pub(crate) async fn open_batch(
    connection: &mut SqliteConnection,
    organisation: i64,
    (what, per_minute): (&Saying, Option<u32>),
    (who, now): (&str, Timestamp),
) -> Result<i64, StoreError> {
    let id = next_number(connection, "batch").await?;
    let (text, said) = sentence(what)?;
    sqlx::query(
        "INSERT INTO batches (id, organisation, text, said, total, per_minute, created, who)
         VALUES ($1, $2, $3, $4, 0, $5, $6, $7)",
    )
    .bind(id)
    .bind(organisation)
    .bind(text)
    .bind(said)
    .bind(per_minute)
    .bind(now.0)
    .bind(who)
    .execute(connection)
    .await?;
    Ok(id)
}

/// Says how many orders came into a batch; one without any is none. `true` if there is the batch afterwards.
pub(crate) async fn close_batch(
    connection: &mut SqliteConnection,
    id: i64,
    orders: u32,
) -> Result<bool, StoreError> {
    sqlx::query("UPDATE batches SET total = total + $1 WHERE id = $2")
        .bind(orders)
        .bind(id)
        .execute(&mut *connection)
        .await?;
    let gone = sqlx::query("DELETE FROM batches WHERE id = $1 AND total = 0")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(gone.rows_affected() == 0)
}
