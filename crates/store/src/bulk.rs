//! Bulk work: one thing done with many mailboxes, which survives a restart. Its targets are kept, and worked on some at a time, so
//! that mail gets the database in between. A piece and how far the work is afterwards are one transaction.

use std::sync::Arc;

use sealgate_core::change::{Activation, Change};
use sealgate_core::order::Purpose;
use sealgate_core::saying::{Changes, Refusals, Saying};
use sealgate_core::tenant::{InboundRoute, OrganisationId};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::key::KeyKind;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::apply::{CarriedOut, Instruction, Together, in_one_transaction};
use crate::audit::tell;
use crate::configuration::{name_of, next_number, open_setting, seal_setting};
use crate::error::StoreError;
use crate::limits::{BULK_OPEN, BULK_REASONS, BULK_TRIED, PAGE_ROWS, TOGETHER};
use crate::rows::{Columns, column, json, sentence, size, word};
use crate::store::{Inner, Store};
use crate::writer::{Weight, job};

/// What bulk work does with each of its mailboxes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkAction {
    /// Certificates are ordered (S36 to S38).
    Activation(Certificates),
    /// Their next certificates are ordered; how many become due in a minute at most.
    Renewal(Certificates, Purpose, Option<u32>),
    /// Their certificates are revoked (S40).
    Deactivation,
    /// They are removed, then the route changes that they belonged to.
    Removal(RouteChange),
}

/// With what kind of certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificates {
    /// Name of the authority; the standard one if none.
    pub authority: Option<String>,
    /// The kind of key to make.
    pub key: KeyKind,
    /// The token to make it on.
    pub token: Option<String>,
}

impl Certificates {
    /// The order for one mailbox.
    pub fn of(&self, mailbox: Address) -> Activation {
        Activation {
            mailbox,
            authority: self.authority.clone(),
            key: self.key,
            token: self.token.clone(),
        }
    }
}

/// What becomes of a route once its mailboxes are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteChange {
    /// It differs from what it was in this way.
    Edit {
        /// As it was when the work was ordered.
        was: Box<InboundRoute>,
        /// As it was to be.
        becomes: Box<InboundRoute>,
    },
    /// It goes too.
    Remove(String),
}

impl RouteChange {
    fn name(&self) -> &str {
        match self {
            Self::Edit { was, .. } => &was.name,
            Self::Remove(name) => name,
        }
    }

    /// The change of the route.
    pub fn change(&self) -> Change {
        match self {
            Self::Edit { was, becomes } => Change::EditRoute {
                was: InboundRoute::clone(was),
                becomes: InboundRoute::clone(becomes),
            },
            Self::Remove(name) => Change::RemoveRoute(name.clone()),
        }
    }
}

impl BulkAction {
    /// The change of one mailbox.
    pub fn change(&self, mailbox: Address) -> Change {
        match self {
            Self::Activation(with) => Change::Activate(with.of(mailbox)),
            Self::Renewal(with, purpose, _) => Change::Renew(with.of(mailbox), *purpose),
            Self::Deactivation => Change::Deactivate(mailbox),
            Self::Removal(_) => Change::RemoveMailbox(mailbox),
        }
    }

    /// What the changes of a piece are about, and the changes: of its mailboxes, and what comes after the last ones.
    fn changes(&self, mailboxes: Vec<Address>, is_last: bool) -> (Vec<String>, Vec<Change>) {
        let each = mailboxes.into_iter();
        let each = each.map(|mailbox| (mailbox.to_string(), self.change(mailbox)));
        let last = match self {
            Self::Removal(route) if is_last => Some((route.name().to_owned(), route.change())),
            _ => None,
        };
        each.chain(last).unzip()
    }

    /// At most so many orders become due in a minute.
    pub const fn per_minute(&self) -> Option<u32> {
        match self {
            Self::Renewal(_, _, per_minute) => *per_minute,
            Self::Activation(_) | Self::Deactivation | Self::Removal(_) => None,
        }
    }

