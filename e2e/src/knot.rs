//! The Knot name server on loopback, with a root zone of its own: signed zones, unsigned ones, and ones whose signatures are
//! not valid.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::keys::shown;
use crate::place::{Directory, PATIENCE, free_address};
use crate::program::must_run;

/// The programs it needs.
pub const PROGRAMS: [&str; 4] = ["knotd", "keymgr", "kzonesign", "openssl"];
/// How long it may take to answer its first connection.
const START: Duration = PATIENCE;

/// A zone with SMIMEA records.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Its name without the last dot.
    pub name: &'static str,
    /// What DNSSEC makes of it.
    pub kind: Kind,
    /// Owner labels below the zone, and the data of SMIMEA records.
    pub records: Vec<(String, String)>,
    /// Owner labels below the zone, and the names that they are aliases of.
    pub aliases: Vec<(String, String)>,
}

/// What DNSSEC makes of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is signed.
    Signed,
    /// It is not, and the zone above says so.
    Unsigned,
    /// Its records were changed after it was signed.
    Bogus,
}

/// The running server; it ends when dropped.
#[derive(Debug)]
pub struct Knot {
    /// Where it answers, over UDP and TCP.
    pub address: SocketAddr,
    /// The key of its root zone.
    pub anchor: PathBuf,
    child: Child,
    _directory: Directory,
}

impl Knot {
    /// Signs the zones and starts to serve them.
    pub fn start(zones: &[Zone]) -> Self {
        let directory = Directory::new("knot");
        let path = directory.path();
        for sub in ["keys", "signed", "run", "data"] {
            std::fs::create_dir(path.join(sub)).unwrap();
        }
        let names: Vec<&str> = zones.iter().map(|zone| zone.name).collect();
        let signing = directory.file("sign.conf", signing(path, &names));
        let signing = shown(&signing);
        let keymgr = |zone: &str, words: &[&str]| {
            let arguments = [&["-c", &signing, zone], words].concat();
            String::from_utf8(must_run("keymgr", &arguments, b"")).unwrap()
        };
        let generate = [
            "generate",
            "algorithm=ecdsap256sha256",
            "ksk=yes",
            "zsk=yes",
        ];
        let mut root = head("");
        for zone in zones {
            let dotted = format!("{}.", zone.name);
            writeln!(root, "{dotted} NS ns.root.").unwrap();
            if zone.kind != Kind::Unsigned {
                keymgr(&dotted, &generate);
                let digests = keymgr(&dotted, &["ds"]);
                let digest = digests.lines().find(|line| line.contains(" 13 2 "));
                writeln!(root, "{}", digest.unwrap()).unwrap();
            }
            directory.file(&format!("{}.zone", zone.name), text(zone));
        }
        keymgr(".", &generate);
        directory.file("root.zone", root);
        let anchor = keymgr(".", &["dnskey"]).replace("DNSKEY", "600 IN DNSKEY");
        let anchor = directory.file("anchor", anchor);
        sign(path, &signing, zones);
        let address = free_address();
        let serving = directory.file("serve.conf", serving(path, address, &names));
        let child = Command::new("knotd")
            .args(["-c", &shown(&serving)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + START;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < end, "knotd does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            address,
            anchor,
            child,
            _directory: directory,
        }
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn head(zone: &str) -> String {
    format!(
        "$TTL 600\n{zone}. SOA ns.root. admin.root. 1 3600 600 86400 300\n{zone}. NS ns.root.\n"
    )
}

fn text(zone: &Zone) -> String {
    let mut text = head(zone.name);
    for (label, data) in &zone.records {
        writeln!(text, "{label}.{}. SMIMEA {data}", zone.name).unwrap();
    }
    for (label, target) in &zone.aliases {
        writeln!(text, "{label}.{}. CNAME {target}.", zone.name).unwrap();
    }
    text
}

/// Signs what is to be signed, and spoils what is to be spoilt.
fn sign(path: &Path, settings: &str, zones: &[Zone]) {
    let out = shown(&path.join("signed"));
    must_run("kzonesign", &["-c", settings, "-o", &out, "."], b"");
    for zone in zones {
        let file = format!("{}.zone", zone.name);
        let signed = path.join("signed").join(&file);
        if zone.kind == Kind::Unsigned {
            std::fs::copy(path.join(&file), signed).unwrap();
            continue;
        }
        let dotted = format!("{}.", zone.name);
        must_run("kzonesign", &["-c", settings, "-o", &out, &dotted], b"");
        if zone.kind == Kind::Bogus {
            let text = std::fs::read_to_string(&signed).unwrap();
            std::fs::write(&signed, text.replace("SMIMEA\t3 0 0", "SMIMEA\t1 0 0")).unwrap();
        }
    }
}

fn signing(path: &Path, names: &[&str]) -> String {
    let mut text = format!(
        "server:\n    rundir: {:?}\ndatabase:\n    storage: {:?}\npolicy:\n  - id: one\n    algorithm: ecdsap256sha256\n    \
         single-type-signing: on\n    cds-cdnskey-publish: none\ntemplate:\n  - id: default\n    storage: {:?}\n    \
         dnssec-signing: on\n    dnssec-policy: one\nzone:\n  - domain: .\n    file: root.zone\n",
        shown(&path.join("run")),
        shown(&path.join("keys")),
        shown(path),
    );
    for name in names {
        writeln!(text, "  - domain: {name}.\n    file: {name}.zone").unwrap();
    }
    text
}

fn serving(path: &Path, address: SocketAddr, names: &[&str]) -> String {
    let mut text = format!(
        "server:\n    rundir: {:?}\n    listen: {}@{}\ndatabase:\n    storage: {:?}\ntemplate:\n  - id: default\n    \
         storage: {:?}\nzone:\n  - domain: .\n    file: root.zone\n",
        shown(&path.join("run")),
        address.ip(),
        address.port(),
        shown(&path.join("data")),
        shown(&path.join("signed")),
    );
    for name in names {
        writeln!(text, "  - domain: {name}.\n    file: {name}.zone").unwrap();
    }
    text
}
