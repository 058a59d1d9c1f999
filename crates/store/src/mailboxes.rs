//! The table of mailboxes as pages show it, what is told of one mailbox, and many mailboxes added at once.

use std::collections::HashSet;

use sealgate_core::mailbox::Command;
use sealgate_core::order::{OrderState, Purpose};
use sealgate_core::saying::{Changes as Said, Refusals, Saying};
use sealgate_core::tenant::{MailboxState, OrganisationId};
use sealgate_mail::{Address, Domain, Timestamp};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, SqliteConnection};

use crate::audit;
use crate::configuration::{changed, name_of};
use crate::error::StoreError;
use crate::life::{Lives, With};
use crate::limits::{AUDIT_NAMES, PAGE_ROWS};
use crate::orders::{OrderRow, order_row};
use crate::revocations::{RevocationRow, revocation_row};
use crate::rows::{Columns, json, size, word};
use crate::store::Store;
use crate::writer::{Weight, job};

/// A known mailbox as the table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    /// Its address.
    pub address: Address,
    /// Where it stands.
    pub state: MailboxState,
    /// Since when.
    pub since: Timestamp,
    /// Number and end of the certificate it signs with.
    pub signing: Option<(i64, Timestamp)>,
    /// Its open order.
    pub order: Option<OpenOrder>,
    /// Whether a certificate of it waits until an administrator says that its issuer has revoked it (A12).
    pub by_hand: bool,
    /// What went wrong the last time: with its revocation, or with the order that it is inactive after.
    pub error: Option<Saying>,
}

/// The open order of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// Name of its authority.
    pub authority: String,
    /// What it is for.
    pub purpose: Purpose,
    /// How far it is.
    pub state: OrderState,
    /// When it was opened.
    pub created: Timestamp,
    /// When the authority is asked next.
    pub due: Option<Timestamp>,
    /// What went wrong the last time.
    pub error: Option<Saying>,
}

/// What is told of one mailbox.
#[derive(Clone, Debug)]
pub struct MailboxDetail {
    /// Its line of the table.
    pub row: MailboxRow,
    /// Whose key rings also open its mail.
    pub aliases: Vec<Address>,
    /// Its orders, the newest first.
    pub orders: Vec<OrderRow>,
    /// Revocations of its certificates, the newest first.
    pub revocations: Vec<RevocationRow>,
}

/// By what the table is sorted; each is carried by an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailboxOrder {
    /// Domain, then name.
    #[default]
    Domain,
    /// Name, then domain.
    Name,
    /// State, then domain and name.
    State,
    /// Number of the certificate, then name.
    Certificate,
}

impl MailboxOrder {
    /// The columns, in the order of the index.
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Domain => &["m.domain", "m.mailbox"],
            Self::Name => &["m.mailbox"],
            Self::State => &["m.state", "m.domain", "m.mailbox"],
            Self::Certificate => &["coalesce(m.signing, 0)", "m.mailbox"],
        }
    }
}

/// Where a page of the table ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxPlace {
    /// The last mailbox.
    pub address: Address,
    /// Its state.
    pub state: MailboxState,
    /// The number of its certificate; 0 if it has none.
    pub certificate: i64,
}

/// Which known mailboxes; every field narrows it.
#[derive(Clone, Debug, Default)]
pub struct MailboxQuery {
    /// In this state.
    pub state: Option<MailboxState>,
    /// Whose address holds this text, in any case.
    pub search: Option<String>,
    /// In the domains of the inbound route of this name.
    pub route: Option<String>,
    /// In this order.
    pub order: MailboxOrder,
    /// The other way round.
    pub descending: bool,
    /// After this place in that order.
    pub after: Option<MailboxPlace>,
    /// Most rows.
    pub limit: u32,
}

/// Counts of known mailboxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxCounts {
    /// All.
    pub known: u64,
    /// Active ones.
    pub active: u64,
}

