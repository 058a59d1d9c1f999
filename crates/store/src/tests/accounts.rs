//! Accounts of the portal in the store: what ends, what works once, what is sealed.

use sealgate_core::permission::{Grants, ResellerId, Role, UserId};
use sealgate_core::sign_in::{Lock, NewSession, Proven};
use sealgate_core::tenant::Language;
use sealgate_mail::{Address, Timestamp};

use crate::testing::{NOW, World, world};
use crate::{
    Accepting, ApiTokenScope, By, InvitationScope, Invited, MasterKey, MasterKeySource,
    NewApiToken, NewInvitation, Rotation, SessionEnds, Store, StoreError, UserChange,
};

const ENDS: SessionEnds = SessionEnds {
    idle: 100,
    whole: 1_000,
    incomplete: 50,
};

fn by() -> By {
    By {
        who: "test".into(),
        at: NOW,
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn invitation(number: u8, name: &str, invited: Invited) -> NewInvitation {
    NewInvitation {
        sha256: [number; 32],
        name: address(name),
        invited,
        expires: NOW.plus(60),
        by_token: None,
        bounded: true,
    }
}

fn with_password() -> Accepting {
    Accepting::Password("$hash".into(), Language::De)
}

async fn user(world: &World, number: u8, name: &str, role: Role) -> UserId {
    let invited = Invited::Member(world.organisation, role);
    let store = &world.store;
    store
        .invite(invitation(number, name, invited), by())
        .await
        .unwrap();
    store
        .accept_invitation([number; 32], with_password(), NOW)
        .await
        .unwrap()
}

async fn open(store: &Store, user: UserId, number: u8, complete: bool) {
    let opened = opened(store, (user, Proven::Vouched), number, complete);
    assert!(opened.await, "{number}");
}

async fn opened(
    store: &Store,
    (user, proven): (UserId, Proven),
    number: u8,
    complete: bool,
) -> bool {
    let new = NewSession {
        user,
        sha256: [number; 32],
        complete,
        agent: "browser".into(),
        address: "192.0.2.1".into(),
        replaces: None,
        proven,
    };
    store.open_session(new, ENDS, NOW).await.unwrap()
}

/// What disables somebody, or takes them back.
fn disabled(disabled: bool) -> UserChange {
    UserChange {
        disabled: Some(disabled),
        ..UserChange::default()
    }
}

async fn lives(store: &Store, number: u8, now: Timestamp) -> bool {
    let found = store.session(&[number; 32], ENDS, now).await;
    found.unwrap().is_some()
}

#[tokio::test]
async fn sessions_end_by_time_and_by_change() {
    let world = world().await;
    let store = &world.store;
    let anna = user(&world, 1, "Anna@Example.com", Role::Admin).await;
    let (found, hash) = store
        .user_named(&address("anna@example.com"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.name.as_str()), (anna, "Anna@example.com"));
    assert_eq!(hash.as_deref(), Some("$hash"));
    open(store, anna, 1, true).await;
    open(store, anna, 2, false).await;
    for (number, seconds, expected) in [
        (1, 99, true),
        (1, 100, false),
        (2, 49, true),
        (2, 50, false),
        (3, 0, false),
    ] {
        let now = NOW.plus(seconds);
        assert_eq!(
            lives(store, number, now).await,
            expected,
            "{number} {seconds}"
        );
    }
    store.session_seen([1; 32], NOW.plus(99)).await.unwrap();
    assert!(lives(store, 1, NOW.plus(198)).await, "used meanwhile");
    let left = store.leave_notice([1; 32], "/rules".into(), "once".into());
    left.await.unwrap();
    for (path, told) in [
        ("/rules/check", None),
        ("/rules", Some("once")),
        ("/rules", None),
    ] {
        let found = store.take_notice([1; 32], path.into()).await.unwrap();
        assert_eq!(found.as_deref(), told, "{path}");
    }

    open(store, anna, 3, true).await;
    let kept = Some([3; 32]);
    store
        .set_password(anna, "$new".into(), kept, by())
        .await
        .unwrap();
    assert!(!lives(store, 1, NOW).await && lives(store, 3, NOW).await);
    store
        .grant_role(world.organisation, (anna, Role::Admin), by())
        .await
        .unwrap();
    assert!(!lives(store, 3, NOW).await);
    open(store, anna, 4, true).await;
    store
        .change_rights(anna, disabled(true), by())
        .await
        .unwrap();
    assert!(!lives(store, 4, NOW).await);
    assert!(!opened(store, (anna, Proven::Vouched), 5, true).await);
    assert!(!lives(store, 5, NOW).await, "disabled");
    assert_eq!(store.audit_break().await.unwrap(), None);
}

#[tokio::test]
async fn a_sign_in_under_way_does_not_outlive_a_change() {
    let world = world().await;
    let store = &world.store;
    let anna = user(&world, 1, "anna@example.com", Role::Read).await;
    let berta = user(&world, 2, "berta@example.com", Role::Read).await;
    let judged = || Proven::Password("$hash".into());
    // A half session, and a whole one that is to be replaced; then the password changes.
    assert!(opened(store, (anna, judged()), 1, false).await);
    assert!(opened(store, (anna, judged()), 2, true).await);
    let half = || Proven::Session([1; 32]);
    assert!(!opened(store, (berta, half()), 3, true).await, "another's");
    assert!(opened(store, (anna, half()), 3, true).await);
    store
        .set_password(anna, "$new".into(), None, by())
        .await
        .unwrap();
    for (proven, what) in [
        (judged(), "the former password"),
        (half(), "the half session of the former password"),
        (Proven::Session([2; 32]), "the whole one"),
        (Proven::Session([9; 32]), "none at all"),
    ] {
        assert!(!opened(store, (anna, proven), 4, true).await, "{what}");
        assert!(!lives(store, 4, NOW).await, "{what}");
    }
    let new = || Proven::Password("$new".into());
    assert!(opened(store, (anna, new()), 4, true).await);
    // A second factor that was set up meanwhile is owed.
    let secret = zeroize::Zeroizing::new(b"a secret of the app".to_vec());
    store
        .confirm_second_factor(anna, (secret, 5), (Vec::new(), None), by())
        .await
        .unwrap();
    assert!(!opened(store, (anna, new()), 5, true).await);
    assert!(!opened(store, (anna, Proven::Vouched), 5, true).await);
    assert!(opened(store, (anna, new()), 5, false).await);
    store
        .change_rights(anna, disabled(true), by())
        .await
        .unwrap();
    for proven in [new(), Proven::Vouched, Proven::Session([5; 32])] {
        assert!(!opened(store, (anna, proven), 6, false).await, "disabled");
    }
}

#[tokio::test]
async fn an_invitation_does_not_take_the_last_administrator_away() {
    let world = world().await;
    let (store, organisation) = (&world.store, world.organisation);
    let anna = user(&world, 1, "anna@example.com", Role::Admin).await;
    let lower = || Invited::Member(organisation, Role::Read);
    let accept = |number: u8| store.accept_invitation([number; 32], Accepting::User(anna), NOW);
    store
        .invite(invitation(2, "anna@example.com", lower()), by())
        .await
        .unwrap();
    let refused = accept(2).await;
    assert!(
        matches!(&refused, Err(StoreError::Refused(text)) if text.to_string().contains("last administrator")),
        "{refused:?}"
    );
    user(&world, 3, "berta@example.com", Role::Admin).await;
    accept(2).await.unwrap();
    let members = store.members(organisation, "", 10).await.unwrap();
    assert_eq!((members[0].user, members[0].role), (anna, Role::Read));
}

#[tokio::test]
async fn an_account_says_whose_invitation_made_it() {
    let world = world().await;
    let store = &world.store;
    let anna = user(&world, 1, "anna@example.com", Role::Read).await;
    store
        .invite(invitation(2, "olga@example.com", Invited::Operator), by())
        .await
        .unwrap();
    let olga = store
        .accept_invitation([2; 32], with_password(), NOW)
        .await
        .unwrap();
    for (id, expected) in [(anna, Some("example")), (olga, None)] {
        let user = store.user(id).await.unwrap().unwrap();
        assert_eq!(user.invited_by.as_deref(), expected);
    }
}

#[tokio::test]
async fn a_lock_is_told_to_the_organisations_of_the_account() {
    let world = world().await;
    let store = &world.store;
    user(&world, 1, "anna@example.com", Role::Read).await;
    let before = store.audit(0, 100).await.unwrap().len();
    let lock = || Lock {
        second_factor: true,
        address: "192.0.2.7".into(),
        seconds: 60,
    };
    for name in ["ANNA@example.com", "nobody@example.com"] {
        store
            .told_locked(&address(name), lock(), NOW)
            .await
            .unwrap();
    }
    let lines = store.audit(0, 100).await.unwrap();
    assert_eq!(lines.len(), before + 1, "of nobody nothing is told");
    let line = lines.last().unwrap();
    assert_eq!(line.organisation, "example");
    assert_eq!(line.who, "anna@example.com");
    assert!(line.text.contains("192.0.2.7"), "{}", line.text);
}

#[tokio::test]
async fn the_last_administrator_stays_unless_the_operator_says_so() {
    let world = world().await;
    let (store, organisation) = (&world.store, world.organisation);
    let anna = user(&world, 1, "anna@example.com", Role::Admin).await;
    let berta = user(&world, 2, "berta@example.com", Role::Write).await;
    for role in [None, Some(Role::Write)] {
        let change = store.change_member(organisation, (anna, role), false, by());
        assert!(matches!(change.await, Err(StoreError::Refused(_))));
    }
    let none = store.change_member(organisation, (UserId(99), None), false, by());
    assert!(matches!(none.await, Err(StoreError::NotFound(_))));
    for (who, role, anyhow) in [
        (berta, Some(Role::Admin), false),
        (anna, Some(Role::Read), false),
        (berta, None, true),
    ] {
        let change = store.change_member(organisation, (who, role), anyhow, by());
        change.await.unwrap();
    }
    let members = store.members(organisation, "", 10).await.unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!((members[0].user, members[0].role), (anna, Role::Read));
}

#[tokio::test]
async fn who_may_do_less_leaves_no_way_back() {
    let world = world().await;
    let (store, organisation) = (&world.store, world.organisation);
    user(&world, 1, "anna@example.com", Role::Admin).await;
    let berta = user(&world, 2, "Berta@example.com", Role::Admin).await;
    let by_berta = || By {
        who: "Berta@example.com".into(),
        at: NOW,
    };
    for (number, role) in [(3, Some(Role::Read)), (5, None)] {
        let admin = || Invited::Member(organisation, Role::Admin);
        let own = invitation(number, "berta@example.com", admin());
        store.invite(own, by_berta()).await.unwrap();
        let friend = invitation(number + 1, "friend@example.com", admin());
        store.invite(friend, by_berta()).await.unwrap();
        let token = NewApiToken {
            name: format!("t{number}"),
            sha256: [number; 32],
            grants: Grants {
                roles: vec![(organisation, Role::Admin)],
                ..Grants::default()
            },
            expires: NOW.plus(60),
            by_token: None,
        };
        store.create_api_token(token, by_berta()).await.unwrap();
        let less = store.change_member(organisation, (berta, role), false, by());
        less.await.unwrap();
        for link in [number, number + 1] {
            let taken = store.accept_invitation([link; 32], Accepting::User(berta), NOW);
            assert!(
                matches!(taken.await, Err(StoreError::NotFound(_))),
                "{link}"
            );
        }
        let token = store.api_token(&[number; 32], NOW).await.unwrap();
        assert!(token.is_none());
    }
}

fn token(number: u8, grants: Grants, by_token: Option<[u8; 32]>) -> NewApiToken {
    NewApiToken {
        name: format!("t{number}"),
        sha256: [number; 32],
        grants,
        expires: NOW.plus(60),
        by_token,
    }
}

async fn is_open(store: &Store, number: u8) -> (bool, bool) {
    let token = store.api_token(&[number; 32], NOW).await.unwrap();
    let link = store.invitation(&[number; 32], NOW).await.unwrap();
    (token.is_some(), link.is_some())
}

/// What a token makes goes with whoever made the token, also when that is gone before.
#[tokio::test]
async fn a_token_leaves_no_way_back_either() {
    let world = world().await;
    let (store, organisation) = (&world.store, world.organisation);
    user(&world, 1, "anna@example.com", Role::Admin).await;
    let berta = user(&world, 2, "berta@example.com", Role::Admin).await;
    let by = |who: &str| By {
        who: who.into(),
        at: NOW,
    };
    let admin = || Grants {
        roles: vec![(organisation, Role::Admin)],
        ..Grants::default()
    };
    let first = store.create_api_token(token(3, admin(), None), by("berta@example.com"));
    let first = first.await.unwrap();
    for (number, through) in [(4, 3), (5, 4)] {
        let through = Some([through; 32]);
        let new = token(number, admin(), through);
        store.create_api_token(new, by("token t")).await.unwrap();
        let member = Invited::Member(organisation, Role::Admin);
        let link = NewInvitation {
            by_token: through,
            ..invitation(number, "friend@example.com", member)
        };
        store.invite(link, by("token t")).await.unwrap();
    }
    let scope = ApiTokenScope::Organisation(organisation);
    let revoked = store.revoke_api_token(scope, first, by("anna@example.com"));
    revoked.await.unwrap();
    let gone = store.create_api_token(token(6, admin(), Some([3; 32])), by("token t"));
    assert!(matches!(gone.await, Err(StoreError::NotFound(_))));
    assert_eq!(is_open(store, 5).await, (true, true));
    let less = store.change_member(organisation, (berta, None), false, by("anna@example.com"));
    less.await.unwrap();
    for number in [4, 5] {
        assert_eq!(is_open(store, number).await, (false, false), "{number}");
    }
}

/// Links and tokens of somebody who ran the installation.
#[tokio::test]
async fn who_ran_the_installation_leaves_no_way_back() {
    let less = |change: UserChange| Some(change);
    let no_operator = UserChange {
        operator: Some(false),
        ..UserChange::default()
    };
    let disabled = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    for change in [less(no_operator), less(disabled), None] {
        let world = world().await;
        let (store, organisation) = (&world.store, world.organisation);
        let anna = user(&world, 1, "anna@example.com", Role::Read).await;
        let berta = user(&world, 2, "berta@example.com", Role::Read).await;
        let operates = UserChange {
            operator: Some(true),
            ..UserChange::default()
        };
        for who in [anna, berta] {
            store.change_rights(who, operates, by()).await.unwrap();
        }
        let made = [
            (3, Grants::default(), Invited::Operator),
            (
                4,
                Grants {
                    roles: vec![(organisation, Role::Admin)],
                    ..Grants::default()
                },
                Invited::Member(organisation, Role::Admin),
            ),
            (
                5,
                Grants::default(),
                Invited::Reset {
                    user: anna,
                    factor: true,
                },
            ),
        ];
        for (number, grants, invited) in made {
            let by_berta = || By {
                who: "berta@example.com".into(),
                at: NOW,
            };
            let link = invitation(number, "friend@example.com", invited);
            store.invite(link, by_berta()).await.unwrap();
            let new = token(number, grants, None);
            store.create_api_token(new, by_berta()).await.unwrap();
            assert_eq!(is_open(store, number).await, (true, true));
        }
        match change {
            Some(change) => store.change_rights(berta, change, by()).await.unwrap(),
            None => store.remove_user(berta, by()).await.unwrap(),
        }
        for number in [3, 4, 5] {
            let open = is_open(store, number).await;
            assert_eq!(open, (false, false), "{change:?} {number}");
        }
    }
}

#[tokio::test]
async fn invitations_are_for_one_person_once_and_for_a_time() {
    let world = world().await;
    let store = &world.store;
    let anna = user(&world, 1, "anna@example.com", Role::Read).await;
    let again = store.accept_invitation([1; 32], with_password(), NOW).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))), "once");
    let operator = invitation(2, "ANNA@example.com", Invited::Operator);
    store.invite(operator, by()).await.unwrap();
    let other = user(&world, 3, "berta@example.com", Role::Read).await;
    for how in [with_password(), Accepting::User(other)] {
        let taken = store.accept_invitation([2; 32], how, NOW).await;
        assert!(matches!(taken, Err(StoreError::Refused(_))));
    }
    let late = store.accept_invitation([2; 32], Accepting::User(anna), NOW.plus(60));
    assert!(matches!(late.await, Err(StoreError::NotFound(_))), "late");
    let now = store
        .accept_invitation([2; 32], Accepting::User(anna), NOW)
        .await;
    assert_eq!(now.unwrap(), anna);
    assert!(store.user(anna).await.unwrap().unwrap().operator);
    let less = UserChange {
        operator: Some(false),
        ..UserChange::default()
    };
    let last = store.change_rights(anna, less, by()).await;
    assert!(
        matches!(last, Err(StoreError::Refused(_))),
        "the last operator"
    );
}

