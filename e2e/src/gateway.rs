//! The program under test: configured, started on loopback ports, asked through its command line, ended.

use std::fmt::Write as _;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::case::{Case, Mailbox};
use crate::cast::Cast;
use crate::client::Session;
use crate::keys::{PASSWORD, shown};
use crate::place::{Directory, PATIENCE, free_address, skip, workspace};
use crate::program::{Ran, run, work};

/// How long the program may take until both listeners greet.
const START: Duration = PATIENCE;
/// How long it may take to end after it was asked to.
const STOP: Duration = Duration::from_secs(30);

/// How long everything that waits may take to go its way.
const DRAIN: Duration = PATIENCE;

/// Lines of its log that are printed when a test fails: what happened last. More would push the failure itself out of sight.
const LOG_LINES: usize = 60;
/// Characters printed of each of them.
const LOG_CHARACTERS: usize = 400;

/// What of the configuration a test decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// `off`, or the address of a name server.
    pub dns: String,
    /// File with the DNSSEC keys to start from.
    pub trust_anchor: Option<PathBuf>,
    /// Port of the servers that MX records name.
    pub smtp_port: u16,
    /// Seconds before the first retry.
    pub retry_first: u32,
    /// Seconds a mail is tried.
    pub queue_lifetime: u32,
    /// Seconds until the sender is told of a delay.
    pub delay_notice: u32,
    /// Largest mail in octets.
    pub size_limit: u64,
    /// Networks that may be called for lists and answers about revocation.
    pub fetch_allow: Vec<String>,
    /// More sections of the configuration, as they stand in its file.
    pub more: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dns: "off".to_owned(),
            trust_anchor: None,
            smtp_port: 25,
            retry_first: 1,
            queue_lifetime: 60,
            delay_notice: 4 * 3600,
            size_limit: 50 * 1024 * 1024,
            fetch_allow: vec!["127.0.0.0/8".to_owned()],
            more: String::new(),
        }
    }
}

/// A gateway with a data directory and a configuration of its own.
#[derive(Debug)]
pub struct Gateway {
    /// Where mail from anyone goes in.
    pub inbound: SocketAddr,
    /// Where sending clients hand mail in.
    pub outbound: SocketAddr,
    directory: Directory,
    program: PathBuf,
    child: Option<Child>,
    /// Whether another program runs in front of it.
    wrapped: bool,
    /// Its environment beside that of the test: `NAME=VALUE`.
    environment: Vec<String>,
}

/// The program under test, if it was built; if not, the test says so and skips itself.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("SEALGATE_BIN")
        .map_or_else(|| workspace().join("target/debug/sealgate"), PathBuf::from);
    if !path.is_file() {
        skip(&format!("{} was not built", path.display()));
        return None;
    }
    Some(path)
}

impl Gateway {
    /// Writes configuration and master key. Nothing runs yet. `None` if the program was not built.
    pub fn configured(name: &str, options: &Options, cast: &Cast) -> Option<Self> {
        let gateway = Self {
            inbound: free_address(),
            outbound: free_address(),
            directory: Directory::new(name),
            program: program()?,
            child: None,
            wrapped: false,
            environment: Vec::new(),
        };
        let text = gateway.configuration(options, cast);
        gateway.directory.file("sealgate.toml", text);
        let key = shown(&gateway.path("master.key"));
        let made = gateway.command(&["check", "--make-master-key", &key]);
        assert!(
            gateway.path("master.key").is_file(),
            "no master key: {}",
            made.err
        );
        Some(gateway)
    }

    /// The same, running, with one organisation as `description` says.
    pub fn running(name: &str, options: &Options, cast: &Cast, description: &str) -> Option<Self> {
        let mut gateway = Self::configured(name, options, cast)?;
        gateway.apply(description);
        gateway.start();
        Some(gateway)
    }