const ROW: &str = "SELECT m.address, m.state, m.since, m.signing, m.aliases, k.not_after,
        o.created AS order_created, o.purpose AS order_purpose, o.state AS order_state, o.due AS order_due,
        o.error AS order_error, a.name AS order_authority,
        (m.state = 'revoke-pending' AND EXISTS (
            SELECT 1 FROM revocations r LEFT JOIN authorities ra ON ra.id = r.authority
            WHERE r.organisation = m.organisation AND r.mailbox = m.mailbox AND r.confirmed IS NULL
            AND (r.authority IS NULL OR ra.kind = 'by-hand'))) AS by_hand,
        CASE m.state
            WHEN 'revoke-pending' THEN (SELECT r.error FROM revocations r WHERE r.organisation = m.organisation
                AND r.mailbox = m.mailbox AND r.confirmed IS NULL ORDER BY r.id DESC LIMIT 1)
            WHEN 'inactive' THEN (SELECT CASE f.state WHEN 'failed' THEN f.error END FROM orders f
                WHERE f.organisation = m.organisation AND f.mailbox = m.mailbox ORDER BY f.id DESC LIMIT 1)
        END AS error
     FROM mailboxes m LEFT JOIN keys k ON k.id = m.signing
     LEFT JOIN orders o ON o.organisation = m.organisation AND o.mailbox = m.mailbox AND o.ended IS NULL
     LEFT JOIN authorities a ON a.id = o.authority WHERE m.known = 1 AND m.organisation = ";

impl MailboxQuery {
    /// What narrows it. `indexed`: whether the state may be looked up in an index; else that would take the order away.
    fn narrow(
        &self,
        sql: &mut QueryBuilder<Sqlite>,
        (organisation, indexed): (OrganisationId, bool),
    ) -> Result<(), StoreError> {
        if let Some(state) = &self.state {
            let column = if indexed {
                " AND m.state = "
            } else {
                " AND +m.state = "
            };
            sql.push(column).push_bind(word(state)?);
        }
        if let Some(search) = &self.search {
            let folded = search.to_lowercase();
            sql.push(" AND instr(m.mailbox, ")
                .push_bind(folded)
                .push(") > 0");
        }
        if let Some(route) = &self.route {
            sql.push(" AND m.domain IN (SELECT d.domain FROM routes r JOIN route_domains d ON d.route = r.id WHERE r.organisation = ")
                .push_bind(organisation.0)
                .push(" AND r.name = ")
                .push_bind(route.clone())
                .push(")");
        }
        Ok(())
    }

    fn begin_after(
        &self,
        sql: &mut QueryBuilder<Sqlite>,
        place: &MailboxPlace,
    ) -> Result<(), StoreError> {
        let columns = self.order.columns().join(", ");
        let sign = if self.descending { '<' } else { '>' };
        sql.push(format!(" AND ({columns}) {sign} ("));
        let domain = place.address.domain().as_str().to_owned();
        match self.order {
            MailboxOrder::Domain => sql.push_bind(domain).push(", "),
            MailboxOrder::Name => sql,
            MailboxOrder::State => sql
                .push_bind(word(&place.state)?)
                .push(", ")
                .push_bind(domain)
                .push(", "),
            MailboxOrder::Certificate => sql.push_bind(place.certificate).push(", "),
        };
        sql.push_bind(place.address.key()).push(")");
        Ok(())
    }

    fn page(&self, organisation: OrganisationId) -> Result<QueryBuilder<Sqlite>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(ROW);
        sql.push_bind(organisation.0);
        let indexed = matches!(self.order, MailboxOrder::Domain | MailboxOrder::State);
        self.narrow(&mut sql, (organisation, indexed))?;
        if let Some(place) = &self.after {
            self.begin_after(&mut sql, place)?;
        }
        let way = if self.descending { " DESC" } else { "" };
        let order: Vec<String> = self
            .order
            .columns()
            .iter()
            .map(|column| format!("{column}{way}"))
            .collect();
        sql.push(format!(" ORDER BY {} LIMIT ", order.join(", ")))
            .push_bind(i64::from(self.limit.min(PAGE_ROWS)));
        Ok(sql)
    }
}

impl Store {
    /// One page of an organisation's known mailboxes.
    pub async fn mailbox_page(
        &self,
        organisation: OrganisationId,
        query: &MailboxQuery,
    ) -> Result<Vec<MailboxRow>, StoreError> {
        let mut sql = query.page(organisation)?;
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(mailbox_row).collect()
    }

