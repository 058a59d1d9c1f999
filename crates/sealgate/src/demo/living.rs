//! What makes the demo that is kept an organisation at work: people and their certificates in every state, routes, rules,
//! correspondents' keys, held mail, a second organisation, users.

use std::sync::Arc;
use std::time::Duration;

use sealgate_core::authority::Connector;
use sealgate_core::change::{Activation, Change, ImportKeys, KeyOrigin, NewAuthority};
use sealgate_core::licence::Licence;
use sealgate_core::permission::Role;
use sealgate_core::queue::{NextHop, Reach, TlsRequirement};
use sealgate_core::rules::Rule;
use sealgate_core::tenant::{
    InboundRoute, Language, MailboxState, OrganisationId, Partner as Agreement, Proof,
    SendingClient, Settings,
};
use sealgate_mail::{Address, Domain};
use sealgate_portal::auth::{passwords, secrets, sha256};
use sealgate_portal::limits::INVITATION_SECONDS;
use sealgate_smime::key::KeyKind;
use sealgate_smime::profile::Profile;
use sealgate_store::{Accepting, By, Invited, NewInvitation, Store};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::partner::Partner;
use super::past;
use super::people::{
    ACTIVE, Job, MORE_RULES, OFFICE, OUTSIDE, PENDING, PEOPLE, PRACTICE, REVOKED, UPLOADED, USERS,
};
use super::scenario::{ALICE, CAROL, DORA, Way};
use super::tail;
use super::world::{ORGANISATION, World, rule};
use crate::cmd::{Done, Failure};
use crate::gateway::now;
use crate::lifecycle;

/// Name of the second organisation.
const SECOND: &str = "practice";
/// Name of the authority that is asked by hand.
const BY_HAND: &str = "trust-centre";
/// Who the audit log says did it.
const WHO: &str = "demo";
/// Longest wait for certificates that were ordered.
const CERTIFICATES: Duration = Duration::from_secs(60);
/// How many days ago the uploaded certificates were issued; they last for a year.
const UPLOADED_DAYS_AGO: [i64; UPLOADED] = [200, 250, 300, 341];
/// Who writes with a certificate of another authority than before.
const RENEWED: [&str; 3] = [DORA, "trading@grid.example", "julia@customer.example"];
/// Mails of a working day: a dozen for each mailbox, so that those of the demo do not dwarf those of before.
const DAILY: [(&str, u32); 2] = [(ORGANISATION, 400), (SECOND, 30)];

/// How to look at it.
pub struct SignIn {
    /// The password of every user.
    pub password: Zeroizing<String>,
    /// A link that lets somebody in who has no account.
    pub link: String,
}

/// Fills the organisation of the demo and everything around it.
pub async fn furnish(world: &mut World) -> Result<SignIn, Failure> {
    let store = world.store().clone();
    let (stranger, guests) = strangers(&world.partner).await?;
    world.invite(guests);
    office(world, &store, &stranger).await?;
    practice(world, &store).await?;
    for (organisation, daily) in DAILY {
        lifecycle::settle(&store, world.config(), organisation).await?;
        until_issued(&store, organisation).await?;
        let installation = store.installation().await?;
        let all = installation.organisations();
        if let Some(own) = all.iter().find(|one| one.name == organisation) {
            past::tell(&store, own, daily).await?;
        }
    }
    store
        .apply(ORGANISATION, &revocations()?, WHO, now())
        .await?;
    learn(world, &stranger).await?;
    world.forget_arrivals();
    users(world, &store).await
}

fn address(local: &str) -> Result<Address, Failure> {
    Ok(Address::parse(&format!("{local}@{OFFICE}"))?)
}

/// Somebody with the partner's address and a certificate of another authority, and the others outside who have certificates.
async fn strangers(partner: &Partner) -> Result<(Partner, Vec<Partner>), Failure> {
    let guests = OUTSIDE
        .iter()
        .filter(|one| one.signs && one.address != DORA);
    let guests = guests
        .map(|one| partner.colleague(one.address))
        .collect::<Result<_, _>>()?;
    let stranger =
        tokio::task::spawn_blocking(|| Partner::make("Other Trust", DORA, 500)).await??;
    Ok((stranger, guests))
}

