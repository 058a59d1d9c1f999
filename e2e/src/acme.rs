//! ACME servers for tests: acme2certifier, and a small one of our own that does what that cannot. Both are Python programs
//! beside this file, with a mailbox of their own; they answer on loopback only.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::cast::Cast;
use crate::keys::shown;
use crate::place::{Directory, PATIENCE, skip, workspace};
use crate::program::{must_run, python, run};

/// A mail that is nearly a challenge.
#[derive(Debug, Deserialize)]
pub struct NearMiss {
    /// What is wrong with it.
    pub what: String,
    /// Whom the envelope names as its sender.
    pub sender: String,
    /// Its recipients.
    pub to: Vec<String>,
    /// Its octets, each as the character of that number.
    mail: String,
}

impl NearMiss {
    /// The mail itself.
    pub fn octets(&self) -> Vec<u8> {
        let octet = |character| u8::try_from(u32::from(character)).unwrap();
        self.mail.chars().map(octet).collect()
    }
}

/// How long a server may take to start, and a mail or a request to come.
const WAIT: Duration = PATIENCE;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct AcmeServer {
    directory: Directory,
    child: Child,
    /// Where it takes mail.
    pub mail: SocketAddr,
    /// URL of its directory.
    pub url: String,
}

/// Whether the Python packages of both servers are there; if not, the test says so and skips itself.
pub fn ready() -> bool {
    let has = run(
        &python(),
        &["-c", "import acme2certifier, dkim, jwcrypto"],
        b"",
    );
    if !has.good {
        skip("not installed: acme2certifier, dkimpy");
    }
    has.good
}

impl AcmeServer {
    /// Starts acme2certifier; its challenge mails go to `gateway`.
    pub fn acme2certifier(gateway: SocketAddr, cast: &Cast) -> Self {
        let identity = [&cast.server.certificate, &cast.server.key].map(|path| shown(path));
        Self::start("peer.py", gateway, Directory::new("acme-peer"), &identity)
    }

    /// Starts our own with these settings (`server.py` knows what they mean). Its challenge mails are signed by a DKIM key,
    /// whose record is given.
    pub fn own(gateway: SocketAddr, settings: &Value) -> (Self, String) {
        let directory = Directory::new("acme-server");
        directory.file("settings.json", settings.to_string());
        directory.file("txt.json", "{}");
        let key = shown(&directory.path().join("dkim.pem"));
        must_run(
            "openssl",
            &["genrsa", "-traditional", "-out", &key, "2048"],
            b"",
        );
        let public = must_run("openssl", &["rsa", "-in", &key, "-pubout"], b"");
        let public = String::from_utf8(public).unwrap();
        let text: String = public.lines().filter(|line| !line.contains("--")).collect();
        let server = Self::start("server.py", gateway, directory, &[]);
        (server, format!("v=DKIM1; k=rsa; p={text}"))
    }

    fn start(script: &str, gateway: SocketAddr, directory: Directory, more: &[String]) -> Self {
        let script = workspace().join("e2e/src/acme").join(script);
        let log = File::create(directory.path().join("server.log")).unwrap();
        let child = Command::new(python())
            .arg("-B")
            .arg(script)
            .arg(directory.path())
            .arg(gateway.to_string())
            .args(more)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self {
            directory,
            child,
            mail: gateway,
            url: String::new(),
        };
        let ports: Value = serde_json::from_slice(&server.file("ports.json")).unwrap();
        let port = u16::try_from(ports["smtp"].as_u64().unwrap()).unwrap();
        server.mail = (Ipv4Addr::LOCALHOST, port).into();
        server.url = ports["url"].as_str().unwrap().to_owned();
        server
    }

    /// What our own server finds in DNS from now on.
    pub fn finds(&self, records: &Value) {
        self.directory.file("txt.json", records.to_string());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A file that it writes, once it is there.
    pub fn file(&self, name: &str) -> Vec<u8> {
        let end = Instant::now() + WAIT;
        loop {
            if let Ok(octets) = std::fs::read(self.path(name)) {
                return octets;
            }
            assert!(
                Instant::now() < end,
                "no {name}; the server says:\n{}",
                self.text("server.log")
            );
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Mails that are nearly its challenge in the file `genuine`, as `near.py` makes them.
    pub fn near_misses(&self, genuine: &str) -> Vec<NearMiss> {
        let script = shown(&workspace().join("e2e/src/acme/near.py"));
        let [genuine, key] = [genuine, "dkim.pem"].map(|name| shown(&self.path(name)));
        let made = must_run(&python(), &["-B", &script, &genuine, &key], b"");
        serde_json::from_slice(&made).unwrap()
    }

    /// A file that it may have written, as text.
    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// How many signed requests came whose path begins so; only our own server writes them down.
    pub fn requests(&self, path: &str) -> usize {
        let all = self.text("requests.txt");
        all.lines().filter(|line| line.starts_with(path)).count()
    }
}

impl Drop for AcmeServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!(
                "--- log of the ACME server ---\n{}",
                self.text("server.log")
            );
            println!(
                "{}{}",
                self.text("requests.txt"),
                self.text("handed-in.txt")
            );
        }
    }
}
