//! Changes of an organisation, carried out whole or not at all: one transaction with its lines in the audit log and a
//! new version of the configuration.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sealgate_core::change::{Change, describe};
use sealgate_core::saying::{Changes as Said, Refusals, Saying};
use sealgate_core::tenant::{InboundRoute, OrganisationId, Settings};
use sealgate_mail::{Domain, Timestamp};
use sqlx::SqliteConnection;

use crate::audit::{self, Entry};
use crate::configuration::{
    changed, current_version, next_number, route_record, routes, seal_setting,
};
use crate::error::StoreError;
use crate::limits::ORGANISATION_NAME;
use crate::room::Room;
use crate::rows::{Columns, json, size};
use crate::store::{Inner, Store};
use crate::writer::{Weight, job};
use crate::{authorities, orders};

mod mailbox;
mod outside;
mod rules;

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
            Instruction {
                create,
                changes: changes.into_iter().collect(),
                ..Instruction::default()
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
        let instruction = Instruction {
            changes: changes.to_vec(),
            ..Instruction::default()
        };
        let done = self.carry_out(name, instruction, who, now).await?;
        Ok(done.version)
    }

    /// Carries out all of `instruction` for the organisation `name`, or nothing of it.
    pub async fn carry_out(
        &self,
        name: &str,
        instruction: Instruction,
        who: &str,
        now: Timestamp,
    ) -> Result<CarriedOut, StoreError> {
        if instruction.changes.is_empty() && instruction.create.is_none() {
            return Ok(CarriedOut {
                version: self.version().await?,
                refused: Vec::new(),
                batch: None,
            });
        }
        let (name, who) = (name.to_owned(), who.to_owned());
        let inner = Arc::clone(&self.0);
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("SAVEPOINT rehearsal")
                    .execute(&mut *connection)
                    .await?;
                let done = in_one_transaction(connection, &inner, &instruction, (&name, &who, now))
                    .await?;
                if instruction.rehearse {
                    sqlx::query("ROLLBACK TO rehearsal")
                        .execute(&mut *connection)
                        .await?;
                }
                sqlx::query("RELEASE rehearsal").execute(connection).await?;
                Ok(done)
            })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }
}

/// What is to be carried out in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Instruction {
    /// Makes the organisation first, with these switches. Its name is one word, unique in the installation.
    pub create: Option<Settings>,
    /// Changes of the organisation, in this order.
    pub changes: Vec<Change>,
    /// Whether the organisation may have only so many of each thing; the operator at the command line may give more.
    pub bounded: bool,
    /// Only finds out whether it could be carried out; nothing is changed.
    pub rehearse: bool,
    /// The changes are many of one kind: those that are refused are named, and the others carried out (A14).
    pub together: Option<Together>,
}

/// Many changes of one kind.
#[derive(Clone, Debug)]
pub struct Together {
    /// What they are, in words.
    pub text: Saying,
    /// At most so many orders become due in a minute.
    pub per_minute: Option<u32>,
    /// Orders of the same kind that were opened just before: those to come are due after them.
    pub already: u32,
    /// The batch of those orders; a new one if none.
    pub batch: Option<i64>,
}

/// What was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedOut {
    /// The version of the configuration from then on.
    pub version: u64,
    /// Places of the changes that were refused, each with its reason; only of changes that are carried out
    /// [`Together`].
    pub refused: Vec<(usize, Saying)>,
    /// The batch of the orders that were opened [`Together`]; none if there are none.
    pub batch: Option<i64>,
}

/// Carries out all of `instruction` in the transaction of `connection`, or fails.
pub(crate) async fn in_one_transaction(
    connection: &mut SqliteConnection,
    inner: &Inner,
    instruction: &Instruction,
    (name, who, now): (&str, &str, Timestamp),
) -> Result<CarriedOut, StoreError> {
    if let Some(settings) = &instruction.create {
        insert_organisation(connection, inner, (name, settings), now).await?;
        let entry = Entry {
            at: now,
            who,
            organisation: name,
            said: Said::OrganisationMade {}.into(),
        };
        audit::insert(connection, entry).await?;
    }
    let row = sqlx::query("SELECT id FROM organisations WHERE name = $1")
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("there is no organisation {name}")))?;
    let organisation = row.field("id")?;
    let mut batch = None;
    if let Some(together) = &instruction.together {
        let about = (&together.text, together.per_minute);
        let id = match together.batch {
            Some(id) => id,
            None => orders::open_batch(connection, organisation, about, (who, now)).await?,
        };
        batch = Some(Batch::new(id, together));
    }
    let room = Room::before(connection, organisation, instruction).await?;
    let mut run = Run {
        connection,
        inner,
        organisation,
        now,
        moving: routes_of(&instruction.changes),
        claimed: HashMap::new(),
        batch,
    };
    let mut refused = Vec::new();
    for (place, change) in instruction.changes.iter().enumerate() {
        match run.one(change, (name, who)).await {
            Ok(()) => {}
            Err(StoreError::Refused(why)) if run.batch.is_some() => refused.push((place, why)),
            Err(error) => return Err(error),
        }
    }
    if !run.moving.is_empty() {
        run.remove_mailboxes_without_route().await?;
    }
    room.after(run.connection, organisation).await?;
    let mut kept = None;
    if let Some(batch) = &run.batch {
        let is_kept = orders::close_batch(run.connection, batch.id, batch.orders).await?;
        kept = is_kept.then_some(batch.id);
    }
    let is_nothing = !refused.is_empty() && refused.len() == instruction.changes.len();
    let version = match is_nothing {
        true => current_version(connection).await?,
        false => changed(connection, OrganisationId(organisation)).await?,
    };
    Ok(CarriedOut {
        version: size(version),
        refused,
        batch: kept,
    })
}

