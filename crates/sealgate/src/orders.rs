//! Orders for certificates and their revocations at work: makes keys, asks authorities, writes down what they say. The
//! gateway does so all the time; commands do it for the built-in CA, so that it is done when they end.

use std::collections::HashMap;
use std::sync::Arc;

use sealgate_core::authority::{Authority, AuthorityFailure, AuthorityId, Connector, Progress};
use sealgate_core::order::{self, Facts, Next, OrderState, Verb};
use sealgate_core::saying::Authorities;
use sealgate_net::ca;
use sealgate_net::limits::ACME_VERB_WAIT;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::csr;
use sealgate_smime::key::PrivateKey;
use sealgate_store::{LeasedOrder, LeasedRevocation, Scope, Store};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::authorities::Connectors;
use crate::cmd::{Done, Failure};
use crate::gateway::{Gateway, now};
use crate::limits::{
    AUTHORITY_AT_ONCE, LOOK_AHEAD, LOOK_AHEAD_ROUNDS, ORDER_LEASE, ORDER_LEASE_MARGIN,
    ORDERS_AT_ONCE, ORDERS_POLL, REVOCATION_LEASE,
};
use crate::prerequisites;

/// What orders are worked with.
pub struct Desk {
    /// The database.
    pub store: Store,
    /// Connectors of authorities.
    pub connectors: Connectors,
    /// The running gateway; none in a command, which asks nobody outside.
    pub gateway: Option<Arc<Gateway>>,
    /// Told when one of them is done.
    pub done: Notify,
}

