//! `cargo xtask bench portal`: how long pages take where there is much: 100,000 mailboxes, 10,000 rules, five million lines of
//! the journal. Each page is asked for thirty times; its median must be below 200 ms.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::http::Browser;
use super::start;

/// Lines of the journal, unless another number is said: six gigabytes.
pub const LINES: &str = "5000000";
/// Mailboxes and rules.
const AMOUNT: [&str; 2] = ["100000", "10000"];
/// How often each page is asked for, after one time that does not count.
const TIMES: usize = 30;
/// Slowest median that is good.
const GOAL: Duration = Duration::from_millis(200);
/// Longest time until a rule that was saved decides mails.
const LIVE_GOAL: Duration = Duration::from_secs(2);
/// How long the gateway may take to begin.
const START: Duration = Duration::from_secs(120);
const CONFIGURATION: &str = r#"
data = "data"
master-key = "master.key"
hostname = "gateway.office.example"
[listen]
inbound = ["127.0.0.1:0"]
outbound = ["127.0.0.1:0"]
[dns]
server = "off"
[portal]
listen = ["ADDRESS"]
url = "http://ADDRESS"
"#;

/// What is filled up: one mailbox with a certificate is the pattern for all.
const ORGANISATION: &str = r#"
organisation = "office"
[[routes]]
name = "office"
domains = ["office.example", "b0.example", "DOMAINS"]
target = { host = "127.0.0.1", port = 9, tls = "opportunistic" }
  [[routes.mailboxes]]
  address = "alice@office.example"
  state = "active"
  key = "p-256"
[[clients]]
name = "printer"
networks = ["192.0.2.1/32"]
[smarthost]
host = "127.0.0.1"
port = 9
"#;

/// Routes that are not measured: files of everything, streams that do not end, what nobody who is signed in sees, and what
/// is about the content of one mail.
const LEFT_OUT: [&str; 19] = [
    "/static/",
    "/favicon.ico",
    "/login",
    "/invitation",
    "/account/second-factor",
    "/api/v1/system/audit/chain",
    "/o/{organisation}/certificates/export",
    "/o/{organisation}/mails/export",
    "/o/{organisation}/mails/live",
    "/o/{organisation}/smime/keys.csv",
    "/o/{organisation}/inbound/routes/{route}/mailboxes.csv",
    "/o/{organisation}/held/{mail}",
    "/o/{organisation}/smime/directories/{name}",
    "/o/{organisation}/authorities/{name}/edit",
    "/api/v1/organisations/{organisation}/queue/{mail}",
    "/api/v1/organisations/{organisation}/orders/{id}/request",
    "/api/v1/organisations/{organisation}/explain",
    "/api/v1/organisations/{organisation}/rules/check",
    "/o/{organisation}/smime/rules/check",
];

/// Pages that cost most, beside the list of routes: what is looked for is rare, old, or there is much of it.
const SEARCHES: [&str; 31] = [
    "/o/office/mails?status=failed",
    "/o/office/mails?status=encrypted&direction=outbound",
    "/o/office/mails?direction=inbound",
    "/o/office/mails?delivery=held",
    "/o/office/mails?party=m000777@office.example",
    "/o/office/mails?party=@partner7.example",
    "/o/office/mails?party=@office.example&status=encrypted",
    "/o/office/mails?party=m00012",
    "/o/office/mails?party=nobody@nowhere.example",
    "/o/office/mails?status=waiting",
    "/o/office/smime/mailboxes?state=revoke-pending",
    "/o/office/smime/mailboxes?search=m09999",
    "/o/office/smime/mailboxes?search=nothing-like-it",
    "/o/office/smime/mailboxes?sort=name",
    "/o/office/smime/mailboxes?sort=-certificate",
    "/o/office/smime/mailboxes?state=inactive&search=m0",
    "/o/office/smime/rules?search=partner1999",
    "/o/office/smime/rules?search=nothing-like-it",
    "/o/office/smime/keys?search=p4999",
    "/o/office/smime/keys?search=nothing-like-it",
    "/o/office/smime/keys?state=new",
    "/o/office/certificates?within=90",
    "/o/office/certificates?search=nothing-like-it",
    "/o/office/audit?search=nothing-like-it",
    "/o/office/audit?who=nobody",
    "/o/office/events?kind=key-expired",
    "/api/v1/organisations/office/mails?status=decrypted",
    "/api/v1/organisations/office/mailboxes?state=active",
    "/api/v1/organisations/office/queue",
    "/api/v1/organisations/office/keys?state=pending",
    "/api/v1/organisations/office/orders?show=failed",
];