/// Whether `name` can be the name of an organisation: it stands in commands, files and web addresses.
fn is_organisation_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.len() <= ORGANISATION_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(fits)
}

async fn insert_organisation(
    connection: &mut SqliteConnection,
    inner: &Inner,
    (name, settings): (&str, &Settings),
    now: Timestamp,
) -> Result<(), StoreError> {
    if !is_organisation_name(name) {
        return refused(Refusals::OrganisationName {
            most: i64::try_from(ORGANISATION_NAME).unwrap_or(i64::MAX),
        });
    }
    let id = next_number(connection, "organisation").await?;
    let done = sqlx::query(
        "INSERT INTO organisations (id, name, settings, created) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
    )
    .bind(id)
    .bind(name)
    .bind(json(settings)?)
    .bind(now.0)
    .execute(&mut *connection)
    .await?;
    match done.rows_affected() {
        0 => refused(Refusals::OrganisationTaken {
            name: name.to_owned(),
        }),
        _ => authorities::insert_built_in(connection, &inner.sealer, (id, now)).await,
    }
}

/// The routes that are put or removed: only between these may a domain move.
fn routes_of(changes: &[Change]) -> HashSet<String> {
    let name = |change: &Change| match change {
        Change::PutRoute(route) | Change::EditRoute { becomes: route, .. } => {
            Some(route.name.clone())
        }
        Change::RemoveRoute(name) => Some(name.clone()),
        _ => None,
    };
    changes.iter().filter_map(name).collect()
}

fn refused<T>(why: impl Into<Saying>) -> Result<T, StoreError> {
    Err(StoreError::refused(why))
}

/// One organisation's changes being carried out.
struct Run<'r> {
    connection: &'r mut SqliteConnection,
    inner: &'r Inner,
    organisation: i64,
    now: Timestamp,
    moving: HashSet<String>,
    claimed: HashMap<Domain, String>,
    batch: Option<Batch>,
}

/// Many orders opened together, each due at its time.
struct Batch {
    id: i64,
    per_minute: Option<u32>,
    already: u32,
    orders: u32,
}

impl Batch {
    fn new(id: i64, together: &Together) -> Self {
        Self {
            id,
            per_minute: together.per_minute,
            already: together.already,
            orders: 0,
        }
    }

    /// When the next order of it is due.
    fn due(&self, now: Timestamp) -> Timestamp {
        let before = i64::from(self.already) + i64::from(self.orders);
        let after = |rate: u32| before * 60 / i64::from(rate.max(1));
        now.plus(self.per_minute.map_or(0, after))
    }
}

