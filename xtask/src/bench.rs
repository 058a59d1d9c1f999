//! Builds the benchmarks and starts them. Those of the engine are a workspace of their own: libcrypto is measured there, and
//! neither the product nor CI builds it.

mod http;
mod portal;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What `cargo xtask bench` can be asked for.
pub const BENCHES: [&str; 3] = ["smime", "memory", "portal"];

/// Runs one of the benchmarks.
pub fn run(root: &Path, arguments: &[&str]) -> ExitCode {
    if arguments == ["portal"] {
        return portal(root, portal::LINES);
    }
    finish(build(root).and_then(|program| start(Command::new(program).args(arguments))))
}

/// Measures the portal with so many lines of the journal.
pub fn portal(root: &Path, lines: &str) -> ExitCode {
    finish(portal::run(root, lines))
}

/// Runs the timing test of rows C10 and C11 on one core. Its time is only worth something on a quiet machine.
pub fn timing(root: &Path, arguments: &[String]) -> ExitCode {
    let core = last_core().to_string();
    let pinned = |program: PathBuf| {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &core]).arg(program);
        start(command.arg("timing").args(arguments))
    };
    finish(build(root).and_then(pinned))
}

/// The last core: the first one serves most interrupts.
fn last_core() -> usize {
    std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1)
}

fn build(root: &Path) -> Result<PathBuf, String> {
    let target = root.join("target/bench");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    let arguments = ["build", "--quiet", "--release", "--target-dir"];
    command.args(arguments).arg(&target);
    command.current_dir(root.join("bench"));
    start(&mut command)?;
    Ok(target.join("release/sealgate-bench"))
}

fn start(command: &mut Command) -> Result<(), String> {
    let outcome = command.status();
    let reason = match outcome {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    Err(format!("{}: {reason}", command.get_program().display()))
}

fn finish(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
