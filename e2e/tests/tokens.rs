//! Keys that never leave a PKCS #11 token: they sign and decrypt, and a token that is away is a `451` or a wait, never a mail
//! without what it must have. SoftHSM is the token, `openssl cms` the judge.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::gateway::{self, Gateway, Options, program};
use e2e::keys::{KeyKind, shown, words};
use e2e::mime::{Form, entity, form};
use e2e::openssl;
use e2e::place::Directory;
use e2e::program::{must_run, present};
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use e2e::sink::Sink;
use e2e::token::Token;

/// CKA_ID of alice's key.
const ID: &str = "a1";
/// How long a mail that must not move is watched.
const WATCHED: Duration = Duration::from_secs(3);

/// A gateway whose alice has her key on a token.
struct Place {
    scene: Scene,
    token: Token,
    cast: &'static Cast,
    _directory: Directory,
}

impl Place {
    fn new(name: &str, kind: KeyKind, outbound: &str) -> Option<Self> {
        if program().is_none() || !present(&["openssl"]) {
            return None;
        }
        let cast = Cast::with(kind);
        let directory = Directory::new(name);
        let token = Token::make(directory.path())?;
        let (office, internet) = (Sink::start(), Sink::start());
        let mut gateway = Gateway::configured(name, &Options::default(), cast)?;
        gateway.extend(&token.configuration(), &token.environment());
        let more = [rule("optional", outbound), correspondent(cast, CAROL)].concat();
        let description = [
            gateway::head(office.address),
            gateway::mailbox(ALICE, Mailbox::Inactive, cast),
            more,
            gateway::tail(cast, internet.address),
        ];
        gateway.apply(&description.concat());
        token.import(&cast.alice, ID);
        let certificate = shown(&cast.alice.certificate);
        let attach = ["token", "attach", ALICE, "--token", "hsm", "--key-id", ID];
        let ran = gateway.command(&[&attach[..], &["--certificate", &certificate]].concat());
        assert!(ran.good, "{}", ran.err);
        gateway.start();
        let scene = Scene {
            gateway,
            office,
            internet,
        };
        Some(Self {
            scene,
            token,
            cast,
            _directory: directory,
        })
    }

    /// A mail to alice, encrypted by `openssl`.
    fn sealed(&self, number: usize, options: &str) -> Vec<u8> {
        let mut arguments = words("cms -encrypt -aes-256-cbc -crlfeol -recip");
        arguments.push(shown(&self.cast.alice.certificate));
        arguments.extend(words(options));
        let text = format!("Content-Type: text/plain\r\n\r\nsecret {number}\r\n");
        let sealed = openssl::crlf(&must_run("openssl", &arguments, text.as_bytes()));
        let head =
            format!("From: {CAROL}\r\nTo: {ALICE}\r\nMessage-ID: <{number}@partner.example>\r\n");
        [head.as_bytes(), &sealed].concat()
    }

    /// The same with another encrypted key: it opens to nothing.
    fn broken(&self, number: usize) -> Vec<u8> {
        let mut arguments = words("cms -encrypt -aes-256-cbc -outform DER -recip");
        arguments.push(shown(&self.cast.alice.certificate));
        let mut der = must_run(
            "openssl",
            &arguments,
            b"Content-Type: text/plain\r\n\r\nx\r\n",
        );
        // OCTET STRING of 256 octets: the encrypted key.
        let at = der
            .windows(4)
            .position(|four| four == [4, 0x82, 1, 0])
            .unwrap();
        der[at + 100] ^= 1;
        let base64 = must_run("openssl", &["base64"], &der);
        let head = format!(
            "From: {CAROL}\r\nTo: {ALICE}\r\nMessage-ID: <{number}@partner.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n"
        );
        [head.as_bytes(), &openssl::crlf(&base64)].concat()
    }

    fn letter(&self, number: usize) -> Vec<u8> {
        format!("From: {ALICE}\r\nTo: {CAROL}\r\nMessage-ID: <{number}@example.com>\r\nSubject: s\r\n\r\nhello {number}\r\n").into_bytes()
    }

