//! The store: opening and making it, the lock of the serving process, and what must be done at start and hourly.

use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sealgate_mail::Timestamp;
use sealgate_smime::key::{KeyKind, PrivateKey};
use sealgate_smime::path::TrustAnchors;
use sqlx::sqlite::SqlitePool;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::content::Pending;
use crate::database;
use crate::directory;
use crate::error::StoreError;
use crate::ids::Ids;
use crate::keys::KeyCache;
use crate::rotation::{self, DataKeys};
use crate::seal::{MasterKey, Sealer};
use crate::snapshot::Snapshots;
use crate::token::Tokens;
use crate::writer::{Counters, Writer};

/// Everything that survives a crash. Cheap to clone; all clones share one writer.
#[derive(Clone, Debug)]
pub struct Store(pub(crate) Arc<Inner>);

/// A store as one of its two kinds of readers sees it.
#[derive(Debug)]
pub(crate) struct Inner {
    shared: Arc<Shared>,
    pub readers: SqlitePool,
}

impl Deref for Inner {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub directory: PathBuf,
    pub node: String,
    pub sealer: Sealer,
    pub writer: Writer,
    /// The connections that mail reads with.
    readers: SqlitePool,
    /// Those of people's questions.
    questions: SqlitePool,
    pub ids: Ids,
    pub pending: Pending,
    pub keys: KeyCache,
    pub snapshots: Snapshots,
    /// Mozilla's roots for e-mail, read when an organisation first trusts them.
    pub public_roots: OnceLock<TrustAnchors>,
    pub runtime: Handle,
    work: watch::Receiver<u64>,
}

/// Held by the one process that serves; gives the lock back when dropped.
#[derive(Debug)]
pub struct Serving {
    _lock: File,
}

impl Store {
    /// Opens the store in `directory`, and makes both if they are missing (0700, files 0600). The directory above must
    /// be there. Several processes may open one store; only one may serve, see [`Store::lock_for_serving`].
    ///
    /// Must be called within a tokio runtime: the writer task lives there.
    pub async fn open(directory: &Path, master: &MasterKey) -> Result<Self, StoreError> {
        Self::open_with(directory, master, Tokens::default()).await
    }

    /// The same, with tokens that hold keys of this store; they are asked for nothing yet.
    pub async fn open_with(
        directory: &Path,
        master: &MasterKey,
        tokens: Tokens,
    ) -> Result<Self, StoreError> {
        let opening = directory::prepare(directory).await?;
        let file = directory.join(directory::DATABASE);
        let options = database::writing(&file);
        let failed = |error: sqlx::Error| match StoreError::from(error) {
            StoreError::Database(problem) => StoreError::Directory {
                path: file.clone(),
                problem: format!("{problem}: restore it, or name another directory"),
            },
            other => other,
        };
        let mut connection = options.connect().await.map_err(failed)?;
        let sealer = match Self::prepare(&mut connection, &file, (directory, master), tokens).await
        {
            Ok(sealer) => sealer,
            Err(error) => {
                let _ = connection.close().await;
                return Err(error);
            }
        };
        directory::sync(directory)?;
        opening.done();
        let (wake, work) = watch::channel(0);
        let ids = Ids::default();
        let shared = Shared {
            directory: directory.to_owned(),
            node: format!("{:016x}", ids.next()?),
            sealer,
            writer: Writer::start(connection, options, wake),
            readers: database::readers(&file),
            questions: database::questions(&file),
            ids,
            pending: Pending::default(),
            keys: KeyCache::default(),
            snapshots: Snapshots::default(),
            public_roots: OnceLock::new(),
            runtime: Handle::current(),
            work,
        };
        let readers = shared.readers.clone();
        Ok(Self::of(Arc::new(shared), readers))
    }

    fn of(shared: Arc<Shared>, readers: SqlitePool) -> Self {
        Self(Arc::new(Inner { shared, readers }))
    }

    /// The same store for what people ask: with connections of its own, so that mail never waits for a question, and each
    /// question ends with [`StoreError::TooLong`] after [`QUESTION_WAIT`](crate::limits::QUESTION_WAIT).
    pub fn for_questions(&self) -> Self {
        let shared = Arc::clone(&self.0.shared);
        let questions = shared.questions.clone();
        Self::of(shared, questions)
    }

    async fn prepare(
        connection: &mut SqliteConnection,
        file: &Path,
        (directory, master): (&Path, &MasterKey),
        tokens: Tokens,
    ) -> Result<Sealer, StoreError> {
        database::migrate(connection, file).await?;
        if DataKeys::read(connection).await?.keys.is_empty() {
            rotation::insert_first(connection, master).await?;
        }
        let wrapped = DataKeys::read(connection).await?;
        Sealer::load(&wrapped.keys, master, tokens)?
            .ok_or_else(|| rotation::wrong_master_key(directory, &wrapped))
    }