    fn configuration(&self, options: &Options, cast: &Cast) -> String {
        let mut text = String::new();
        let data = shown(&self.data());
        let key = shown(&self.path("master.key"));
        let anchor = options.trust_anchor.as_deref();
        let trust_anchor = anchor.map_or_else(String::new, |path| {
            format!("trust-anchor = {:?}\n", shown(path))
        });
        write!(
            text,
            "data = {data:?}\nmaster-key = {key:?}\nhostname = \"gateway.example\"\nsize-limit = {}\n\
             [listen]\ninbound = [\"{}\"]\noutbound = [\"{}\"]\n\
             [tls]\ncertificate = {:?}\nkey = {:?}\n\
             [dns]\nserver = {:?}\n{}\
             [delivery]\nsmtp-port = {}\nretry-first = {}\nqueue-lifetime = {}\n\
             delay-notice = {}\n\
             [fetch]\nallow = {:?}\n{}",
            options.size_limit,
            self.inbound,
            self.outbound,
            shown(&cast.server.certificate),
            shown(&cast.server.key),
            options.dns,
            trust_anchor,
            options.smtp_port,
            options.retry_first,
            options.queue_lifetime,
            options.delay_notice,
            options.fetch_allow,
            options.more,
        )
        .unwrap();
        text
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Its own directory, for further files of a test.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Adds to the configuration, which ends with a table, and to the environment of the program.
    pub fn extend(&mut self, configuration: &str, environment: &str) {
        let path = self.path("sealgate.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + configuration).unwrap();
        self.environment.push(environment.to_owned());
    }

    /// Changes a text of the configuration.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let path = self.path("sealgate.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// Runs one command of the program with this configuration.
    pub fn command(&self, arguments: &[&str]) -> Ran {
        let config = shown(&self.path("sealgate.toml"));
        let mut all: Vec<&str> = self.environment.iter().map(String::as_str).collect();
        all.push(self.program.to_str().unwrap());
        all.extend([arguments, &["--config", config.as_str()]].concat());
        // It puts itself aside for the program.
        run("env", &all, b"")
    }

    /// Runs a command that must succeed and gives its answer in JSON.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let ran = self.command(&[arguments, &["--json"]].concat());
        assert!(ran.good, "{arguments:?}: {}", ran.err);
        serde_json::from_slice(&ran.out)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ran.text()))
    }

    /// The rows of the queue; only what is held if `held`.
    pub fn queue(&self, held: bool) -> Vec<serde_json::Value> {
        let all = ["queue", "list", "--limit", "1000"];
        let arguments = if held {
            [&all[..], &["--held"]].concat()
        } else {
            all.to_vec()
        };
        self.json(&arguments)
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// Waits until nothing in the queue waits to be opened or handed over; held mail may remain.
    pub fn drained(&self) {
        let end = Instant::now() + DRAIN;
        loop {
            let rows = self.queue(false);
            let waiting: Vec<_> = rows.iter().filter(|row| row["state"] != "held").collect();
            if waiting.is_empty() {
                return;
            }
            assert!(Instant::now() < end, "still waiting: {waiting:#?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Makes an organisation what `description` says, in the form of `docs/apply.md`.
    pub fn apply(&self, description: &str) {
        let file = self.directory.file("apply.toml", description);
        let ran = self.command(&["apply", &shown(&file)]);
        assert!(ran.good, "apply: {}\n{description}", ran.err);
    }

    /// Starts it and waits until both listeners greet. What it prints goes to `gateway.log`.
    pub fn start(&mut self) {
        self.start_as(&[]);
    }

    /// The same, with a program and arguments in front, such as `strace -f -o FILE`.
    pub fn start_as(&mut self, wrapper: &[&str]) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path("gateway.log"))
            .unwrap();
        let config = shown(&self.path("sealgate.toml"));
        let program = shown(&self.program);
        let mut words = wrapper.to_vec();
        words.extend([program.as_str(), "serve", "--config", &config]);
        let (first, rest) = words.split_first().unwrap();
        let environment = self
            .environment
            .iter()
            .map(|one| one.split_once('=').unwrap());
        let child = Command::new(first)
            .args(rest)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
        self.wrapped = !wrapper.is_empty();
        let end = Instant::now() + START;
        while !self.greets() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < end,
                "did not start ({ended:?}); its log is below",
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn greets(&self) -> bool {
        [self.inbound, self.outbound]
            .into_iter()
            .all(|listener| Session::connect(listener).is_ok())
    }

    /// What it has printed since its first start.
    pub fn log(&self) -> String {
        let octets = std::fs::read(self.path("gateway.log")).unwrap_or_default();
        String::from_utf8_lossy(&octets).into_owned()
    }

    /// Prints the last lines of its log beside a failure.
    fn print_end_of_log(&self) {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let left_out = lines.len().saturating_sub(LOG_LINES);
        let path = self.path("gateway.log");
        let path = path.display();
        println!("--- log of the gateway: {left_out} earlier lines are in {path} ---");
        for line in &lines[left_out..] {
            println!("{}", line.chars().take(LOG_CHARACTERS).collect::<String>());
        }
    }

    /// Process number of the running program itself.
    pub fn process(&self) -> u32 {
        let outer = self.child.as_ref().unwrap().id();
        if !self.wrapped {
            return outer;
        }
        let list = std::fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).unwrap();
        list.split_whitespace()
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(outer)
    }

    /// The work of the running program so far.
    pub fn work(&self) -> Duration {
        work(&self.process().to_string())
    }

    fn signal(&self, name: &str) {
        run("kill", &[name, &self.process().to_string()], b"");
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        if self.child.is_some() {
            self.signal("-KILL");
        }
        if let Some(mut child) = self.child.take() {
            child.wait().unwrap();
        }
    }

    /// Waits until it has ended by itself, or by a signal that a test sent.
    pub fn ended(&mut self) -> std::process::ExitStatus {
        self.child.take().unwrap().wait().unwrap()
    }

    /// Asks it to end and waits; gives whether it ended well.
    pub fn stop(&mut self) -> bool {
        if self.child.is_none() {
            return true;
        }
        self.signal("-TERM");
        let Some(mut child) = self.child.take() else {
            return true;
        };
        let end = Instant::now() + STOP;
        while Instant::now() < end {
            if let Some(status) = child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        false
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            self.print_end_of_log();
        }
    }
}

/// The description of the organisation of `case`: mail for its mailboxes goes to `office`, all other mail to
/// `internet`; every client on loopback may send.
pub fn description(case: &Case, cast: &Cast, office: SocketAddr, internet: SocketAddr) -> String {
    let mut text = head(office);
    for (address, state) in &case.given.mailboxes {
        text.push_str(&mailbox(address, *state, cast));
    }
    text.push_str(&case.rules_as_toml());
    for address in &case.given.correspondents {
        let file = shown(&cast.of(address).certificate);
        writeln!(text, "[[correspondents]]\ncertificate = {file:?}").unwrap();
    }
    text.push_str(&tail(cast, internet));
    text
}

/// The beginning of a description: organisation and route.
pub fn head(office: SocketAddr) -> String {
    format!(
        "organisation = \"example\"\n[[routes]]\nname = \"office\"\ndomains = [\"example.com\"]\n\
         target = {{ host = \"127.0.0.1\", port = {} }}\n",
        office.port()
    )
}

/// One known mailbox, an active one with an uploaded certificate.
pub fn mailbox(address: &str, state: Mailbox, cast: &Cast) -> String {
    let mut text = format!("[[routes.mailboxes]]\naddress = {address:?}\n");
    if state == Mailbox::Active {
        let file = cast.of(address).pkcs12(cast.issuer_of(address));
        let file = shown(Path::new(&file));
        writeln!(
            text,
            "state = \"active\"\npkcs12 = {file:?}\npassword = {PASSWORD:?}"
        )
        .unwrap();
    }
    text
}

/// The end of a description: trust roots, smarthost and sending client.
pub fn tail(cast: &Cast, internet: SocketAddr) -> String {
    format!(
        "[[trust-roots]]\ncertificate = {:?}\n\
         [smarthost]\nhost = \"127.0.0.1\"\nport = {}\n\
         [[clients]]\nname = \"loopback\"\nnetworks = [\"127.0.0.0/8\"]\n",
        shown(&cast.partner_authority.certificate),
        internet.port()
    )
}