#[tokio::test]
async fn invitations_are_taken_back_where_they_belong() {
    let world = world().await;
    let store = &world.store;
    let organisation = Invited::Member(world.organisation, Role::Admin);
    store
        .invite(invitation(4, "carl@example.com", organisation), by())
        .await
        .unwrap();
    let scope = InvitationScope::Organisation(world.organisation);
    let open = store.invitations(scope, 0, NOW).await.unwrap();
    assert_eq!(open.len(), 1);
    let elsewhere = store.withdraw_invitation(InvitationScope::Installation, open[0].id, by());
    assert!(matches!(elsewhere.await, Err(StoreError::NotFound(_))));
    store
        .withdraw_invitation(scope, open[0].id, by())
        .await
        .unwrap();
    assert!(store.invitation(&[4; 32], NOW).await.unwrap().is_none());
}

#[tokio::test]
async fn whom_another_server_vouches_for_needs_an_invitation_and_no_account() {
    let world = world().await;
    let store = &world.store;
    user(&world, 1, "anna@example.com", Role::Read).await;
    let organisation = Invited::Member(world.organisation, Role::Admin);
    let foreign = |subject: &str| Accepting::Foreign {
        issuer: "https://login.example".into(),
        subject: subject.into(),
        language: Language::En,
    };
    let dora = address("dora@example.com");
    let none = store
        .accept_all_invitations(dora.clone(), foreign("d"), NOW)
        .await;
    assert!(matches!(none, Err(StoreError::NotFound(_))));
    for (number, invited) in [(5, organisation), (6, Invited::Operator)] {
        let new = invitation(number, "dora@example.com", invited);
        store.invite(new, by()).await.unwrap();
    }
    let made = store
        .accept_all_invitations(dora, foreign("d"), NOW)
        .await
        .unwrap();
    let known = store
        .user_of_issuer("https://login.example", "d")
        .await
        .unwrap()
        .unwrap();
    assert!(known.id == made && known.operator && !known.has_password && known.is_foreign);
    store
        .invite(invitation(7, "anna@example.com", organisation), by())
        .await
        .unwrap();
    let taken = store
        .accept_all_invitations(address("anna@example.com"), foreign("a"), NOW)
        .await;
    assert!(
        matches!(taken, Err(StoreError::Refused(_))),
        "she has an account"
    );
}

