//! Row X8 of security.md: lists and OCSP answers, true and false, fetched by the gateway while mail waits in its queue; and
//! what becomes of the keys that were learned meanwhile (spec.md section 5).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::{self, Identity, KeyKind};
use e2e::mime::field;
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present, python};
use e2e::revocation::{CURRENT, Says, Window, certificate, crl, ocsp, openssl_ocsp};
use e2e::scene::{DELIVERY, Scene, rule};
use e2e::sink::Received;
use e2e::web::{Answer, Request, Web};

const OLD: Window = Window {
    from: -10 * 86_400,
    until: -9 * 86_400,
};
const STALE: Window = Window {
    from: -86_400,
    until: -3_600,
};
/// Before [`CURRENT`], and still current.
const EARLIER: Window = Window {
    from: -1_800,
    until: 3_600,
};
const FUTURE: Window = Window {
    from: 86_400,
    until: 2 * 86_400,
};

fn ready() -> bool {
    program().is_some() && present(&["openssl", "python3"])
}

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

/// A certificate of carol with one more extension.
fn carol(directory: &Path, name: &str, extension: &str) -> Identity {
    let extensions = format!(
        "basicConstraints = critical, CA:false\nextendedKeyUsage = emailProtection\n\
         keyUsage = critical, digitalSignature, keyAgreement\nsubjectKeyIdentifier = hash\n\
         authorityKeyIdentifier = keyid\nsubjectAltName = email:{CAROL}\n{extension}\n"
    );
    keys::with_extensions(directory, &cast().partner_authority, name, &extensions)
}

fn asks_list(url: &str) -> String {
    format!("crlDistributionPoints = URI:{url}")
}

fn asks_responder(url: &str) -> String {
    format!("authorityInfoAccess = OCSP;URI:{url}")
}

fn mail(id: &str, signer: &Identity) -> Vec<u8> {
    let entity = b"Content-Type: text/plain\r\n\r\nhello\r\n";
    let signed = openssl::sign(entity, signer, None, false, Writing::Der);
    let head = format!(
        "From: {CAROL}\r\nTo: {ALICE}\r\nSubject: {id}\r\nMessage-ID: <{id}@x.example>\r\n"
    );
    [head.as_bytes(), &signed].concat()
}

fn verdict(mails: &[Received], id: &str) -> String {
    let of = |mail: &&Received| field(&mail.content, "Subject").as_deref() == Some(id);
    let mail = mails.iter().find(of).unwrap_or_else(|| panic!("{id}"));
    let result = field(&mail.content, "X-Sealgate-Result").unwrap_or_default();
    let word = result
        .split(';')
        .find_map(|part| part.trim().strip_prefix("signature="));
    word.unwrap_or_default().to_owned()
}

/// Arguments: the database and a statement. Prints the rows.
const SQL: &str = "
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30)
for row in database.execute(sys.argv[2]).fetchall():
    print('\\t'.join(str(field) for field in row))
database.commit()
";

