//! Public keys of correspondents through the command line: where they came from, what an administrator chooses, what is told;
//! and the key rings of mailboxes, with what purging takes away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use e2e::attack::{VALID, judge, scene, signed};
use e2e::cast::{ALICE, CAROL, Cast, STRANGER};
use e2e::certificates::{LEAF, MAIL, USAGE, Wanted, make, names, rfc822};
use e2e::keys::{self, Identity, KeyKind, PASSWORD, shown};
use e2e::mime::{Form, form};
use e2e::openssl::{self, Writing};
use e2e::revocation::certificate;
use e2e::scene::{DELIVERY, Scene, rule};
use serde_json::{Value, json};

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

fn start(name: &str) -> Option<Scene> {
    scene(name, KeyKind::P256, &rule("optional", "optional"))
}

fn json_of(scene: &Scene, line: &str) -> Value {
    let words: Vec<_> = line.split_whitespace().collect();
    scene.gateway.json(&words)
}

/// What a command prints for people.
fn says(scene: &Scene, line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().collect();
    let ran = scene.gateway.command(&words);
    assert!(ran.good, "{line}: {}", ran.err);
    ran.text()
}

/// A command is refused in one line that has this in it.
fn refuses(scene: &Scene, line: &str, word: &str) {
    let words: Vec<_> = line.split_whitespace().collect();
    let ran = scene.gateway.command(&words);
    assert!(!ran.good && ran.err.contains(word), "{line}: {}", ran.err);
}

fn numbers(listed: &Value) -> Vec<i64> {
    let rows = listed.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_i64().unwrap()).collect()
}

/// The key of carol is learned from her mail, that of the stranger imported.
fn with_two_keys(name: &str) -> Option<Scene> {
    let scene = start(name)?;
    judge(
        &scene,
        &[signed("hello", CAROL, &cast().carol).signature(VALID)],
    );
    let import = format!(
        "correspondent import {}",
        shown(&cast().stranger.certificate)
    );
    says(&scene, &import);
    Some(scene)
}

