//! The configuration: applied whole, described, refused where it contradicts, live on every node.

use std::collections::HashMap;
use std::sync::Arc;

use sealgate_core::change::{
    Change, Described, DescribedKeys, DescribedMailbox, ImportKeys, KeyOrigin, diff,
};
use sealgate_core::harvest::{Choice, Harvested};
use sealgate_core::queue::{Destination, TlsRequirement};
use sealgate_core::rules::{InboundMode, OutboundMode, Pattern, Rule, RuleId};
use sealgate_core::saying::Told;
use sealgate_core::tenant::{
    Announced, Blocked, ClientEdit, ClientSecret, CorrespondentState, InboundRoute, Language,
    MailboxState, Origin, Partner, Proof, SendingClient, Settings,
};
use sealgate_smime::path::{Purpose, TrustAnchors, judge};
use sealgate_smime::profile::Profile;

use crate::testing::{NOW, World, address, certificate, domain, host, key, world};
use crate::{CorrespondentFilter, EventKind, Liveness, StoreError};

fn route(name: &str, domains: &[&str]) -> InboundRoute {
    let domains = domains.iter().map(|text| domain(text)).collect();
    InboundRoute {
        name: name.into(),
        domains,
        target: host("10.0.0.5"),
        wildcard: false,
    }
}

fn rule(external: &str) -> Rule {
    Rule {
        id: RuleId(0),
        managed: Pattern::All,
        external: external.parse().unwrap(),
        inbound: Some(InboundMode::Always),
        outbound: Some(OutboundMode::Enforce),
    }
}

fn password_client(name: &str, user: &str) -> SendingClient {
    let proof = Proof::Password {
        user: user.into(),
        hash: "$argon2id$marker".into(),
    };
    SendingClient {
        name: name.into(),
        proof,
        may_send_as: Vec::new(),
        mail_server: false,
    }
}

fn import(mailbox: &str, names: &[&str], origin: KeyOrigin) -> ImportKeys {
    let pairs = names
        .iter()
        .map(|name| (certificate(name), key(name)))
        .collect();
    ImportKeys {
        mailbox: address(mailbox),
        pairs,
        chain: Vec::new(),
        origin,
    }
}

fn partner(external: &str, profile: Profile) -> Partner {
    Partner {
        external: external.parse().unwrap(),
        profile,
    }
}

fn desired() -> Described {
    let keys = DescribedKeys::Uploaded {
        certificates: vec![certificate("alice-sign"), certificate("alice-encrypt")],
        import: Some(import(
            "alice@example.com",
            &["alice-sign", "alice-encrypt"],
            KeyOrigin::Uploaded,
        )),
    };
    let mailbox = |text: &str, keys, aliases| DescribedMailbox {
        address: address(text),
        aliases,
        keys,
    };
    Described {
        settings: Settings {
            all_or_nothing: true,
            language: Language::De,
            ..Settings::default()
        },
        routes: vec![
            route("office", &["example.com", "example.net"]),
            route("shop", &["shop.example"]),
        ],
        mailboxes: vec![
            mailbox("alice@example.com", keys, vec![]),
            mailbox(
                "info@example.com",
                DescribedKeys::Inactive,
                vec![address("alice@example.com")],
            ),
        ],
        rules: vec![rule("all"), rule("partner.example, c@other.example")],
        correspondents: vec![certificate("bob")],
        trust_roots: vec![certificate("root-one")],
        blocked: vec![Blocked {
            sha256: certificate("root-two").fingerprint(),
            subject: Some("CN=two".into()),
            reason: Some("lost".into()),
        }],
        partners: vec![
            partner("c@other.example", Profile::EdiEnergy),
            partner("other.example", Profile::Modern),
        ],
        destinations: vec![(
            domain("partner.example"),
            Destination {
                hop: None,
                tls: TlsRequirement::Required,
            },
        )],
        smarthost: Some(host("relay.example")),
        clients: vec![password_client("newsletter", "news")],
    }
}

async fn make(world: &World, desired: &Described) -> Vec<Change> {
    let current = world.store.described("example").await.unwrap();
    let changes = diff(&current, desired);
    world
        .store
        .apply("example", &changes, "carol", NOW)
        .await
        .unwrap();
    changes
}