#[tokio::test]
async fn second_factors_are_sealed_and_no_code_works_twice() {
    let world = world().await;
    let store = &world.store;
    let anna = user(&world, 1, "anna@example.com", Role::Read).await;
    let secret = b"a secret of the app";
    store.begin_second_factor(anna, secret).await.unwrap();
    let begun = store.begun_second_factor(anna).await.unwrap().unwrap();
    assert_eq!(begun.as_slice(), secret);
    assert!(store.second_factor(anna).await.unwrap().is_none());
    let codes = vec![[7; 32], [8; 32]];
    store
        .confirm_second_factor(anna, (begun, 5), (codes, None), by())
        .await
        .unwrap();
    for (step, expected) in [(5, false), (4, false), (6, true), (6, false), (7, true)] {
        assert_eq!(
            store.use_step(anna, step).await.unwrap(),
            expected,
            "{step}"
        );
    }
    for (code, expected) in [(9, false), (7, true), (7, false)] {
        let used = store.use_recovery_code(anna, [code; 32], by()).await;
        assert_eq!(used.unwrap(), expected, "{code}");
    }
    assert_eq!(store.recovery_codes(anna).await.unwrap(), 1);
    let other = user(&world, 2, "berta@example.com", Role::Read).await;
    assert!(!store.use_recovery_code(other, [8; 32], by()).await.unwrap());
    let is_clear = |octets: &[u8]| octets.windows(secret.len()).any(|one| one == secret);
    assert!(
        world
            .directory
            .octets()
            .iter()
            .all(|(_, octets)| !is_clear(octets))
    );
    // Moved to another user it does not open.
    store
        .raw("UPDATE users SET totp = (SELECT totp FROM users WHERE id = 1) WHERE id = 2")
        .await
        .unwrap();
    assert!(matches!(
        store.second_factor(other).await,
        Err(StoreError::Damaged(_))
    ));
    store
        .raw("UPDATE users SET totp = NULL WHERE id = 2")
        .await
        .unwrap();
}

