//! What lies on the disk: nothing secret in clear, and nothing answered with 250 before it is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e::cast::{CAROL, Cast};
use e2e::client::Session;
use e2e::gateway::{Options, program};
use e2e::keys::{Identity, KeyKind, shown, words};
use e2e::mime::{entity, find, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::Directory;
use e2e::program::{must_run, present};
use e2e::scene::{DELIVERY, Scene, rule};

/// Long enough that it cannot stand anywhere by chance.
const SECRET: &str = "Quintessence of 47 turquoise lighthouses";

fn message() -> Vec<u8> {
    let line = format!("{SECRET} = gl\u{fc}hend\r\n");
    format!(
        "From: carol@partner.example\r\nTo: alice@example.com\r\nSubject: x\r\nMessage-ID: <s@partner.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}",
        line.repeat(50)
    )
    .into_bytes()
}

/// The text as it may lie somewhere: plain, quoted-printable, and in base64 at each of the three offsets.
fn disguises(text: &str) -> Vec<Vec<u8>> {
    let mut all = vec![
        text.as_bytes().to_vec(),
        text.replace(' ', "=20").into_bytes(),
    ];
    for offset in 0..3 {
        let shifted = ["x".repeat(offset), text.to_owned()].concat();
        let base64 = must_run("openssl", &["base64", "-e", "-A"], shifted.as_bytes());
        // The first and last groups also hold octets beside the text.
        let inner = &base64[4..base64.len() - 8];
        all.push(inner.to_vec());
    }
    all
}

/// The secret numbers of a key as octets, and the whole key in PKCS#8.
fn secrets_of(identity: &Identity) -> Vec<Vec<u8>> {
    let key = shown(&identity.key);
    let mut arguments = words("pkcs8 -topk8 -nocrypt -outform DER -in");
    arguments.push(key.clone());
    let mut all = vec![must_run("openssl", &arguments, b"")];
    let text = must_run("openssl", &["pkey", "-noout", "-text", "-in", &key], b"");
    let text = String::from_utf8(text).unwrap();
    for name in ["privateExponent:", "prime1:", "prime2:", "priv:"] {
        if let Some((_, rest)) = text.split_once(name) {
            let lines = rest
                .lines()
                .skip(1)
                .take_while(|line| line.starts_with("    "));
            let hex: String = lines.collect::<String>().replace([' ', ':'], "");
            let number: Vec<u8> = (0..hex.len() / 2)
                .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
                .collect();
            let start = number.iter().position(|&octet| octet != 0).unwrap();
            all.push(number[start..].to_vec());
        }
    }
    assert!(all.len() >= 2, "{text}");
    all
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files
}

/// Names of the files that hold one of these octet strings.
fn found(directory: &Path, needles: &[Vec<u8>]) -> Vec<String> {
    let mut hits = Vec::new();
    for file in files_below(directory) {
        let octets = fs::read(&file).unwrap_or_default();
        if needles.iter().any(|needle| find(&octets, needle).is_some()) {
            hits.push(file.display().to_string());
        }
    }
    hits
}

#[test]
fn the_search_finds_every_disguise() {
    if !present(&["openssl", "python3"]) {
        return;
    }
    let directory = Directory::new("search");
    let message = message();
    let needles = disguises(SECRET);
    for script in [
        "import base64; out(base64.encodebytes(text))",
        "import base64; out(base64.b64encode(b'x' + text))",
        "import base64; out(base64.b64encode(b'xy' + text))",
        "import quopri; out(quopri.encodestring(text, quotetabs=True))",
        "out(text)",
    ] {
        let script = format!(
            "import sys; text = sys.stdin.buffer.read(); out = sys.stdout.buffer.write; {script}"
        );
        directory.file("disguised", must_run("python3", &["-c", &script], &message));
        assert_eq!(found(directory.path(), &needles).len(), 1, "{script}");
    }
    directory.file("disguised", SECRET.replace('q', "Q"));
    assert_eq!(found(directory.path(), &needles), [""; 0]);
    for kind in KeyKind::BOTH {
        let cast = Cast::with(kind);
        let der = must_run(
            "openssl",
            &["pkey", "-outform", "DER", "-in", &shown(&cast.alice.key)],
            b"",
        );
        let file = directory.file("key", der);
        let all = secrets_of(&cast.alice);
        for secret in &all[1..] {
            assert_eq!(
                found(directory.path(), std::slice::from_ref(secret)),
                [shown(&file)],
                "{kind:?}"
            );
        }
        assert_eq!(found(directory.path(), &secrets_of(&cast.carol)), [""; 0]);
    }
}

#[test]
fn nothing_secret_lies_on_disk_in_clear() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    for kind in KeyKind::BOTH {
        let cast = Cast::with(kind);
        let mut scene = Scene::new(
            "disk",
            &Options::default(),
            cast,
            &rule("enforce", "sign-only"),
        )
        .unwrap();
        let to = [cast.alice.certificate.as_path()];
        let message = message();
        let encrypted = openssl::encrypt(&entity(&message), &to, "aes-256-cbc", Writing::Stream);
        scene.office.go_away();
        assert_eq!(scene.mail_in(&with_entity(&message, &encrypted)).code, 250);
        // Long enough to be decrypted and tried for delivery.
        std::thread::sleep(Duration::from_secs(3));
        let mut needles = disguises(SECRET);
        needles.extend(secrets_of(&cast.alice));
        assert_eq!(found(&scene.gateway.data(), &needles), [""; 0], "{kind:?}");
        // The search itself finds: the same octets in a file of the same directory.
        for needle in &needles {
            let bait = scene.gateway.data().join("bait");
            fs::write(&bait, [b"x".as_slice(), needle, b"x"].concat()).unwrap();
            assert_eq!(found(&scene.gateway.data(), &needles).len(), 1);
            fs::remove_file(bait).unwrap();
        }
        scene.office.come_back();
        let arrived = scene.office.wait_for(1, DELIVERY);
        assert!(
            find(&arrived[0].content, SECRET.as_bytes()).is_some(),
            "{kind:?}: it was not decrypted"
        );
        scene.gateway.stop();
        assert_eq!(
            found(&scene.gateway.data(), &needles),
            [""; 0],
            "{kind:?}: after the end"
        );
    }
}