#[tokio::test]
async fn apply_makes_it_exactly_so_and_twice_changes_nothing() {
    let mut world = world().await;
    let desired = desired();
    let before = world.store.version().await.unwrap();
    assert!(!make(&world, &desired).await.is_empty());
    let after = world.store.version().await.unwrap();
    assert!(after > before);
    world.crash().await;
    let again = make(&world, &desired).await;
    assert!(again.is_empty(), "{again:?}");
    assert_eq!(world.store.version().await.unwrap(), after);

    let installation = world.store.installation().await.unwrap();
    assert_eq!(installation.version, after);
    let organisation = installation.managing(&domain("example.net")).unwrap();
    assert_eq!(organisation.settings, desired.settings);
    let alice = organisation.mailbox(&address("ALICE@example.com")).unwrap();
    assert_eq!(alice.state, MailboxState::Active);
    assert_ne!(
        alice.signing.unwrap().key,
        alice.encryption.unwrap().key,
        "A26: two pairs, one row"
    );
    assert_eq!(
        alice.signing.unwrap().not_after,
        certificate("alice-sign").not_after()
    );
    let info = organisation.mailbox(&address("info@example.com")).unwrap();
    assert_eq!((info.state, info.signing), (MailboxState::Inactive, None));
    assert_eq!(
        installation.client_by_user("news").unwrap().1.name,
        "newsletter"
    );

    let ring = world
        .store
        .ring(world.organisation, &address("info@example.com"))
        .await
        .unwrap();
    assert_eq!(ring.len(), 2, "A10: the alias's keys");
    let text = world.store.audit(0, 100).await.unwrap();
    assert_eq!(
        text.iter().filter(|line| line.who == "carol").count(),
        diff(&Described::default(), &desired).len()
    );
}

#[tokio::test]
async fn what_is_not_described_goes_and_keys_stay_for_decryption() {
    let world = world().await;
    make(&world, &desired()).await;
    make(&world, &Described::default()).await;
    let left = world.store.described("example").await.unwrap();
    assert!(diff(&left, &Described::default()).is_empty());
    let ring = world
        .store
        .ring(world.organisation, &address("alice@example.com"))
        .await
        .unwrap();
    assert_eq!(ring.len(), 2);
}

#[tokio::test]
async fn rules_keep_their_numbers() {
    let world = world().await;
    let apply = |rules: Vec<Rule>| {
        let store = world.store.clone();
        async move {
            store
                .apply("example", &[Change::Rules(rules)], "test", NOW)
                .await
                .unwrap();
            store.described("example").await.unwrap().rules
        }
    };
    let made = apply(vec![rule("a.example"), rule("b.example")]).await;
    let swapped = apply(vec![made[1].clone(), rule("c.example"), made[0].clone()]).await;
    assert_eq!([swapped[0].id, swapped[2].id], [made[1].id, made[0].id]);
    let last = apply(vec![rule("d.example")]).await;
    assert!(last[0].id > swapped[1].id, "a number is never given twice");
    let doubled = apply(vec![last[0].clone(), last[0].clone()]).await;
    assert_ne!(doubled[0].id, doubled[1].id);
}

