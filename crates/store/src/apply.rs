//! Changes of an organisation, carried out whole or not at all: one transaction with its lines in the audit log and a
//! new version of the configuration.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sealgate_core::change::{Change, ImportKeys, describe};
use sealgate_core::rules::Rule;
use sealgate_core::tenant::{InboundRoute, OrganisationId, Settings};
use sealgate_mail::{Address, Domain, Timestamp};
use sqlx::SqliteConnection;

use crate::audit::{self, Entry};
use crate::configuration::{destination_record, next_number, route_record, seal_setting};
use crate::error::StoreError;
use crate::keys::{self, BuiltInCa, NewKey};
use crate::rows::{Columns, json, size, word};
use crate::store::{Inner, Store};
use crate::writer::{Weight, job};

mod outside;

impl Store {
    /// Makes an organisation. Its name is unique in the installation.
    pub async fn create_organisation(
        &self,
        name: &str,
        settings: Settings,
        who: &str,
        now: Timestamp,
    ) -> Result<OrganisationId, StoreError> {
        let create = Some(settings);
        let (before, after) = (Settings::default(), settings);
        let changes = (before != after).then_some(Change::Settings { before, after });
        self.carry_out(
            name,
            Order {
                create,
                changes: changes.into_iter().collect(),
                ..Order::default()
            },
            who,
            now,
        )
        .await?;
        self.organisation(name).await
    }

    /// Carries out `changes` of the organisation `name`; returns the version of the configuration from then on.
    pub async fn apply(
        &self,
        name: &str,
        changes: &[Change],
        who: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.carry_out(
            name,
            Order {
                changes: changes.to_vec(),
                ..Order::default()
            },
            who,
            now,
        )
        .await
    }

    /// Carries out all of `order` for the organisation `name`, or nothing of it; returns the version of the configuration
    /// from then on.
    pub async fn carry_out(
        &self,
        name: &str,
        order: Order,
        who: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        if order.changes.is_empty() && order.create.is_none() && order.authority.is_none() {
            return self.version().await;
        }
        let (name, who) = (name.to_owned(), who.to_owned());
        let inner = Arc::clone(&self.0);
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("SAVEPOINT rehearsal")
                    .execute(&mut *connection)
                    .await?;
                let version =
                    in_one_transaction(connection, &inner, &order, (&name, &who, now)).await?;
                if order.rehearse {
                    sqlx::query("ROLLBACK TO rehearsal")
                        .execute(&mut *connection)
                        .await?;
                }
                sqlx::query("RELEASE rehearsal").execute(connection).await?;
                Ok(version)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

/// What is to be carried out in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Makes the organisation first, with these switches. Its name is one word, unique in the installation.
    pub create: Option<Settings>,
    /// The built-in CA, if it was made for this order.
    pub authority: Option<BuiltInCa>,
    /// Changes of the organisation, in this order.
    pub changes: Vec<Change>,
    /// Only finds out whether it could be carried out; nothing is changed. Here [`Change::Activate`] needs no key yet.
    pub rehearse: bool,
}

async fn in_one_transaction(
    connection: &mut SqliteConnection,
    inner: &Inner,
    order: &Order,
    (name, who, now): (&str, &str, Timestamp),
) -> Result<u64, StoreError> {
    if let Some(settings) = &order.create {
        insert_organisation(connection, name, settings, now).await?;
        audit::insert(
            connection,
            Entry {
                at: now,
                who,
                organisation: name,
                text: "create organisation",
            },
        )
        .await?;
    }
    if let Some(ca) = &order.authority {
        keys::insert_authority(connection, &inner.sealer, ca, now).await?;
    }
    let row = sqlx::query("SELECT id FROM organisations WHERE name = $1")
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("there is no organisation {name}")))?;
    let mut run = Run {
        connection,
        inner,
        organisation: row.field("id")?,
        now,
        rehearse: order.rehearse,
        moving: routes_of(&order.changes),
        claimed: HashMap::new(),
    };
    for change in &order.changes {
        run.change(change).await?;
        let text = describe(change);
        audit::insert(
            run.connection,
            Entry {
                at: now,
                who,
                organisation: name,
                text: &text,
            },
        )
        .await?;
    }
    run.drop_mailboxes_without_route().await?;
    Ok(size(next_number(connection, "configuration").await?))
}

async fn insert_organisation(
    connection: &mut SqliteConnection,
    name: &str,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), StoreError> {
    if name.is_empty() || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refused("the name of an organisation is one word without blanks".into());
    }
    let id = next_number(connection, "organisation").await?;
    let done = sqlx::query(
        "INSERT INTO organisations (id, name, settings, created) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
    )
    .bind(id)
    .bind(name)
    .bind(json(settings)?)
    .bind(now.0)
    .execute(connection)
    .await?;
    match done.rows_affected() {
        0 => refused(format!("there is an organisation {name} already")),
        _ => Ok(()),
    }
}

/// The routes that are put or removed: only between these may a domain move.
fn routes_of(changes: &[Change]) -> HashSet<String> {
    let name = |change: &Change| match change {
        Change::PutRoute(route) => Some(route.name.clone()),
        Change::RemoveRoute(name) => Some(name.clone()),
        _ => None,
    };
    changes.iter().filter_map(name).collect()
}