/// One line of `strace -f`: the process, and what it did that matters here.
#[derive(Debug, PartialEq, Eq)]
enum Did {
    Synced,
    Accepted,
}

/// Reads the calls that matter off a transcript of `strace`, in order of their completion.
fn calls(transcript: &str) -> Vec<Did> {
    let did = |line: &str| {
        let sync = line.contains("fsync(") || line.contains("fdatasync(");
        let resumed = line.contains("fsync resumed") || line.contains("fdatasync resumed");
        // An injected result ends with `= 0 (INJECTED)`.
        let complete = line.trim_end().ends_with("= 0");
        let reply = line.contains("\"250 2.0.0 queued as");
        match () {
            () if (sync || resumed) && complete => Some(Did::Synced),
            () if reply => Some(Did::Accepted),
            () => None,
        }
    };
    transcript.lines().filter_map(did).collect()
}

/// How many acceptances have no completed sync between themselves and the one before.
fn unsynced(calls: &[Did]) -> usize {
    let mut synced = false;
    let mut count = 0;
    for call in calls {
        match call {
            Did::Synced => synced = true,
            Did::Accepted => {
                count += usize::from(!synced);
                synced = false;
            }
        }
    }
    count
}

#[test]
fn the_reading_of_transcripts_can_say_no() {
    let good = "7 fdatasync(9 <unfinished ...>\n8 epoll_wait(3)\n7 <... fdatasync resumed>) = 0\n8 sendto(5, \"250 2.0.0 queued as 1\\r\\n\", 23) = 23\n";
    let bad = "7 fdatasync(9 <unfinished ...>\n8 sendto(5, \"250 2.0.0 queued as 1\\r\\n\", 23) = 23\n7 <... fdatasync resumed>) = 0\n";
    let failed = "7 fsync(9) = -1 EIO\n8 write(5, \"250 2.0.0 queued as 1\\r\\n\", 23) = 23\n";
    assert_eq!(unsynced(&calls(good)), 0);
    assert_eq!(unsynced(&calls(bad)), 1);
    assert_eq!(unsynced(&calls(failed)), 1);
    assert_eq!(unsynced(&calls(&good.repeat(3))), 0);
    assert_eq!(
        unsynced(&calls(
            &[good, &good[good.find("8 sendto").unwrap()..]].concat()
        )),
        1
    );
}

/// Hands mails in under `strace` with these further options; gives what mattered.
fn watched(name: &str, options: &[&str]) -> Vec<Did> {
    let cast = Cast::with(KeyKind::P256);
    // Deliveries also sync: nothing is delivered while this runs.
    let quiet = Options {
        retry_first: 600,
        ..Options::default()
    };
    let mut scene = Scene::new(name, &quiet, cast, "").unwrap();
    scene.gateway.stop();
    scene.office.go_away();
    let transcript = scene.gateway.directory().path().join("strace.txt");
    let output = shown(&transcript);
    let calls_watched = "trace=fsync,fdatasync,sendto,sendmsg,write,writev";
    let wrapper = [
        "strace",
        "-f",
        "-s",
        "64",
        "-e",
        calls_watched,
        "-o",
        &output,
    ];
    scene.gateway.start_as(&[&wrapper, options].concat());
    let mut session = Session::connect(scene.gateway.inbound).unwrap();
    session.command("EHLO client.example").unwrap();
    for number in 0..WATCHED_MAILS {
        let text = format!("From: {CAROL}\r\nSubject: {number}\r\n\r\nhello\r\n");
        let reply = session
            .mail(CAROL, &[e2e::cast::ALICE], text.as_bytes())
            .unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        // Whatever follows the reply is done before the next mail begins.
        std::thread::sleep(Duration::from_millis(50));
    }
    scene.gateway.kill();
    let calls = calls(&fs::read_to_string(&transcript).unwrap());
    assert_eq!(
        calls.iter().filter(|call| **call == Did::Accepted).count(),
        WATCHED_MAILS
    );
    calls
}

/// Mails handed in one after the other.
const WATCHED_MAILS: usize = 30;

#[test]
fn every_250_follows_a_completed_sync() {
    if program().is_none() || !present(&["openssl", "strace"]) {
        return;
    }
    assert_eq!(unsynced(&watched("strace", &[])), 0);
}

#[test]
fn without_syncs_that_test_is_red() {
    if program().is_none() || !present(&["openssl", "strace"]) {
        return;
    }
    // As with `synchronous=OFF`: the calls return at once and nothing is done.
    let calls = watched("strace-off", &["-e", "inject=fsync,fdatasync:retval=0"]);
    assert_eq!(unsynced(&calls), WATCHED_MAILS);
}