    const fn kind(&self) -> BulkKind {
        match self {
            Self::Activation(_) => BulkKind::Activation,
            Self::Renewal(..) => BulkKind::Renewal,
            Self::Deactivation => BulkKind::Deactivation,
            Self::Removal(_) => BulkKind::Removal,
        }
    }
}

/// The kind of bulk work, which stays known when it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkKind {
    /// See [`BulkAction::Activation`].
    Activation,
    /// See [`BulkAction::Renewal`].
    Renewal,
    /// See [`BulkAction::Deactivation`].
    Deactivation,
    /// See [`BulkAction::Removal`].
    Removal,
}

/// How bulk work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkEnding {
    /// All was tried.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// It could not go on.
    BrokenOff,
}

/// Bulk work, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkWork {
    /// Its number.
    pub id: i64,
    /// What is done.
    pub kind: BulkKind,
    /// Who ordered it.
    pub who: String,
    /// When.
    pub made: Timestamp,
    /// For how many mailboxes.
    pub total: u64,
    /// For how many it was tried.
    pub done: u64,
    /// For how many of these it was refused.
    pub refused: u64,
    /// The first of those, each with the reason.
    pub reasons: Vec<(String, Saying)>,
    /// The batch of the orders that were opened.
    pub batch: Option<i64>,
    /// When and how it ended.
    pub ended: Option<(Timestamp, BulkEnding)>,
    /// Who stopped it.
    pub stopped_by: Option<String>,
}

impl BulkWork {
    /// Counts a piece: what came of it, for how many mailboxes it was tried, and what its changes are about.
    fn count(&mut self, piece: &CarriedOut, tried: u64, what: &[String]) {
        self.batch = piece.batch;
        self.done = self.done.saturating_add(tried);
        self.refused = self.refused.saturating_add(piece.refused.len() as u64);
        let reasons = piece.refused.iter();
        let reasons = reasons.filter_map(|(at, why)| Some((what.get(*at)?.clone(), why.clone())));
        let room = BULK_REASONS.saturating_sub(self.reasons.len());
        self.reasons.extend(reasons.take(room));
    }
}

/// Bulk work that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What came of its first piece.
    pub first: CarriedOut,
    /// It.
    pub work: BulkWork,
}

/// What a piece needs.
struct Piece<'p> {
    connection: &'p mut SqliteConnection,
    inner: &'p Inner,
    now: Timestamp,
}

impl Store {
    /// Keeps bulk work of an organisation, called `what`, and does its first piece; [`Store::bulk_work_piece`] does the others. None
    /// if so much of it goes on that no more is taken.
    pub async fn begin_bulk_work(
        &self,
        organisation: OrganisationId,
        (action, what): (BulkAction, Saying),
        mailboxes: Vec<Address>,
        who: &str,
        now: Timestamp,
    ) -> Result<Option<Begun>, StoreError> {
        let (who, inner) = (who.to_owned(), Arc::clone(&self.0));
        let write = job(move |connection| {
            Box::pin(async move {
                if going_on(connection, organisation).await? >= BULK_OPEN {
                    return Ok(None);
                }
                let whose = (organisation, who.as_str(), now);
                let id = insert(connection, &inner, whose, (&action, &what, &mailboxes)).await?;
                let piece = Piece {
                    connection,
                    inner: &inner,
                    now,
                };
                piece.next(id).await.map(Some)
            })
        });
        self.0.writer.write(Weight::WAKES, write).await
    }

    /// The bulk work that comes next: what is least far, so that a small one does not wait for a large one. Beside it those that
    /// come after it, for when it cannot be worked on now.
    pub async fn next_bulk_work(&self) -> Result<Vec<i64>, StoreError> {
        let rows =
            sqlx::query("SELECT id FROM bulk_work WHERE ended IS NULL ORDER BY done, id LIMIT $1")
                .bind(BULK_TRIED)
                .fetch_all(&self.0.readers)
                .await?;
        rows.iter().map(|row| row.field("id")).collect()
    }