/// Builds, fills, starts, measures.
pub fn run(root: &Path, lines: &str) -> Result<(), String> {
    let program = build(root)?;
    let place = Place::prepare(root, program, lines)?;
    let gateway = place.serve()?;
    place.python(&["session", SECRET])?;
    let mut browser = Browser::new(&place.address, &format!("sealgate={SECRET}"));
    let mut slow = Vec::new();
    println!("{:<78} {:>9} {:>9}", "page", "median", "p95");
    for page in pages(root, &place)? {
        match measure(&mut browser, &page)? {
            Some(times) => {
                let good = times.median < GOAL;
                let mark = if good { "" } else { "  too slow" };
                println!(
                    "{page:<78} {:>6.1} ms {:>6.1} ms{mark}",
                    millis(times.median),
                    millis(times.p95)
                );
                if !good {
                    slow.push(page);
                }
            }
            None => println!("{page:<78} is not there"),
        }
    }
    saving(&mut browser)?;
    drop(gateway);
    place.remove()?;
    match slow.len() {
        0 => Ok(()),
        many => Err(format!(
            "{many} pages are slower than {} ms",
            GOAL.as_millis()
        )),
    }
}

/// Saves a rule, which comes before ten thousand others, and fails if it does not decide mails in time: the answer comes when it
/// does.
fn saving(browser: &mut Browser) -> Result<(), String> {
    let page = text_of(&browser.get("/o/office/smime/rules")?.body);
    let csrf = page.split("name=\"csrf\" value=\"").nth(1);
    let csrf = csrf.and_then(|rest| rest.split('"').next());
    let csrf = csrf.ok_or("the page of rules has no form")?;
    let path = "/api/v1/organisations/office/rules";
    for number in 0..5 {
        let rule = format!(
            "{{\"managed\":\"all\",\"external\":\"new{number}.example\",\"outbound\":\"optional\"}}"
        );
        let answer = browser.post(path, csrf, &rule)?;
        let said = text(&answer.body);
        let live = said.contains("\"live\":true");
        println!(
            "a rule saved: answer {} after {:.0} ms, live: {live}",
            answer.status,
            millis(answer.took)
        );
        if answer.status >= 300 || !live || answer.took > LIVE_GOAL {
            return Err(format!("the rule is not live in time: {said}"));
        }
    }
    Ok(())
}

/// The secret of the session that asks.
const SECRET: &str = "the-session-of-the-measurement";

struct Times {
    median: Duration,
    p95: Duration,
}

fn measure(browser: &mut Browser, page: &str) -> Result<Option<Times>, String> {
    let mut times = Vec::with_capacity(TIMES);
    for number in 0..=TIMES {
        let answer = browser.get(page)?;
        match answer.status {
            200 | 303 => {}
            404 => return Ok(None),
            status => return Err(format!("{page}: answer {status}: {}", text(&answer.body))),
        }
        if number > 0 {
            times.push(answer.took);
        }
    }
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied();
    Ok(at(50)
        .zip(at(95))
        .map(|(median, p95)| Times { median, p95 }))
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(300).collect()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn build(root: &Path) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    let arguments = ["build", "--quiet", "--release", "--package", "sealgate"];
    command.args(arguments).current_dir(root);
    start(&mut command)?;
    Ok(root.join("target/release/sealgate"))
}

/// The directory that is measured, filled once for each schema and way of filling.
struct Place {
    directory: PathBuf,
    address: String,
    fill: PathBuf,
    program: PathBuf,
}