#[tokio::test]
async fn second_factors_survive_a_new_master_key() {
    let world = world().await;
    let anna = user(&world, 1, "anna@example.com", Role::Read).await;
    let secret = b"a secret of the app";
    let store = &world.store;
    let clear = zeroize::Zeroizing::new(secret.to_vec());
    store
        .confirm_second_factor(anna, (clear, 7), (vec![[7; 32]], None), by())
        .await
        .unwrap();
    let to = MasterKey::generate().unwrap();
    store
        .begin_second_factor(anna, b"the next app")
        .await
        .unwrap();
    let World {
        store,
        directory,
        master,
        ..
    } = world;
    let rotation = Rotation {
        from: &master,
        to: &to,
        source: &MasterKeySource::Environment("NEW".into()),
        who: "test",
        now: NOW,
    };
    store.rotate(rotation, |_| {}).await.unwrap();
    let store = Store::open(&directory.data(), &to).await.unwrap();
    let factor = store.second_factor(anna).await.unwrap().unwrap();
    assert_eq!(
        (factor.secret.as_slice(), factor.last_step),
        (&secret[..], Some(7))
    );
    let begun = store.begun_second_factor(anna).await.unwrap().unwrap();
    assert_eq!(begun.as_slice(), b"the next app");
    store.remove_second_factor(anna, None, by()).await.unwrap();
    assert!(store.second_factor(anna).await.unwrap().is_none());
    assert_eq!(store.recovery_codes(anna).await.unwrap(), 0);
}