#[tokio::test]
async fn contradictions_are_refused_whole() {
    let world = world().await;
    let store = &world.store;
    store
        .create_organisation("second", Settings::default(), "test", NOW)
        .await
        .unwrap();
    make(&world, &desired()).await;
    let version = store.version().await.unwrap();
    let two_keys = ImportKeys {
        pairs: vec![(certificate("alice"), key("bob"))],
        ..import("alice@example.com", &[], KeyOrigin::Uploaded)
    };
    let table: Vec<(&str, Vec<Change>, &str)> = vec![
        (
            "second",
            vec![Change::PutRoute(route("r", &["example.com"]))],
            "belongs to another organisation",
        ),
        (
            "example",
            vec![Change::PutRoute(route("r", &["example.com"]))],
            "belongs to inbound route office",
        ),
        (
            "example",
            vec![Change::PutRoute(route("r", &["q.example", "q.example"]))],
            "is named by the inbound routes",
        ),
        (
            "example",
            vec![Change::AddMailbox(address("a@elsewhere.example"))],
            "has no inbound route",
        ),
        (
            "second",
            vec![Change::AddMailbox(address("a@example.com"))],
            "has no inbound route",
        ),
        (
            "example",
            vec![Change::Aliases(
                address("info@example.com"),
                vec![address("no@example.com")],
            )],
            "no known mailbox",
        ),
        (
            "second",
            vec![Change::PutClient(password_client("other", "news"))],
            "choose another user name",
        ),
        (
            "example",
            vec![Change::Deactivate(address("no@example.com"))],
            "no known mailbox",
        ),
        (
            "example",
            vec![Change::ImportKeys(two_keys)],
            "does not belong to its certificate",
        ),
        (
            "example",
            vec![Change::ImportKeys(import(
                "info@example.com",
                &["alice-encrypt"],
                KeyOrigin::Uploaded,
            ))],
            "may sign",
        ),
        (
            "example",
            vec![Change::PutCorrespondent(certificate("root-one"))],
            "cannot be imported",
        ),
    ];
    let before = store.described("example").await.unwrap();
    for (organisation, mut changes, expected) in table {
        let (before, after) = (desired().settings, Settings::default());
        changes.insert(0, Change::Settings { before, after });
        let error = store
            .apply(organisation, &changes, "test", NOW)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, StoreError::Refused(text) if text.to_string().contains(expected)),
            "{expected}: {error}"
        );
    }
    assert_eq!(store.version().await.unwrap(), version);
    assert!(
        diff(&before, &store.described("example").await.unwrap()).is_empty(),
        "nothing was changed"
    );
    assert!(matches!(
        store
            .apply("none", &[Change::Smarthost(None)], "test", NOW)
            .await,
        Err(StoreError::NotFound(_))
    ));
    let twice = store
        .create_organisation("second", Settings::default(), "test", NOW)
        .await;
    assert!(matches!(twice, Err(StoreError::Refused(_))));
}

#[tokio::test]
async fn domains_move_between_routes_with_their_mailboxes() {
    let world = world().await;
    make(&world, &desired()).await;
    let swap = [
        Change::PutRoute(route("office", &["shop.example", "example.net"])),
        Change::PutRoute(route("shop", &["example.com"])),
    ];
    world
        .store
        .apply("example", &swap, "test", NOW)
        .await
        .unwrap();
    let moved = world.store.described("example").await.unwrap();
    assert_eq!(moved.routes[1].domains, [domain("example.com")]);
    assert_eq!(moved.mailboxes.len(), 2);
    world
        .store
        .apply(
            "example",
            &[Change::PutRoute(route("shop", &["new.example"]))],
            "test",
            NOW,
        )
        .await
        .unwrap();
    assert!(
        world
            .store
            .described("example")
            .await
            .unwrap()
            .mailboxes
            .is_empty(),
        "no route, no mailbox"
    );
}

async fn harvest(world: &World, name: &str, state: CorrespondentState, superseded: Vec<i64>) {
    let address = certificate("alice").addresses()[0].clone();
    let certificate = certificate(name);
    let text = b"To: a@x.example\r\n\r\nhello\r\n";
    let mut acceptance = world.mail(text, &["a@x.example"]).await;
    acceptance.harvested = vec![Harvested {
        address,
        certificate,
        state,
        superseded,
        chain: Vec::new(),
        announced: None,
        known: None,
    }];
    world.accept(acceptance).await;
}

async fn correspondents(world: &World) -> HashMap<[u8; 32], (Origin, CorrespondentState)> {
    let filter = CorrespondentFilter {
        limit: 10,
        ..CorrespondentFilter::default()
    };
    let all = world
        .store
        .list_correspondents(world.organisation, filter)
        .await
        .unwrap();
    all.iter()
        .map(|key| (key.certificate.fingerprint(), (key.origin, key.state)))
        .collect()
}

