//! What mail is decided under is the same whether it was read whole or only where it changed.

use std::sync::Arc;

use sealgate_core::change::Change;
use sealgate_core::rules::{Rule, RuleId};
use sealgate_core::tenant::{InboundRoute, Installation, Mailbox, Settings};

use crate::testing::{NOW, World, address, domain, host, world};

/// Everything in an order that does not depend on chance.
fn shown(installation: &Installation) -> String {
    let mut text = format!("{}\n", installation.version);
    for one in installation.organisations() {
        let mut mailboxes: Vec<&Mailbox> = one.mailboxes.values().collect();
        mailboxes.sort_by_key(|mailbox| mailbox.address.key());
        text += &format!(
            "{} {:?} {:?} {:?} {mailboxes:?}\n",
            one.name, one.settings, one.routes, one.rules
        );
    }
    text
}

async fn same(world: &World) -> Installation {
    let known = world.store.installation().await.unwrap();
    let fresh = world.second().await.installation().await.unwrap();
    assert_eq!(shown(&known), shown(&fresh));
    known
}

fn route(domains: &[&str]) -> Change {
    Change::PutRoute(InboundRoute {
        name: domains[0].into(),
        domains: domains.iter().map(|name| domain(name)).collect(),
        target: host("mail.example"),
        wildcard: false,
    })
}

fn rule(external: &str) -> Rule {
    Rule {
        id: RuleId(0),
        managed: "all".parse().unwrap(),
        external: external.parse().unwrap(),
        inbound: None,
        outbound: None,
    }
}

#[tokio::test]
async fn read_in_part_is_as_read_whole() {
    let world = world().await;
    let store = &world.store;
    store
        .create_organisation("other", Settings::default(), "test", NOW)
        .await
        .unwrap();
    let mut before = same(&world).await;
    let add = |name: &str| Change::AddMailbox(address(name));
    for (name, changes) in [
        ("example", vec![route(&["a.example", "b.example"])]),
        ("other", vec![route(&["c.example"])]),
        ("example", vec![add("one@a.example"), add("two@b.example")]),
        (
            "example",
            vec![Change::Rules(vec![rule("x.example"), rule("y.example")])],
        ),
        (
            "example",
            vec![Change::Aliases(
                address("one@a.example"),
                vec![address("two@b.example")],
            )],
        ),
        ("other", vec![add("three@c.example")]),
        (
            "example",
            vec![
                add("four@a.example"),
                Change::RemoveMailbox(address("one@a.example")),
            ],
        ),
        ("example", vec![Change::Rules(vec![rule("z.example")])]),
        ("example", vec![add("one@a.example")]),
        ("example", vec![route(&["a.example"])]),
        ("example", vec![Change::RemoveRoute("a.example".into())]),
    ] {
        store.apply(name, &changes, "test", NOW).await.unwrap();
        let after = same(&world).await;
        assert_eq!(after.version, before.version + 1);
        for (one, former) in after.organisations().iter().zip(before.organisations()) {
            assert_eq!(
                Arc::ptr_eq(one, former),
                one.name != name,
                "{} of {changes:?}",
                one.name
            );
        }
        before = after;
    }
}

/// Whoever raises the version in another way is believed: nothing read before is.
#[tokio::test]
async fn a_change_that_is_nobodys_has_everything_read_again() {
    let world = world().await;
    let before = same(&world).await;
    world
        .store
        .raw("UPDATE organisations SET name = 'renamed'; UPDATE counters SET value = value + 1 WHERE name = 'configuration'")
        .await
        .unwrap();
    let after = same(&world).await;
    assert_eq!(after.organisations()[0].name, "renamed");
    assert!(!Arc::ptr_eq(
        &after.organisations()[0],
        &before.organisations()[0]
    ));
}