fn refused<T>(text: String) -> Result<T, StoreError> {
    Err(StoreError::Refused(text))
}

/// One organisation's changes being carried out.
struct Run<'r> {
    connection: &'r mut SqliteConnection,
    inner: &'r Inner,
    organisation: i64,
    now: Timestamp,
    rehearse: bool,
    moving: HashSet<String>,
    claimed: HashMap<Domain, String>,
}

impl Run<'_> {
    async fn change(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Settings { after, .. } => self.settings(after).await,
            Change::PutRoute(route) => self.put_route(route).await,
            Change::RemoveRoute(name) => self.remove_route(name).await,
            Change::AddMailbox(address) => self.add_mailbox(address).await,
            Change::RemoveMailbox(address) => self.remove_mailbox(address).await,
            Change::Aliases(address, aliases) => self.aliases(address, aliases).await,
            Change::Activate(address, _) if self.rehearse => self.must_be_known(address).await,
            Change::Activate(address, _) => refused(format!(
                "mailbox {address} cannot become active without a key pair"
            )),
            Change::ImportKeys(keys) => self.import(keys).await,
            Change::Deactivate(address) => self.deactivate(address).await,
            Change::Rules(rules) => self.rules(rules).await,
            Change::PutCorrespondent(certificate) => self.put_correspondent(certificate).await,
            Change::RemoveCorrespondent(fingerprint) => {
                self.remove_correspondent(fingerprint).await
            }
            Change::PutTrustRoot(certificate) => self.put_trust_root(certificate).await,
            Change::RemoveTrustRoot(fingerprint) => self.remove_trust_root(fingerprint).await,
            Change::Block(blocked) => self.block(blocked).await,
            Change::Unblock(fingerprint) => self.unblock(fingerprint).await,
            Change::PutPartner(partner) => self.put_partner(partner).await,
            Change::RemovePartner(external) => self.remove_partner(external).await,
            Change::PutDestination(domain, destination) => {
                let record = destination_record(self.organisation, domain);
                let sealed = seal_setting(&self.inner.sealer, &record, destination)?;
                self.put_destination(domain, sealed).await
            }
            Change::RemoveDestination(domain) => self.remove_destination(domain).await,
            Change::Smarthost(hop) => self.smarthost(hop.as_ref()).await,
            Change::PutClient(client) => self.put_client(client).await,
            Change::RemoveClient(name) => self.remove_client(name).await,
        }
    }

    async fn settings(&mut self, settings: &Settings) -> Result<(), StoreError> {
        sqlx::query("UPDATE organisations SET settings = $1 WHERE id = $2")
            .bind(json(settings)?)
            .bind(self.organisation)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn put_route(&mut self, route: &InboundRoute) -> Result<(), StoreError> {
        let known = sqlx::query("SELECT id FROM routes WHERE organisation = $1 AND name = $2")
            .bind(self.organisation)
            .bind(&route.name)
            .fetch_optional(&mut *self.connection)
            .await?;
        let id = match known {
            Some(row) => row.field("id")?,
            None => next_number(self.connection, "route").await?,
        };
        let target = seal_setting(&self.inner.sealer, &route_record(id), &route.target)?;
        sqlx::query(
            "INSERT INTO routes (id, organisation, name, target, wildcard) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET target = excluded.target, wildcard = excluded.wildcard",
        )
        .bind(id)
        .bind(self.organisation)
        .bind(&route.name)
        .bind(target)
        .bind(route.wildcard)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query("DELETE FROM route_domains WHERE route = $1")
            .bind(id)
            .execute(&mut *self.connection)
            .await?;
        for (position, domain) in (0_i64..).zip(&route.domains) {
            self.claim(domain, &route.name).await?;
            sqlx::query("INSERT INTO route_domains (domain, route, position) VALUES ($1, $2, $3)")
                .bind(domain.as_str())
                .bind(id)
                .bind(position)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// Makes sure that nobody else has the domain. Between two routes that both change now, it may move.
    async fn claim(&mut self, domain: &Domain, route: &str) -> Result<(), StoreError> {
        if let Some(other) = self.claimed.insert(domain.clone(), route.to_owned()) {
            return refused(format!(
                "domain {} is named by the inbound routes {other} and {route}",
                domain.as_str()
            ));
        }
        let owner = sqlx::query(
            "SELECT r.organisation, r.name FROM route_domains d JOIN routes r ON r.id = d.route WHERE d.domain = $1",
        )
        .bind(domain.as_str())
        .fetch_optional(&mut *self.connection)
        .await?;
        let Some(owner) = owner else { return Ok(()) };
        let name: String = owner.field("name")?;
        if owner.field::<i64>("organisation")? != self.organisation {
            return refused(format!(
                "domain {} belongs to another organisation",
                domain.as_str()
            ));
        }
        if !self.moving.contains(&name) {
            return refused(format!(
                "domain {} belongs to inbound route {name}",
                domain.as_str()
            ));
        }
        sqlx::query("DELETE FROM route_domains WHERE domain = $1")
            .bind(domain.as_str())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn remove_route(&mut self, name: &str) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM mailboxes WHERE organisation = $1 AND domain IN
             (SELECT d.domain FROM route_domains d JOIN routes r ON r.id = d.route
              WHERE r.organisation = $1 AND r.name = $2)",
        )
        .bind(self.organisation)
        .bind(name)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query("DELETE FROM routes WHERE organisation = $1 AND name = $2")
            .bind(self.organisation)
            .bind(name)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn drop_mailboxes_without_route(&mut self) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM mailboxes WHERE organisation = $1 AND domain NOT IN (SELECT domain FROM route_domains)")
            .bind(self.organisation)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn add_mailbox(&mut self, address: &Address) -> Result<(), StoreError> {
        let route = sqlx::query(
            "SELECT 1 FROM route_domains d JOIN routes r ON r.id = d.route WHERE d.domain = $1 AND r.organisation = $2",
        )
        .bind(address.domain().as_str())
        .bind(self.organisation)
        .fetch_optional(&mut *self.connection)
        .await?;
        if route.is_none() {
            let domain = address.domain().to_unicode();
            return refused(format!(
                "mailbox {address} has no inbound route: name {domain} in a route first"
            ));
        }
        sqlx::query(
            "INSERT INTO mailboxes (organisation, mailbox, address, domain, state, since, aliases, added)
             VALUES ($1, $2, $3, $4, 'inactive', $5, '[]', $5) ON CONFLICT (mailbox) DO NOTHING",
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

    async fn remove_mailbox(&mut self, address: &Address) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM mailboxes WHERE organisation = $1 AND mailbox = $2")
            .bind(self.organisation)
            .bind(address.key())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn aliases(&mut self, address: &Address, aliases: &[Address]) -> Result<(), StoreError> {
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
        let row = sqlx::query("SELECT 1 FROM mailboxes WHERE organisation = $1 AND mailbox = $2")
            .bind(self.organisation)
            .bind(address.key())
            .fetch_optional(&mut *self.connection)
            .await?;
        match row {
            Some(_) => Ok(()),
            None => refused(format!(
                "{address} is no known mailbox: add it to an inbound route first"
            )),
        }
    }

    async fn import(&mut self, import: &ImportKeys) -> Result<(), StoreError> {
        let mailbox = &import.mailbox;
        self.must_be_known(mailbox).await?;
        let (mut signing, mut encryption) = (None, None);
        for (certificate, key) in &import.pairs {
            if !key.matches(certificate) {
                return refused(format!(
                    "the private key for {mailbox} does not belong to its certificate"
                ));
            }
            let (organisation, now) = (self.organisation, self.now);
            let new = NewKey {
                organisation,
                mailbox,
                certificate,
                key,
                chain: &import.chain,
                origin: import.origin,
                now,
            };
            let id = keys::insert(self.connection, self.inner, new).await?;
            if certificate.may_sign().is_ok() {
                signing = signing.or(Some(id));
            }
            if certificate.may_encrypt().is_ok() {
                encryption = encryption.or(Some(id));
            }
        }
        if signing.is_none() {
            return refused(format!(
                "none of the certificates for {mailbox} may sign mail"
            ));
        }
        sqlx::query(
            "UPDATE mailboxes SET state = 'active', signing = $1, encryption = $2 WHERE organisation = $3 AND mailbox = $4",
        )
        .bind(signing)
        .bind(encryption)
        .bind(self.organisation)
        .bind(mailbox.key())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn deactivate(&mut self, address: &Address) -> Result<(), StoreError> {
        self.must_be_known(address).await?;
        sqlx::query(
            "UPDATE mailboxes SET state = 'inactive', signing = NULL, encryption = NULL
             WHERE organisation = $1 AND mailbox = $2",
        )
        .bind(self.organisation)
        .bind(address.key())
        .execute(&mut *self.connection)
        .await?;
        keys::revoke_issued(self.connection, self.organisation, address, self.now).await
    }

    async fn rules(&mut self, rules: &[Rule]) -> Result<(), StoreError> {
        let known = sqlx::query("DELETE FROM rules WHERE organisation = $1 RETURNING id")
            .bind(self.organisation)
            .fetch_all(&mut *self.connection)
            .await?;
        let mut known = known
            .iter()
            .map(|row| row.field("id"))
            .collect::<Result<HashSet<i64>, _>>()?;
        for (priority, rule) in (1_i64..).zip(rules) {
            let id = if known.remove(&rule.id.0) {
                rule.id.0
            } else {
                next_number(self.connection, "rule").await?
            };
            sqlx::query(
                "INSERT INTO rules (id, organisation, priority, managed, external, inbound, outbound)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(id)
            .bind(self.organisation)
            .bind(priority)
            .bind(rule.managed.to_string())
            .bind(rule.external.to_string())
            .bind(rule.inbound.as_ref().map(word).transpose()?)
            .bind(rule.outbound.as_ref().map(word).transpose()?)
            .execute(&mut *self.connection)
            .await?;
        }
        Ok(())
    }
}
