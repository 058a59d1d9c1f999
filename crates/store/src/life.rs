//! The life of a mailbox's certificate in the database: a command is judged by [`sealgate_core::mailbox`], and what it makes
//! happen is written in the same transaction.

use sealgate_core::authority::RevocationReason;
use sealgate_core::licence::QuotaRefusal;
use sealgate_core::limits::REVOKE_PENDING;
use sealgate_core::mailbox::{self, Command, Event, Life, MailboxState, Refusal};
use sealgate_core::order::{OrderState, Purpose};
use sealgate_core::saying::{Certificates as Said, Refusals, Saying};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::key::KeyKind;
use sqlx::SqliteConnection;

use crate::configuration::next_number;
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::licences;
use crate::rows::{self, Columns, word};

/// What a command needs to be carried out.
pub(crate) enum With<'w> {
    /// Nothing.
    Nothing,
    /// An order to open.
    Order(&'w NewOrder),
    /// Keys to make current.
    Keys(CurrentKeys),
    /// How the open order ends, and why.
    End(OrderState, &'w Saying),
}

/// An order to be opened.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    pub authority: i64,
    pub purpose: Purpose,
    pub key: KeyKind,
    pub token: Option<String>,
    pub batch: Option<i64>,
    pub due: Timestamp,
}

/// Current keys, by their numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CurrentKeys {
    pub signing: Option<i64>,
    pub encryption: Option<i64>,
}

/// The lives of one organisation's mailboxes.
pub(crate) struct Lives<'l> {
    pub connection: &'l mut SqliteConnection,
    pub organisation: i64,
    pub now: Timestamp,
}

