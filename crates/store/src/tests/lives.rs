//! Orders, revocations and the lives they change, step by step as authorities answer and time goes by.

use sealgate_core::authority::{BUILT_IN, CommandSettings, Connector, RevocationReason};
use sealgate_core::change::{Activation, Change, ImportKeys, KeyOrigin, NewAuthority};
use sealgate_core::licence::Licence;
use sealgate_core::mailbox::MailboxState;
use sealgate_core::order::{Next, NextRevocation, OrderState, Purpose};
use sealgate_core::saying::Saying;
use sealgate_core::tenant::InboundRoute;
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::key::KeyKind;

use crate::testing::{NOW, World, address, certificate, domain, host, key, world};
use crate::{EventKind, Instruction, LeasedOrder, LeasedRevocation, Scope, StoreError, Together};

const DAY: i64 = 86_400;
const ALL: Scope = Scope {
    organisation: None,
    built_in: false,
    authority: None,
};

/// An organisation with these mailboxes.
async fn with(mailboxes: &[&str]) -> World {
    let world = world().await;
    let route = InboundRoute {
        name: "office".into(),
        domains: vec![domain("example.com")],
        target: host("10.0.0.5"),
        wildcard: false,
    };
    let add = mailboxes
        .iter()
        .map(|text| Change::AddMailbox(address(text)));
    let changes: Vec<_> = std::iter::once(Change::PutRoute(route))
        .chain(add)
        .collect();
    apply(&world, &changes).await.unwrap();
    world
}

async fn apply(world: &World, changes: &[Change]) -> Result<u64, StoreError> {
    world.store.apply("example", changes, "test", NOW).await
}

fn activate(mailbox: &str) -> Change {
    Change::Activate(Activation::new(address(mailbox), KeyKind::P256))
}

fn renew(mailbox: &str, purpose: Purpose) -> Change {
    Change::Renew(Activation::new(address(mailbox), KeyKind::P256), purpose)
}

fn upload(mailbox: &str, names: &[&str]) -> Change {
    Change::ImportKeys(ImportKeys {
        mailbox: address(mailbox),
        pairs: names
            .iter()
            .map(|name| (certificate(name), key(name)))
            .collect(),
        chain: Vec::new(),
        origin: KeyOrigin::Uploaded,
    })
}

async fn take(world: &World, now: Timestamp) -> Vec<LeasedOrder> {
    world.store.take_orders(ALL, (10, 60), now).await.unwrap()
}

async fn take_one(world: &World, now: Timestamp) -> LeasedOrder {
    let mut taken = take(world, now).await;
    assert_eq!(taken.len(), 1);
    taken.remove(0)
}

async fn revocations(world: &World, now: Timestamp) -> Vec<LeasedRevocation> {
    world
        .store
        .take_revocations(ALL, (10, 60), now)
        .await
        .unwrap()
}

async fn confirm(world: &World, revocation: &LeasedRevocation, now: Timestamp) {
    world
        .store
        .revocation_answered(revocation, NextRevocation::Confirmed, now)
        .await
        .unwrap();
}

/// The order's certificate comes: that of the test key of that name.
async fn issue(world: &World, order: &LeasedOrder, name: &str, now: Timestamp) {
    assert!(
        world
            .store
            .order_ready(order, &key(name), b"csr")
            .await
            .unwrap()
    );
    issued(world, order, name, now).await;
}

async fn issued(world: &World, order: &LeasedOrder, name: &str, now: Timestamp) {
    world
        .store
        .order_issued(order, &[certificate(name)], now)
        .await
        .unwrap();
}

async fn state(world: &World, mailbox: &str) -> Option<MailboxState> {
    let installation = world.store.installation().await.unwrap();
    let organisation = &installation.organisations()[0];
    Some(organisation.mailbox(&address(mailbox))?.state)
}

async fn held(world: &World) -> u32 {
    world.store.quota(world.organisation).await.unwrap().held
}

