//! The queue at work: leases what is due, within limits, and sweeps now and then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sealgate_core::queue::NextHop;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::cmd::Failure;
use crate::gateway::{Gateway, now};
use crate::limits::{
    DELIVERIES, DELIVERIES_PER_HOP, IDLE, LEASE, LEASED, OPENING_LEASE, OPENINGS, PLACE_WAIT,
    SWEEP, VERSION_POLL,
};
use crate::{deliver, inbound};

/// Places for deliveries: some in all, few to one next hop, so that a slow one does not take them all.
pub struct Places {
    all: Arc<Semaphore>,
    hops: Mutex<HashMap<NextHop, Arc<Semaphore>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(DELIVERIES)),
            hops: Mutex::default(),
        }
    }
}

impl Places {
    /// A place for `hop`, once there is one; none if there is none soon.
    pub async fn take(&self, hop: &NextHop) -> Option<Place> {
        let of_hop = {
            let mut hops = self.hops.lock().unwrap_or_else(PoisonError::into_inner);
            hops.retain(|_, places| Arc::strong_count(places) > 1);
            Arc::clone(
                hops.entry(hop.clone())
                    .or_insert_with(|| Arc::new(Semaphore::new(DELIVERIES_PER_HOP))),
            )
        };
        // The semaphores are never closed, so that acquiring them cannot fail.
        let places = async {
            Place {
                _hop: of_hop.acquire_owned().await.ok(),
                _all: Arc::clone(&self.all).acquire_owned().await.ok(),
            }
        };
        timeout(PLACE_WAIT, places).await.ok()
    }
}

/// A place that is taken; free again when dropped.
pub struct Place {
    _hop: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

/// Places for mails being opened.
struct Openings {
    places: Arc<Semaphore>,
    /// A place is free again.
    done: Arc<Notify>,
}

impl Default for Openings {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(OPENINGS)),
            done: Arc::default(),
        }
    }
}

impl Openings {
    /// The places that are free, at most `most`.
    fn free(&self, most: u32) -> Vec<OwnedSemaphorePermit> {
        let one = |_| Arc::clone(&self.places).try_acquire_owned().ok();
        (0..most).map_while(one).collect()
    }

    fn place(&self, taken: OwnedSemaphorePermit) -> OpeningPlace {
        OpeningPlace {
            places: Arc::clone(&self.places),
            done: Arc::clone(&self.done),
            taken: Some(taken),
        }
    }
}

/// A place for a mail being opened; free again when dropped.
pub struct OpeningPlace {
    places: Arc<Semaphore>,
    done: Arc<Notify>,
    taken: Option<OwnedSemaphorePermit>,
}

impl OpeningPlace {
    /// Waits for somebody else without keeping the place from mails that need not wait.
    pub async fn aside<T>(&mut self, waiting: impl Future<Output = T>) -> T {
        self.leave();
        let result = waiting.await;
        self.taken = Arc::clone(&self.places).acquire_owned().await.ok();
        result
    }

    fn leave(&mut self) {
        if self.taken.take().is_some() {
            self.done.notify_one();
        }
    }
}

impl Drop for OpeningPlace {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Runs until `stop` becomes true, then lets what is under way come to its end.
pub async fn run(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    let mut work = gateway.store.work();
    let places = Arc::new(Places::default());
    let openings = Openings::default();
    let mut tasks = JoinSet::new();
    let mut next_sweep = Instant::now() + SWEEP;
    let mut verbs = 0;
    while !*stop.borrow() {
        work.mark_unchanged();
        let wait = match lease(&gateway, &places, &openings, &mut tasks).await {
            Ok(wait) => wait,
            Err(failure) => {
                tracing::error!(reason = failure.message, "the queue cannot be read now");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            _ = work.changed() => {}
            () = openings.done.notified() => {}
            () = verb_done(&gateway, &mut verbs) => {}
            _ = tasks.join_next(), if tasks.len() >= LEASED => {}
            () = sleep_until(Instant::now() + wait) => {}
        }
        while tasks.try_join_next().is_some() {}
        if Instant::now() >= next_sweep {
            next_sweep = Instant::now() + SWEEP;
            sweep(&gateway).await;
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Waits until an administrator did something to the queue, from whatever process.
async fn verb_done(gateway: &Gateway, seen: &mut u64) {
    loop {
        tokio::time::sleep(VERSION_POLL).await;
        match gateway.store.verbs_done().await {
            Ok(done) if done != *seen => {
                *seen = done;
                return;
            }
            // What cannot be read now is found out at the next look, or by the lease.
            Ok(_) | Err(_) => {}
        }
    }
}

/// Leases and starts what is due; says how long there is nothing more to do.
async fn lease(
    gateway: &Arc<Gateway>,
    places: &Arc<Places>,
    openings: &Openings,
    tasks: &mut JoinSet<()>,
) -> Result<Duration, Failure> {
    let free = LEASED.saturating_sub(tasks.len());
    if free == 0 {
        return Ok(IDLE);
    }
    let free = u32::try_from(free).unwrap_or(u32::MAX);
    let at = now();
    // Only what is opened at once is leased: a lease counts as an attempt, and a crash must not cost those that wait one.
    let permits = openings.free(free);
    let idle = u32::try_from(permits.len()).unwrap_or(free);
    let to_open = gateway.store.lease_to_open(at, idle, OPENING_LEASE).await?;
    for (leased, permit) in to_open.into_iter().zip(permits) {
        let (gateway, mut place) = (Arc::clone(gateway), openings.place(permit));
        tasks.spawn(async move { inbound::open(&gateway, leased, &mut place).await });
    }
    for leased in gateway.store.lease_due(at, free, LEASE).await? {
        let (gateway, places) = (Arc::clone(gateway), Arc::clone(places));
        tasks.spawn(async move { deliver::deliver(&gateway, &places, leased).await });
    }
    let next = gateway.store.next_due().await?;
    let seconds = next.map_or(i64::MAX, |next| next.since(now()));
    Ok(u64::try_from(seconds)
        .map_or(Duration::from_millis(200), Duration::from_secs)
        .clamp(Duration::from_millis(50), IDLE))
}

async fn sweep(gateway: &Gateway) {
    if let Err(error) = gateway.store.maintain(now()).await {
        tracing::warn!(%error, "the sweep failed; it is repeated");
    }
}