/// Works until `stop` becomes true, then lets what is under way come to its end.
pub async fn run(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    let desk = Arc::new(Desk {
        store: gateway.store.clone(),
        connectors: Connectors::new(
            gateway.store.clone(),
            gateway.config.clone(),
            gateway.dns.clone(),
        ),
        gateway: Some(gateway),
        done: Notify::new(),
    });
    let mut built_in = JoinSet::new();
    let mut outside = Outside::default();
    let mut look = Instant::now();
    while !*stop.borrow() {
        if Instant::now() >= look {
            look = Instant::now() + LOOK_AHEAD;
            look_ahead(&desk.store).await;
        }
        let own = Scope {
            built_in: true,
            ..Scope::default()
        };
        let started = start_due(&desk, own, (&mut built_in, ORDERS_AT_ONCE)).await;
        for done in [started, outside.start_due(&desk).await] {
            if let Err(failure) = done {
                tracing::error!(reason = failure.message, "orders cannot be read now");
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = desk.done.notified() => {}
            () = sleep(ORDERS_POLL) => {}
        }
        while built_in.try_join_next().is_some() {}
    }
    while built_in.join_next().await.is_some() {}
    outside.finish().await;
}

/// What authorities outside are being asked. Each has places of its own, so that one that hangs keeps nobody else's orders
/// waiting.
#[derive(Default)]
struct Outside(HashMap<AuthorityId, JoinSet<()>>);

impl Outside {
    async fn start_due(&mut self, desk: &Arc<Desk>) -> Done {
        self.0.retain(|_, tasks| {
            while tasks.try_join_next().is_some() {}
            !tasks.is_empty()
        });
        for authority in desk.store.authorities_due(now()).await? {
            let scope = Scope {
                authority: Some(authority),
                ..Scope::default()
            };
            let tasks = self.0.entry(authority).or_default();
            start_due(desk, scope, (tasks, AUTHORITY_AT_ONCE)).await?;
        }
        Ok(())
    }

    async fn finish(self) {
        for mut tasks in self.0.into_values() {
            while tasks.join_next().await.is_some() {}
        }
    }
}

/// Does what time alone brings.
async fn look_ahead(store: &Store) {
    for _ in 0..LOOK_AHEAD_ROUNDS {
        match store.look_ahead(now()).await {
            Ok(0) => return,
            Ok(done) => tracing::info!(mailboxes = done, "certificates looked after"),
            Err(error) => {
                tracing::warn!(%error, "certificates could not be looked after; it is repeated");
                return;
            }
        }
    }
}

/// Works on what is due in `scope` until nothing is; tells `progress` how many were done.
pub async fn settle(desk: &Arc<Desk>, scope: Scope, progress: impl Fn(usize)) -> Done {
    let mut tasks = JoinSet::new();
    let mut done = 0;
    loop {
        start_due(desk, scope, (&mut tasks, ORDERS_AT_ONCE)).await?;
        if tasks.join_next().await.is_none() {
            return Ok(());
        }
        done += 1;
        progress(done);
    }
}

/// Takes what is due and starts on it, as far as there are places.
async fn start_due(
    desk: &Arc<Desk>,
    scope: Scope,
    (tasks, places): (&mut JoinSet<()>, usize),
) -> Done {
    let free = |tasks: &JoinSet<()>| u32::try_from(places.saturating_sub(tasks.len())).unwrap_or(0);
    if free(tasks) == 0 {
        return Ok(());
    }
    let taken = desk
        .store
        .take_revocations(scope, (free(tasks), REVOCATION_LEASE), now())
        .await?;
    for revocation in taken {
        let desk = Arc::clone(desk);
        tasks.spawn(async move {
            say_failure(revoke(&desk, &revocation).await, "revocation");
            desk.done.notify_one();
        });
    }
    let taken = desk
        .store
        .take_orders(scope, (free(tasks), ORDER_LEASE), now())
        .await?;
    for order in taken {
        let desk = Arc::clone(desk);
        tasks.spawn(async move {
            say_failure(work(&desk, order).await, "order");
            desk.done.notify_one();
        });
    }
    Ok(())
}

/// A failure of our own is said in the log; the lease brings the work back.
fn say_failure(done: Done, what: &'static str) {
    if let Err(failure) = done {
        tracing::warn!(what, reason = failure.message, "not done; it is repeated");
    }
}

/// One order, one step further.
async fn work(desk: &Desk, order: LeasedOrder) -> Done {
    let authority = desk.store.authority(order.authority).await?;
    let asked = ask(desk, &order, &authority).await?;
    let Some(answer) = asked else { return Ok(()) };
    let facts = Facts {
        purpose: order.purpose,
        failures: order.attempts,
        created: order.created,
        by_hand: authority.connector == Connector::ByHand,
    };
    let next = match order::after(facts, answer, now()) {
        // Asked to issue, an authority that knows nothing of it has failed.
        Next::Request => order::after(
            facts,
            Err(AuthorityFailure::passing(Authorities::LostOrder {})),
            now(),
        ),
        next => next,
    };
    tracing::info!(order = order.id.0, mailbox = %order.address, next = next_word(&next), "order");
    match next {
        Next::Issued(chain) => issued(desk, &order, &chain).await,
        next => Ok(desk.store.order_answered(&order, next, now()).await?),
    }
}

/// Judges what came, and keeps it. The order may have been withdrawn while its authority was asked: what came all the same is
/// kept and revoked.
async fn issued(desk: &Desk, order: &LeasedOrder, chain: &[Certificate]) -> Done {
    let Some(spki) = desk.store.order_spki(order.id).await? else {
        return Ok(());
    };
    let next = match order::judge(chain, (&order.address, &spki), now()) {
        Err(why) => Some(Next::Fail(why)),
        Ok(()) => order::early(chain, order.attempts, now()),
    };
    match next {
        None => Ok(desk.store.order_issued(order, chain, now()).await?),
        Some(next) => Ok(desk.store.order_answered(order, next, now()).await?),
    }
}

const fn next_word(next: &Next) -> &'static str {
    match next {
        Next::Issued(_) => "issued",
        Next::Wait { .. } => "waits",
        Next::Request => "request",
        Next::Again { .. } => "again",
        Next::Fail(_) => "failed",
    }
}

