//! Row X9 of security.md over SMTP: what mail from outside does, and does not do, to the keys that are encrypted to. After
//! each mail the next one to its sender is opened with the key that it must be encrypted to, and with none of the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use e2e::attack::{Attempt, CLEAR_PART as PART, VALID, judge, scene, signed};
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::certificates::{
    LEAF, MAIL, USAGE, Wanted, changed, make, names, rfc822, signed_and_revoked,
};
use e2e::der::{plain, sequence};
use e2e::keys::{Identity, KeyKind, shown};
use e2e::mime::entity;
use e2e::openssl;
use e2e::place::Directory;
use e2e::program::present;
use e2e::scene::{DELIVERY, Scene, rule, send};
use serde_json::Value;

const NOTHING: &[&str] = &["untrusted", "weak", "broken", "unsupported", "expired"];
const DORA: &str = "dora@partner.example";

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

/// Makes certificates for one address.
struct Maker<'a> {
    directory: &'a Path,
    address: &'a str,
}

impl Maker<'_> {
    fn with(&self, name: &str, issuer: Option<&Identity>, key: &str, usage: &str) -> Identity {
        let alternative = names(vec![rfc822(self.address)]);
        let wanted = Wanted {
            issuer,
            key,
            extensions: &[LEAF, usage, MAIL, &alternative],
            ..Wanted::default()
        };
        make(self.directory, name, &wanted)
    }

    /// On P-256, of this issuer, from now on.
    fn by(&self, name: &str, issuer: Option<&Identity>) -> Identity {
        self.with(name, issuer, Wanted::default().key, USAGE)
    }

    /// Of the partner's authority, with these two times as UTCTime.
    fn during(&self, name: &str, from: &str, until: &str) -> Identity {
        let authority = &cast().partner_authority;
        let time = |text: &str| plain(0x17, text.as_bytes());
        let base = self.by(&format!("{name}-base"), Some(authority));
        changed(&base, authority, name, |tbs| {
            *tbs.at(&[4]) = sequence(vec![time(from), time(until)]);
        })
    }

    /// Valid for long, and older than whatever is made now.
    fn old(&self, name: &str) -> Identity {
        self.during(name, "200101000000Z", "400101000000Z")
    }
}

/// A gateway with two trusted authorities, and what is asked of it.
struct Stage {
    scene: Scene,
    sent: std::cell::Cell<usize>,
}

impl Stage {
    fn begin(name: &str, second: &Identity) -> Option<Self> {
        let trusted = format!(
            "[[trust-roots]]\ncertificate = {:?}\n",
            shown(&second.certificate)
        );
        let more = [rule("optional", "optional"), trusted].concat();
        let scene = scene(name, KeyKind::P256, &more)?;
        Some(Self {
            scene,
            sent: std::cell::Cell::default(),
        })
    }