#[tokio::test]
async fn correspondents_are_added_and_never_overwritten() {
    use CorrespondentState::{Additional, New, Preferred};
    let world = world().await;
    let alice = certificate("alice").addresses()[0].clone();
    harvest(&world, "alice", Preferred, vec![]).await;
    harvest(&world, "alice", New, vec![]).await;
    let wanted = [alice.clone(), address("no@x.example")];
    let found = world
        .store
        .correspondents(world.organisation, &wanted)
        .await
        .unwrap();
    let key = &found[&alice][0];
    assert_eq!((found.len(), found[&alice].len()), (1, 1));
    assert_eq!((key.state, key.origin), (Preferred, Origin::Harvested));
    harvest(&world, "alice-newer", Preferred, vec![key.id]).await;
    let manual = [certificate("alice-newer"), certificate("bob")].map(Change::PutCorrespondent);
    world
        .store
        .apply("example", &manual, "test", NOW)
        .await
        .unwrap();
    harvest(&world, "alice-other-issuer", Preferred, vec![2, 3]).await;
    let states = correspondents(&world).await;
    for (name, expected) in [
        ("alice", (Origin::Harvested, Additional)),
        ("alice-newer", (Origin::Manual, Preferred)),
        ("bob", (Origin::Manual, Preferred)),
        // Of another issuer than what stands, whatever was decided before.
        ("alice-other-issuer", (Origin::Harvested, New)),
    ] {
        assert_eq!(states[&certificate(name).fingerprint()], expected, "{name}");
    }
    let events = world.store.events(world.organisation, 0, 10).await.unwrap();
    assert_eq!(
        events
            .iter()
            .filter(|event| event.kind == EventKind::KeyLearned)
            .count(),
        3
    );
}

#[tokio::test]
async fn only_administrators_change_keys_by_hand() {
    use CorrespondentState::{Blocked, Preferred};
    let world = world().await;
    harvest(&world, "alice", Preferred, vec![]).await;
    let fingerprint = certificate("alice").fingerprint();
    let removed = [Change::RemoveCorrespondent(fingerprint)];
    world
        .store
        .apply("example", &removed, "test", NOW)
        .await
        .unwrap();
    assert_eq!(
        correspondents(&world).await[&fingerprint],
        (Origin::Harvested, Preferred),
        "not imported by hand"
    );
    let filter = CorrespondentFilter {
        limit: 10,
        ..CorrespondentFilter::default()
    };
    let id = world
        .store
        .list_correspondents(world.organisation, filter)
        .await
        .unwrap()[0]
        .id;
    let block = |organisation| {
        world
            .store
            .choose_correspondent((organisation, id), Choice::Block, "test", NOW)
    };
    let foreign = block(sealgate_core::tenant::OrganisationId(9)).await;
    assert!(matches!(foreign, Err(StoreError::NotFound(_))));
    block(world.organisation).await.unwrap();
    assert_eq!(correspondents(&world).await[&fingerprint].1, Blocked);
    harvest(&world, "alice", Preferred, vec![]).await;
    assert_eq!(correspondents(&world).await[&fingerprint].1, Blocked);
}

#[tokio::test]
async fn a_change_is_live_when_every_node_has_loaded_it() {
    let world = world().await;
    let command_line = world.second().await;
    let version = command_line.version().await.unwrap();
    assert_eq!(
        command_line.liveness(version, NOW).await.unwrap(),
        Liveness::NobodyServes
    );
    world.store.report_version(version, NOW).await.unwrap();
    let next = command_line
        .apply(
            "example",
            &[Change::Smarthost(Some(host("relay")))],
            "test",
            NOW,
        )
        .await
        .unwrap();
    assert_eq!(
        command_line.liveness(next, NOW).await.unwrap(),
        Liveness::NotYet
    );
    assert_eq!(world.store.version().await.unwrap(), next);
    world.store.report_version(next, NOW.plus(1)).await.unwrap();
    assert_eq!(
        command_line.liveness(next, NOW.plus(1)).await.unwrap(),
        Liveness::Live
    );
    assert_eq!(
        command_line.liveness(next, NOW.plus(60)).await.unwrap(),
        Liveness::NobodyServes
    );
    world.store.report_stopped().await.unwrap();
    assert_eq!(
        command_line.liveness(next, NOW.plus(1)).await.unwrap(),
        Liveness::NobodyServes
    );
}