    /// What came out must be signed by alice, as `openssl` says; gives what was signed.
    fn signed(&self, message: &[u8]) -> String {
        let verified = openssl::verify(
            &entity(message),
            &self.cast.own_authority.certificate,
            ALICE,
        );
        String::from_utf8_lossy(&verified.unwrap()).into_owned()
    }
}

fn signs_and_decrypts(kind: KeyKind, encryptions: &[&str]) {
    let name = format!("tokens-{kind:?}").replace(['(', ')'], "");
    let Some(place) = Place::new(&name, kind, "enforce") else {
        return;
    };
    let scene = &place.scene;
    assert_eq!(scene.mail_out(&place.letter(1)).code, 250);
    let came_out = scene.at_internet().content;
    assert_eq!(form(&came_out), Form::Encrypted);
    let inside = openssl::decrypt(&entity(&came_out), &place.cast.carol).unwrap();
    assert!(place.signed(&inside).contains("hello 1"));
    for (number, options) in encryptions.iter().enumerate() {
        let reply = scene.mail_in(&place.sealed(number, options));
        assert_eq!(reply.code, 250, "{options}: {reply:?}");
        let delivered = scene.office.wait_for(number + 1, DELIVERY);
        let text = String::from_utf8_lossy(&delivered.last().unwrap().content).into_owned();
        assert!(
            text.contains(&format!("secret {number}")),
            "{options}: {text}"
        );
    }
    // Nothing of the key is in the store, though the certificate is.
    let secrets = e2e::search::of_key("alice", &place.cast.alice);
    assert_eq!(
        e2e::search::below(&scene.gateway.data(), &secrets),
        Vec::<String>::new()
    );
}

#[test]
fn a_key_of_rsa_on_a_token() {
    let oaep = "-keyopt rsa_padding_mode:oaep";
    let sha256 = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256";
    let mixed =
        "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512 -keyopt rsa_mgf1_md:sha256";
    signs_and_decrypts(KeyKind::Rsa(2048), &["", oaep, sha256, mixed]);
}

#[test]
fn a_key_on_a_curve_on_a_token() {
    let sha256 = "-keyopt ecdh_kdf_md:sha256";
    signs_and_decrypts(KeyKind::P256, &["", sha256]);
}

/// Keys made on the token: the built-in CA certifies them, nothing of them was ever elsewhere.
#[test]
fn keys_made_on_a_token() {
    let Some(place) = Place::new("tokens-made", KeyKind::P256, "optional") else {
        return;
    };
    let gateway = &place.scene.gateway;
    let kinds = [
        ("rsa@example.com", "rsa-3072"),
        ("p384@example.com", "p-384"),
    ];
    for (number, (mailbox, kind)) in kinds.into_iter().enumerate() {
        for arguments in [
            &["mailbox", "add", mailbox][..],
            &[
                "mailbox", "activate", mailbox, "--token", "hsm", "--key", kind,
            ],
        ] {
            let ran = gateway.command(arguments);
            assert!(ran.good, "{arguments:?}: {}", ran.err);
        }
        let text =
            format!("From: {mailbox}\r\nTo: x@partner.example\r\nSubject: s\r\n\r\nmade\r\n");
        let before = place.scene.internet.received().len();
        let reply = send(
            gateway.outbound,
            mailbox,
            &["x@partner.example"],
            text.as_bytes(),
        );
        assert_eq!(reply.code, 250, "{reply:?}");
        let out = place.scene.internet.wait_for(before + 1, DELIVERY);
        let signed = &out.last().unwrap().content;
        assert_eq!(form(signed), Form::Signed, "{kind}");
        let certificate = shown(&gateway.directory().path().join(format!("{kind}.pem")));
        let mut arguments = words("cms -verify -noverify -verify_email");
        arguments.extend([mailbox, "-signer", &certificate].map(str::to_owned));
        must_run("openssl", &arguments, &entity(signed));
        decrypts_for(&place, mailbox, &certificate, number);
    }
    let tokens = gateway.json(&["token", "list"]);
    assert_eq!(tokens[0]["keys"], 3, "{tokens}");
    assert!(tokens[0]["problem"].is_null());
}