#[test]
fn a_learned_key_is_shown_with_where_it_came_from() {
    let Some(scene) = with_two_keys("correspondent-provenance") else {
        return;
    };
    let key = json_of(&scene, "correspondent show 1");
    let (own, authority) = (
        certificate(&cast().carol),
        certificate(&cast().partner_authority),
    );
    assert_eq!(key["address"], CAROL);
    assert_eq!(key["sha256"], json!(own.fingerprint_hex()));
    assert_eq!(
        (&key["origin"], &key["state"]),
        (&json!("harvested"), &json!("preferred"))
    );
    assert_eq!(
        (&key["used_now"], &key["pinned"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(key["learned_from"]["from"], CAROL);
    assert_eq!(key["learned_from"]["message_id"], "<hello@attack.example>");
    let mails = json_of(&scene, "mails");
    assert_eq!(
        key["learned_from"]["queue_id"], mails[0]["queue_id"],
        "{mails}"
    );
    let expected =
        json!([{ "subject": authority.subject_name(), "sha256": authority.fingerprint_hex() }]);
    assert_eq!(key["chain"], expected);
    // What openssl announces with every signature.
    let reads = key["announced"]["reads"].as_array().unwrap();
    assert!(
        reads
            .iter()
            .any(|name| name.as_str().unwrap().contains("256")),
        "{key}"
    );
    let text = says(&scene, "correspondent show 1");
    for words in [
        "learned from",
        "vouched for by",
        "Partner-CA",
        "<hello@attack.example>",
        "announced",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let imported = json_of(&scene, "correspondent show 2");
    assert_eq!(
        (&imported["learned_from"], &imported["chain"]),
        (&Value::Null, &json!([]))
    );
}

#[test]
fn lists_are_filtered_and_bad_input_is_told() {
    let Some(scene) = with_two_keys("correspondent-lists") else {
        return;
    };
    let stranger = format!("--address {STRANGER}");
    for (filter, expected) in [
        ("", vec![1, 2]),
        ("--state preferred", vec![1, 2]),
        ("--state new", vec![]),
        ("--origin manual", vec![2]),
        ("--origin harvested", vec![1]),
        (&stranger, vec![2]),
        ("--expiring 89", vec![]),
        ("--expiring 91", vec![1, 2]),
    ] {
        let listed = json_of(&scene, &format!("correspondent list {filter}"));
        assert_eq!(numbers(&listed), expected, "{filter}: {listed}");
    }
    for (line, word) in [
        ("correspondent list --state odd", "`preferred`"),
        ("correspondent list --origin odd", "`harvested`"),
        ("correspondent list --expiring 99999", "36500"),
        ("correspondent show 9", "sealgate correspondent list"),
        ("correspondent approve 9", "no public key 9"),
        ("correspondent approve 1", "nothing to approve"),
        ("correspondent prefer 1", "already"),
        ("correspondent unpin 1", "not pinned"),
        ("correspondent unblock 1", "not blocked"),
        ("events --kind odd", "`key-learned`"),
        ("key list nobody", "nobody"),
    ] {
        refuses(&scene, line, word);
    }
    // Another organisation sees and changes none of it.
    says(&scene, "organisation create other");
    assert_eq!(json_of(&scene, "correspondent list -o other"), json!([]));
    refuses(&scene, "correspondent show 1 -o other", "no public key 1");
    refuses(&scene, "correspondent block 1 -o other", "no public key 1");
    assert_eq!(json_of(&scene, "events -o other"), json!([]));
    assert_eq!(
        json_of(&scene, &format!("key list {ALICE} -o other")),
        json!([])
    );
    refuses(
        &scene,
        &format!("key purge {ALICE} 1 --yes -o other"),
        "has no key 1",
    );
}

/// Blocked and unblocked, pinned and unpinned: the next mail follows, and each is an event in the words of the organisation.
#[test]
fn choices_are_live_at_once_and_told() {
    let Some(scene) = with_two_keys("correspondent-choices") else {
        return;
    };
    let message = format!("From: {ALICE}\r\nTo: {CAROL}\r\nSubject: s\r\n\r\nhello\r\n");
    let mut sent = 0;
    let mut is = |expected: Form, after: &str| {
        assert_eq!(scene.mail_out(message.as_bytes()).code, 250);
        sent += 1;
        let arrived = scene.internet.wait_for(sent, DELIVERY);
        assert_eq!(form(&arrived[sent - 1].content), expected, "{after}");
    };
    is(Form::Encrypted, "learned");
    for (verb, expected) in [
        ("block", Form::Signed),
        ("unblock", Form::Encrypted),
        ("pin", Form::Encrypted),
        ("unpin", Form::Encrypted),
    ] {
        let text = says(&scene, &format!("correspondent {verb} 1"));
        let begin = format!("{verb} public key 1 of {CAROL}: 1 is ");
        assert!(text.starts_with(&begin) && text.contains("live"), "{text}");
        is(expected, verb);
    }
    says(&scene, "correspondent pin 1");
    let listed = says(&scene, "correspondent list");
    assert!(listed.contains("preferred, pinned"), "{listed}");
    refuses(&scene, "correspondent block 1", "unpin it first");
    let chosen = json_of(&scene, "events --kind key-chosen");
    assert_eq!(chosen.as_array().map(Vec::len), Some(5), "{chosen}");
    let last = chosen[4]["id"].as_i64().unwrap();
    assert_eq!(
        json_of(&scene, &format!("events --after {last}")),
        json!([])
    );
    says(&scene, "organisation settings --set language=de");
    let german = says(&scene, "events --kind key-chosen");
    assert!(german.contains("Ein Administrator hat"), "{german}");
}

/// A certificate that ends within two weeks: administrators are told once, as long as there is no other.
#[test]
fn an_end_that_is_near_is_told_once() {
    let Some(scene) = start("correspondent-expiry") else {
        return;
    };
    let alternative = names(vec![rfc822(CAROL)]);
    let directory = scene.gateway.directory().path();
    let short = Wanted {
        // The last of two numbers of days counts.
        key: "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 10",
        extensions: &[LEAF, USAGE, MAIL, &alternative],
        ..Wanted::default()
    };
    let short = make(directory, "short", &short);
    judge(&scene, &[signed("short", CAROL, &short).signature(VALID)]);
    let end = Instant::now() + DELIVERY;
    let expiring = || json_of(&scene, "events --kind key-expiring");
    while expiring() == json!([]) {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(200));
    }
    let told = expiring();
    let text = told[0]["text"].as_str().unwrap();
    assert!(
        text.contains(CAROL) && text.contains("there is no other"),
        "{told}"
    );
    assert_eq!(
        numbers(&json_of(&scene, "correspondent list --expiring 11")),
        [1]
    );
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(expiring().as_array().map(Vec::len), Some(1));
}

/// A mail to alice, encrypted to one of her keys.
fn to_alice(id: &str, key: &Identity) -> Vec<u8> {
    let part = b"Content-Type: text/plain\r\n\r\nthe text\r\n";
    let entity = openssl::encrypt(part, &[&key.certificate], "aes-256-cbc", Writing::Der);
    let head =
        format!("From: {CAROL}\r\nTo: {ALICE}\r\nSubject: s\r\nMessage-ID: <{id}@x.example>\r\n");
    [head.as_bytes(), &entity].concat()
}

/// A second key for alice; gives it and her ring, the newest first.
fn with_next_key(scene: &Scene) -> (Identity, Value) {
    let directory = scene.gateway.directory().path();
    let next = keys::mailbox(directory, &cast().own_authority, ALICE, KeyKind::P256);
    let file = shown(&next.pkcs12(&cast().own_authority));
    says(
        scene,
        &format!("mailbox upload --password {PASSWORD} {ALICE} {file}"),
    );
    let ring = json_of(scene, &format!("key list {ALICE}"));
    assert_eq!(ring.as_array().map(Vec::len), Some(2), "{ring}");
    for (key, identity, current) in [
        (&ring[0], &next, "signing and encryption"),
        (&ring[1], &cast().alice, "only decrypting"),
    ] {
        assert_eq!(key["serial"], json!(certificate(identity).serial_hex()));
        assert_eq!(key["current"], current);
    }
    assert!(!ring.to_string().contains("PRIVATE"));
    (next, ring)
}

/// A9: an old key opens mail until it is purged; then it is gone from the store and from the memory of the running gateway,
/// and nothing else is.
#[test]
fn a9_old_keys_open_mail_until_they_are_purged() {
    let Some(scene) = start("key-ring") else {
        return;
    };
    let (next, ring) = with_next_key(&scene);
    let (current, former) = (&ring[0]["certificate_id"], &ring[1]["certificate_id"]);
    let mut received = 0;
    let mut arrives = |id: &str, key: &Identity| {
        assert_eq!(scene.mail_in(&to_alice(id, key)).code, 250);
        received += 1;
        form(&scene.office.wait_for(received, DELIVERY)[received - 1].content)
    };
    assert_eq!(arrives("old", &cast().alice), Form::Plain);
    assert_eq!(arrives("new", &next), Form::Plain);

    refuses(&scene, &format!("key purge {ALICE} {former}"), "--yes");
    refuses(
        &scene,
        &format!("key purge {ALICE} {current} --yes"),
        "deactivate the mailbox first",
    );
    refuses(&scene, &format!("key purge {ALICE} --yes"), "--all-old");
    refuses(
        &scene,
        &format!("key purge {ALICE} 99 --yes"),
        "sealgate key list",
    );
    let purged = json_of(&scene, &format!("key purge {ALICE} --all-old --yes"));
    assert_eq!(purged["purged"], json!([former]), "{purged}");
    assert!(
        purged["live"].as_str().unwrap().starts_with("live"),
        "{purged}"
    );
    assert_eq!(arrives("old-again", &cast().alice), Form::Encrypted);
    assert_eq!(arrives("new-again", &next), Form::Plain);
    assert_eq!(
        json_of(&scene, &format!("key list {ALICE}"))
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let nothing = says(&scene, &format!("key purge {ALICE} --all-old --yes"));
    assert!(nothing.contains("no old key"), "{nothing}");
}
