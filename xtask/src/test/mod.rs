//! The one test command: its steps in order, which of them run, and what is printed about each.
//!
//! Every step prints one line with result and time; a failing one also the end of its output.
//! All steps run even when one fails, so that one run shows everything there is to mend. At the very end stands which tests
//! failed, and why.

mod failures;
mod process;
mod steps;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use process::Job;
use steps::STEPS;

/// What the steps need to know of where they run.
#[derive(Debug)]
pub struct Place {
    /// The workspace root.
    pub root: PathBuf,
    /// Where cargo builds; tools, the Python environment and logs lie below it.
    pub target: PathBuf,
    /// Whether `CI` is set: nothing may be missing there.
    pub ci: bool,
    /// Whether missing foreign programs may be installed.
    pub install: bool,
}

impl Place {
    fn new(root: &Path, install: bool) -> Self {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
        Self {
            root: root.to_path_buf(),
            target: root.join(target),
            ci: std::env::var_os("CI").is_some_and(|value| !value.is_empty()),
            install,
        }
    }

    /// A job that runs `program` in the workspace root and logs below the target directory.
    fn job(&self, name: &str, program: &str, arguments: &[&str]) -> Job {
        Job::new(
            program,
            arguments,
            &self.root,
            self.target.join(format!("xtask/{name}.log")),
        )
    }

    fn cargo(&self, name: &str, arguments: &[&str]) -> Job {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        self.job(name, &cargo, arguments)
    }
}

/// Tests counted from the closing lines of the test runner.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests marked as ignored, and cases that said they were skipped.
    pub skipped: u64,
}

/// What a step came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Why it failed, as text to print; `None` if it passed.
    pub failure: Option<String>,
    /// What failed and why in a few lines, printed once more after everything else.
    pub summary: Vec<String>,
    /// Lines to print below the step's line: what was installed, what was skipped.
    pub notes: Vec<String>,
    /// Tests it ran.
    pub count: Count,
}

/// One step of the test command.
pub struct Step {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows when it passes.
    pub what: &'static str,
    /// Longest time it may take, generous for two cores and a clean clone: a hanging test ends here.
    pub limit: Duration,
    /// Runs it.
    pub run: fn(&Place, Duration) -> Outcome,
}

/// Runs the steps named in `arguments`, all of them if none is named.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let (options, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|one| one.starts_with("--"));
    let unknown = options
        .iter()
        .find(|one| **one != "--no-install")
        .or_else(|| {
            names
                .iter()
                .find(|name| STEPS.iter().all(|step| step.name != **name))
        });
    if let Some(unknown) = unknown {
        eprintln!("xtask: no option or step is called `{unknown}`");
        return ExitCode::from(2);
    }
    let place = Place::new(root, options.is_empty());
    let wanted = |step: &&Step| names.is_empty() || names.iter().any(|name| *name == step.name);
    let started = Instant::now();
    let mut total = Count::default();
    let mut failed = Vec::new();
    let mut summary = Vec::new();
    for step in STEPS.iter().filter(wanted) {
        let began = Instant::now();
        let outcome = (step.run)(&place, step.limit);
        print_outcome(step, &outcome, began.elapsed());
        total.passed += outcome.count.passed;
        total.failed += outcome.count.failed;
        total.skipped += outcome.count.skipped;
        failed.extend(outcome.failure.map(|_| step.name));
        summary.extend(outcome.summary);
    }
    for line in summary {
        println!("{line}");
    }
    close(total, &failed, started.elapsed())
}

fn print_outcome(step: &Step, outcome: &Outcome, took: Duration) {
    let result = if outcome.failure.is_some() {
        "FAILED"
    } else {
        "ok"
    };
    let count = match outcome.count {
        Count {
            passed: 0,
            failed: 0,
            ..
        } => String::new(),
        Count {
            passed,
            failed,
            skipped,
        } => format!(" ({passed} passed, {failed} failed, {skipped} skipped)"),
    };
    println!(
        "{:<8} {result:<6} {:>6.1} s  {}{count}",
        step.name,
        took.as_secs_f64(),
        step.what
    );
    for note in &outcome.notes {
        println!("         {note}");
    }
    if let Some(text) = &outcome.failure {
        println!("{}", text.trim_end());
    }
}

fn close(total: Count, failed: &[&str], took: Duration) -> ExitCode {
    println!("{:.0} s in all", took.as_secs_f64());
    if !failed.is_empty() {
        println!("failed steps: {}", failed.join(" "));
    }
    if total != Count::default() {
        let Count {
            passed,
            failed,
            skipped,
        } = total;
        println!("{passed} passed, {failed} failed, {skipped} skipped");
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