async fn kinds(world: &World) -> Vec<EventKind> {
    let events = world
        .store
        .events(world.organisation, 0, 100)
        .await
        .unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

async fn active(mailbox: &str, name: &str) -> World {
    let world = with(&[mailbox]).await;
    apply(&world, &[activate(mailbox)]).await.unwrap();
    let order = take_one(&world, NOW).await;
    issue(&world, &order, name, NOW).await;
    world
}

/// Whatever moment a gateway is killed at, its next one knows what to ask.
#[tokio::test]
async fn an_order_survives_a_crash_at_every_step() {
    let world = with(&["a@example.com"]).await;
    apply(&world, &[activate("a@example.com")]).await.unwrap();
    assert_eq!(
        state(&world, "a@example.com").await,
        Some(MailboxState::ActivationPending)
    );
    // Killed before a key was made: the order is as new.
    assert_eq!(take_one(&world, NOW).await.state, OrderState::New);
    assert!(take(&world, NOW.plus(59)).await.is_empty());
    world.store.drop_leases().await.unwrap();
    let order = take_one(&world, NOW).await;
    assert_eq!(order.state, OrderState::New);
    // Killed with the key made: nobody knows whether the authority was asked.
    world
        .store
        .order_ready(&order, &key("alice"), b"csr")
        .await
        .unwrap();
    world.store.drop_leases().await.unwrap();
    let order = take_one(&world, NOW).await;
    assert_eq!(
        (order.state, order.csr.as_deref()),
        (OrderState::Asking, Some(&b"csr"[..]))
    );
    let wanted = world.store.wanted(&order, false, NOW).await.unwrap();
    assert_eq!(wanted.spki, key("alice").spki_der());
    // Killed while it waits.
    let next = Next::Wait {
        handle: "notes".into(),
        due: NOW.plus(30),
    };
    world.store.order_answered(&order, next, NOW).await.unwrap();
    world.store.drop_leases().await.unwrap();
    assert!(take(&world, NOW.plus(29)).await.is_empty());
    let order = take_one(&world, NOW.plus(30)).await;
    assert_eq!(
        (order.state, order.handle.as_deref()),
        (OrderState::Waiting, Some("notes"))
    );
    // The same answer twice, as after a crash between the commit and its answer, changes nothing.
    for _ in 0..2 {
        world
            .store
            .order_issued(&order, &[certificate("alice")], NOW)
            .await
            .unwrap();
    }
    assert_eq!(
        state(&world, "a@example.com").await,
        Some(MailboxState::Active)
    );
    assert_eq!(
        world
            .store
            .ring(world.organisation, &address("a@example.com"))
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(kinds(&world).await, [EventKind::MailboxActive]);
    assert!(take(&world, NOW.plus(DAY)).await.is_empty());
    let secrets = "SELECT COUNT(*) FROM orders WHERE sealed IS NOT NULL";
    assert_eq!(world.store.number(secrets).await, 0);
}

#[tokio::test]
async fn a_certificate_for_a_withdrawn_order_is_revoked() {
    let world = with(&["a@example.com"]).await;
    apply(&world, &[activate("a@example.com")]).await.unwrap();
    let order = take_one(&world, NOW).await;
    world
        .store
        .order_ready(&order, &key("alice"), b"csr")
        .await
        .unwrap();
    apply(&world, &[Change::Withdraw(address("a@example.com"))])
        .await
        .unwrap();
    assert_eq!(
        state(&world, "a@example.com").await,
        Some(MailboxState::Inactive)
    );
    world
        .store
        .order_issued(&order, &[certificate("alice")], NOW)
        .await
        .unwrap();
    assert_eq!(
        state(&world, "a@example.com").await,
        Some(MailboxState::Inactive)
    );
    let surplus = revocations(&world, NOW).await;
    assert_eq!(surplus.len(), 1);
    assert_eq!(surplus[0].what.certificate, certificate("alice"));
    // One whose key was not made yet leaves nothing.
    apply(&world, &[activate("a@example.com")]).await.unwrap();
    let order = take_one(&world, NOW).await;
    apply(&world, &[Change::Withdraw(address("a@example.com"))])
        .await
        .unwrap();
    assert!(
        !world
            .store
            .order_ready(&order, &key("bob"), b"csr")
            .await
            .unwrap()
    );
}

/// The certificate that comes for a withdrawn order is judged by the key it was ordered for, which is kept until then.
#[tokio::test]
async fn the_key_of_a_withdrawn_order_is_known_until_its_certificate_is_stored() {
    let world = with(&["a@example.com"]).await;
    apply(&world, &[activate("a@example.com")]).await.unwrap();
    let order = take_one(&world, NOW).await;
    assert_eq!(world.store.order_spki(order.id).await.unwrap(), None);
    world
        .store
        .order_ready(&order, &key("alice"), b"csr")
        .await
        .unwrap();
    apply(&world, &[Change::Withdraw(address("a@example.com"))])
        .await
        .unwrap();
    assert_eq!(
        world.store.order_spki(order.id).await.unwrap().as_deref(),
        Some(key("alice").spki_der())
    );
    world
        .store
        .order_issued(&order, &[certificate("alice")], NOW)
        .await
        .unwrap();
    assert_eq!(world.store.order_spki(order.id).await.unwrap(), None);
}

/// Two that work on one order, the first of them longer than its lease: only one key is made, and only one asks.
#[tokio::test]
async fn the_key_of_an_order_is_made_once() {
    let world = with(&["a@example.com"]).await;
    apply(&world, &[activate("a@example.com")]).await.unwrap();
    let slow = take_one(&world, NOW).await;
    let quick = take_one(&world, NOW.plus(DAY)).await;
    assert_eq!(slow.id, quick.id);
    let ready = async |name| {
        let made = world.store.order_ready(&slow, &key(name), b"csr").await;
        made.unwrap()
    };
    assert!(ready("alice").await);
    assert!(!ready("bob").await);
    assert_eq!(
        world.store.order_spki(slow.id).await.unwrap().as_deref(),
        Some(key("alice").spki_der())
    );
}

#[tokio::test]
async fn a_failed_order_leaves_the_present_certificate() {
    let world = active("a@example.com", "alice").await;
    apply(&world, &[renew("a@example.com", Purpose::Renewal)])
        .await
        .unwrap();
    let order = take_one(&world, NOW).await;
    world
        .store
        .order_answered(&order, Next::Fail(Saying::words("no")), NOW)
        .await
        .unwrap();
    assert_eq!(
        state(&world, "a@example.com").await,
        Some(MailboxState::Active)
    );
    assert!(kinds(&world).await.contains(&EventKind::OrderFailed));
    // For an activation it is the end of it.
    let world = with(&["a@example.com"]).await;
    apply(&world, &[activate("a@example.com")]).await.unwrap();
    let order = take_one(&world, NOW).await;
    world
        .store
        .order_answered(&order, Next::Fail(Saying::words("no")), NOW)
        .await
        .unwrap();
    assert_eq!(
        (state(&world, "a@example.com").await, held(&world).await),
        (Some(MailboxState::Inactive), 0)
    );
    let rows = world
        .store
        .orders(world.organisation, (0, false), 10)
        .await
        .unwrap();
    assert_eq!(
        (rows[0].state, rows[0].error.clone()),
        (OrderState::Failed, Some(Saying::words("no")))
    );
}

#[tokio::test]
async fn s46_the_newest_signs_and_the_former_one_decrypts() {
    let world = active("a@example.com", "alice").await;
    apply(&world, &[renew("a@example.com", Purpose::Renewal)])
        .await
        .unwrap();
    let again = apply(&world, &[renew("a@example.com", Purpose::Renewal)]).await;
    assert!(
        matches!(again, Err(StoreError::Refused(why)) if why.to_string().contains("has an order"))
    );
    let order = take_one(&world, NOW).await;
    issue(&world, &order, "bob", NOW).await;
    let ring = world
        .store
        .ring(world.organisation, &address("a@example.com"))
        .await
        .unwrap();
    assert_eq!(ring.len(), 2);
    let installation = world.store.installation().await.unwrap();
    let mailbox = installation.organisations()[0]
        .mailbox(&address("a@example.com"))
        .unwrap()
        .clone();
    let signing = world
        .store
        .key_pair(mailbox.signing.unwrap().key)
        .await
        .unwrap();
    assert_eq!(signing.certificate, certificate("bob"));
    // The former one is not revoked, unless that was asked for.
    assert!(revocations(&world, NOW).await.is_empty());
    apply(&world, &[renew("a@example.com", Purpose::Replacement)])
        .await
        .unwrap();
    let order = take_one(&world, NOW).await;
    issue(&world, &order, "alice-sign", NOW).await;
    let superseded = revocations(&world, NOW).await;
    assert_eq!(superseded.len(), 2);
    assert!(
        superseded
            .iter()
            .all(|one| one.what.reason == RevocationReason::Superseded)
    );
    assert_eq!(
        state(&world, "a@example.com").await,
        Some(MailboxState::Active)
    );
}

/// A26: one row, one licence, and both certificates are waited for; A12: an administrator confirms.
#[tokio::test]
async fn a26_two_uploaded_pairs_are_one_mailbox() {
    let world = with(&["a@example.com", "b@example.com"]).await;
    let licence = Licence::book(1, 1, None).unwrap();
    world
        .store
        .book(world.organisation, Some(licence), "test", NOW)
        .await
        .unwrap();
    apply(
        &world,
        &[upload("a@example.com", &["alice-sign", "alice-encrypt"])],
    )
    .await
    .unwrap();
    assert_eq!(held(&world).await, 1);
    let second = apply(&world, &[upload("b@example.com", &["bob"])]).await;
    assert!(
        matches!(second, Err(StoreError::Refused(why)) if why.to_string().contains("all 1 are used")),
        "S12"
    );
    apply(&world, &[Change::Deactivate(address("a@example.com"))])
        .await
        .unwrap();
    assert_eq!(
        state(&world, "a@example.com").await,
        Some(MailboxState::RevokePending)
    );
    assert!(
        revocations(&world, NOW.plus(DAY)).await.is_empty(),
        "nobody can be asked"
    );
    assert_eq!(kinds(&world).await, [EventKind::RevokeByHand]);
    let back = apply(&world, &[upload("a@example.com", &["alice-sign"])]).await;
    assert!(
        matches!(back, Err(StoreError::Refused(why)) if why.to_string().contains("is being deactivated")),
        "A13"
    );
    apply(&world, &[Change::ConfirmRevoked(address("a@example.com"))])
        .await
        .unwrap();
    assert_eq!(
        (state(&world, "a@example.com").await, held(&world).await),
        (Some(MailboxState::Inactive), 0)
    );
    let revoked = apply(&world, &[upload("a@example.com", &["alice-sign"])]).await;
    assert!(
        matches!(revoked, Err(StoreError::Refused(why)) if why.to_string().contains("was revoked"))
    );
    let ring = world
        .store
        .ring(world.organisation, &address("a@example.com"))
        .await
        .unwrap();
    assert_eq!(ring.len(), 2, "A9");
}

#[tokio::test]
async fn s14_a_removed_mailbox_holds_its_licence_until_its_certificate_is_revoked() {
    let world = active("a@example.com", "alice").await;
    apply(&world, &[Change::RemoveMailbox(address("a@example.com"))])
        .await
        .unwrap();
    assert_eq!(
        (state(&world, "a@example.com").await, held(&world).await),
        (None, 1)
    );
    let revocation = revocations(&world, NOW).await.remove(0);
    assert_eq!(
        revocation.what.reason,
        RevocationReason::CessationOfOperation
    );
    confirm(&world, &revocation, NOW).await;
    assert_eq!(held(&world).await, 0);
    assert_eq!(
        world.store.number("SELECT COUNT(*) FROM mailboxes").await,
        0
    );
    // The same through its route; and added again meanwhile it is seen, still being revoked.
    let world = active("a@example.com", "alice").await;
    let route = InboundRoute {
        name: "office".into(),
        domains: vec![domain("example.com")],
        target: host("10.0.0.5"),
        wildcard: false,
    };
    apply(&world, &[Change::RemoveRoute("office".into())])
        .await
        .unwrap();
    assert_eq!(held(&world).await, 1);
    apply(
        &world,
        &[
            Change::PutRoute(route),
            Change::AddMailbox(address("a@example.com")),
        ],
    )
    .await
    .unwrap();
    assert_eq!(
        state(&world, "a@example.com").await,
        Some(MailboxState::RevokePending)
    );
}

#[tokio::test]
async fn s35_fourteen_days_and_the_revocation_goes_on() {
    let world = active("a@example.com", "alice").await;
    apply(&world, &[Change::Deactivate(address("a@example.com"))])
        .await
        .unwrap();
    assert_eq!(
        world
            .store
            .look_ahead(NOW.plus(14 * DAY - 1))
            .await
            .unwrap(),
        0
    );
    assert_eq!(held(&world).await, 1);
    assert_eq!(world.store.look_ahead(NOW.plus(14 * DAY)).await.unwrap(), 1);
    assert_eq!(world.store.look_ahead(NOW.plus(14 * DAY)).await.unwrap(), 0);
    assert_eq!(
        (state(&world, "a@example.com").await, held(&world).await),
        (Some(MailboxState::Inactive), 0)
    );
    let revocation = revocations(&world, NOW.plus(15 * DAY)).await.remove(0);
    confirm(&world, &revocation, NOW.plus(15 * DAY)).await;
    assert_eq!(
        state(&world, "a@example.com").await,
        Some(MailboxState::Inactive)
    );
}

/// A12: a revocation that had its fourteen days does not hold the licence of the mailbox's next life as well.
#[tokio::test]
async fn a12_a_revocation_of_a_former_life_is_not_waited_for() {
    let world = active("a@example.com", "alice").await;
    let deactivate = [Change::Deactivate(address("a@example.com"))];
    apply(&world, &deactivate).await.unwrap();
    let later = NOW.plus(14 * DAY);
    assert_eq!(world.store.look_ahead(later).await.unwrap(), 1);
    let at = |change: Change| {
        let store = world.store.clone();
        async move { store.apply("example", &[change], "test", later).await }
    };
    at(activate("a@example.com")).await.unwrap();
    let order = take_one(&world, later).await;
    issue(&world, &order, "bob", later).await;
    at(Change::Deactivate(address("a@example.com")))
        .await
        .unwrap();
    let open = revocations(&world, later).await;
    assert_eq!(open.len(), 2);
    assert_eq!(held(&world).await, 1);
    let present = open
        .iter()
        .find(|open| open.what.certificate == certificate("bob"));
    confirm(&world, present.unwrap(), later).await;
    assert_eq!(held(&world).await, 0);
}

/// A challenge mail that never comes, a program that always says "not yet": an administrator hears of it once.
#[tokio::test]
async fn an_order_that_waits_for_a_day_is_told_once() {
    let world = with(&["a@example.com"]).await;
    apply(&world, &[activate("a@example.com")]).await.unwrap();
    let order = take_one(&world, NOW).await;
    let alice = key("alice");
    let made = world.store.order_ready(&order, &alice, b"csr");
    assert!(made.await.unwrap());
    let next = Next::Wait {
        handle: String::new(),
        due: NOW.plus(9 * DAY),
    };
    let answered = world.store.order_answered(&order, next, NOW);
    answered.await.unwrap();
    for (after, told) in [(DAY - 1, 0), (DAY, 1), (DAY + 60, 0), (2 * DAY, 0)] {
        let done = world.store.look_ahead(NOW.plus(after)).await.unwrap();
        assert_eq!(done, told, "{after}");
    }
    assert_eq!(kinds(&world).await, [EventKind::OrderLate]);
}

/// While the key of a new order is made for an authority, the order goes to another one: the former is not asked, and what it
/// answered all the same is not the other one's.
#[tokio::test]
async fn an_order_that_went_to_another_authority_is_asked_of_that_one_only() {
    let world = with(&["a@example.com"]).await;
    let put = |connector| {
        Change::PutAuthority(NewAuthority {
            name: "own".into(),
            standard: true,
            renew_days: None,
            connector: Some(connector),
        })
    };
    let command = Connector::Command(CommandSettings {
        program: "/one".into(),
        arguments: vec![],
        timeout: 9,
    });
    let first = [put(command), activate("a@example.com")];
    apply(&world, &first).await.unwrap();
    let former = take_one(&world, NOW).await;
    apply(&world, &[put(Connector::ByHand)]).await.unwrap();
    let store = &world.store;
    assert!(store.authority(former.authority).await.is_err());
    let present = take_one(&world, NOW).await;
    assert_eq!(present.id, former.id);
    store.keep_order(&former, NOW.plus(DAY)).await.unwrap();
    let ready = async |order| {
        let made = store.order_ready(order, &key("alice"), b"csr").await;
        made.unwrap()
    };
    assert!(!ready(&former).await);
    let wait = Next::Wait {
        handle: "of the former".into(),
        due: NOW.plus(DAY),
    };
    let again = Next::Again {
        due: NOW.plus(DAY),
        failures: 3,
        error: Saying::words("no"),
        alarm: true,
    };
    for next in [wait, again, Next::Request, Next::Fail(Saying::words("no"))] {
        store.order_answered(&former, next, NOW).await.unwrap();
    }
    assert!(kinds(&world).await.is_empty());
    let still = take_one(&world, NOW.plus(60)).await;
    assert_eq!((still.state, still.handle), (OrderState::New, None));
    assert_eq!(still.attempts, 0);
    assert!(ready(&present).await);
    issued(&world, &present, "alice", NOW).await;
}

#[tokio::test]
async fn a_changed_authority_revokes_what_it_issued() {
    let world = active("a@example.com", "alice").await;
    let command = |program: &str| {
        Connector::Command(CommandSettings {
            program: program.into(),
            arguments: vec![],
            timeout: 9,
        })
    };
    let put = |name: &str, standard, connector| {
        Change::PutAuthority(NewAuthority {
            name: name.into(),
            standard,
            renew_days: None,
            connector,
        })
    };
    apply(&world, &[put("own", true, Some(command("/one")))])
        .await
        .unwrap();
    apply(&world, &[renew("a@example.com", Purpose::Renewal)])
        .await
        .unwrap();
    let order = take_one(&world, NOW).await;
    assert_eq!(
        world
            .store
            .authority(order.authority)
            .await
            .unwrap()
            .connector,
        command("/one")
    );
    issue(&world, &order, "bob", NOW).await;
    apply(&world, &[put("own", false, Some(command("/two")))])
        .await
        .unwrap();
    let busy = apply(&world, &[Change::RemoveAuthority("own".into())]).await;
    assert!(matches!(busy, Err(StoreError::Refused(why)) if why.to_string().contains("standard")));
    apply(
        &world,
        &[
            put(BUILT_IN, true, None),
            Change::RemoveAuthority("own".into()),
        ],
    )
    .await
    .unwrap();
    let names: Vec<_> = world.store.authorities(world.organisation).await.unwrap();
    assert_eq!(
        names
            .iter()
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>(),
        [BUILT_IN]
    );
    apply(&world, &[Change::Deactivate(address("a@example.com"))])
        .await
        .unwrap();
    let mut connectors = Vec::new();
    for revocation in revocations(&world, NOW).await {
        connectors.push(
            world
                .store
                .authority(revocation.authority)
                .await
                .unwrap()
                .connector,
        );
    }
    assert_eq!(connectors, [Connector::BuiltIn, command("/one")]);
}

#[tokio::test]
async fn a14_as_many_as_there_are_licences_in_the_order_given() {
    let mailboxes = [
        "d@example.com",
        "a@example.com",
        "c@example.com",
        "b@example.com",
    ];
    let world = with(&mailboxes).await;
    let licence = Licence::book(2, 2, Some(NOW.plus(DAY))).unwrap();
    world
        .store
        .book(world.organisation, Some(licence), "test", NOW)
        .await
        .unwrap();
    let bulk = |changes: Vec<Change>| Instruction {
        changes,
        together: Some(Together {
            text: Saying::Words("many".into()),
            per_minute: Some(2),
            already: 0,
            batch: None,
        }),
        ..Instruction::default()
    };
    let all = bulk(mailboxes.iter().map(|text| activate(text)).collect());
    let done = world
        .store
        .carry_out("example", all, "test", NOW)
        .await
        .unwrap();
    let places: Vec<_> = done.refused.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [2, 3]);
    // The orders become due two in a minute.
    let first: Vec<Address> = take(&world, NOW)
        .await
        .into_iter()
        .map(|order| order.address)
        .collect();
    assert_eq!(first, [address("d@example.com")]);
    assert!(take(&world, NOW.plus(29)).await.is_empty());
    assert_eq!(
        take_one(&world, NOW.plus(30)).await.address,
        address("a@example.com")
    );
    let batch = &world.store.batches(world.organisation, 9).await.unwrap()[0];
    assert_eq!((batch.total, batch.issued), (2, 0));
    // A27: the term is over.
    let late = world
        .store
        .carry_out(
            "example",
            bulk(vec![activate("c@example.com")]),
            "test",
            NOW.plus(DAY),
        )
        .await
        .unwrap();
    assert!(
        late.refused[0].1.to_string().contains("term is over"),
        "{late:?}"
    );
}

#[tokio::test]
async fn who_changed_what_is_in_the_audit_log() {
    let world = active("a@example.com", "alice").await;
    apply(&world, &[Change::Deactivate(address("a@example.com"))])
        .await
        .unwrap();
    let revocation = revocations(&world, NOW).await.remove(0);
    confirm(&world, &revocation, NOW).await;
    let lines = world.store.audit(0, 100).await.unwrap();
    let said: Vec<_> = lines
        .iter()
        .map(|line| (line.who.as_str(), line.text.as_str()))
        .filter(|(_, text)| text.contains("a@example.com"))
        .collect();
    let words = [
        ("test", "add mailbox"),
        ("test", "activate mailbox"),
        ("gateway", "a@example.com is active"),
        ("test", "deactivate mailbox"),
        ("gateway", "is revoked"),
    ];
    assert_eq!(said.len(), words.len(), "{said:?}");
    for ((who, text), (by, word)) in said.iter().zip(words) {
        assert!(*who == by && text.contains(word), "{who}: {text}");
    }
}
