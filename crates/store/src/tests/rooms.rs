//! Several administrators at the same moment: none gets more than there may be, and none undoes what another one saved.

use sealgate_core::authority::{AcmeSettings, AuthorityId, Connector};
use sealgate_core::change::{Change, NewAuthority};
use sealgate_core::directory::{Bind, Directory, Place, Protection};
use sealgate_core::permission::{Grants, ResellerId, Role};
use sealgate_core::queue::{Credentials, Destination, NextHop, TlsRequirement};
use sealgate_core::tenant::{Blocked, InboundRoute, Language, Partner, Proof, SendingClient};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::profile::Profile;
use tokio::task::JoinSet;

use crate::limits::{
    API_TOKENS, AUTHORITIES, BLOCKED, CLIENTS, DESTINATIONS, INVITATIONS, PARTNERS, ROUTES,
};
use crate::testing::{NOW, World, domain, host, world};
use crate::{Accepting, By, Instruction, Invited, NewApiToken, NewInvitation, StoreError};

const AT_ONCE: i64 = 4;
const WHO: (&str, Timestamp) = ("test", NOW);

fn by() -> By {
    By {
        who: "test".into(),
        at: NOW,
    }
}

async fn bounded(world: &World, change: Change) -> Result<(), StoreError> {
    let instruction = Instruction {
        changes: vec![change],
        bounded: true,
        ..Instruction::default()
    };
    let done = world.store.carry_out("example", instruction, WHO.0, NOW);
    done.await.map(|_| ())
}

fn route(number: i64) -> Change {
    Change::PutRoute(InboundRoute {
        name: format!("route-{number}"),
        domains: vec![],
        target: host("10.0.0.5"),
        wildcard: false,
    })
}

fn client(number: i64) -> Change {
    Change::AddClient(SendingClient {
        name: format!("client-{number}"),
        proof: Proof::Network(vec!["192.0.2.1/32".parse().unwrap()]),
        may_send_as: vec![],
        mail_server: false,
    })
}

fn partner(number: i64) -> Change {
    Change::PutPartner(Partner {
        external: format!("partner-{number}.example").parse().unwrap(),
        profile: Profile::Modern,
    })
}

fn blocked(number: i64) -> Change {
    let mut sha256 = [0; 32];
    sha256[..8].copy_from_slice(&number.to_be_bytes());
    Change::Block(Blocked {
        sha256,
        subject: None,
        reason: None,
    })
}

fn way_out(number: i64) -> Change {
    Change::EditDestination {
        domain: domain(&format!("partner-{number}.example")),
        was: None,
        becomes: Destination::default(),
    }
}

fn authority(number: i64) -> Change {
    Change::EditAuthority {
        was: None,
        becomes: by_hand(&format!("authority-{number}")),
    }
}

fn by_hand(name: &str) -> NewAuthority {
    NewAuthority {
        name: name.into(),
        standard: false,
        renew_days: None,
        connector: Some(Connector::ByHand),
    }
}