impl Run<'_> {
    /// One change with its line in the audit log; of changes that are carried out together, it leaves nothing if refused.
    async fn one(&mut self, change: &Change, (name, who): (&str, &str)) -> Result<(), StoreError> {
        if self.batch.is_some() {
            sqlx::query("SAVEPOINT one")
                .execute(&mut *self.connection)
                .await?;
        }
        let done = self.change(change).await;
        if self.batch.is_some() {
            let end = match &done {
                Ok(()) => "RELEASE one",
                Err(_) => "ROLLBACK TO one; RELEASE one",
            };
            sqlx::raw_sql(end).execute(&mut *self.connection).await?;
        }
        match done {
            Err(StoreError::ChangedMeanwhile) if self.batch.is_some() => {
                return refused(Refusals::ChangedMeanwhile {});
            }
            done => done?,
        }
        let entry = Entry {
            at: self.now,
            who,
            organisation: name,
            said: describe(change),
        };
        audit::insert(self.connection, entry).await
    }

    async fn change(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Settings { before, after } => self.settings(before, after).await,
            Change::PutRoute(route) => self.put_route(route).await,
            Change::EditRoute { was, becomes } => self.edit_route(was, becomes).await,
            Change::RemoveRoute(name) => self.remove_route(name).await,
            Change::AddMailbox(address) => self.add_mailbox(address).await,
            Change::RemoveMailbox(address) => self.remove_mailbox(address).await,
            Change::Aliases(address, aliases) => self.aliases(address, aliases).await,
            Change::Activate(order) => self.activate(order).await,
            Change::Renew(order, purpose) => self.renew(order, *purpose).await,
            Change::Withdraw(address) => self.withdraw(address).await,
            Change::ConfirmRevoked(address) => self.confirm_revoked(address).await,
            Change::PutAuthority(new) => {
                let whose = (self.organisation, self.now);
                authorities::put(self.connection, &self.inner.sealer, whose, new).await
            }
            Change::EditAuthority { was, becomes } => {
                let whose = (self.organisation, self.now);
                authorities::edit(self.connection, &self.inner.sealer, whose, (*was, becomes)).await
            }
            Change::RemoveAuthority(name) => {
                authorities::remove(self.connection, self.organisation, name).await
            }
            Change::ImportKeys(keys) => self.import(keys).await,
            Change::Deactivate(address) => self.deactivate(address).await,
            Change::Rules(rules) => self.rules(rules).await,
            Change::AddRule(rule) => self.add_rule(rule).await,
            Change::EditRule { was, becomes } => self.edit_rule(was, becomes).await,
            Change::MoveRule(way) => self.move_rule(*way).await,
            Change::RemoveRule(rule) => self.remove_rule(rule).await,
            Change::RestoreRule(id) => self.restore_rule(*id).await,
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
                self.put_destination(domain, destination).await
            }
            Change::EditDestination {
                domain,
                was,
                becomes,
            } => self.edit_destination(domain, was.as_ref(), becomes).await,
            Change::RemoveDestination(domain) => self.remove_destination(domain).await,
            Change::Smarthost(hop) => self.smarthost(hop.as_ref()).await,
            Change::EditSmarthost { was, becomes } => {
                self.edit_smarthost(was.as_ref(), becomes.as_ref()).await
            }
            Change::PutClient(client) => self.put_client(client).await,
            Change::AddClient(client) => self.add_client(client).await,
            Change::EditClient(name, edit) => self.edit_client(name, edit).await,
            Change::RemoveClient(name) => self.remove_client(name).await,
        }
    }

    /// Only the switches that differ: another administrator may have changed others since `before` was read.
    async fn settings(&mut self, before: &Settings, after: &Settings) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT settings FROM organisations WHERE id = $1")
            .bind(self.organisation)
            .fetch_one(&mut *self.connection)
            .await?;
        let stored: Settings = row.json("settings")?;
        let settings = stored.with_difference(before, after);
        sqlx::query("UPDATE organisations SET settings = $1 WHERE id = $2")
            .bind(json(&settings)?)
            .bind(self.organisation)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Only what differs: another administrator may have changed the rest since `was` was read.
    async fn edit_route(
        &mut self,
        was: &InboundRoute,
        becomes: &InboundRoute,
    ) -> Result<(), StoreError> {
        let routes = routes(self.connection, &self.inner.sealer, self.organisation).await?;
        match routes.into_iter().find(|route| route.name == was.name) {
            // The new target may have kept the password of the one that was there.
            Some(stored) if was.target != becomes.target && stored.target != was.target => {
                Err(StoreError::ChangedMeanwhile)
            }
            Some(stored) => self.put_route(&stored.with_difference(was, becomes)).await,
            None => refused(Refusals::RouteGone {
                route: was.name.clone(),
            }),
        }
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
            return refused(Refusals::InTwoRoutes {
                domain: domain.to_string(),
                one: other,
                other: route.to_owned(),
            });
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
            return refused(Refusals::DomainOfOther {
                domain: domain.to_string(),
            });
        }
        if !self.moving.contains(&name) {
            return refused(Refusals::DomainOfRoute {
                domain: domain.to_string(),
                route: name,
            });
        }
        sqlx::query("DELETE FROM route_domains WHERE domain = $1")
            .bind(domain.as_str())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn remove_route(&mut self, name: &str) -> Result<(), StoreError> {
        self.remove_mailboxes_of(name).await?;
        sqlx::query("DELETE FROM routes WHERE organisation = $1 AND name = $2")
            .bind(self.organisation)
            .bind(name)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}