    /// Where the data lies.
    pub(crate) fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// Makes a key pair on a token, where it stays. Blocks while the token works.
    pub fn generate_on_token(&self, token: &str, kind: KeyKind) -> Result<PrivateKey, StoreError> {
        Ok(self.tokens().generate(token, kind)?)
    }

    /// The tokens that hold keys. Asking them blocks.
    pub fn tokens(&self) -> &Tokens {
        self.0.sealer.tokens()
    }

    /// Takes the lock of the serving process, drops the leases of a process that crashed, and sweeps.
    pub async fn lock_for_serving(&self, now: Timestamp) -> Result<Serving, StoreError> {
        let lock = directory::lock(&self.0.directory)?;
        self.drop_leases().await?;
        // Nobody writes content yet, so whatever nothing refers to is left over.
        self.sweep(now, Timestamp(i64::MAX)).await?;
        Ok(Serving { _lock: lock })
    }

    /// Changes its value after each commit that may have made work for the queue: wait with `changed()`.
    pub fn work(&self) -> watch::Receiver<u64> {
        self.0.work.clone()
    }

    /// The installation's secret for marks against loops; derived from the data key, so that it survives and is nowhere
    /// stored.
    pub fn trace_key(&self) -> &[u8] {
        self.0.sealer.trace_key.as_slice()
    }

    /// What the writer has done so far.
    pub fn counters(&self) -> &Counters {
        self.0.writer.counters()
    }

    /// Waits until everything handed in is committed and closes the connections that read. For the end of a process.
    pub async fn close(self) {
        let _ = self
            .0
            .writer
            .write(Default::default(), |_| Box::pin(async { Ok(()) }))
            .await;
        self.0.shared.readers.close().await;
        self.0.questions.close().await;
    }
}

/// Ways around the store's own operations, for its tests.
#[cfg(test)]
impl Store {
    /// Runs a statement on the writer's connection. A pragma stays in force.
    pub async fn raw(&self, statement: &'static str) -> Result<(), StoreError> {
        let work = crate::writer::job(move |connection| {
            Box::pin(async move {
                sqlx::raw_sql(statement).execute(connection).await?;
                Ok(())
            })
        });
        self.0.writer.write(Default::default(), work).await
    }

    /// The number a query gives.
    pub async fn number(&self, query: &'static str) -> i64 {
        let work = crate::writer::job(move |connection| {
            Box::pin(async move {
                let row = sqlx::query(query).fetch_one(connection).await?;
                Ok(sqlx::Row::try_get::<Option<i64>, _>(&row, 0)?.unwrap_or(0))
            })
        });
        self.0.writer.write(Default::default(), work).await.unwrap()
    }

    /// Lets the write after `count - 1` more fail; 0 lets none fail. A write is a row added to a table of a mail, of orders or of the
    /// audit log.
    pub async fn fail_after(&self, count: i64) {
        for table in [
            "mails",
            "lines",
            "line_words",
            "contents",
            "copies",
            "recipients",
            "orders",
            "audit",
        ] {
            let drop = format!("DROP TRIGGER IF EXISTS fail_{table};");
            let make = format!(
                "CREATE TEMP TABLE IF NOT EXISTS writes (left INTEGER);
                 DELETE FROM writes;
                 INSERT INTO writes VALUES ({count});
                 CREATE TEMP TRIGGER fail_{table} BEFORE INSERT ON main.{table} BEGIN
                   UPDATE writes SET left = left - 1;
                   SELECT RAISE(ABORT, 'a write failed') FROM writes WHERE left = 0;
                 END;"
            );
            let all = if count == 0 { drop } else { drop + &make };
            let work = crate::writer::job(move |connection| {
                Box::pin(async move {
                    sqlx::raw_sql(sqlx::AssertSqlSafe(all))
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            });
            self.0.writer.write(Default::default(), work).await.unwrap();
        }
    }

    /// Keeps the database locked for `time`.
    pub fn hold_writer(&self, time: std::time::Duration) -> tokio::task::JoinHandle<()> {
        let store = self.clone();
        let work = crate::writer::job(move |_| {
            Box::pin(async move {
                tokio::time::sleep(time).await;
                Ok(())
            })
        });
        tokio::spawn(async move {
            store
                .0
                .writer
                .write(Default::default(), work)
                .await
                .unwrap()
        })
    }
}