/// A running gateway; it ends with this value.
struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Place {
    fn prepare(root: &Path, program: PathBuf, lines: &str) -> Result<Self, String> {
        let place = Self {
            directory: root.join("target/bench/portal"),
            address: free_address()?,
            fill: root.join("bench/portal/fill.py"),
            program,
        };
        let schema = root.join("crates/store/migrations/0001_first.sql");
        let made_by = read(&place.fill)? + &read(&schema)? + lines + &AMOUNT.join(" ");
        let mark = place.directory.join("made-by");
        fs::create_dir_all(&place.directory).map_err(failed)?;
        place.configure()?;
        if fs::read_to_string(&mark).is_ok_and(|mark| mark == made_by) {
            return Ok(place);
        }
        let _ = fs::remove_dir_all(&place.directory);
        fs::create_dir_all(&place.directory).map_err(failed)?;
        place.configure()?;
        let branches: Vec<_> = (1..19)
            .map(|number| format!("branch{number}.example"))
            .collect();
        let organisation = ORGANISATION
            .replace("b0.example", "branch0.example")
            .replace("DOMAINS", &branches.join("\", \""));
        place.write("office.toml", &organisation)?;
        let key = place.directory.join("master.key");
        // The check finds fault with much; the key is made all the same.
        let _ = place
            .sealgate(&["check", "--make-master-key"])
            .arg(key)
            .output();
        start(&mut place.sealgate(&["apply", "office.toml"]))?;
        let [mailboxes, rules] = AMOUNT;
        place.python(&["fill", lines, mailboxes, rules])?;
        fs::write(mark, made_by).map_err(failed)?;
        Ok(place)
    }

    /// Removes what was filled, unless `SEALGATE_BENCH_KEEP` is set: then the next run begins with it.
    fn remove(&self) -> Result<(), String> {
        if std::env::var_os("SEALGATE_BENCH_KEEP").is_some() {
            return Ok(());
        }
        fs::remove_dir_all(&self.directory).map_err(failed)
    }

    fn configure(&self) -> Result<(), String> {
        self.write(
            "sealgate.toml",
            &CONFIGURATION.replace("ADDRESS", &self.address),
        )
    }

    fn write(&self, name: &str, content: &str) -> Result<(), String> {
        fs::write(self.directory.join(name), content).map_err(failed)
    }

    fn sealgate(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--config", "sealgate.toml"]).args(arguments);
        command.current_dir(&self.directory);
        command
    }

    fn fill(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("python3");
        command
            .arg(&self.fill)
            .arg(self.directory.join("data/sealgate.db"));
        command.args(arguments);
        command
    }

    fn python(&self, arguments: &[&str]) -> Result<(), String> {
        start(&mut self.fill(arguments))
    }

    /// What stands for a parameter in an address: `name=value` lines.
    fn examples(&self) -> Result<Vec<(String, String)>, String> {
        let printed = self.fill(&["examples"]).output().map_err(failed)?;
        let printed = text_of(&printed.stdout);
        let pair = |line: &str| {
            line.split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        Ok(printed.lines().filter_map(pair).collect())
    }

    fn serve(&self) -> Result<Gateway, String> {
        let log = fs::File::create(self.directory.join("gateway.log")).map_err(failed)?;
        let mut command = self.sealgate(&["serve"]);
        command.stdout(Stdio::null()).stderr(log);
        let begun = Instant::now();
        let mut gateway = Gateway(command.spawn().map_err(failed)?);
        while std::net::TcpStream::connect(&self.address).is_err() {
            let ended = gateway.0.try_wait().map_err(failed)?.is_some();
            if ended || begun.elapsed() > START {
                return Err(
                    "the gateway did not start; see target/bench/portal/gateway.log".to_owned(),
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        println!(
            "the gateway was there after {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        Ok(gateway)
    }
}

/// An address of this machine that is free now.
fn free_address() -> Result<String, String> {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").map_err(failed)?;
    Ok(socket.local_addr().map_err(failed)?.to_string())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn text_of(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn failed(error: std::io::Error) -> String {
    error.to_string()
}

/// Every page and every question of the API that is a GET, and the searches.
fn pages(root: &Path, place: &Place) -> Result<Vec<String>, String> {
    let examples = place.examples()?;
    let mut pages = Vec::new();
    for route in read(&root.join("crates/portal/routes.txt"))?.lines() {
        let Some((path, "GET")) = route
            .split_once(' ')
            .map(|(path, rest)| (path, rest.split(' ').next().unwrap_or("")))
        else {
            continue;
        };
        if LEFT_OUT.iter().any(|left_out| path.starts_with(left_out)) {
            continue;
        }
        let filled = examples
            .iter()
            .fold(path.to_owned(), |path, (name, value)| {
                path.replace(name, value)
            });
        if filled.contains('{') {
            return Err(format!("there is no example for {filled}; see fill.py"));
        }
        pages.push(filled);
    }
    pages.extend(SEARCHES.map(str::to_owned));
    Ok(pages)
}