/// What `openssl` encrypts to that certificate is delivered in clear.
fn decrypts_for(place: &Place, mailbox: &str, certificate: &str, number: usize) {
    let mut arguments = words("cms -encrypt -aes-256-cbc -crlfeol -recip");
    arguments.push(certificate.to_owned());
    let text = "Content-Type: text/plain\r\n\r\nfor a key made there\r\n";
    let sealed = openssl::crlf(&must_run("openssl", &arguments, text.as_bytes()));
    let head = format!("From: {CAROL}\r\nTo: {mailbox}\r\nSubject: s\r\n");
    let message = [head.as_bytes(), &sealed].concat();
    let reply = send(place.scene.gateway.inbound, CAROL, &[mailbox], &message);
    assert_eq!(reply.code, 250, "{reply:?}");
    let delivered = place.scene.office.wait_for(number + 1, DELIVERY);
    let text = String::from_utf8_lossy(&delivered.last().unwrap().content).into_owned();
    assert!(text.contains("for a key made there"), "{text}");
}

/// The gateway runs without the token's library; what needs the token is told to come again.
#[test]
fn a_library_that_is_missing() {
    let Some(mut place) = Place::new("tokens-library", KeyKind::P256, "optional") else {
        return;
    };
    let gateway = &mut place.scene.gateway;
    assert!(gateway.stop());
    gateway.reconfigure("libsofthsm2.so", "missing.so");
    gateway.start();
    assert!(
        gateway
            .log()
            .contains("keys on this token cannot be used now")
    );
    let reply = place.scene.mail_out(&place.letter(1));
    assert_eq!(reply.code, 451, "{reply:?}");
    assert_eq!(place.scene.internet.received().len(), 0);
}