impl Lives<'_> {
    /// Where the mailbox stands; none if there is no such mailbox.
    pub async fn life(&mut self, mailbox: &Address) -> Result<Option<Life>, StoreError> {
        let row = sqlx::query(
            "SELECT state, since, known, EXISTS (
                 SELECT 1 FROM orders o WHERE o.organisation = m.organisation AND o.mailbox = m.mailbox AND o.ended IS NULL
             ) AS ordered
             FROM mailboxes m WHERE organisation = $1 AND mailbox = $2",
        )
        .bind(self.organisation)
        .bind(mailbox.key())
        .fetch_optional(&mut *self.connection)
        .await?;
        let life = row.map(|row| {
            Ok::<_, StoreError>(Life {
                state: row.word("state")?,
                since: row.time("since")?,
                ordered: row.field("ordered")?,
                known: row.field("known")?,
            })
        });
        life.transpose()
    }

    /// Carries out a command, or says why not.
    pub async fn command(
        &mut self,
        mailbox: &Address,
        command: Command,
        with: With<'_>,
    ) -> Result<(), StoreError> {
        let Some(mut life) = self.life(mailbox).await? else {
            return Err(StoreError::refused(Refusals::NotKnown {
                address: mailbox.to_string(),
            }));
        };
        let events = mailbox::decide(life, command).map_err(|refusal| refused(mailbox, refusal))?;
        for event in events {
            self.carry_out(mailbox, life, event, &with).await?;
            life = life.apply(event, self.now);
        }
        // Nothing to wait for: no certificate of it is valid any more, or nobody could revoke it.
        if life.state == MailboxState::RevokePending && !self.has_open_revocation(mailbox).await? {
            let events = mailbox::decide(life, Command::Revoked).unwrap_or_default();
            life = events
                .into_iter()
                .fold(life, |life, event| life.apply(event, self.now));
        }
        self.save(mailbox, life).await
    }

    async fn carry_out(
        &mut self,
        mailbox: &Address,
        life: Life,
        event: Event,
        with: &With<'_>,
    ) -> Result<(), StoreError> {
        if event == Event::ActivationOrdered
            || (event == Event::Activated && life.state == MailboxState::Inactive)
        {
            let quota = licences::quota(self.connection, self.organisation).await?;
            quota
                .may_activate(self.now)
                .map_err(|refusal| no_licence(mailbox, refusal))?;
        }
        match (event, with) {
            (Event::ActivationOrdered, With::Order(order)) => self.open(mailbox, order).await,
            (Event::RenewalOrdered, With::Order(order)) => {
                let quota = licences::quota(self.connection, self.organisation).await?;
                quota
                    .may_order(self.now)
                    .map_err(|refusal| no_licence(mailbox, refusal))?;
                self.open(mailbox, order).await
            }
            (Event::Activated | Event::Renewed | Event::Replaced, With::Keys(keys)) => {
                self.set_current(mailbox, *keys).await
            }
            (Event::ActivationEnded | Event::OrderEnded, With::End(state, why)) => {
                self.end_order(mailbox, *state, Some(why)).await
            }
            (Event::ActivationEnded | Event::OrderEnded, _) => {
                self.end_order(mailbox, OrderState::Withdrawn, None).await
            }
            (Event::Deactivated, _) => self.deactivate(mailbox).await,
            (Event::Hidden | Event::Shown | Event::Ended | Event::SurplusIssued, _) => Ok(()),
            (
                Event::ActivationOrdered
                | Event::RenewalOrdered
                | Event::Activated
                | Event::Renewed
                | Event::Replaced,
                _,
            ) => Err(StoreError::damaged(format!(
                "{event:?} of {mailbox} came without what it needs"
            ))),
        }
    }

    async fn save(&mut self, mailbox: &Address, life: Life) -> Result<(), StoreError> {
        if life.is_gone() {
            sqlx::query("DELETE FROM mailboxes WHERE organisation = $1 AND mailbox = $2")
                .bind(self.organisation)
                .bind(mailbox.key())
                .execute(&mut *self.connection)
                .await?;
            return Ok(());
        }
        sqlx::query(
            "UPDATE mailboxes SET state = $1, since = $2, known = $3 WHERE organisation = $4 AND mailbox = $5",
        )
        .bind(word(&life.state)?)
        .bind(life.since.0)
        .bind(life.known)
        .bind(self.organisation)
        .bind(mailbox.key())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn open(&mut self, mailbox: &Address, order: &NewOrder) -> Result<(), StoreError> {
        let id = next_number(self.connection, "order").await?;
        sqlx::query(
            "INSERT INTO orders (id, organisation, mailbox, address, authority, purpose, batch, key_kind, token, state,
                                 attempts, due, created)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'new', 0, $10, $11)",
        )
        .bind(id)
        .bind(self.organisation)
        .bind(mailbox.key())
        .bind(mailbox.to_string())
        .bind(order.authority)
        .bind(word(&order.purpose)?)
        .bind(order.batch)
        .bind(word(&order.key)?)
        .bind(&order.token)
        .bind(order.due.0)
        .bind(self.now.0)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Ends the open order. The key made for it is gone, unless its certificate may still come.
    async fn end_order(
        &mut self,
        mailbox: &Address,
        state: OrderState,
        why: Option<&Saying>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE orders SET error = COALESCE($2, error), ended = $3, due = NULL,
                 sealed = CASE WHEN $1 = 'withdrawn' AND state IN ('asking', 'waiting') THEN sealed END, state = $1
             WHERE organisation = $4 AND mailbox = $5 AND ended IS NULL",
        )
        .bind(word(&state)?)
        .bind(why.map(rows::told).transpose()?)
        .bind(self.now.0)
        .bind(self.organisation)
        .bind(mailbox.key())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn set_current(
        &mut self,
        mailbox: &Address,
        keys: CurrentKeys,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE mailboxes SET signing = $1, encryption = $2 WHERE organisation = $3 AND mailbox = $4")
            .bind(keys.signing)
            .bind(keys.encryption)
            .bind(self.organisation)
            .bind(mailbox.key())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn deactivate(&mut self, mailbox: &Address) -> Result<(), StoreError> {
        let none = CurrentKeys {
            signing: None,
            encryption: None,
        };
        self.set_current(mailbox, none).await?;
        let uploaded = self
            .revoke_all(mailbox, None, RevocationReason::CessationOfOperation)
            .await?;
        if uploaded > 0 {
            let said = Said::RevokeByHand {
                address: mailbox.to_string(),
            };
            let event = (EventKind::RevokeByHand, said);
            events::insert(self.connection, self.organisation, self.now, event).await?;
        }
        Ok(())
    }

    /// Queues the revocation of every certificate of the mailbox that is still valid, but for `kept`; says how many of them
    /// no authority of ours issued. With `kept`, those are left alone.
    pub async fn revoke_all(
        &mut self,
        mailbox: &Address,
        kept: Option<i64>,
        reason: RevocationReason,
    ) -> Result<usize, StoreError> {
        let rows = sqlx::query(
            "SELECT id, authority FROM keys k WHERE organisation = $1 AND mailbox = $2 AND not_after > $3 AND id <> $4
             AND ($4 = 0 OR authority IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.key = k.id) ORDER BY id",
        )
        .bind(self.organisation)
        .bind(mailbox.key())
        .bind(self.now.0)
        .bind(kept.unwrap_or(0))
        .fetch_all(&mut *self.connection)
        .await?;
        let mut uploaded = 0;
        for row in &rows {
            let authority: Option<i64> = row.field("authority")?;
            uploaded += usize::from(authority.is_none());
            self.revoke(mailbox, (row.field("id")?, authority), reason)
                .await?;
        }
        Ok(uploaded)
    }

    /// Queues the revocation of one certificate. Where no authority of ours issued it, an administrator has to see to it.
    pub async fn revoke(
        &mut self,
        mailbox: &Address,
        (key, authority): (i64, Option<i64>),
        reason: RevocationReason,
    ) -> Result<(), StoreError> {
        let id = next_number(self.connection, "revocation").await?;
        sqlx::query(
            "INSERT INTO revocations (id, organisation, mailbox, key, authority, reason, asked, attempts, due)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)",
        )
        .bind(id)
        .bind(self.organisation)
        .bind(mailbox.key())
        .bind(key)
        .bind(authority)
        .bind(word(&reason)?)
        .bind(self.now.0)
        .bind(authority.map(|_| self.now.0))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Whether a revocation is open that a licence is held for. One that was asked for fourteen days ago holds none any more
    /// (A12): neither that of the mailbox's present life nor that of a later one.
    async fn has_open_revocation(&mut self, mailbox: &Address) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM revocations WHERE organisation = $1 AND mailbox = $2 AND confirmed IS NULL
             AND asked > $3) AS open",
        )
        .bind(self.organisation)
        .bind(mailbox.key())
        .bind(self.now.plus(-REVOKE_PENDING).0)
        .fetch_one(&mut *self.connection)
        .await?;
        row.field("open")
    }

    /// After a revocation was confirmed: the mailbox is inactive if it was the last one it waited for.
    pub async fn revocation_confirmed(&mut self, mailbox: &Address) -> Result<(), StoreError> {
        if self.life(mailbox).await?.is_none() || self.has_open_revocation(mailbox).await? {
            return Ok(());
        }
        self.command(mailbox, Command::Revoked, With::Nothing).await
    }
}

fn refused(mailbox: &Address, refusal: Refusal) -> StoreError {
    StoreError::refused(Refusals::Mailbox {
        address: mailbox.to_string(),
        why: Refusals::from(refusal).into(),
    })
}

fn no_licence(mailbox: &Address, refusal: QuotaRefusal) -> StoreError {
    StoreError::refused(Refusals::Mailbox {
        address: mailbox.to_string(),
        why: Refusals::from(refusal).into(),
    })
}
