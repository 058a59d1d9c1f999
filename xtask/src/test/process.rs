//! How a step runs another program: output into a log file, ended with all its children at a time limit.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often a running program is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Lines of a failing program's output that are printed; the log file has all of them.
const PRINTED_LINES: usize = 300;

/// A program to run.
#[derive(Debug)]
pub struct Job {
    program: String,
    arguments: Vec<String>,
    directory: PathBuf,
    environment: Vec<(String, OsString)>,
    log: PathBuf,
}

/// A program that did not do what it should.
#[derive(Debug)]
pub struct Failed {
    /// Everything it printed.
    pub output: String,
    /// Which program it was, how it ended, and where its output is.
    pub reason: String,
}

/// The text to print: the end of the output, and the reason.
impl From<Failed> for String {
    fn from(failed: Failed) -> Self {
        format!("{}\n{}", last_lines(&failed.output), failed.reason)
    }
}

impl Job {
    /// Runs `program` in `directory`; what it prints goes to the file `log`.
    pub fn new(program: &str, arguments: &[&str], directory: &Path, log: PathBuf) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&one| one.to_owned()).collect(),
            directory: directory.to_path_buf(),
            environment: Vec::new(),
            log,
        }
    }

    /// Adds a variable to the program's environment.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Runs it to its end or to the limit. `Ok` is its output.
    pub fn run(&self, limit: Duration) -> Result<String, Failed> {
        let status = self.wait(limit);
        let output = fs::read(&self.log).unwrap_or_default();
        let output = String::from_utf8_lossy(&output).into_owned();
        let reason = match status {
            Ok(Some(status)) if status.success() => return Ok(output),
            Ok(Some(status)) => format!("ended with {status}"),
            Ok(None) => format!("was ended after {} s", limit.as_secs()),
            Err(error) => format!("could not be run: {error}"),
        };
        let (line, log) = (self.line(), self.log.display());
        Err(Failed {
            reason: format!("`{line}` {reason}; all output: {log}"),
            output,
        })
    }

    fn line(&self) -> String {
        let program = self.program.rsplit('/').next().unwrap_or_default();
        format!("{program} {}", self.arguments.join(" "))
    }

    fn wait(&self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let mut child = self.start()?;
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        end_group(&mut child)?;
        Ok(None)
    }

    fn start(&self) -> io::Result<Child> {
        if let Some(directory) = self.log.parent() {
            fs::create_dir_all(directory)?;
        }
        let log = File::create(&self.log)?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        // What cargo set for us is about this program, not about the one we start.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(name.as_ref());
            }
        }
        command.spawn()
    }
}

/// Ends the program and everything it started: it leads a process group of its own.
fn end_group(child: &mut Child) -> io::Result<()> {
    Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .status()?;
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// The last lines of a long output.
pub fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let from = lines.len().saturating_sub(PRINTED_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &str, script: &str) -> Job {
        let directory = std::env::temp_dir();
        let log = directory.join(format!("xtask-{name}-{}.log", std::process::id()));
        Job::new("sh", &["-c", script], &directory, log)
    }

    #[test]
    fn output_is_given_back_and_failure_shown() {
        let limit = Duration::from_secs(10);
        let good = job("good", "echo out; echo err >&2")
            .env("X", "1")
            .run(limit);
        assert_eq!(good.ok().as_deref(), Some("out\nerr\n"));
        let bad = job("bad", "echo broken; exit 3").run(limit);
        let text = bad.err().map(String::from).unwrap_or_default();
        assert!(
            text.starts_with("broken\n") && text.contains("exit status: 3"),
            "{text}"
        );
    }

    #[test]
    fn a_hanging_program_is_ended_with_its_children() {
        let began = Instant::now();
        let hanging = job("hang", "sleep 60 & sleep 60").run(Duration::from_millis(200));
        assert!(
            hanging
                .err()
                .is_some_and(|failed| failed.reason.contains("was ended after"))
        );
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