#[tokio::test]
async fn tokens_end_and_belong_to_their_organisation() {
    let world = world().await;
    let store = &world.store;
    let of = Grants {
        roles: vec![(world.organisation, Role::Write)],
        ..Grants::default()
    };
    let reseller = store
        .create_reseller("Reseller".into(), by())
        .await
        .unwrap();
    for (number, grants) in [
        (1, of),
        (
            2,
            Grants {
                operator: true,
                ..Grants::default()
            },
        ),
        (
            3,
            Grants {
                reseller: Some(reseller),
                ..Grants::default()
            },
        ),
    ] {
        let new = NewApiToken {
            name: format!("t{number}"),
            sha256: [number; 32],
            grants: grants.clone(),
            expires: NOW.plus(60),
            by_token: None,
        };
        store.create_api_token(new, by()).await.unwrap();
        let found = store.api_token(&[number; 32], NOW).await.unwrap().unwrap();
        assert_eq!(found.grants, grants);
    }
    assert!(
        store
            .api_token(&[1; 32], NOW.plus(60))
            .await
            .unwrap()
            .is_none()
    );
    let own = ApiTokenScope::Organisation(world.organisation);
    let lines = store.api_tokens(own, 0, 10).await.unwrap();
    assert_eq!(lines.len(), 1);
    let all = store
        .api_tokens(ApiTokenScope::Installation, 0, 10)
        .await
        .unwrap();
    assert_eq!(all.len(), 2);
    let foreign = store.revoke_api_token(ApiTokenScope::Installation, lines[0].id, by());
    assert!(matches!(foreign.await, Err(StoreError::NotFound(_))));
    store
        .revoke_api_token(own, lines[0].id, by())
        .await
        .unwrap();
    assert!(store.api_token(&[1; 32], NOW).await.unwrap().is_none());
}