    /// How many known mailboxes fit `query`, wherever a page begins.
    pub async fn mailboxes_found(
        &self,
        organisation: OrganisationId,
        query: &MailboxQuery,
    ) -> Result<u64, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT COUNT(*) AS found FROM mailboxes m WHERE m.known = 1 AND m.organisation = ",
        );
        sql.push_bind(organisation.0);
        query.narrow(&mut sql, (organisation, true))?;
        let row = sql.build().fetch_one(&self.0.readers).await?;
        Ok(size(row.field("found")?))
    }

    /// How many known mailboxes an organisation has.
    pub async fn mailbox_counts(
        &self,
        organisation: OrganisationId,
    ) -> Result<MailboxCounts, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS known, COUNT(*) FILTER (WHERE state = 'active') AS active
             FROM mailboxes WHERE known = 1 AND organisation = $1",
        )
        .bind(organisation.0)
        .fetch_one(&self.0.readers)
        .await?;
        counts(&row)
    }

    /// The same for each domain that has known mailboxes.
    pub async fn domain_counts(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<(Domain, MailboxCounts)>, StoreError> {
        let rows = sqlx::query(
            "SELECT domain, COUNT(*) AS known, COUNT(*) FILTER (WHERE state = 'active') AS active
             FROM mailboxes WHERE known = 1 AND organisation = $1 GROUP BY domain ORDER BY domain",
        )
        .bind(organisation.0)
        .fetch_all(&self.0.readers)
        .await?;
        let one = |row: &SqliteRow| {
            let domain = Domain::parse(row.field("domain")?);
            let domain = domain.map_err(|error| StoreError::damaged(error.to_string()))?;
            Ok((domain, counts(row)?))
        };
        rows.iter().map(one).collect()
    }

    /// What is told of one known mailbox; none if the organisation has no such mailbox. Of its orders and revocations at most
    /// `limit` each.
    pub async fn mailbox_detail(
        &self,
        organisation: OrganisationId,
        mailbox: &Address,
        limit: u32,
    ) -> Result<Option<MailboxDetail>, StoreError> {
        let mut reading = self.0.readers.begin().await?;
        let mut sql = QueryBuilder::<Sqlite>::new(ROW);
        sql.push_bind(organisation.0)
            .push(" AND m.mailbox = ")
            .push_bind(mailbox.key());
        let row = sql.build().fetch_optional(&mut *reading).await?;
        let Some(row) = row else { return Ok(None) };
        let of = (organisation, mailbox, limit);
        Ok(Some(MailboxDetail {
            row: mailbox_row(&row)?,
            aliases: row.json("aliases")?,
            orders: orders_of(&mut reading, of).await?,
            revocations: revocations_of(&mut reading, of).await?,
        }))
    }

    /// Which of `mailboxes` the organisation knows already.
    pub async fn known_among(
        &self,
        organisation: OrganisationId,
        mailboxes: &[Address],
    ) -> Result<HashSet<Address>, StoreError> {
        let keys: Vec<String> = mailboxes.iter().map(Address::key).collect();
        let rows = sqlx::query(
            "SELECT m.address FROM json_each($1) j CROSS JOIN mailboxes m
             ON m.organisation = $2 AND m.mailbox = j.value AND m.known = 1",
        )
        .bind(json(&keys)?)
        .bind(organisation.0)
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(|row| row.address("address")).collect()
    }

    /// Adds known mailboxes, all or none; those that are known already stay as they are. Returns how many were added, and the
    /// version of the configuration from then on.
    pub async fn add_mailboxes(
        &self,
        organisation: OrganisationId,
        mailboxes: Vec<Address>,
        who: &str,
        now: Timestamp,
    ) -> Result<(u64, u64), StoreError> {
        let who = who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move { add(connection, organisation, &mailboxes, (&who, now)).await })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }
}

fn counts(row: &SqliteRow) -> Result<MailboxCounts, StoreError> {
    Ok(MailboxCounts {
        known: size(row.field("known")?),
        active: size(row.field("active")?),
    })
}

fn mailbox_row(row: &SqliteRow) -> Result<MailboxRow, StoreError> {
    let signing: Option<i64> = row.field("signing")?;
    let not_after: Option<i64> = row.field("not_after")?;
    Ok(MailboxRow {
        address: row.address("address")?,
        state: row.word("state")?,
        since: row.time("since")?,
        signing: signing.zip(not_after.map(Timestamp)),
        order: open_order(row)?,
        by_hand: row.field("by_hand")?,
        error: row.told("error")?,
    })
}