fn sql(gateway: &Gateway, statement: &str) -> Vec<String> {
    let database = keys::shown(&gateway.data().join("sealgate.db"));
    let out = must_run(&python(), &["-c", SQL, &database, statement], b"");
    String::from_utf8(out)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Waits until a query gives exactly these rows.
fn until(gateway: &Gateway, query: &str, expected: &[&str]) {
    let end = Instant::now() + DELIVERY;
    loop {
        let found = sql(gateway, query);
        if found == expected {
            return;
        }
        assert!(Instant::now() < end, "{query}: {found:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What was had is old now, and every key is due.
fn time_passes(gateway: &Gateway) {
    sql(gateway, "UPDATE evidence SET ask_at = 0");
    sql(
        gateway,
        "UPDATE correspondents SET ask_at = 0 WHERE ask_at IS NOT NULL",
    );
}

/// Hands in one mail for each case, signed with a certificate that names the place of the case at `web`, and compares the
/// verdicts in the delivered header and in the journal.
fn run(
    name: &str,
    web: &Web,
    cases: &[(&str, &str)],
    extension: fn(&str) -> String,
    signers: &Signers,
) {
    let scene = Scene::new(
        name,
        &Options::default(),
        cast(),
        &rule("optional", "neither"),
    )
    .unwrap();
    for (case, _) in cases {
        let signer = carol(
            scene.gateway.directory().path(),
            case,
            &extension(&web.url(&format!("/{case}"))),
        );
        signers
            .lock()
            .unwrap()
            .push(((*case).to_owned(), signer.clone()));
        assert_eq!(scene.mail_in(&mail(case, &signer)).code, 250);
    }
    let arrived = scene.office.wait_for(cases.len(), DELIVERY);
    for (case, expected) in cases {
        assert_eq!(verdict(&arrived, case), *expected, "{case}");
        let journal = format!(
            "SELECT signature, delivery FROM lines JOIN mails ON mails.id = lines.mail WHERE message_id LIKE '%<{case}@x.example>%'"
        );
        until(
            &scene.gateway,
            &journal,
            &[&format!("{expected}\tdelivered")],
        );
    }
    let state = |case: &str| {
        let fingerprint: String = {
            let signers = signers.lock().unwrap();
            let (_, signer) = signers.iter().find(|(name, _)| name == case).unwrap();
            certificate(signer).fingerprint_hex()
        };
        let compact = fingerprint.replace(':', "").to_uppercase();
        sql(
            &scene.gateway,
            &format!("SELECT state FROM correspondents WHERE hex(fingerprint) = '{compact}'"),
        )
    };
    for (case, expected) in cases {
        match *expected {
            "revocation-unknown" => assert_eq!(state(case), ["pending"], "{case}"),
            "revoked" => assert!(state(case).is_empty(), "{case}"),
            _ => assert!(
                !state(case).is_empty() && state(case) != ["pending"],
                "{case}"
            ),
        }
    }
}

type Signers = Arc<Mutex<Vec<(String, Identity)>>>;

/// The case of a request, and the serial number of its certificate.
fn case_of(request: &Request, signers: &Signers) -> (String, Vec<u8>) {
    let case = request.path.trim_start_matches('/').to_owned();
    let signers = signers.lock().unwrap();
    let (_, signer) = signers.iter().find(|(name, _)| *name == case).unwrap();
    (case, certificate(signer).serial().to_vec())
}

#[test]
fn x8_ocsp_answers_true_and_false() {
    if !ready() {
        return;
    }
    let directory = e2e::place::Directory::new("x8-responders");
    let issuer = &cast().partner_authority;
    let responder_of = |issuer: &Identity, name: &str, usage: &str| {
        let extensions = format!(
            "basicConstraints = critical, CA:false\nkeyUsage = critical, digitalSignature\n\
             subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n{usage}\n"
        );
        keys::with_extensions(directory.path(), issuer, name, &extensions)
    };
    let delegated = responder_of(
        issuer,
        "delegated",
        "extendedKeyUsage = OCSPSigning\nnoCheck = ignored",
    );
    let undelegated = responder_of(issuer, "undelegated", "extendedKeyUsage = emailProtection");
    let foreign = responder_of(
        &cast().own_authority,
        "foreign",
        "extendedKeyUsage = OCSPSigning",
    );
    // The authority's certificate, and a key that is not its own.
    let pretender = Identity {
        certificate: issuer.certificate.clone(),
        key: foreign.key.clone(),
    };
    let signers = Signers::default();
    let known = Arc::clone(&signers);
    let place = directory.path().to_owned();
    let web = Web::start(move |request| {
        let (case, serial) = case_of(request, &known);
        let asked = &request.body;
        let issuer = &cast().partner_authority;
        let openssl = |responder: &Identity, revoked: bool| {
            openssl_ocsp(&place, asked, (issuer, responder), &[(&serial, revoked)])
        };
        Answer::Body(match case.as_str() {
            "good" => openssl(issuer, false),
            "delegated" => openssl(&delegated, false),
            "revoked" => openssl(issuer, true),
            "unknown" => openssl_ocsp(&place, asked, (issuer, issuer), &[]),
            "undelegated" => ocsp(asked, &undelegated, Says::Good, CURRENT),
            "wrong-responder" => ocsp(asked, &foreign, Says::Good, CURRENT),
            "replayed" => ocsp(asked, issuer, Says::Good, OLD),
            "stale" => ocsp(asked, issuer, Says::Good, STALE),
            "future" => ocsp(asked, issuer, Says::Good, FUTURE),
            "revoked-by-hand" => ocsp(asked, issuer, Says::Revoked, CURRENT),
            "unknown-by-hand" => ocsp(asked, issuer, Says::Unknown, CURRENT),
            "try-later" => vec![0x30, 3, 10, 1, 3],
            "forged" => ocsp(asked, &pretender, Says::Good, CURRENT),
            "garbage" => b"<html>captive portal</html>".to_vec(),
            _ => return Answer::Missing,
        })
    });
    let cases = [
        ("good", "valid"),
        ("delegated", "valid"),
        ("revoked", "revoked"),
        ("revoked-by-hand", "revoked"),
        ("unknown", "revocation-unknown"),
        ("unknown-by-hand", "revocation-unknown"),
        ("undelegated", "revocation-unknown"),
        ("wrong-responder", "revocation-unknown"),
        ("replayed", "revocation-unknown"),
        ("stale", "revocation-unknown"),
        ("future", "revocation-unknown"),
        ("try-later", "revocation-unknown"),
        ("forged", "revocation-unknown"),
        ("garbage", "revocation-unknown"),
        ("missing", "revocation-unknown"),
    ];
    run("x8-ocsp", &web, &cases, asks_responder, &signers);
}

#[test]
fn x8_lists_true_and_false() {
    if !ready() {
        return;
    }
    let signers = Signers::default();
    let known = Arc::clone(&signers);
    let issuer = &cast().partner_authority;
    // About 9 and 22 MB: the one is read whole, the other is larger than what is fetched.
    let large = crl(issuer, &[], 380_000, CURRENT);
    let million = crl(issuer, &[], 1_000_000, CURRENT);
    let web = Web::start(move |request| {
        let (case, serial) = case_of(request, &known);
        let issuer = &cast().partner_authority;
        Answer::Body(match case.as_str() {
            "good" => crl(issuer, &[], 0, CURRENT),
            "others" => crl(issuer, &[&[1, 2, 3]], 10, CURRENT),
            "revoked" => crl(issuer, &[&[7], &serial], 0, CURRENT),
            "stale" => crl(issuer, &[], 0, STALE),
            "future" => crl(issuer, &[], 0, FUTURE),
            "forged" => crl(&cast().own_authority, &[], 0, CURRENT),
            "flipped" => {
                let mut list = crl(issuer, &[], 0, CURRENT);
                *list.last_mut().unwrap() ^= 1;
                list
            }
            "large" => large.clone(),
            "million" => million.clone(),
            "huge" => return Answer::Zeros(100 << 20),
            _ => return Answer::Missing,
        })
    });
    let cases = [
        ("good", "valid"),
        ("others", "valid"),
        ("large", "valid"),
        ("revoked", "revoked"),
        ("stale", "revocation-unknown"),
        ("future", "revocation-unknown"),
        ("forged", "revocation-unknown"),
        ("flipped", "revocation-unknown"),
        ("million", "revocation-unknown"),
        ("huge", "revocation-unknown"),
        ("missing", "revocation-unknown"),
    ];
    run("x8-lists", &web, &cases, asks_list, &signers);
}

/// Carol, whose authority answers as it is told, or not at all.
struct Life {
    scene: Scene,
    signer: Identity,
    says: Arc<Mutex<Option<(Says, Window)>>>,
    _web: Web,
    received: usize,
    sent: usize,
}

impl Life {
    fn begin(name: &str) -> Self {
        let says: Arc<Mutex<Option<(Says, Window)>>> = Arc::default();
        let answering = Arc::clone(&says);
        let web = Web::start(move |request| match *answering.lock().unwrap() {
            None => Answer::Missing,
            Some((says, window)) => {
                let issuer = &cast().partner_authority;
                Answer::Body(ocsp(&request.body, issuer, says, window))
            }
        });
        let rules = rule("optional", "optional");
        let scene = Scene::new(name, &Options::default(), cast(), &rules).unwrap();
        let extension = asks_responder(&web.url("/"));
        Self {
            signer: carol(scene.gateway.directory().path(), "carol", &extension),
            scene,
            says,
            _web: web,
            received: 0,
            sent: 0,
        }
    }

    fn authority_says(&self, says: Option<Says>) {
        *self.says.lock().unwrap() = says.map(|says| (says, CURRENT));
    }

    /// Somebody on the way hands out what the authority said before.
    fn is_replayed(&self, says: Says) {
        *self.says.lock().unwrap() = Some((says, EARLIER));
    }

    /// The verdict on a mail of hers.
    fn signs(&mut self) -> String {
        self.received += 1;
        let id = format!("in{}", self.received);
        assert_eq!(self.scene.mail_in(&mail(&id, &self.signer)).code, 250);
        verdict(&self.scene.office.wait_for(self.received, DELIVERY), &id)
    }

    /// Whether a mail to her is encrypted.
    fn is_written_to_encrypted(&mut self) -> bool {
        self.sent += 1;
        let id = self.sent;
        let text = format!(
            "From: {ALICE}\r\nTo: {CAROL}\r\nSubject: x\r\nMessage-ID: <out{id}@x.example>\r\n\r\nhello\r\n"
        );
        assert_eq!(self.scene.mail_out(text.as_bytes()).code, 250);
        let arrived = self.scene.internet.wait_for(id, DELIVERY);
        let kind = field(&arrived[id - 1].content, "Content-Type").unwrap_or_default();
        kind.contains("enveloped-data")
    }
}

/// One key from its first mail to its end: pending while its authority is silent, used once it answers, asked about again
/// later, and blocked when it is revoked; each step an event. A mail to its owner is encrypted only in between.
#[test]
fn x8_a_pending_key_is_promoted_and_blocked_when_revoked() {
    if !ready() {
        return;
    }
    let state = "SELECT state FROM correspondents";
    let mut life = Life::begin("x8-pending");
    assert_eq!(life.signs(), "revocation-unknown");
    until(&life.scene.gateway, state, &["pending"]);
    assert!(!life.is_written_to_encrypted());
    // The next mail brings the answer, and with it the key.
    life.authority_says(Some(Says::Good));
    sql(&life.scene.gateway, "UPDATE evidence SET ask_at = 0");
    assert_eq!(life.signs(), "valid");
    until(&life.scene.gateway, state, &["preferred"]);
    assert!(life.is_written_to_encrypted());
    // Silent again: what was answered still counts.
    life.authority_says(None);
    time_passes(&life.scene.gateway);
    let asked_again = "SELECT ask_failures FROM correspondents WHERE ask_at > 0";
    until(&life.scene.gateway, asked_again, &["0"]);
    assert!(life.is_written_to_encrypted());
    life.authority_says(Some(Says::Revoked));
    time_passes(&life.scene.gateway);
    until(&life.scene.gateway, state, &["blocked"]);
    assert!(!life.is_written_to_encrypted());
    assert_eq!(life.signs(), "revoked");
    let events = "SELECT kind FROM events ORDER BY id";
    until(
        &life.scene.gateway,
        events,
        &["key-learned", "key-learned", "key-revoked"],
    );
    let told = "SELECT text FROM events WHERE kind = 'key-revoked'";
    let told = sql(&life.scene.gateway, told);
    assert!(
        told[0].contains(CAROL) && told[0].contains("it was revoked at 20"),
        "{told:?}"
    );
}

/// Who stands between us and the authority hands out an earlier answer that is still current, or nothing at all: what was
/// known stays. The authority itself may take it back.
#[test]
fn x8_an_earlier_answer_does_not_take_back_a_later_one() {
    if !ready() {
        return;
    }
    let mut life = Life::begin("x8-replayed");
    life.authority_says(Some(Says::Revoked));
    assert_eq!(life.signs(), "revoked");
    for replayed in [Some(Says::Good), Some(Says::Unknown), None] {
        match replayed {
            Some(says) => life.is_replayed(says),
            None => life.authority_says(None),
        }
        time_passes(&life.scene.gateway);
        assert_eq!(life.signs(), "revoked", "{replayed:?}");
    }
    life.authority_says(Some(Says::Good));
    time_passes(&life.scene.gateway);
    assert_eq!(life.signs(), "valid");
}

/// A list that revokes is not forgotten because a responder, asked first, calls the certificate good.
#[test]
fn x8_a_responder_does_not_take_back_what_a_list_said() {
    if !ready() {
        return;
    }
    let (answers, revoked): (Arc<Mutex<bool>>, Arc<Mutex<Vec<u8>>>) = Default::default();
    let (answering, listed) = (Arc::clone(&answers), Arc::clone(&revoked));
    let web = Web::start(move |request| {
        let issuer = &cast().partner_authority;
        match request.path.as_str() {
            "/list" => Answer::Body(crl(issuer, &[&listed.lock().unwrap()], 0, CURRENT)),
            _ if *answering.lock().unwrap() => {
                Answer::Body(ocsp(&request.body, issuer, Says::Good, CURRENT))
            }
            _ => Answer::Missing,
        }
    });
    let rules = rule("optional", "neither");
    let scene = Scene::new("x8-both", &Options::default(), cast(), &rules).unwrap();
    let extension = [
        asks_list(&web.url("/list")),
        asks_responder(&web.url("/responder")),
    ];
    let directory = scene.gateway.directory().path();
    let signer = carol(directory, "carol", &extension.join("\n"));
    *revoked.lock().unwrap() = certificate(&signer).serial().to_vec();
    for (count, id) in [(1, "silent"), (2, "good")] {
        assert_eq!(scene.mail_in(&mail(id, &signer)).code, 250);
        let arrived = scene.office.wait_for(count, DELIVERY);
        assert_eq!(verdict(&arrived, id), "revoked", "{id}");
        *answers.lock().unwrap() = true;
        time_passes(&scene.gateway);
    }
}

/// Without a mail, too: the background asks until there is an answer.
#[test]
fn x8_a_pending_key_is_asked_about_without_a_mail() {
    if !ready() {
        return;
    }
    let state = "SELECT state FROM correspondents";
    let mut life = Life::begin("x8-background");
    assert_eq!(life.signs(), "revocation-unknown");
    until(&life.scene.gateway, state, &["pending"]);
    life.authority_says(Some(Says::Good));
    time_passes(&life.scene.gateway);
    until(&life.scene.gateway, state, &["preferred"]);
    assert!(life.is_written_to_encrypted());
}

/// An organisation that requires answers: without one the signature counts as untrusted, and no key is learned.
#[test]
fn x8_where_an_answer_is_required() {
    if !ready() {
        return;
    }
    let web = Web::start(|request| match request.path.as_str() {
        "/good" => Answer::Body(ocsp(
            &request.body,
            &cast().partner_authority,
            Says::Good,
            CURRENT,
        )),
        _ => Answer::Missing,
    });
    let (office, internet) = (e2e::sink::Sink::start(), e2e::sink::Sink::start());
    let description = Scene::description(cast(), &rule("optional", "optional"), &office, &internet);
    let description = description.replacen('\n', "\n[settings]\nrevocation = \"hard\"\n", 1);
    let gateway = Gateway::running("x8-hard", &Options::default(), cast(), &description).unwrap();
    let directory = gateway.directory().path();
    let cases = [("good", "valid"), ("silent", "untrusted")];
    for (case, _) in cases {
        let signer = carol(
            directory,
            case,
            &asks_responder(&web.url(&format!("/{case}"))),
        );
        let reply = e2e::scene::send(gateway.inbound, CAROL, &[ALICE], &mail(case, &signer));
        assert_eq!(reply.code, 250);
    }
    let arrived = office.wait_for(2, DELIVERY);
    for (case, expected) in cases {
        assert_eq!(verdict(&arrived, case), expected, "{case}");
    }
    until(&gateway, "SELECT state FROM correspondents", &["preferred"]);
}
