//! Foreign programs: whether one is there, and running it with its output captured.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::place::skip;

/// Whether every one of these programs is installed; if not, the test says so and skips itself.
pub fn present(programs: &[&str]) -> bool {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|one| !on_path(one))
        .collect();
    if !missing.is_empty() {
        skip(&format!("not installed: {}", missing.join(", ")));
    }
    missing.is_empty()
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// The Python with the packages of the tests: named by `SEALGATE_PYTHON`, else the one that `cargo xtask test tools`
/// made, else the plain one.
pub fn python() -> String {
    let own = crate::place::workspace().join("target/venv/bin/python3");
    let own = own.is_file().then(|| crate::keys::shown(&own));
    let named = std::env::var("SEALGATE_PYTHON").ok().or(own);
    named.unwrap_or_else(|| "python3".to_owned())
}

/// What a program came to.
#[derive(Debug)]
pub struct Ran {
    /// Whether it ended with 0.
    pub good: bool,
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: Vec<u8>,
    /// What it complained.
    pub err: String,
}

impl Ran {
    /// Its output, which must be text.
    pub fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }
}

/// Runs a program with `input` on its standard input.
pub fn run<A: AsRef<OsStr>>(program: &str, arguments: &[A], input: &[u8]) -> Ran {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that does not read all of its input ends the pipe: that is its business.
        let _ = stdin.write_all(&input);
    });
    let output: Output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        good: output.status.success(),
        code: output.status.code(),
        out: output.stdout,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// User and system time that a process, or the thread `thread-self`, has taken so far: what it did, however busy the machine is.
pub fn work(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let times = rest.split_whitespace().skip(11).take(2);
    // Ticks of a hundredth of a second, as on every Linux in use.
    times
        .map(|ticks| Duration::from_millis(10 * ticks.parse::<u64>().unwrap()))
        .sum()
}

/// Runs a program that must succeed, and gives its output.
pub fn must_run<A: AsRef<OsStr>>(program: &str, arguments: &[A], input: &[u8]) -> Vec<u8> {
    let ran = run(program, arguments, input);
    let shown: Vec<_> = arguments
        .iter()
        .map(|one| one.as_ref().to_string_lossy())
        .collect();
    assert!(ran.good, "{program} {}: {}", shown.join(" "), ran.err);
    ran.out
}