/// What the authority says; none if the order has ended meanwhile.
async fn ask(
    desk: &Desk,
    order: &LeasedOrder,
    authority: &Authority,
) -> Result<Option<Result<Progress, AuthorityFailure>>, Failure> {
    let connector = match desk.connectors.of(authority).await {
        Ok(connector) => connector,
        Err(failure) => return Ok(Some(Err(failure))),
    };
    // While the authority is asked nobody else may ask: a program even outlives a crash of ours.
    let until = now().plus(longest(&authority.connector).saturating_add(ORDER_LEASE_MARGIN));
    desk.store.keep_order(order, until).await?;
    let first = order.state.verb();
    if order.state == OrderState::New {
        if let Err(failure) = may_request(desk, authority, order).await {
            return Ok(Some(Err(failure)));
        }
        match make_ready(desk, order).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(failure) => return Ok(Some(Err(ca::ours(failure.message)))),
        }
    }
    let Some(verb) = first else { return Ok(None) };
    say(desk, order, (connector.as_ref(), verb)).await.map(Some)
}

/// Seconds that a connector may take for two verbs.
fn longest(connector: &Connector) -> i64 {
    match connector {
        Connector::Command(settings) => settings.timeout.saturating_mul(2),
        Connector::BuiltIn | Connector::ByHand => ORDER_LEASE,
        Connector::Acme(_) => 2 * i64::try_from(ACME_VERB_WAIT.as_secs()).unwrap_or(ORDER_LEASE),
    }
}

/// Asks one verb; where the authority knows nothing of an order it may have heard of, the order is requested.
async fn say(
    desk: &Desk,
    order: &LeasedOrder,
    (connector, verb): (&dyn ca::Authority, Verb),
) -> Result<Result<Progress, AuthorityFailure>, Failure> {
    let reply = desk.store.answer_of(order.id).await?;
    if let Some(why) = reply.failure() {
        return Ok(Err(AuthorityFailure::permanent(why)));
    }
    let wanted = desk
        .store
        .wanted(order, reply.is_delivered(), now())
        .await?;
    if verb == Verb::Collect {
        let answer = connector.collect(&wanted).await;
        if answer != Ok(Progress::Unknown) {
            return Ok(answer.map_err(|failure| reply.explain(failure)));
        }
        desk.store
            .order_answered(order, Next::Request, now())
            .await?;
    }
    let wanted = desk.store.wanted(order, false, now()).await?;
    Ok(connector.request(&wanted).await)
}

/// S18, S19, A15: an authority outside is asked only for domains whose mail comes here.
async fn may_request(
    desk: &Desk,
    authority: &Authority,
    order: &LeasedOrder,
) -> Result<(), AuthorityFailure> {
    let Some(gateway) = &desk.gateway else {
        return Ok(());
    };
    if authority.connector == Connector::BuiltIn {
        return Ok(());
    }
    let installation = gateway.installation();
    let Some(organisation) = installation.organisation(order.organisation) else {
        return Ok(());
    };
    prerequisites::may_request(gateway, organisation, order.address.domain())
        .await
        .map_err(|refusal| AuthorityFailure::passing(refusal.said))
}

/// Makes key and request and keeps them; `false` if the order has ended meanwhile, or is somebody else's.
async fn make_ready(desk: &Desk, order: &LeasedOrder) -> Result<bool, Failure> {
    let (store, kind, token) = (desk.store.clone(), order.key, order.token.clone());
    let address = order.address.clone();
    let made = tokio::task::spawn_blocking(move || {
        let key = match &token {
            None => PrivateKey::generate(kind)?,
            Some(token) => store.generate_on_token(token, kind)?,
        };
        let csr = csr::request(&key, &address)?;
        Ok::<_, Failure>((key, csr))
    });
    let (key, csr) = made.await??;
    Ok(desk.store.order_ready(order, &key, &csr).await?)
}

async fn revoke(desk: &Desk, revocation: &LeasedRevocation) -> Done {
    let authority = desk.store.authority(revocation.authority).await?;
    let answer = match desk.connectors.of(&authority).await {
        Ok(connector) => connector.revoke(&revocation.what).await,
        Err(failure) => Err(failure),
    };
    let next = order::after_revocation(revocation.attempts, answer, now());
    Ok(desk
        .store
        .revocation_answered(revocation, next, now())
        .await?)
}