#[tokio::test]
async fn w11_a_missing_or_changed_audit_line_is_found() {
    for (change, expected) in [
        ("SELECT 1", None),
        ("DELETE FROM audit WHERE id = 2", Some(3)),
        ("UPDATE audit SET who = 'nobody' WHERE id = 1", Some(1)),
        ("UPDATE audit SET text = 'x' WHERE id = 3", Some(3)),
        ("UPDATE audit SET said = NULL WHERE id = 2", Some(2)),
    ] {
        let world = world().await;
        for name in ["two", "three"] {
            world
                .store
                .create_organisation(name, Settings::default(), "test", NOW)
                .await
                .unwrap();
        }
        world.store.raw(change).await.unwrap();
        assert_eq!(
            world.store.audit_break().await.unwrap(),
            expected,
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_line_is_told_in_both_languages_also_if_its_key_is_not_known() {
    let world = world().await;
    let told = async || {
        let line = world.store.audit(0, 1).await.unwrap().remove(0);
        (line.text, line.said.told(Language::De))
    };
    let english = "create organisation".to_owned();
    assert_eq!(
        told().await,
        (english.clone(), "Organisation angelegt".into())
    );
    let later = r#"UPDATE audit SET said = '{"changes":{"of-a-later-version":{}}}'"#;
    world.store.raw(later).await.unwrap();
    assert_eq!(told().await, (english.clone(), english));
}

#[tokio::test]
async fn what_a_correspondent_announced_is_kept_until_it_says_something_later() {
    let world = world().await;
    let alice = certificate("alice").addresses()[0].clone();
    let said = |capabilities: &[u8], at: i64| {
        Some(Announced {
            capabilities: capabilities.to_vec(),
            at: NOW.plus(at),
        })
    };
    let learned = |announced, known| Harvested {
        address: alice.clone(),
        certificate: certificate("alice"),
        state: CorrespondentState::Preferred,
        superseded: Vec::new(),
        chain: Vec::new(),
        announced,
        known,
    };
    let table = [
        (said(&[1], 0), None, said(&[1], 0)),
        (said(&[2], 9), Some(1), said(&[2], 9)),
        // Another node learned something later meanwhile.
        (said(&[3], 8), Some(1), said(&[2], 9)),
        (said(&[4], 10), Some(1), said(&[4], 10)),
    ];
    for (announced, known, expected) in table {
        let mut acceptance = world
            .mail(b"To: a@x.example\r\n\r\nhello\r\n", &["a@x.example"])
            .await;
        acceptance.harvested = vec![learned(announced, known)];
        world.accept(acceptance).await;
        let found = world
            .store
            .correspondents(world.organisation, std::slice::from_ref(&alice))
            .await
            .unwrap();
        assert_eq!(found[&alice].len(), 1);
        assert_eq!(found[&alice][0].announced, expected);
    }
}

#[tokio::test]
async fn x6_a_second_certificate_of_the_same_issuer_and_serial_is_refused() {
    let world = world().await;
    let apply = |change: Change| {
        let changes = [change];
        let store = world.store.clone();
        async move { store.apply("example", &changes, "test", NOW).await }
    };
    let refused = |done: Result<u64, StoreError>| match done {
        Err(StoreError::Refused(text)) => assert!(
            text.to_string().contains("same issuer")
                || text.to_string().contains("issuer and serial"),
            "{text}"
        ),
        other => panic!("{other:?}"),
    };
    // Correspondents, by hand and learned.
    apply(Change::PutCorrespondent(certificate("twin-one")))
        .await
        .unwrap();
    apply(Change::PutCorrespondent(certificate("twin-one")))
        .await
        .unwrap();
    refused(apply(Change::PutCorrespondent(certificate("twin-two"))).await);
    harvest(&world, "twin-two", CorrespondentState::Preferred, vec![]).await;
    let known = correspondents(&world).await;
    assert_eq!(known.len(), 1);
    assert!(known.contains_key(&certificate("twin-one").fingerprint()));
    // Uploads.
    apply(Change::PutRoute(route("office", &["example.com"])))
        .await
        .unwrap();
    for name in ["one@example.com", "two@example.com"] {
        apply(Change::AddMailbox(address(name))).await.unwrap();
    }
    let upload = |mailbox, name| Change::ImportKeys(import(mailbox, &[name], KeyOrigin::Uploaded));
    apply(upload("one@example.com", "twin-one")).await.unwrap();
    for mailbox in ["one@example.com", "two@example.com"] {
        refused(apply(upload(mailbox, "twin-two")).await);
    }
}

#[tokio::test]
async fn trusted_are_own_roots_and_public_ones_without_what_is_blocked() {
    let world = world().await;
    let own = certificate("root-one");
    let trusted = async |settings: Settings, blocked: &[&str]| {
        let desired = Described {
            settings,
            trust_roots: vec![own.clone()],
            blocked: blocked
                .iter()
                .map(|name| Blocked {
                    sha256: certificate(name).fingerprint(),
                    subject: None,
                    reason: None,
                })
                .collect(),
            ..Described::default()
        };
        make(&world, &desired).await;
        let installation = world.store.installation().await.unwrap();
        Arc::clone(&installation.organisations()[0].anchors)
    };
    let public = Settings::default();
    let private = Settings {
        public_roots: false,
        ..public
    };
    let both = trusted(public, &[]).await;
    assert!(both.certificates().count() > 40);
    assert!(both.certificates().any(|root| *root == own));
    assert_eq!(trusted(private, &[]).await.certificates().count(), 1);
    let path = |anchors: &TrustAnchors| {
        judge(&certificate("alice"), &[], anchors, Purpose::Encrypt, NOW).is_ok()
    };
    assert!(path(&both));
    assert!(path(&*trusted(private, &["bob"]).await));
    for name in ["alice", "root-one"] {
        assert!(!path(&*trusted(public, &[name]).await), "{name}");
    }
}

/// Names are the organisation's own, so that nobody learns whom others have; only what is looked up for all of them is not.
#[tokio::test]
async fn sending_clients_of_two_organisations_may_be_namesakes() {
    let world = world().await;
    let created = world
        .store
        .create_organisation("second", Settings::default(), "test", NOW)
        .await;
    let second = created.unwrap();
    for (organisation, user) in [("example", "one"), ("second", "two")] {
        let changes = [Change::PutClient(password_client("news", user))];
        let applied = world.store.apply(organisation, &changes, "test", NOW).await;
        applied.unwrap();
    }
    let installation = world.store.installation().await.unwrap();
    for (of, user) in [(world.organisation, "one"), (second, "two")] {
        let (owner, client) = installation.client_by_name(of, "news").unwrap();
        assert_eq!(owner.id, of);
        assert_eq!(installation.client_by_user(user).unwrap().1, client);
    }
    let changes = [Change::RemoveClient("news".to_owned())];
    let removed = world.store.apply("second", &changes, "test", NOW).await;
    removed.unwrap();
    let installation = world.store.installation().await.unwrap();
    assert!(
        installation
            .client_by_name(world.organisation, "news")
            .is_some()
    );
    assert!(installation.client_by_name(second, "news").is_none());
}

/// Two administrators who look at the same client and change different things about it do not undo each other.
#[tokio::test]
async fn changes_of_a_sending_client_leave_those_of_others() {
    let world = world().await;
    let store = &world.store;
    let apply = async |change: Change| store.apply("example", &[change], "test", NOW).await;
    let edit = |edit: ClientEdit| Change::EditClient("news".to_owned(), edit);
    let client = password_client("news", "one");
    apply(Change::AddClient(client.clone())).await.unwrap();
    let hash = || Some(ClientSecret::Password("$argon2id$new".to_owned()));
    let secret = ClientEdit {
        secret: hash(),
        ..ClientEdit::default()
    };
    let rights = ClientEdit {
        may_send_as: Some(vec!["we.example".parse().unwrap()]),
        ..ClientEdit::default()
    };
    let server = ClientEdit {
        mail_server: Some(!client.mail_server),
        ..ClientEdit::default()
    };
    for one in [secret.clone(), rights, server] {
        apply(edit(one)).await.unwrap();
    }
    let installation = store.installation().await.unwrap();
    let (_, found) = installation.client_by_user("one").unwrap();
    assert_eq!(found.password_hash(), Some("$argon2id$new"));
    assert_eq!(found.may_send_as, ["we.example".parse().unwrap()]);
    assert_eq!(found.mail_server, !client.mail_server);
    // Who adds one of that name as well does not replace it, and it proves itself as it does.
    let connector = ClientEdit {
        secret: Some(ClientSecret::Connector([1; 32])),
        ..ClientEdit::default()
    };
    for refused in [
        Change::AddClient(password_client("news", "two")),
        edit(connector),
    ] {
        let error = apply(refused).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    }
    apply(Change::RemoveClient("news".to_owned()))
        .await
        .unwrap();
    let gone = apply(edit(secret)).await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound(_)), "{gone}");
}
