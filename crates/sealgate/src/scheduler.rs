//! The queue at work: leases what is due, within limits, and sweeps now and then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sealgate_core::queue::NextHop;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::cmd::Failure;
use crate::gateway::{Gateway, now};
use crate::limits::{DELIVERIES, DELIVERIES_PER_HOP, IDLE, LEASE, LEASED, OPENINGS, SWEEP};
use crate::{deliver, inbound};

/// Places for deliveries: some in all, few to one next hop, so that a slow one does not take them all.
pub struct Places {
    all: Semaphore,
    hops: Mutex<HashMap<NextHop, Arc<Semaphore>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Semaphore::new(DELIVERIES),
            hops: Mutex::default(),
        }
    }
}

impl Places {
    /// Runs `work` once there is a place for `hop`.
    pub async fn at<T>(&self, hop: &NextHop, work: impl Future<Output = T>) -> T {
        let of_hop = {
            let mut hops = self.hops.lock().unwrap_or_else(PoisonError::into_inner);
            hops.retain(|_, places| Arc::strong_count(places) > 1);
            Arc::clone(
                hops.entry(hop.clone())
                    .or_insert_with(|| Arc::new(Semaphore::new(DELIVERIES_PER_HOP))),
            )
        };
        // The semaphores are never closed, so that acquiring them cannot fail.
        let _hop = of_hop.acquire().await;
        let _all = self.all.acquire().await;
        work.await
    }
}

/// Runs until `stop` becomes true, then lets what is under way come to its end.
pub async fn run(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    let mut work = gateway.store.work();
    let places = Arc::new(Places::default());
    let openings = Arc::new(Semaphore::new(OPENINGS));
    let mut tasks = JoinSet::new();
    let mut next_sweep = Instant::now() + SWEEP;
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

/// Leases and starts what is due; says how long there is nothing more to do.
async fn lease(
    gateway: &Arc<Gateway>,
    places: &Arc<Places>,
    openings: &Arc<Semaphore>,
    tasks: &mut JoinSet<()>,
) -> Result<Duration, Failure> {
    let free = LEASED.saturating_sub(tasks.len());
    if free == 0 {
        return Ok(IDLE);
    }
    let free = u32::try_from(free).unwrap_or(u32::MAX);
    let at = now();
    for leased in gateway.store.lease_to_open(at, free, LEASE).await? {
        let (gateway, openings) = (Arc::clone(gateway), Arc::clone(openings));
        tasks.spawn(async move {
            let _place = openings.acquire().await;
            inbound::open(&gateway, leased).await;
        });
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