    /// Does the next piece of that bulk work; nothing if it has ended meanwhile.
    pub async fn bulk_work_piece(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.0);
        let write = job(move |connection| {
            Box::pin(async move {
                let row = sqlx::query("SELECT 1 FROM bulk_work WHERE id = $1 AND ended IS NULL")
                    .bind(id)
                    .fetch_optional(&mut *connection)
                    .await?;
                if row.is_some() {
                    let piece = Piece {
                        connection,
                        inner: &inner,
                        now,
                    };
                    piece.next(id).await?;
                }
                Ok(())
            })
        });
        self.0.writer.write(Weight::WAKES, write).await
    }

    /// That bulk work cannot go on: what is done stays.
    pub async fn break_off_bulk_work(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let write = job(move |connection| {
            Box::pin(async move { end(connection, id, (BulkEnding::BrokenOff, now)).await })
        });
        self.0.writer.write(Weight::default(), write).await
    }

    /// Stops bulk work of an organisation: what is done stays. It says so in the audit log.
    pub async fn stop_bulk_work(
        &self,
        organisation: OrganisationId,
        id: i64,
        who: &str,
        now: Timestamp,
    ) -> Result<BulkWork, StoreError> {
        let who = who.to_owned();
        let write = job(move |connection| {
            Box::pin(async move {
                let found = find(connection, organisation, id).await?;
                if found.ended.is_some() {
                    return Err(StoreError::refused(Refusals::BulkWorkEnded {}));
                }
                end(connection, id, (BulkEnding::Stopped, now)).await?;
                sqlx::query("UPDATE bulk_work SET stopped_by = $1 WHERE id = $2")
                    .bind(&who)
                    .bind(id)
                    .execute(&mut *connection)
                    .await?;
                let said = Changes::BulkWorkStopped {
                    id,
                    all: column(found.total),
                    done: column(found.done),
                };
                tell(connection, organisation, (&who, now), said).await?;
                find(connection, organisation, id).await
            })
        });
        self.0.writer.write(Weight::default(), write).await
    }

    /// Bulk work of an organisation before the one numbered `before`, the newest first.
    pub async fn bulk_work_page(
        &self,
        organisation: OrganisationId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<BulkWork>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM bulk_work WHERE organisation = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(organisation.0)
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit.min(PAGE_ROWS)))
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(read).collect()
    }
}

fn record(id: i64) -> String {
    format!("bulk work {id}")
}

async fn going_on(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS open FROM bulk_work INDEXED BY bulk_work_open WHERE ended IS NULL AND organisation = $1",
    )
    .bind(organisation.0)
    .fetch_one(connection)
    .await?;
    row.field("open")
}

async fn insert(
    connection: &mut SqliteConnection,
    inner: &Inner,
    (organisation, who, now): (OrganisationId, &str, Timestamp),
    (action, what, mailboxes): (&BulkAction, &Saying, &[Address]),
) -> Result<i64, StoreError> {
    let id = next_number(connection, "bulk-work").await?;
    let total = i64::try_from(mailboxes.len()).unwrap_or(i64::MAX);
    let (text, said) = sentence(what)?;
    sqlx::query(
        "INSERT INTO bulk_work (id, organisation, kind, settings, text, said, who, made, total, done, refused, reasons)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, '[]')",
    )
    .bind(id)
    .bind(organisation.0)
    .bind(word(&action.kind())?)
    .bind(seal_setting(&inner.sealer, &record(id), action)?)
    .bind(text)
    .bind(said)
    .bind(who)
    .bind(now.0)
    .bind(total)
    .execute(&mut *connection)
    .await?;
    let addresses: Vec<String> = mailboxes.iter().map(Address::to_string).collect();
    sqlx::query(
        "INSERT INTO bulk_work_targets (work, place, address) SELECT $1, key, value FROM json_each($2)",
    )
    .bind(id)
    .bind(json(&addresses)?)
    .execute(connection)
    .await?;
    Ok(id)
}

