//! An external command as an authority (docs/authorities.md): `examples/authority-openssl.sh` issues, is asked again after a
//! crash, says "not yet", refuses, and revokes. What it was asked is counted in its own log. And the same authority without a
//! command: an administrator carries request and chain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use e2e::cast::{CAROL, Cast};
use e2e::dns::{Dns, Record};
use e2e::gateway::{Options, program};
use e2e::keys::{KeyKind, shown};
use e2e::mime::entity;
use e2e::openssl;
use e2e::place::workspace;
use e2e::program::{must_run, present};
use e2e::scene::{DELIVERY, Scene, rule, send};
use serde_json::Value;

const BOB: &str = "bob+orders@example.com";

/// A gateway whose domain's mail comes to it, and a toy authority.
struct World {
    scene: Scene,
    toy: PathBuf,
    _dns: Dns,
}

impl World {
    /// Orders go to the program `text`, which finds the toy in `$here` and the example in `$toy`; it may take three
    /// seconds.
    fn new(name: &str, text: &str) -> Option<Self> {
        if program().is_none() || !present(&["openssl", "flock"]) {
            return None;
        }
        let dns = Dns::start();
        dns.add("example.com", Record::Mx(10, "gateway.example".to_owned()));
        let options = Options {
            dns: dns.address.to_string(),
            ..Options::default()
        };
        let cast = Cast::with(KeyKind::P256);
        let scene = Scene::new(name, &options, cast, &rule("optional", "sign-only"))?;
        let toy = scene.gateway.directory().path().join("toy");
        std::fs::create_dir(&toy).unwrap();
        let world = Self {
            scene,
            toy,
            _dns: dns,
        };
        let example = workspace().join("examples/authority-openssl.sh");
        let head = format!(
            "#!/bin/sh\nhere={}\ntoy() {{ exec {} \"$here\" \"$@\"; }}\n",
            shown(&world.toy),
            shown(&example)
        );
        let file = world.toy.join("authority");
        std::fs::write(&file, head + text).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        let add = format!(
            "authority add toy --kind command --program {} --timeout 3 --standard",
            shown(&file)
        );
        world.say(&add);
        world.say(&format!("mailbox add {BOB}"));
        Some(world)
    }

    fn say(&self, line: &str) -> Value {
        let words: Vec<_> = line.split_whitespace().collect();
        self.scene.gateway.json(&words)
    }

    fn state(&self) -> String {
        let listed = self.say("mailbox list");
        let rows = listed.as_array().unwrap();
        let bob = rows.iter().find(|row| row["mailbox"] == BOB).unwrap();
        bob["state"].as_str().unwrap().to_owned()
    }