fn open_order(row: &SqliteRow) -> Result<Option<OpenOrder>, StoreError> {
    let Some(created) = row.field::<Option<i64>>("order_created")? else {
        return Ok(None);
    };
    Ok(Some(OpenOrder {
        authority: row.field("order_authority")?,
        purpose: row.word("order_purpose")?,
        state: row.word("order_state")?,
        created: Timestamp(created),
        due: row.optional_time("order_due")?,
        error: row.told("order_error")?,
    }))
}

async fn orders_of(
    reading: &mut SqliteConnection,
    (organisation, mailbox, limit): (OrganisationId, &Address, u32),
) -> Result<Vec<OrderRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT o.*, a.name AS authority_name FROM orders o JOIN authorities a ON a.id = o.authority
         WHERE o.organisation = $1 AND o.mailbox = $2 ORDER BY o.id DESC LIMIT $3",
    )
    .bind(organisation.0)
    .bind(mailbox.key())
    .bind(i64::from(limit))
    .fetch_all(reading)
    .await?;
    rows.iter().map(order_row).collect()
}

async fn revocations_of(
    reading: &mut SqliteConnection,
    (organisation, mailbox, limit): (OrganisationId, &Address, u32),
) -> Result<Vec<RevocationRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM revocations WHERE organisation = $1 AND mailbox = $2 ORDER BY id DESC LIMIT $3",
    )
    .bind(organisation.0)
    .bind(mailbox.key())
    .bind(i64::from(limit))
    .fetch_all(reading)
    .await?;
    rows.iter().map(revocation_row).collect()
}

/// Adds mailboxes in one statement: fifty thousand of them must not keep the writer for long.
async fn add(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    mailboxes: &[Address],
    (who, now): (&str, Timestamp),
) -> Result<(u64, u64), StoreError> {
    must_be_routed(connection, organisation, mailboxes).await?;
    let mut added = show_again(connection, organisation, mailboxes, now).await?;
    let values: Vec<[String; 3]> = mailboxes
        .iter()
        .map(|address| {
            [
                address.key(),
                address.to_string(),
                address.domain().as_str().to_owned(),
            ]
        })
        .collect();
    let rows = sqlx::query(
        "INSERT INTO mailboxes (organisation, mailbox, address, domain, state, since, aliases, added)
         SELECT $1, value ->> 0, value ->> 1, value ->> 2, 'inactive', $2, '[]', $2 FROM json_each($3) WHERE true
         ON CONFLICT (organisation, mailbox) DO NOTHING RETURNING address",
    )
    .bind(organisation.0)
    .bind(now.0)
    .bind(json(&values)?)
    .fetch_all(&mut *connection)
    .await?;
    for row in &rows {
        added.push(row.field("address")?);
    }
    let name = name_of(connection, organisation).await?;
    for names in added.chunks(AUDIT_NAMES) {
        let said = match names {
            [only] => Said::Mailbox {
                address: only.clone(),
            },
            several => Said::Mailboxes {
                addresses: several.join(", "),
            },
        };
        let entry = audit::Entry {
            at: now,
            who,
            organisation: &name,
            said: said.into(),
        };
        audit::insert(connection, entry).await?;
    }
    let version = changed(connection, organisation).await?;
    Ok((added.len() as u64, size(version)))
}

async fn must_be_routed(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    mailboxes: &[Address],
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT d.domain FROM routes r JOIN route_domains d ON d.route = r.id WHERE r.organisation = $1",
    )
    .bind(organisation.0)
    .fetch_all(connection)
    .await?;
    let routed = rows
        .iter()
        .map(|row| row.field("domain"))
        .collect::<Result<HashSet<String>, _>>()?;
    let is_stray = |address: &&Address| !routed.contains(address.domain().as_str());
    match mailboxes.iter().find(is_stray) {
        None => Ok(()),
        Some(stray) => Err(StoreError::refused(Refusals::NoRoute {
            address: stray.to_string(),
            domain: stray.domain().to_unicode(),
        })),
    }
}