impl Piece<'_> {
    /// The next targets of that work, and after the last ones what comes after all.
    async fn next(mut self, id: i64) -> Result<Begun, StoreError> {
        let row = sqlx::query("SELECT * FROM bulk_work WHERE id = $1")
            .bind(id)
            .fetch_one(&mut *self.connection)
            .await?;
        let (organisation, settings) = (row.organisation("organisation")?, row.field("settings")?);
        let action: BulkAction = open_setting(&self.inner.sealer, &record(id), settings)?;
        let mut work = read(&row)?;
        let targets = self.take(id).await?;
        let tried = targets.len() as u64;
        let is_last = work.done.saturating_add(tried) >= work.total;
        let (what, changes) = action.changes(targets, is_last);
        let instruction = Instruction {
            changes,
            together: Some(Together {
                text: row.said()?,
                per_minute: action.per_minute(),
                already: u32::try_from(work.done).unwrap_or(u32::MAX),
                batch: work.batch,
            }),
            ..Instruction::default()
        };
        let name = name_of(self.connection, organisation).await?;
        let about = (name.as_str(), work.who.as_str(), self.now);
        let first = in_one_transaction(self.connection, self.inner, &instruction, about).await?;
        work.count(&first, tried, &what);
        self.note(&work).await?;
        if is_last {
            work.ended = Some((self.now, BulkEnding::Done));
            end(self.connection, id, (BulkEnding::Done, self.now)).await?;
        }
        Ok(Begun { first, work })
    }

    /// Takes targets away: they come back only with the whole transaction.
    async fn take(&mut self, id: i64) -> Result<Vec<Address>, StoreError> {
        let rows = sqlx::query(
            "SELECT place, address FROM bulk_work_targets WHERE work = $1 ORDER BY place LIMIT $2",
        )
        .bind(id)
        .bind(column(TOGETHER as u64))
        .fetch_all(&mut *self.connection)
        .await?;
        if let Some(last) = rows.last() {
            sqlx::query("DELETE FROM bulk_work_targets WHERE work = $1 AND place <= $2")
                .bind(id)
                .bind(last.field::<i64>("place")?)
                .execute(&mut *self.connection)
                .await?;
        }
        rows.iter().map(|row| row.address("address")).collect()
    }

    async fn note(&mut self, work: &BulkWork) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE bulk_work SET done = $1, refused = $2, reasons = $3, batch = $4 WHERE id = $5",
        )
        .bind(column(work.done))
        .bind(column(work.refused))
        .bind(json(&work.reasons)?)
        .bind(work.batch)
        .bind(work.id)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}

async fn end(
    connection: &mut SqliteConnection,
    id: i64,
    (ending, now): (BulkEnding, Timestamp),
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE bulk_work SET ended = $1, ending = $2, settings = NULL WHERE id = $3 AND ended IS NULL",
    )
    .bind(now.0)
    .bind(word(&ending)?)
    .bind(id)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM bulk_work_targets WHERE work = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

async fn find(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    id: i64,
) -> Result<BulkWork, StoreError> {
    let row = sqlx::query("SELECT * FROM bulk_work WHERE id = $1 AND organisation = $2")
        .bind(id)
        .bind(organisation.0)
        .fetch_optional(connection)
        .await?;
    read(&row.ok_or_else(|| StoreError::NotFound(format!("there is no bulk work {id}")))?)
}

fn read(row: &SqliteRow) -> Result<BulkWork, StoreError> {
    let ended: Option<i64> = row.field("ended")?;
    let ended = ended.map(|at| Ok::<_, StoreError>((Timestamp(at), row.word("ending")?)));
    Ok(BulkWork {
        id: row.field("id")?,
        kind: row.word("kind")?,
        who: row.field("who")?,
        made: row.time("made")?,
        total: size(row.field("total")?),
        done: size(row.field("done")?),
        refused: size(row.field("refused")?),
        reasons: row.json("reasons")?,
        batch: row.field("batch")?,
        ended: ended.transpose()?,
        stopped_by: row.field("stopped_by")?,
    })
}