    fn becomes(&self, state: &str) {
        self.until(state, || self.state() == state);
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let end = Instant::now() + DELIVERY;
        while !is_so() {
            let orders = || self.say("order list --all");
            assert!(Instant::now() < end, "{what}: {}\n{}", orders(), self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What the toy authority was asked, and did.
    fn log(&self) -> String {
        std::fs::read_to_string(self.toy.join("log")).unwrap_or_default()
    }

    fn count(&self, word: &str) -> usize {
        let log = self.log();
        log.lines().filter(|line| line.starts_with(word)).count()
    }

    /// Before long bob's mails are signed with a certificate of the toy authority, which a stranger verifies.
    fn bob_signs(&self) {
        let message = format!("From: {BOB}\r\nTo: {CAROL}\r\nSubject: s\r\n\r\nhello\r\n");
        let root = self.toy.join("ca.pem");
        self.until("signed by bob", || {
            let before = self.scene.internet.received().len();
            let outbound = self.scene.gateway.outbound;
            let reply = send(outbound, BOB, &[CAROL], message.as_bytes());
            assert_eq!(reply.code, 250, "{reply:?}");
            let arrived = self.scene.internet.wait_for(before + 1, DELIVERY);
            openssl::verify(&entity(&arrived[before].content), &root, BOB).is_ok()
        });
    }
}

#[test]
fn a_certificate_from_an_external_command_is_issued_renewed_and_revoked() {
    let Some(world) = World::new("command-life", "toy \"$@\"\n") else {
        return;
    };
    world.say(&format!("mailbox activate {BOB} --key p-256"));
    world.becomes("active");
    world.bob_signs();
    assert_eq!(
        (world.count("request"), world.count("issued")),
        (1, 1),
        "{}",
        world.log()
    );
    let ring = world.say(&format!("key list {BOB}"));
    assert_eq!(ring[0]["authority"], "toy", "{ring}");
    assert_eq!(ring[0]["current"], "signing and encryption", "{ring}");
    // The next one, ahead of its time: the first key stays in the ring to decrypt.
    world.say(&format!("reissue {BOB} --key p-256"));
    let two_keys = || world.say(&format!("key list {BOB}"));
    world.until("the second key", || {
        two_keys().as_array().unwrap().len() == 2
    });
    world.bob_signs();
    assert_eq!(
        (world.count("request"), world.count("issued")),
        (2, 2),
        "{}",
        world.log()
    );
    let ring = two_keys();
    assert_eq!(ring[0]["current"], "signing and encryption", "{ring}");
    assert_eq!(ring[1]["current"], "only decrypting", "{ring}");
    let serial = ring[0]["serial"].as_str().unwrap().to_uppercase();

    world.say(&format!("mailbox deactivate {BOB}"));
    world.becomes("inactive");
    assert!(world.count("revoke") >= 1, "{}", world.log());
    let list = shown(&world.toy.join("ca.crl"));
    let shown = must_run("openssl", &["crl", "-in", &list, "-noout", "-text"], b"");
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains(&format!("Serial Number: {serial}")),
        "{shown}"
    );
    assert!(shown.contains("Cessation Of Operation"), "{shown}");
    // The keys stay until they are purged.
    let ring = world.say(&format!("key list {BOB}"));
    assert_eq!(ring[0]["current"], "only decrypting", "{ring}");
    let purged = world.say(&format!("key purge {BOB} --all-old --yes"));
    assert_eq!(
        purged["purged"].as_array().map(Vec::len),
        Some(2),
        "{purged}"
    );
    assert_eq!(world.say(&format!("key list {BOB}")), serde_json::json!([]));
}

/// The gateway is killed while the program runs, which issues all the same: after the crash the authority is asked how far the
/// order is, and the certificate is the one it issued.
#[test]
fn a_crash_while_the_command_runs_costs_no_second_certificate() {
    let text = "if [ \"$1\" = request ]; then touch \"$here/began\"; sleep 2; fi\ntoy \"$@\"\n";
    let Some(mut world) = World::new("command-crash", text) else {
        return;
    };
    world.say(&format!("mailbox activate {BOB} --key p-256"));
    let began = world.toy.join("began");
    world.until("began", || began.exists());
    world.scene.gateway.kill();
    world.scene.gateway.start();
    world.becomes("active");
    world.bob_signs();
    let asked = (
        world.count("request"),
        world.count("collect"),
        world.count("issued"),
    );
    assert_eq!(asked, (1, 1, 1), "{}", world.log());
}

/// "Not yet" with a note, which comes back with the next question.
#[test]
fn an_order_waits_as_long_as_the_command_says_not_yet() {
    let text = r#"
if [ "$1" = request ]; then
    cat > "$here/csr"
    echo "handle: note 7"
    echo "again-in: 10"
    exit 75
fi
[ "$1" = collect ] || exit 65
[ "$SEALGATE_HANDLE" = "note 7" ] || exit 66
"$0" again < "$here/csr" && exit
"#;
    // The second half of the program: the toy issues what was requested before.
    let text = format!("if [ \"$1\" = again ]; then toy request; fi\n{text}");
    let Some(world) = World::new("command-waits", &text) else {
        return;
    };
    world.say(&format!("mailbox activate {BOB} --key p-256"));
    let waiting = || world.say("order list")[0]["state"] == "waiting";
    world.until("waiting", waiting);
    assert_eq!(world.state(), "activation-pending");
    world.becomes("active");
    assert_eq!(world.count("issued"), 1, "{}", world.log());
    world.bob_signs();
}

/// A refusal ends the order, with the last words of the program as its reason.
#[test]
fn a_refusal_is_told_in_the_words_of_the_command() {
    let text = "echo starting >&2\necho 'no contract for this domain' >&2\nexit 65\n";
    let Some(world) = World::new("command-refuses", text) else {
        return;
    };
    let words = ["mailbox", "activate", BOB, "--key", "p-256"];
    let ran = world.scene.gateway.command(&words);
    // It may be known already when the command ends.
    assert!(ran.good || ran.err.contains("failed"), "{}", ran.err);
    world.becomes("inactive");
    let orders = world.say("order list --all");
    let error = orders[0]["error"].as_str().unwrap();
    assert!(error.contains("no contract for this domain"), "{orders}");
    assert!(!error.contains("starting"), "{orders}");
    // Settings that cannot work are refused at once.
    let gateway = &world.scene.gateway;
    for (program, timeout, word) in [
        ("authority.sh", "3", "absolute path"),
        ("/nonexistent/authority.sh", "3", "no program"),
        ("/bin/true", "0", "seconds"),
    ] {
        let ran = gateway.command(&[
            "authority",
            "add",
            "other",
            "--kind",
            "command",
            "--program",
            program,
            "--timeout",
            timeout,
        ]);
        assert!(
            !ran.good && ran.err.contains(word),
            "{program}: {}",
            ran.err
        );
    }
}

/// An administrator carries the request to the toy authority and the chain back, and says that it has revoked.
#[test]
fn an_administrator_carries_request_and_chain() {
    let Some(world) = World::new("by-hand", "exit 65\n") else {
        return;
    };
    world.say("authority add hand --kind by-hand --standard");
    world.say(&format!("mailbox activate {BOB} --key p-256"));
    let waiting = || world.say("order list")[0]["state"] == "waiting";
    world.until("waiting", waiting);
    let order = world.say("order list")[0]["id"].to_string();
    let gateway = &world.scene.gateway;
    let csr = gateway.command(&["order", "csr", &order]);
    assert!(csr.good, "{}", csr.err);
    let (example, toy) = (
        shown(&workspace().join("examples/authority-openssl.sh")),
        shown(&world.toy),
    );
    let issue = |number: &str, csr: &[u8]| {
        let (order, mailbox) = (
            format!("SEALGATE_ORDER={number}"),
            format!("SEALGATE_MAILBOX={BOB}"),
        );
        must_run("env", &[&order, &mailbox, &example, &toy, "request"], csr)
    };
    // Another's certificate is refused, and the order waits on.
    let request = "req -new -newkey rsa:2048 -noenc -keyout /dev/null -subj /CN=x";
    let foreign = must_run("openssl", &e2e::keys::words(request), b"");
    let file = gateway
        .directory()
        .file("foreign.pem", issue("1000", &foreign));
    let refused = gateway.command(&["order", "chain", &order, &shown(&file)]);
    assert!(
        !refused.good && refused.err.contains("key"),
        "{}",
        refused.err
    );
    assert_eq!(world.state(), "activation-pending");
    let file = gateway
        .directory()
        .file("chain.pem", issue(&order, &csr.out));
    world.say(&format!("order chain {order} {}", shown(&file)));
    world.becomes("active");
    world.bob_signs();
    world.say(&format!("mailbox deactivate {BOB}"));
    assert_eq!(world.state(), "revoke-pending");
    world.say(&format!("mailbox confirm-revoked {BOB}"));
    world.becomes("inactive");
}