#[test]
fn a_token_that_is_away() {
    let Some(place) = Place::new("tokens-away", KeyKind::Rsa(2048), "optional") else {
        return;
    };
    let scene = &place.scene;
    assert_eq!(scene.mail_out(&place.letter(1)).code, 250);
    scene.at_internet();
    assert_eq!(scene.mail_in(&place.sealed(1, "")).code, 250);
    scene.at_office();

    place.token.take_away();
    for (number, to) in [(2, CAROL), (3, "nobody@partner.example")] {
        // Encrypted to carol; nobody's key is not known, so that it would only be signed.
        let reply = send(scene.gateway.outbound, ALICE, &[to], &place.letter(number));
        assert_eq!(reply.code, 451, "{reply:?}");
    }
    for number in 2..5 {
        let reply = scene.mail_in(&place.sealed(number, ""));
        assert_eq!(reply.code, 250, "as always: {reply:?}");
    }
    // What no key could open waits like all others: nothing tells them apart.
    assert_eq!(scene.mail_in(&place.broken(5)).code, 250);
    let end = Instant::now() + WATCHED;
    while Instant::now() < end {
        assert_eq!(scene.office.received().len(), 1);
        assert_eq!(
            scene.internet.received().len(),
            1,
            "nothing leaves unsigned, no report"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(scene.gateway.queue(false).len(), 4);
    assert_eq!(scene.gateway.queue(true).len(), 0);
    let tokens = scene.gateway.json(&["token", "list"]);
    assert!(tokens[0]["problem"].is_string(), "{tokens}");

    place.token.bring_back();
    // The one of before, three that open, and one that does not: it is delivered as it came.
    let delivered = scene.office.wait_for(5, DELIVERY);
    for number in 2..5 {
        let text = format!("secret {number}");
        let holds = |content: &[u8]| String::from_utf8_lossy(content).contains(&text);
        let count = delivered.iter().filter(|mail| holds(&mail.content)).count();
        assert_eq!(count, 1, "{text}");
    }
    assert_eq!(scene.mail_out(&place.letter(4)).code, 250);
    let out = scene.internet.wait_for(2, DELIVERY);
    assert_eq!(form(&out[1].content), Form::Encrypted);
}

#[test]
fn many_mails_share_a_token() {
    const MAILS: usize = 20;
    let Some(place) = Place::new("tokens-many", KeyKind::P256, "optional") else {
        return;
    };
    let (scene, place) = (&place.scene, &place);
    std::thread::scope(|scope| {
        for number in 0..MAILS {
            scope.spawn(move || {
                let reply = match number % 2 {
                    0 => scene.mail_out(&place.letter(number)),
                    _ => scene.mail_in(&place.sealed(number, "")),
                };
                assert_eq!(reply.code, 250, "{reply:?}");
            });
        }
    });
    scene.gateway.drained();
    let out = scene.internet.wait_for(MAILS / 2, DELIVERY);
    assert!(
        out.iter()
            .all(|mail| form(&mail.content) == Form::Encrypted)
    );
    let delivered = scene.office.wait_for(MAILS / 2, DELIVERY);
    for mail in delivered {
        let text = String::from_utf8_lossy(&mail.content).into_owned();
        assert!(text.contains("secret"), "{text}");
    }
}

/// A key that is on the token and belongs to another certificate, or that is not there, is not attached.
#[test]
fn only_the_right_key_is_attached() {
    let Some(place) = Place::new("tokens-attach", KeyKind::P256, "optional") else {
        return;
    };
    let gateway = &place.scene.gateway;
    place.token.import(&place.cast.carol, "b2");
    let certificate = shown(&place.cast.alice.certificate);
    for (id, words) in [("b2", "not the one"), ("c3", "away"), ("xyz", "key xyz")] {
        let attach = ["token", "attach", ALICE, "--token", "hsm", "--key-id", id];
        let ran = gateway.command(&[&attach[..], &["--certificate", &certificate]].concat());
        assert!(!ran.good && ran.err.contains(words), "{id}: {}", ran.err);
        assert_eq!(
            ran.err
                .trim_end()
                .lines()
                .filter(|line| line.starts_with("sealgate:"))
                .count(),
            1
        );
    }
}

/// Mails go on while the token comes and goes: each is taken and leaves encrypted, or is told to come again.
#[test]
fn a_token_that_comes_and_goes() {
    const ROUNDS: u32 = 4;
    const PAUSE: Duration = Duration::from_millis(700);
    let Some(place) = Place::new("tokens-flapping", KeyKind::P256, "enforce") else {
        return;
    };
    let (scene, place) = (&place.scene, &place);
    let going = AtomicBool::new(true);
    let taken = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (going, taken) = (&going, &taken);
            scope.spawn(move || {
                for number in (thread * 10_000).. {
                    if !going.load(Ordering::Relaxed) {
                        break;
                    }
                    let reply = scene.mail_out(&place.letter(number));
                    assert!([250, 451].contains(&reply.code), "{reply:?}");
                    taken.fetch_add(usize::from(reply.code == 250), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(10));
                }
            });
        }
        for _ in 0..ROUNDS {
            std::thread::sleep(PAUSE);
            place.token.take_away();
            std::thread::sleep(PAUSE);
            place.token.bring_back();
        }
        going.store(false, Ordering::Relaxed);
    });
    let end = Instant::now() + DELIVERY;
    while scene.mail_out(&place.letter(1)).code != 250 {
        assert!(Instant::now() < end, "the token is back");
        std::thread::sleep(Duration::from_millis(100));
    }
    let taken = taken.load(Ordering::Relaxed) + 1;
    scene.gateway.drained();
    let out = scene.internet.wait_for(taken, DELIVERY);
    assert_eq!(out.len(), taken);
    assert!(
        out.iter()
            .all(|mail| form(&mail.content) == Form::Encrypted)
    );
    println!("{taken} mails");
}
