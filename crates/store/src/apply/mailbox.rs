//! Changes of mailboxes and their certificates; each is a command to the life of a mailbox ([`crate::life`]).

use sealgate_core::change::{Activation, ImportKeys};
use sealgate_core::mailbox::Command;
use sealgate_core::order::Purpose;
use sealgate_core::saying::Refusals;
use sealgate_mail::Address;

use super::{Run, refused};
use crate::authorities::to_order_from;
use crate::error::StoreError;
use crate::keys::{self, NewKey};
use crate::life::{CurrentKeys, Lives, NewOrder, With};
use crate::rows::{Columns, json};

impl Run<'_> {
    fn lives(&mut self) -> Lives<'_> {
        Lives {
            connection: &mut *self.connection,
            organisation: self.organisation,
            now: self.now,
        }
    }

    pub(super) async fn add_mailbox(&mut self, address: &Address) -> Result<(), StoreError> {
        let route = sqlx::query(
            "SELECT 1 FROM route_domains d JOIN routes r ON r.id = d.route WHERE d.domain = $1 AND r.organisation = $2",
        )
        .bind(address.domain().as_str())
        .bind(self.organisation)
        .fetch_optional(&mut *self.connection)
        .await?;
        if route.is_none() {
            let domain = address.domain().to_unicode();
            return refused(Refusals::NoRoute {
                address: address.to_string(),
                domain,
            });
        }
        if self.lives().life(address).await?.is_some() {
            return self
                .lives()
                .command(address, Command::Add, With::Nothing)
                .await;
        }
        sqlx::query(
            "INSERT INTO mailboxes (organisation, mailbox, address, domain, state, since, aliases, added)
             VALUES ($1, $2, $3, $4, 'inactive', $5, '[]', $5)",
        )
        .bind(self.organisation)
        .bind(address.key())
        .bind(address.to_string())
        .bind(address.domain().as_str())
        .bind(self.now.0)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Removes a mailbox; one that has a certificate stays out of sight until that is revoked.
    pub(super) async fn remove_mailbox(&mut self, address: &Address) -> Result<(), StoreError> {
        if self.lives().life(address).await?.is_none() {
            return Ok(());
        }
        self.lives()
            .command(address, Command::Remove, With::Nothing)
            .await
    }

    /// Removes the mailboxes of a route that goes.
    pub(super) async fn remove_mailboxes_of(&mut self, route: &str) -> Result<(), StoreError> {
        let rows = sqlx::query(
            "SELECT address FROM mailboxes WHERE organisation = $1 AND known = 1 AND domain IN
             (SELECT d.domain FROM route_domains d JOIN routes r ON r.id = d.route
              WHERE r.organisation = $1 AND r.name = $2)",
        )
        .bind(self.organisation)
        .bind(route)
        .fetch_all(&mut *self.connection)
        .await?;
        for row in &rows {
            self.remove_mailbox(&row.address("address")?).await?;
        }
        Ok(())
    }

    /// Removes the mailboxes whose domain stands in no route any more.
    pub(super) async fn remove_mailboxes_without_route(&mut self) -> Result<(), StoreError> {
        let rows = sqlx::query(
            "SELECT address FROM mailboxes m WHERE organisation = $1 AND known = 1 AND NOT EXISTS
             (SELECT 1 FROM route_domains d JOIN routes r ON r.id = d.route
              WHERE d.domain = m.domain AND r.organisation = m.organisation)",
        )
        .bind(self.organisation)
        .fetch_all(&mut *self.connection)
        .await?;
        for row in &rows {
            self.remove_mailbox(&row.address("address")?).await?;
        }
        Ok(())
    }

    pub(super) async fn aliases(
        &mut self,
        address: &Address,
        aliases: &[Address],
    ) -> Result<(), StoreError> {
        for alias in aliases {
            self.must_be_known(alias).await?;
        }
        self.must_be_known(address).await?;
        sqlx::query("UPDATE mailboxes SET aliases = $1 WHERE organisation = $2 AND mailbox = $3")
            .bind(json(&aliases)?)
            .bind(self.organisation)
            .bind(address.key())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn must_be_known(&mut self, address: &Address) -> Result<(), StoreError> {
        match self.lives().life(address).await? {
            Some(life) if life.known => Ok(()),
            _ => refused(Refusals::NotKnown {
                address: address.to_string(),
            }),
        }
    }

    pub(super) async fn activate(&mut self, order: &Activation) -> Result<(), StoreError> {
        self.order(order, Command::Activate, Purpose::Activation)
            .await
    }

    pub(super) async fn renew(
        &mut self,
        order: &Activation,
        purpose: Purpose,
    ) -> Result<(), StoreError> {
        self.order(order, Command::Renew, purpose).await
    }

    async fn order(
        &mut self,
        order: &Activation,
        command: Command,
        purpose: Purpose,
    ) -> Result<(), StoreError> {
        self.must_be_known(&order.mailbox).await?;
        let (name, now) = (order.authority.as_deref(), self.now);
        let new = NewOrder {
            authority: to_order_from(self.connection, self.organisation, name).await?,
            purpose,
            key: order.key,
            token: order.token.clone(),
            batch: self.batch.as_ref().map(|batch| batch.id),
            due: self.batch.as_ref().map_or(now, |batch| batch.due(now)),
        };
        self.lives()
            .command(&order.mailbox, command, With::Order(&new))
            .await?;
        if let Some(batch) = &mut self.batch {
            batch.orders += 1;
        }
        Ok(())
    }

    pub(super) async fn withdraw(&mut self, address: &Address) -> Result<(), StoreError> {
        self.lives()
            .command(address, Command::Withdraw, With::Nothing)
            .await
    }

    pub(super) async fn deactivate(&mut self, address: &Address) -> Result<(), StoreError> {
        self.lives()
            .command(address, Command::Deactivate, With::Nothing)
            .await
    }

    /// A12: certificates that were uploaded, or ordered by hand, are revoked where they came from, an administrator says.
    pub(super) async fn confirm_revoked(&mut self, address: &Address) -> Result<(), StoreError> {
        let done = sqlx::query(
            "UPDATE revocations SET confirmed = $1, due = NULL
             WHERE organisation = $2 AND mailbox = $3 AND confirmed IS NULL AND (authority IS NULL
                 OR authority NOT IN (SELECT id FROM authorities WHERE kind = 'built-in'))",
        )
        .bind(self.now.0)
        .bind(self.organisation)
        .bind(address.key())
        .execute(&mut *self.connection)
        .await?;
        if done.rows_affected() == 0 {
            return refused(Refusals::NothingToConfirm {
                address: address.to_string(),
            });
        }
        self.lives().revocation_confirmed(address).await
    }

    pub(super) async fn import(&mut self, import: &ImportKeys) -> Result<(), StoreError> {
        let mailbox = &import.mailbox;
        self.must_be_known(mailbox).await?;
        let mut current = CurrentKeys {
            signing: None,
            encryption: None,
        };
        for (certificate, key) in &import.pairs {
            if !key.matches(certificate) {
                return refused(Refusals::KeyOfOther {
                    address: mailbox.to_string(),
                });
            }
            let new = NewKey {
                organisation: self.organisation,
                mailbox,
                certificate,
                key,
                chain: &import.chain,
                origin: import.origin,
                issuer: None,
                now: self.now,
            };
            let id = keys::insert(self.connection, self.inner, new).await?;
            self.not_revoked(mailbox, id).await?;
            if certificate.may_sign().is_ok() {
                current.signing = current.signing.or(Some(id));
            }
            if certificate.may_encrypt().is_ok() {
                current.encryption = current.encryption.or(Some(id));
            }
        }
        if current.signing.is_none() {
            return refused(Refusals::NoneSigns {
                address: mailbox.to_string(),
            });
        }
        self.lives()
            .command(mailbox, Command::Upload, With::Keys(current))
            .await
    }

    /// A certificate that was revoked is not used again; one whose revocation nobody confirmed is not to be revoked any more.
    async fn not_revoked(&mut self, mailbox: &Address, key: i64) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT confirmed, authority FROM revocations WHERE key = $1")
            .bind(key)
            .fetch_optional(&mut *self.connection)
            .await?;
        let Some(row) = row else { return Ok(()) };
        let ours = row.field::<Option<i64>>("authority")?.is_some();
        if ours || row.field::<Option<i64>>("confirmed")?.is_some() {
            return refused(Refusals::WasRevoked {
                address: mailbox.to_string(),
            });
        }
        sqlx::query("DELETE FROM revocations WHERE key = $1")
            .bind(key)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}
