//! The one writer: jobs of many sessions in one transaction, each in a savepoint of its own, answered after the commit.
//!
//! A job that fails is rolled back alone. A commit that fails fails every job in it, and the connection is not
//! trusted afterwards.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::StoreError;
use crate::limits::{JOBS_PER_COMMIT, OCTETS_PER_COMMIT};

/// A future of a job; it may use the connection for as long as it runs.
pub(crate) type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// Gives a closure the type of a job, which the compiler would not find by itself.
pub(crate) fn job<T, F>(work: F) -> F
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, T>,
{
    work
}

/// What the writer has done so far.
#[derive(Debug, Default)]
pub struct Counters {
    commits: AtomicU64,
    jobs: AtomicU64,
}

impl Counters {
    /// Transactions committed, each with one fsync.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
    /// Jobs in them.
    pub fn jobs(&self) -> u64 {
        self.jobs.load(Ordering::Relaxed)
    }
}

/// What a job is to the writer beside what it does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weight {
    /// Octets of content it writes.
    pub octets: usize,
    /// Whether there may be work for the queue after it.
    pub wakes: bool,
}

impl Weight {
    /// A job after which the queue is looked at.
    pub const WAKES: Self = Self {
        octets: 0,
        wakes: true,
    };
}

trait Job: Send {
    fn weight(&self) -> Weight;
    fn run<'j>(&'j mut self, connection: &'j mut SqliteConnection) -> Running<'j, ()>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Task<T, F, A> {
    weight: Weight,
    work: Option<F>,
    value: Option<T>,
    answer: A,
}

impl<T, F, A> Job for Task<T, F, A>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, T> + Send,
    A: FnOnce(Result<T, StoreError>) + Send,
{
    fn weight(&self) -> Weight {
        self.weight
    }

    fn run<'j>(&'j mut self, connection: &'j mut SqliteConnection) -> Running<'j, ()> {
        Box::pin(async move {
            let work = self.work.take().ok_or(StoreError::Unclear)?;
            self.value = Some(work(connection).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { value, answer, .. } = *self;
        answer(outcome.and_then(|()| value.ok_or(StoreError::Unclear)));
    }
}

/// Hands jobs to the writer.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: mpsc::UnboundedSender<Box<dyn Job>>,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the writer task on the current runtime; it ends when the last handle is gone and every job is answered.
    pub fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        wake: watch::Sender<u64>,
    ) -> Self {
        let (jobs, inbox) = mpsc::unbounded_channel();
        let counters = Arc::new(Counters::default());
        let desk = Desk {
            connection: Some(connection),
            options,
            inbox,
            wake,
            counters: Arc::clone(&counters),
        };
        tokio::spawn(desk.work());
        Self { jobs, counters }
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Hands in `work`; `answer` is called after the commit, or with the error.
    ///
    /// The inbox has no bound of its own: every caller waits for its answer, so it holds at most a few jobs each.
    pub fn submit<T, F, A>(&self, weight: Weight, work: F, answer: A)
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, T> + Send + 'static,
        A: FnOnce(Result<T, StoreError>) + Send + 'static,
    {
        let task = Task {
            weight,
            work: Some(work),
            value: None,
            answer,
        };
        if let Err(mpsc::error::SendError(task)) = self.jobs.send(Box::new(task)) {
            task.answer(Err(StoreError::Database("the writer has stopped".into())));
        }
    }

    /// Does `work` in the next transaction; the result is durable when this returns.
    pub async fn write<T, F>(&self, weight: Weight, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.submit(weight, work, move |outcome| {
            let _ = answer.send(outcome);
        });
        answered.await.unwrap_or(Err(StoreError::Unclear))
    }
}

/// The writer task's own side.
struct Desk {
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    inbox: mpsc::UnboundedReceiver<Box<dyn Job>>,
    wake: watch::Sender<u64>,
    counters: Arc<Counters>,
}

type Batch = Vec<Box<dyn Job>>;

impl Desk {
    async fn work(mut self) {
        while let Some(first) = self.inbox.recv().await {
            let mut done = Batch::new();
            let outcome = self.transaction(first, &mut done).await;
            if let Err(error) = &outcome {
                tracing::warn!(%error, jobs = done.len(), "a transaction failed");
                self.connection = None;
            }
            self.settle(done, outcome);
        }
        if let Some(connection) = self.connection {
            let _ = connection.close().await;
        }
    }

    /// Runs `first` and whatever else waits in one transaction. `done` are the jobs that share its fate.
    async fn transaction(
        &mut self,
        first: Box<dyn Job>,
        done: &mut Batch,
    ) -> Result<(), StoreError> {
        if let Err(error) = self.begin().await {
            done.push(first);
            // Whoever came in while we waited for the database has waited long enough, too.
            while let Ok(job) = self.inbox.try_recv() {
                done.push(job);
            }
            return Err(error);
        }
        let mut octets = 0;
        let mut next = Some(first);
        while let Some(job) = next.take() {
            octets += job.weight().octets;
            self.one(job, done).await?;
            if done.len() < JOBS_PER_COMMIT && octets < OCTETS_PER_COMMIT {
                next = self.waiting().await;
            }
        }
        let connection = self.connection().await?;
        sqlx::query("COMMIT").execute(connection).await?;
        Ok(())
    }

    /// The next job, if there is one; sessions that are just about to hand one in get their turn first.
    async fn waiting(&mut self) -> Option<Box<dyn Job>> {
        if let Ok(job) = self.inbox.try_recv() {
            return Some(job);
        }
        tokio::task::yield_now().await;
        self.inbox.try_recv().ok()
    }

    /// One job in its savepoint. An error means that the whole transaction is lost.
    async fn one(&mut self, mut job: Box<dyn Job>, done: &mut Batch) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        if let Err(error) = sqlx::query("SAVEPOINT job").execute(&mut *connection).await {
            done.push(job);
            return Err(error.into());
        }
        match job.run(connection).await {
            Ok(()) => {
                done.push(job);
                sqlx::query("RELEASE job").execute(connection).await?;
            }
            Err(error) => {
                // After some errors SQLite has already rolled back everything: then this fails, and all is lost.
                let undone = sqlx::raw_sql("ROLLBACK TO job; RELEASE job")
                    .execute(connection)
                    .await;
                job.answer(Err(error));
                undone?;
            }
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(connection).await?;
        Ok(())
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    fn settle(&self, done: Batch, outcome: Result<(), StoreError>) {
        let wakes = outcome.is_ok() && done.iter().any(|job| job.weight().wakes);
        if outcome.is_ok() && !done.is_empty() {
            self.counters.commits.fetch_add(1, Ordering::Relaxed);
            self.counters
                .jobs
                .fetch_add(done.len() as u64, Ordering::Relaxed);
        }
        for job in done {
            job.answer(outcome.clone());
        }
        if wakes {
            self.wake
                .send_modify(|commits| *commits = commits.wrapping_add(1));
        }
    }
}