async fn office(world: &World, store: &Store, stranger: &Partner) -> Done {
    let mut changes = vec![
        Change::PutAuthority(NewAuthority {
            name: BY_HAND.to_owned(),
            standard: false,
            renew_days: None,
            connector: Some(Connector::ByHand),
        }),
        Change::PutRoute(InboundRoute {
            name: "branch".to_owned(),
            domains: vec![
                Domain::parse("branch.example")?,
                Domain::parse("lists.example")?,
            ],
            target: somewhere("mail.branch.example"),
            wildcard: true,
        }),
        Change::PutClient(SendingClient {
            name: "scanner on the second floor".to_owned(),
            proof: Proof::Network(vec!["198.51.100.20/32".parse()?]),
            may_send_as: vec!["scanner@office.example".parse()?],
            mail_server: false,
        }),
        Change::PutPartner(Agreement {
            external: "grid.example".parse()?,
            profile: Profile::EdiEnergy,
        }),
        Change::PutTrustRoot(stranger.root().clone()),
        Change::Rules(rules(world)?),
    ];
    for local in PEOPLE {
        changes.push(Change::AddMailbox(address(local)?));
    }
    let mut people = PEOPLE.iter();
    for local in people.by_ref().take(ACTIVE) {
        changes.push(Change::Activate(Activation::new(
            address(local)?,
            KeyKind::P256,
        )));
    }
    for local in people.by_ref().take(PENDING) {
        changes.push(Change::Activate(Activation {
            authority: Some(BY_HAND.to_owned()),
            ..Activation::new(address(local)?, KeyKind::P256)
        }));
    }
    for (local, days) in people.take(UPLOADED).zip(UPLOADED_DAYS_AGO) {
        let keys = uploaded(stranger, address(local)?, days)?;
        changes.push(Change::ImportKeys(keys));
    }
    store.apply(ORGANISATION, &changes, WHO, now()).await?;
    let licence = Licence {
        base: 60,
        smime: 40,
        until: Some(now().plus(210 * 86_400)),
    };
    let office = store.organisation(ORGANISATION).await?;
    Ok(store.book(office, Some(licence), WHO, now()).await?)
}

/// The rules of the scenario, and those of a longer life.
fn rules(world: &World) -> Result<Vec<Rule>, Failure> {
    let installation = world.installation();
    let known = installation.organisations().first();
    let mut rules = known.map(|own| own.rules.clone()).unwrap_or_default();
    for more in &MORE_RULES {
        rules.push(rule(more)?);
    }
    Ok(rules)
}

/// A pair that an authority outside certified.
fn uploaded(partner: &Partner, mailbox: Address, days: i64) -> Result<ImportKeys, Failure> {
    let pair = partner.certify(&mailbox, days)?;
    Ok(ImportKeys {
        mailbox,
        pairs: vec![(pair.certificate, pair.key)],
        chain: vec![partner.issuing().clone()],
        origin: KeyOrigin::Uploaded,
    })
}

/// The uploaded ones that are given up again.
fn revocations() -> Result<Vec<Change>, Failure> {
    let given_up = PEOPLE.iter().skip(ACTIVE + PENDING).take(REVOKED);
    given_up
        .map(|local| Ok(Change::Deactivate(address(local)?)))
        .collect()
}

fn somewhere(host: &str) -> NextHop {
    NextHop::Host {
        host: host.to_owned(),
        port: 25,
        tls: TlsRequirement::Opportunistic,
        credentials: None,
        reach: Reach::Everywhere,
    }
}

async fn practice(world: &World, store: &Store) -> Done {
    let settings = Settings {
        language: Language::De,
        ..Settings::default()
    };
    store
        .create_organisation(SECOND, settings, WHO, now())
        .await?;
    let mut changes = vec![
        Change::PutRoute(InboundRoute {
            name: "practice".to_owned(),
            domains: vec![Domain::parse("practice.example")?],
            target: somewhere("mail.practice.example"),
            wildcard: false,
        }),
        Change::PutTrustRoot(world.partner.root().clone()),
        Change::Rules(vec![rule(&(
            "all",
            "insurance.example",
            "always",
            "enforce",
        ))?]),
    ];
    for (place, mailbox) in PRACTICE.into_iter().enumerate() {
        let mailbox = Address::parse(mailbox)?;
        changes.push(Change::AddMailbox(mailbox.clone()));
        if place < 2 {
            changes.push(Change::Activate(Activation::new(mailbox, KeyKind::P256)));
        }
    }
    store.apply(SECOND, &changes, WHO, now()).await?;
    Ok(())
}