    /// The next mail to `to` is for `reader` and for none of `others`.
    fn is_encrypted_to<'a>(
        &self,
        to: &str,
        reader: &Identity,
        others: impl IntoIterator<Item = &'a Identity>,
        after: &str,
    ) {
        let message = format!("From: {ALICE}\r\nTo: {to}\r\nSubject: s\r\n\r\nhello\r\n");
        let outbound = self.scene.gateway.outbound;
        let reply = send(outbound, ALICE, &[to], message.as_bytes());
        assert_eq!(reply.code, 250, "{reply:?}");
        self.sent.set(self.sent.get() + 1);
        let arrived = self.scene.internet.wait_for(self.sent.get(), DELIVERY);
        let sent = entity(&arrived[self.sent.get() - 1].content);
        openssl::decrypt(&sent, reader).unwrap_or_else(|error| panic!("after {after}: {error}"));
        for other in others.into_iter().filter(|other| other.key != reader.key) {
            let opened = openssl::decrypt(&sent, other);
            assert!(opened.is_err(), "after {after}: {:?}", other.certificate);
        }
    }

    fn json(&self, line: &str) -> Value {
        let words: Vec<_> = line.split_whitespace().collect();
        self.scene.gateway.json(&words)
    }

    /// The keys of an address: number, state, whether it is pinned.
    fn keys(&self, address: &str) -> Vec<(i64, String, bool)> {
        let listed = self.json(&format!("correspondent list --address {address}"));
        let row = |row: &Value| {
            let state = row["state"].as_str().unwrap().to_owned();
            (row["id"].as_i64().unwrap(), state, row["pinned"] == true)
        };
        listed.as_array().unwrap().iter().map(row).collect()
    }

    /// The kinds of the events so far.
    fn events(&self) -> Vec<String> {
        let listed = self.json("events");
        let events = listed.as_array().unwrap().iter();
        events
            .inspect(|event| {
                assert!(
                    event["sentence"].as_str().unwrap().ends_with('.'),
                    "{event}"
                )
            })
            .map(|event| event["kind"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn second_authority(directory: &Path) -> Identity {
    let wanted = Wanted {
        issuer: None,
        subject: "/O=Test/CN=Second-CA",
        extensions: &[
            "basicConstraints=critical,CA:true",
            "keyUsage=critical,keyCertSign,cRLSign",
        ],
        ..Wanted::default()
    };
    make(directory, "second-ca", &wanted)
}

/// The mails that must teach nothing about `maker.address`; `turn` tells them apart.
fn poison(maker: &Maker<'_>, turn: &str) -> Vec<(Attempt, Identity)> {
    let (address, authority) = (maker.address, &cast().partner_authority);
    let name = |name: &str| format!("{turn}-{name}");
    let weak = "-newkey rsa:1024";
    let usage = "keyUsage=critical,digitalSignature,keyEncipherment";
    let expired: &[&str] = &["expired"];
    let mut all: Vec<_> = [
        ("self-signed", maker.by(&name("self-signed"), None), NOTHING),
        (
            "other-authority",
            maker.by(&name("other-authority"), Some(&cast().own_authority)),
            NOTHING,
        ),
        (
            "other-address",
            cast().stranger.clone(),
            &["valid-other-address"],
        ),
        (
            "not-yet-valid",
            maker.during(&name("not-yet-valid"), "400101000000Z", "410101000000Z"),
            NOTHING,
        ),
        (
            "expired",
            maker.during(&name("expired"), "200101000000Z", "210101000000Z"),
            expired,
        ),
        (
            "weaker",
            maker.with(&name("weaker"), Some(authority), weak, usage),
            &["weak"],
        ),
    ]
    .into_iter()
    .map(|(what, identity, verdict)| {
        let mail = signed(&name(what), address, &identity).signature(verdict);
        (mail, identity)
    })
    .collect();
    let revoked = maker.by(&name("revoked"), Some(authority));
    let mut mail = signed(&name("revoked"), address, &revoked).signature(&["revoked"]);
    let head = e2e::attack::head(&name("revoked"), address);
    let version: &[u8] = b"MIME-Version: 1.0\r\n";
    mail.message = [
        head.as_bytes(),
        version,
        &signed_and_revoked(PART, &revoked),
    ]
    .concat();
    all.push((mail, revoked));
    all
}

/// Only a newer certificate of the same authority is preferred at once; one of another trusted authority waits for an
/// administrator; all others teach nothing. Each change is an event.
#[test]
fn x9_harvested_keys_change_by_the_rule_only() {
    let directory = Directory::new("x9-harvested-keys");
    if !present(&["openssl"]) {
        return;
    }
    let second = second_authority(directory.path());
    let Some(stage) = Stage::begin("x9-harvested", &second) else {
        return;
    };
    let maker = Maker {
        directory: directory.path(),
        address: CAROL,
    };
    let own = maker.old("own");
    judge(&stage.scene, &[signed("own", CAROL, &own).signature(VALID)]);
    assert_eq!(stage.events(), ["key-learned"]);
    let poison = poison(&maker, "first");
    let strangers = || poison.iter().map(|(_, identity)| identity);
    for (mail, _) in &poison {
        judge(&stage.scene, std::slice::from_ref(mail));
        stage.is_encrypted_to(CAROL, &own, strangers(), &mail.name);
        assert_eq!(stage.events().len(), 1, "{}", mail.name);
    }
    assert_eq!(stage.keys(CAROL), [(1, "preferred".to_owned(), false)]);

    let elsewhere = maker.by("elsewhere", Some(&second));
    let mail = signed("elsewhere", CAROL, &elsewhere).signature(VALID);
    judge(&stage.scene, &[mail]);
    stage.is_encrypted_to(CAROL, &own, strangers().chain([&elsewhere]), "elsewhere");
    assert_eq!(stage.keys(CAROL)[1], (2, "new".to_owned(), false));
    assert_eq!(stage.events().len(), 2);

    let newer = maker.by("newer", Some(&cast().partner_authority));
    judge(
        &stage.scene,
        &[signed("newer", CAROL, &newer).signature(VALID)],
    );
    stage.is_encrypted_to(
        CAROL,
        &newer,
        strangers().chain([&own, &elsewhere]),
        "newer",
    );
    let states: Vec<_> = stage
        .keys(CAROL)
        .into_iter()
        .map(|(_, state, _)| state)
        .collect();
    assert_eq!(states, ["additional", "new", "preferred"]);
    assert_eq!(stage.events(), ["key-learned"; 3]);
    // A mail of hers that was kept back takes nothing back.
    judge(
        &stage.scene,
        &[signed("own-again", CAROL, &own).signature(VALID)],
    );
    stage.is_encrypted_to(CAROL, &newer, [&own, &elsewhere], "own-again");

    stage.json("correspondent approve 2");
    stage.is_encrypted_to(CAROL, &elsewhere, [&own, &newer], "approve");
    assert_eq!(stage.events()[3..], ["key-chosen"]);
    // Without it, the best of the others is used, and that is told.
    stage.json("correspondent block 2");
    stage.is_encrypted_to(CAROL, &newer, [&own, &elsewhere], "block");
    assert_eq!(stage.events()[4..], ["key-chosen", "key-replaced"]);
}

/// What an administrator pinned or imported stays as it is, whatever is learned.
#[test]
fn x9_pinned_and_imported_keys_are_never_touched() {
    let directory = Directory::new("x9-pinned-keys");
    if !present(&["openssl"]) {
        return;
    }
    let second = second_authority(directory.path());
    let Some(stage) = Stage::begin("x9-pinned", &second) else {
        return;
    };
    let authority = &cast().partner_authority;
    for (address, turn, verb) in [(CAROL, "pinned", "pin"), (DORA, "imported", "import")] {
        let (place, name) = (directory.path().join(turn), |name: &str| {
            format!("{turn}-{name}")
        });
        std::fs::create_dir(&place).unwrap();
        let maker = Maker {
            directory: &place,
            address,
        };
        let own = maker.old("own");
        let number = if verb == "pin" {
            judge(
                &stage.scene,
                &[signed(&name("own"), address, &own).signature(VALID)],
            );
            stage.json("correspondent pin 1");
            1
        } else {
            stage.json(&format!("correspondent import {}", shown(&own.certificate)));
            stage.keys(address)[0].0
        };
        let newer = maker.by("newer", Some(authority));
        let elsewhere = maker.by("elsewhere", Some(&second));
        let mut mails = poison(&maker, turn);
        for (what, identity) in [("newer", &newer), ("elsewhere", &elsewhere)] {
            let mail = signed(&name(what), address, identity).signature(VALID);
            mails.push((mail, identity.clone()));
        }
        for (mail, _) in &mails {
            judge(&stage.scene, std::slice::from_ref(mail));
            let others = mails.iter().map(|(_, identity)| identity);
            stage.is_encrypted_to(address, &own, others, &mail.name);
        }
        let keys = stage.keys(address);
        assert_eq!(keys[0], (number, "preferred".to_owned(), verb == "pin"));
        let others: Vec<_> = keys[1..]
            .iter()
            .map(|(_, state, _)| state.as_str())
            .collect();
        assert_eq!(others, ["additional", "new"]);
        if verb == "pin" {
            // Only from now on another one can be preferred.
            let refused = stage
                .scene
                .gateway
                .command(&["correspondent", "prefer", "2"]);
            assert!(
                !refused.good && refused.err.contains("unpin"),
                "{}",
                refused.err
            );
            stage.json("correspondent unpin 1");
            stage.json("correspondent prefer 2");
            stage.is_encrypted_to(address, &newer, [&own, &elsewhere], "prefer");
        }
    }
}