#[tokio::test]
async fn organisations_belong_to_resellers() {
    let world = world().await;
    let store = &world.store;
    let reseller = store
        .create_reseller("Reseller".into(), by())
        .await
        .unwrap();
    let new = NewApiToken {
        name: "t3".into(),
        sha256: [3; 32],
        grants: Grants {
            reseller: Some(reseller),
            ..Grants::default()
        },
        expires: NOW.plus(60),
        by_token: None,
    };
    store.create_api_token(new, by()).await.unwrap();
    let whose = store.whose("example").await.unwrap().unwrap();
    assert_eq!(
        (whose.organisation, whose.reseller),
        (world.organisation, None)
    );
    store
        .assign_organisation(world.organisation, Some(reseller), by())
        .await
        .unwrap();
    let whose = store.whose("example").await.unwrap().unwrap();
    assert_eq!(whose.reseller, Some(reseller));
    let own = store.whose_organisations(Some(reseller)).await.unwrap();
    assert_eq!(own.len(), 1);
    let needed = store.remove_reseller(reseller, by()).await;
    assert!(matches!(needed, Err(StoreError::Refused(_))));
    store
        .assign_organisation(world.organisation, None, by())
        .await
        .unwrap();
    store.remove_reseller(reseller, by()).await.unwrap();
    assert!(
        store.api_token(&[3; 32], NOW).await.unwrap().is_none(),
        "gone with it"
    );
    let unknown = store.assign_organisation(world.organisation, Some(ResellerId(9)), by());
    assert!(matches!(unknown.await, Err(StoreError::NotFound(_))));
}