/// Waits until the built-in CA has issued what it was asked for.
async fn until_issued(store: &Store, organisation: &str) -> Done {
    let end = tokio::time::Instant::now() + CERTIFICATES;
    loop {
        let installation = store.installation().await?;
        let all = installation.organisations();
        let own = all.iter().find(|one| one.name == organisation);
        let pending = own.map_or(0, |own| {
            let mut mailboxes = own.mailboxes.values();
            let pending = |state| state == MailboxState::ActivationPending;
            mailboxes
                .by_ref()
                .filter(|mailbox| pending(mailbox.state))
                .count()
        });
        if pending <= PENDING || tokio::time::Instant::now() > end {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Mails that bring correspondents' keys, one of them new for a known address, and some that are held.
async fn learn(world: &World, stranger: &Partner) -> Done {
    let text = "Here is my certificate.";
    for other in OUTSIDE {
        let mail = tail::written(world, other, (ALICE, "Hello", text))?;
        let _ = world.send(Way::In, other.address, &[ALICE], mail).await?;
    }
    for known in RENEWED {
        let from = stranger.colleague(known)?;
        let new = from.signed(ALICE, "My new certificate", text)?;
        let _ = world.send(Way::In, known, &[ALICE], new).await?;
    }
    for number in 1..=3 {
        let mail = world.unreadable(CAROL, &format!("Confidential {number}"))?;
        let _ = world.send(Way::In, DORA, &[CAROL], mail).await?;
    }
    Ok(())
}

async fn users(world: &World, store: &Store) -> Result<SignIn, Failure> {
    let failure =
        |problem: sealgate_portal::problem::Problem| Failure::new(problem.title(Language::En));
    let password = secrets::secret().map_err(failure)?;
    let places = Arc::new(Semaphore::new(1));
    let hash = passwords::hash(&places, password.clone())
        .await
        .map_err(failure)?;
    let [office, practice] = [
        store.organisation(ORGANISATION).await?,
        store.organisation(SECOND).await?,
    ];
    let reseller = store
        .create_reseller("Northwind IT".to_owned(), by())
        .await?;
    store
        .assign_organisation(practice, Some(reseller), by())
        .await?;
    for (name, job) in USERS {
        let invited = match job {
            Job::Operator => Invited::Operator,
            Job::Reseller => Invited::Reseller(reseller),
            Job::Admin => Invited::Member(office, Role::Admin),
            Job::Write => Invited::Member(office, Role::Write),
            Job::Read => Invited::Member(office, Role::Read),
        };
        let secret = invite(store, name, invited).await?;
        let how = Accepting::Password(hash.clone(), job.language());
        store
            .accept_invitation(sha256(&[secret.as_bytes()]), how, now())
            .await?;
        if job == Job::Admin {
            also(store, name, practice).await?;
        }
    }
    let secret = invite(
        store,
        "you@office.example",
        Invited::Member(office, Role::Admin),
    )
    .await?;
    Ok(SignIn {
        password,
        link: format!("{}/invitation/{}", world.portal(), *secret),
    })
}

/// The same user administers another organisation, too.
async fn also(store: &Store, name: &str, organisation: OrganisationId) -> Done {
    let found = store.user_named(&Address::parse(name)?).await?;
    if let Some((user, _)) = found {
        store
            .grant_role(organisation, (user.id, Role::Admin), by())
            .await?;
    }
    Ok(())
}

fn by() -> By {
    By {
        who: WHO.to_owned(),
        at: now(),
    }
}

async fn invite(store: &Store, name: &str, invited: Invited) -> Result<Zeroizing<String>, Failure> {
    let failure =
        |problem: sealgate_portal::problem::Problem| Failure::new(problem.title(Language::En));
    let secret = secrets::secret().map_err(failure)?;
    let new = NewInvitation {
        sha256: sha256(&[secret.as_bytes()]),
        name: Address::parse(name)?,
        invited,
        expires: now().plus(INVITATION_SECONDS),
        by_token: None,
        bounded: false,
    };
    store.invite(new, by()).await?;
    Ok(secret)
}