/// Those that were removed while they had a certificate are there still, out of sight.
async fn show_again(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    mailboxes: &[Address],
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let wanted: HashSet<String> = mailboxes.iter().map(Address::key).collect();
    let rows = sqlx::query("SELECT address FROM mailboxes WHERE organisation = $1 AND known = 0")
        .bind(organisation.0)
        .fetch_all(&mut *connection)
        .await?;
    let mut shown = Vec::new();
    for row in &rows {
        let address = row.address("address")?;
        if !wanted.contains(&address.key()) {
            continue;
        }
        let mut lives = Lives {
            connection: &mut *connection,
            organisation: organisation.0,
            now,
        };
        lives.command(&address, Command::Add, With::Nothing).await?;
        shown.push(address.to_string());
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use sealgate_core::change::{Activation, Change};
    use sealgate_core::tenant::InboundRoute;
    use sealgate_smime::key::KeyKind;

    use super::*;
    use crate::testing::{NOW, World, address, domain, host, world};

    fn route(name: &str, domains: &[&str]) -> Change {
        Change::PutRoute(InboundRoute {
            name: name.into(),
            domains: domains.iter().map(|name| domain(name)).collect(),
            target: host("mail.example.com"),
            wildcard: false,
        })
    }

    async fn with(mailboxes: &[&str]) -> World {
        let world = world().await;
        let routes = [
            route("a", &["a.example", "b.example"]),
            route("c", &["c.example"]),
        ];
        world
            .store
            .apply("example", &routes, "test", NOW)
            .await
            .unwrap();
        let mailboxes = mailboxes.iter().map(|text| address(text)).collect();
        let store = &world.store;
        store
            .add_mailboxes(world.organisation, mailboxes, "test", NOW)
            .await
            .unwrap();
        world
    }

    async fn found(world: &World, query: &MailboxQuery) -> Vec<String> {
        let rows = world
            .store
            .mailbox_page(world.organisation, query)
            .await
            .unwrap();
        rows.iter().map(|row| row.address.to_string()).collect()
    }

    const ORDERS: [MailboxOrder; 4] = [
        MailboxOrder::Domain,
        MailboxOrder::Name,
        MailboxOrder::State,
        MailboxOrder::Certificate,
    ];

    #[tokio::test]
    async fn pages_in_every_order_show_each_mailbox_once() {
        let names = [
            "x@a.example",
            "b@b.example",
            "A@a.example",
            "x@c.example",
            "m@b.example",
        ];
        let world = with(&names).await;
        let activate = Activation::new(address("m@b.example"), KeyKind::P256);
        let activate = [Change::Activate(activate)];
        world
            .store
            .apply("example", &activate, "test", NOW)
            .await
            .unwrap();
        for (order, descending) in ORDERS
            .into_iter()
            .flat_map(|one| [(one, false), (one, true)])
        {
            let mut query = MailboxQuery {
                order,
                descending,
                limit: 2,
                ..MailboxQuery::default()
            };
            let mut seen = Vec::new();
            loop {
                let rows = world
                    .store
                    .mailbox_page(world.organisation, &query)
                    .await
                    .unwrap();
                let Some(last) = rows.last() else { break };
                query.after = Some(MailboxPlace {
                    address: last.address.clone(),
                    state: last.state,
                    certificate: last.signing.map_or(0, |(id, _)| id),
                });
                seen.extend(rows.into_iter().map(|row| row.address.to_string()));
            }
            let whole = MailboxQuery {
                after: None,
                limit: 100,
                ..query
            };
            assert_eq!(seen, found(&world, &whole).await, "{order:?} {descending}");
            seen.sort();
            let mut all = names.to_vec();
            all.sort_unstable();
            assert_eq!(seen, all, "{order:?} {descending}");
        }
    }

    #[tokio::test]
    async fn what_narrows_the_table() {
        let names = ["x@a.example", "A@a.example", "x@c.example", "m@b.example"];
        let world = with(&names).await;
        let activate = Activation::new(address("m@b.example"), KeyKind::P256);
        let activate = [Change::Activate(activate)];
        world
            .store
            .apply("example", &activate, "test", NOW)
            .await
            .unwrap();
        let narrowed = |query: MailboxQuery| MailboxQuery {
            limit: 100,
            ..query
        };
        let pending = narrowed(MailboxQuery {
            state: Some(MailboxState::ActivationPending),
            ..MailboxQuery::default()
        });
        assert_eq!(found(&world, &pending).await, ["m@b.example"]);
        assert_eq!(
            world
                .store
                .mailboxes_found(world.organisation, &pending)
                .await
                .unwrap(),
            1
        );
        let of_route = narrowed(MailboxQuery {
            route: Some("c".into()),
            ..MailboxQuery::default()
        });
        assert_eq!(found(&world, &of_route).await, ["x@c.example"]);
        let searched = narrowed(MailboxQuery {
            search: Some("A@A".into()),
            ..MailboxQuery::default()
        });
        assert_eq!(found(&world, &searched).await, ["A@a.example"]);
    }

    /// With a hundred thousand mailboxes nothing is sorted, and no table is read from its beginning to its end.
    #[tokio::test]
    async fn each_page_is_read_from_an_index_in_its_order() {
        let world = with(&[]).await;
        let place = MailboxPlace {
            address: address("x@a.example"),
            state: MailboxState::Active,
            certificate: 7,
        };
        for order in ORDERS {
            for (state, route, after) in [
                (None, None, None),
                (None, None, Some(place.clone())),
                (Some(MailboxState::Active), None, Some(place.clone())),
                (None, Some("a".to_owned()), None),
            ] {
                let query = MailboxQuery {
                    order,
                    state,
                    route,
                    after,
                    limit: 50,
                    ..MailboxQuery::default()
                };
                let sql = query.page(world.organisation).unwrap();
                let text = format!("EXPLAIN QUERY PLAN {}", sql.sql().as_str());
                let rows = sqlx::query(sqlx::AssertSqlSafe(text))
                    .fetch_all(&world.store.0.readers)
                    .await
                    .unwrap();
                let plan: Vec<String> = rows
                    .iter()
                    .map(|row| row.field("detail").unwrap())
                    .collect();
                let plan = plan.join("\n");
                assert!(
                    !plan.contains("USE TEMP B-TREE FOR ORDER BY"),
                    "{query:?}\n{plan}"
                );
                assert!(
                    !plan.contains("SCAN m") && plan.contains("SEARCH m USING"),
                    "{query:?}\n{plan}"
                );
            }
        }
    }

    #[tokio::test]
    async fn many_are_added_at_once_all_or_none() {
        let world = with(&["x@a.example"]).await;
        let (store, own) = (&world.store, world.organisation);
        let list = |names: &[&str]| names.iter().map(|text| address(text)).collect::<Vec<_>>();
        let known = store
            .known_among(own, &list(&["X@a.example", "y@a.example"]))
            .await
            .unwrap();
        assert_eq!(
            known.into_iter().collect::<Vec<_>>(),
            list(&["x@a.example"])
        );
        let stray = store
            .add_mailboxes(own, list(&["y@a.example", "z@other.example"]), "test", NOW)
            .await;
        assert!(matches!(stray, Err(StoreError::Refused(_))), "{stray:?}");
        assert_eq!(store.mailbox_counts(own).await.unwrap().known, 1);
        let (added, _) = store
            .add_mailboxes(own, list(&["x@a.example", "y@a.example"]), "me", NOW)
            .await
            .unwrap();
        assert_eq!(added, 1);
        let many: Vec<Address> = (0..250)
            .map(|at| address(&format!("m{at}@c.example")))
            .collect();
        let (added, version) = store.add_mailboxes(own, many, "me", NOW).await.unwrap();
        assert_eq!((added, version), (250, store.version().await.unwrap()));
        let counts = store.domain_counts(own).await.unwrap();
        let counts: Vec<_> = counts
            .iter()
            .map(|(name, counts)| (name.as_str(), counts.known))
            .collect();
        assert_eq!(counts, [("a.example", 2), ("c.example", 250)]);
        // Each of them stands in the audit log, and its chain holds.
        let lines = store.audit(0, 1_000).await.unwrap();
        let own_lines: Vec<_> = lines.iter().filter(|line| line.who == "me").collect();
        assert_eq!(own_lines.len(), 1 + 3);
        assert_eq!(own_lines[0].text, "add mailbox y@a.example");
        assert!(
            own_lines[3].text.ends_with("m249@c.example"),
            "{}",
            own_lines[3].text
        );
        assert_eq!(store.audit_break().await.unwrap(), None);
        // Another organisation sees nothing of it.
        let other = store
            .create_organisation("other", Default::default(), "test", NOW)
            .await
            .unwrap();
        assert!(
            store
                .mailbox_detail(other, &address("x@a.example"), 9)
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            store
                .known_among(other, &list(&["x@a.example"]))
                .await
                .unwrap()
                .is_empty()
        );
    }
}