/// How many of those that come at the same moment are refused for want of room.
async fn refused(mut asked: JoinSet<Result<(), StoreError>>, most: i64) -> i64 {
    let mut refused = 0;
    while let Some(done) = asked.join_next().await {
        match done.unwrap() {
            Ok(()) => {}
            Err(StoreError::TooMany { most: told }) if told == most => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    refused
}

type Made = fn(i64) -> Change;

/// Each with what is there from the start.
const THINGS: [(Made, i64, i64); 6] = [
    (route, ROUTES, 0),
    (client, CLIENTS, 0),
    (partner, PARTNERS, 0),
    (blocked, BLOCKED, 0),
    (way_out, DESTINATIONS, 0),
    (authority, AUTHORITIES, 1),
];

#[tokio::test]
async fn who_asks_at_the_same_moment_does_not_get_more_than_there_may_be() {
    let world = world().await;
    for (made, most, there) in THINGS {
        let before: Vec<Change> = (there..most - 1).map(made).collect();
        let applied = world.store.apply("example", &before, WHO.0, NOW).await;
        applied.unwrap();
        let mut asked = JoinSet::new();
        for number in most..most + AT_ONCE {
            let store = world.store.clone();
            asked.spawn(async move {
                let instruction = Instruction {
                    changes: vec![made(number)],
                    bounded: true,
                    ..Instruction::default()
                };
                let done = store.carry_out("example", instruction, WHO.0, NOW);
                done.await.map(|_| ())
            });
        }
        let words = format!("{:?}", made(0));
        assert_eq!(refused(asked, most).await, AT_ONCE - 1, "{words}");
        // The operator at the command line gives more, and what was given can still be changed.
        let more = world.store.apply("example", &[made(-1)], WHO.0, NOW).await;
        more.unwrap();
    }
    bounded(&world, partner(0)).await.unwrap();
}

#[tokio::test]
async fn tokens_and_invitations_are_counted_where_they_are_made() {
    let world = world().await;
    let organisation = world.organisation;
    let number = |number: i64, kind: u8| {
        let mut sha256 = [kind; 32];
        sha256[..8].copy_from_slice(&number.to_be_bytes());
        sha256
    };
    let token = |count: i64| NewApiToken {
        name: "t".into(),
        sha256: number(count, 1),
        grants: Grants {
            roles: vec![(organisation, Role::Read)],
            ..Grants::default()
        },
        expires: NOW.plus(60),
        by_token: None,
    };
    let invitation = |count: i64| NewInvitation {
        sha256: number(count, 2),
        name: Address::parse(&format!("user-{count}@example.com")).unwrap(),
        invited: Invited::Member(organisation, Role::Read),
        expires: NOW.plus(60),
        by_token: None,
        bounded: true,
    };
    let mut tokens = JoinSet::new();
    for count in 0..API_TOKENS + AT_ONCE {
        let (store, new) = (world.store.clone(), token(count));
        tokens.spawn(async move { store.create_api_token(new, by()).await.map(|_| ()) });
    }
    assert_eq!(refused(tokens, API_TOKENS).await, AT_ONCE);
    let mut links = JoinSet::new();
    for count in 0..INVITATIONS + AT_ONCE {
        let (store, new) = (world.store.clone(), invitation(count));
        links.spawn(async move { store.invite(new, by()).await.map(|_| ()) });
    }
    assert_eq!(refused(links, INVITATIONS).await, AT_ONCE);
    // Those of the installation are counted for themselves; at the command line there may be more.
    let operator = NewInvitation {
        sha256: number(-1, 3),
        invited: Invited::Operator,
        ..invitation(-1)
    };
    world.store.invite(operator, by()).await.unwrap();
    let more = NewInvitation {
        bounded: false,
        ..invitation(INVITATIONS + AT_ONCE)
    };
    world.store.invite(more, by()).await.unwrap();
    let later = By {
        at: NOW.plus(60),
        ..by()
    };
    let after = token(API_TOKENS + AT_ONCE);
    let done = world.store.create_api_token(after, later).await;
    done.unwrap();
}

#[tokio::test]
async fn each_reseller_has_room_of_its_own_and_a_new_password_needs_none() {
    let world = world().await;
    let (store, many) = (&world.store, API_TOKENS + INVITATIONS);
    let made = async |name: &str| {
        let made = store.create_reseller(name.into(), by()).await;
        made.unwrap()
    };
    let (one, other) = (made("one").await, made("other").await);
    let number = |at: i64| {
        let mut sha256 = [0; 32];
        sha256[..8].copy_from_slice(&at.to_be_bytes());
        sha256
    };
    let token = async |at: i64, reseller: Option<ResellerId>| {
        let new = NewApiToken {
            name: "t".into(),
            sha256: number(at),
            grants: Grants {
                operator: reseller.is_none(),
                reseller,
                ..Grants::default()
            },
            expires: NOW.plus(60),
            by_token: None,
        };
        store.create_api_token(new, by()).await.map(|_| ())
    };
    for at in 0..API_TOKENS {
        token(at, Some(one)).await.unwrap();
    }
    let full = Err(StoreError::TooMany { most: API_TOKENS });
    assert_eq!(token(API_TOKENS, Some(one)).await, full);
    token(API_TOKENS, Some(other)).await.unwrap();
    token(API_TOKENS + 1, None).await.unwrap();
    let invite = async |at: i64, invited| {
        let new = NewInvitation {
            sha256: number(many + at),
            name: Address::parse(&format!("user-{at}@example.com")).unwrap(),
            invited,
            expires: NOW.plus(60),
            by_token: None,
            bounded: true,
        };
        store.invite(new, by()).await.map(|_| ())
    };
    invite(0, Invited::Operator).await.unwrap();
    let how = Accepting::Password("$hash".into(), Language::De);
    let user = store.accept_invitation(number(many), how, NOW).await;
    for at in 1..=INVITATIONS {
        invite(at, Invited::Operator).await.unwrap();
    }
    let full = Err(StoreError::TooMany { most: INVITATIONS });
    assert_eq!(invite(-1, Invited::Operator).await, full);
    invite(-2, Invited::Reseller(one)).await.unwrap();
    let reset = Invited::Reset {
        user: user.unwrap(),
        factor: false,
    };
    invite(-3, reset).await.unwrap();
}

fn acme(key: &str) -> NewAuthority {
    NewAuthority {
        connector: Some(Connector::Acme(AcmeSettings {
            directory: "https://ca.example/directory".into(),
            contact: vec![],
            external_account: Some(("kid".into(), key.into())),
            account_key: "account".into(),
            tls_roots: None,
            unsigned_challenges: false,
        })),
        ..by_hand("ca")
    }
}

#[tokio::test]
async fn a_secret_is_not_kept_from_an_authority_that_is_another_one_by_now() {
    let world = world().await;
    let edit = |was, becomes| bounded(&world, Change::EditAuthority { was, becomes });
    let number = || async {
        let all = world.store.authorities(world.organisation).await.unwrap();
        all.into_iter().find(|one| one.name == "ca").unwrap().id
    };
    edit(None, acme("first")).await.unwrap();
    let was = Some(number().await);
    // Both looked at the first; the one gives a new key, the other keeps the old one.
    edit(was, acme("second")).await.unwrap();
    let late = edit(was, acme("first")).await;
    assert_eq!(late, Err(StoreError::ChangedMeanwhile));
    let late = edit(None, acme("third")).await;
    assert_eq!(late, Err(StoreError::ChangedMeanwhile));
    let gone = edit(Some(AuthorityId(4711)), by_hand("other")).await;
    assert_eq!(gone, Err(StoreError::ChangedMeanwhile));
    let now = world.store.authority(number().await).await.unwrap();
    assert_eq!(Some(now.connector), acme("second").connector);
    edit(Some(number().await), acme("first")).await.unwrap();
    // Nothing was ordered with the former settings: none are kept, nor is the built-in authority lost.
    let kept = world.store.number("SELECT COUNT(*) FROM authorities").await;
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn a_password_is_not_kept_from_a_directory_that_is_another_one_by_now() {
    let world = world().await;
    let directory = |password: &str| Directory {
        name: "ours".into(),
        place: Place {
            host: "ldap.example".into(),
            port: 636,
        },
        protection: Protection::Tls,
        bind: Some(Bind {
            dn: "cn=gateway".into(),
            password: password.into(),
        }),
        base: String::new(),
        domains: vec![],
        attributes: vec![],
        roots: None,
        reach: Default::default(),
    };
    let (store, organisation) = (&world.store, world.organisation);
    let (first, second) = (directory("first"), directory("second"));
    let edit = |was, becomes| store.edit_directory(organisation, (was, becomes), WHO);
    edit(None, &first).await.unwrap();
    edit(Some(&first), &second).await.unwrap();
    for was in [Some(&first), None] {
        let late = edit(was, &first).await;
        assert_eq!(late, Err(StoreError::ChangedMeanwhile));
    }
    assert_eq!(store.directories(organisation).await.unwrap(), [second]);
}

fn server(password: &str) -> NextHop {
    NextHop::Host {
        host: "smtp.example".into(),
        port: 587,
        tls: TlsRequirement::default(),
        credentials: Some(Credentials {
            user: "gateway".into(),
            password: password.into(),
        }),
        reach: Default::default(),
    }
}

/// The change from a password to another one.
type Edit<'a> = &'a dyn Fn(Option<&str>, &'static str) -> Change;

#[tokio::test]
async fn a_password_is_not_kept_from_a_server_that_is_another_one_by_now() {
    let world = world().await;
    let late = Err(StoreError::ChangedMeanwhile);
    let smarthost = |was: Option<&str>, becomes| Change::EditSmarthost {
        was: was.map(server),
        becomes: Some(server(becomes)),
    };
    let way = |was: Option<&str>, becomes| {
        let to = |password| Destination {
            hop: Some(server(password)),
            ..Destination::default()
        };
        Change::EditDestination {
            domain: domain("partner.example"),
            was: was.map(to),
            becomes: to(becomes),
        }
    };
    let route = |password: &str| InboundRoute {
        name: "one".into(),
        domains: vec![],
        target: server(password),
        wildcard: false,
    };
    let edit = |was: Option<&str>, becomes| match was {
        None => Change::PutRoute(route(becomes)),
        Some(was) => Change::EditRoute {
            was: route(was),
            becomes: route(becomes),
        },
    };
    let kinds: [Edit<'_>; 3] = [&smarthost, &way, &edit];
    for change in kinds {
        let words = format!("{:?}", change(None, "first"));
        bounded(&world, change(None, "first")).await.unwrap();
        bounded(&world, change(Some("first"), "second"))
            .await
            .unwrap();
        let done = bounded(&world, change(Some("first"), "third")).await;
        assert_eq!(done, late, "{words}");
    }
}
