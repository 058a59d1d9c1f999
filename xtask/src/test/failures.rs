//! What is shown of tests that failed. A CI run shows only a part from the end of all that was printed: what a test printed
//! is shortened, and a summary, which says what failed and why, is printed after everything else.

use super::process::last_lines;

/// Lines printed of each failing test; the log file has all of them.
const TEST_LINES: usize = 60;
/// Lines of a panic message in the summary: its place, the message, both sides of a comparison.
const PANIC_LINES: usize = 10;
/// Tests whose panics the summary tells: if more fail, they fail together, and the names suffice.
const PANICS_TOLD: usize = 20;
/// Characters printed of one line: enough for a sentence with some values. A list of a thousand stands in the log file.
const LINE_CHARACTERS: usize = 400;

/// What the failing tests printed, each shortened; the end of everything if no test failed, as when a test does not compile.
pub fn shortened(output: &str) -> String {
    let mut shown = Vec::new();
    let mut is_failing = false;
    let mut left = TEST_LINES;
    for line in output.lines() {
        match line {
            "failures:" => is_failing = true,
            _ if line.starts_with(RESULT) => is_failing = false,
            _ if line.starts_with("---- ") => left = TEST_LINES,
            _ => {}
        }
        if is_failing && left > 0 {
            shown.push(cut(line));
            left -= 1;
        }
    }
    if shown.is_empty() {
        return last_lines(output);
    }
    shown.join("\n")
}

/// How the closing line of a test program begins.
const RESULT: &str = "test result: ";

/// Each failing test with the panic it failed by, tests that did not end, and what cargo says of test programs that ended in
/// another way. Empty if there is none.
pub fn summary(output: &str) -> Vec<String> {
    let mut reader = Reader::default();
    for line in output.lines() {
        reader.read(line);
    }
    let of_failing = |(index, one): (usize, &Failing<'_>)| one.told(index < PANICS_TOLD);
    let told = reader.failing.iter().enumerate().flat_map(of_failing);
    let waiting = reader.slow.iter();
    let waiting = waiting.map(|(file, name)| format!("{file}: {name} did not end"));
    told.chain(waiting).chain(reader.said).collect()
}

/// Goes through the output of all test programs.
#[derive(Default)]
struct Reader<'o> {
    /// The test program whose output it is.
    file: &'o str,
    failing: Vec<Failing<'o>>,
    /// Which of them printed what follows.
    current: Option<usize>,
    /// File and name of tests that took long and have not ended.
    slow: Vec<(&'o str, &'o str)>,
    /// Complaints of cargo.
    said: Vec<String>,
}

impl<'o> Reader<'o> {
    fn read(&mut self, line: &'o str) {
        if let Some(target) = line.strip_prefix("     Running ") {
            self.file = name_of(target);
            self.current = None;
        } else if line == "failures:" || line == "successes:" || line.starts_with(RESULT) {
            self.current = None;
        } else if let Some(name) = printing(line) {
            // What passed prints such a line, too.
            let is_it = |one: &Failing<'_>| one.file == self.file && one.name == name;
            self.current = self.failing.iter().position(is_it);
        } else if let Some(index) = self.current {
            self.failing[index].lines.push(line);
        } else if let Some((name, result)) = ended(line) {
            self.slow.retain(|one| *one != (self.file, name));
            if result.starts_with("FAILED") {
                self.failing.push(Failing::new(self.file, name));
            }
        } else if let Some(name) = takes_long(line) {
            self.slow.push((self.file, name));
        } else if line.trim_start().starts_with("process didn't exit") {
            self.said.push(cut(line.trim_start()));
        }
    }
}

/// A test that failed, and what it printed.
struct Failing<'o> {
    file: &'o str,
    name: &'o str,
    lines: Vec<&'o str>,
}

impl<'o> Failing<'o> {
    fn new(file: &'o str, name: &'o str) -> Self {
        let lines = Vec::new();
        Self { file, name, lines }
    }

    /// Its name, and below it why: the first panic, or the beginning of what it printed if it did not panic.
    fn told(&self, why: bool) -> Vec<String> {
        let mut told = vec![format!("{}: {} failed", self.file, self.name)];
        if !why {
            return told;
        }
        let lines = || self.lines.iter().copied();
        let begin = lines().position(is_panic).unwrap_or(0);
        let message = lines().skip(begin).take_while(|line| !ends_panic(line));
        let message: Vec<&str> = message.filter(|line| !line.trim().is_empty()).collect();
        let shown = message.iter().take(PANIC_LINES);
        told.extend(shown.map(|line| format!("    {}", cut(line))));
        if message.len() > PANIC_LINES {
            let left = message.len() - PANIC_LINES;
            told.push(format!("    ({left} more lines)"));
        }
        told
    }
}

fn is_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
}

fn ends_panic(line: &str) -> bool {
    line == "stack backtrace:" || line.starts_with("note: run with `RUST_BACKTRACE")
}

/// The test whose output follows.
fn printing(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" stdout ----")
}

/// Name and result in the line `test NAME ... RESULT`.
fn ended(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.split_once(" ... ")
}

/// The name in the line `test NAME has been running for over 60 seconds`.
fn takes_long(line: &str) -> Option<&str> {
    let (name, _) = line
        .strip_prefix("test ")?
        .split_once(" has been running ")?;
    Some(name)
}

/// The program in `tests/portal/main.rs (target/debug/deps/portal-0123456789abcdef)`.
fn name_of(target: &str) -> &str {
    let program = target.rsplit(['/', '(']).next().unwrap_or_default();
    program.rsplit_once('-').map_or(program, |(name, _)| name)
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARACTERS) {
        Some((at, _)) => format!("{} ...", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
     Running tests/loops.rs (target/debug/deps/loops-0123456789abcdef)

running 3 tests
test silent ... FAILED
test other has been running for over 60 seconds
test hangs has been running for over 60 seconds
test b ... FAILED
test a ... ok
test other ... ok

successes:

---- a stdout ----
noise
thread 'a' panicked at tests/loops.rs:1:1:

successes:
    a

failures:

---- b stdout ----
before
thread '<unnamed>' (7) panicked at tests/loops.rs:5:9:
assertion failed: the first
  left: 1

 right: 2
stack backtrace:
   0: somewhere
--- log of the gateway ---
much

failures:
    b
    silent

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

error: test failed, to rerun pass `-p e2e --test loops`
     Running tests/portal/main.rs (target/debug/deps/portal-0123456789abcdef)
error: test failed, to rerun pass `-p e2e --test portal`

Caused by:
  process didn't exit successfully: `portal-0123456789abcdef` (signal: 11, SIGSEGV: invalid memory reference)
";

    #[test]
    fn the_summary_names_what_failed_and_why() {
        let expected = "\
loops: silent failed
loops: b failed
    thread '<unnamed>' (7) panicked at tests/loops.rs:5:9:
    assertion failed: the first
      left: 1
     right: 2
loops: hangs did not end
process didn't exit successfully: `portal-0123456789abcdef` (signal: 11, SIGSEGV: invalid memory reference)";
        assert_eq!(summary(OUTPUT).join("\n"), expected);
        assert!(summary("test a ... ok\ntest result: ok.").is_empty());
    }

    #[test]
    fn long_messages_are_cut_and_say_so() {
        let message: String = (0..20).map(|at| format!("line {at}\n")).collect();
        let wide = "x".repeat(10_000);
        let output = format!(
            "test c ... FAILED\nfailures:\n---- c stdout ----\nthread 'c' panicked at c.rs:1:2:\n{wide}\n{message}"
        );
        let told = summary(&output);
        assert_eq!(told.len(), 12, "{told:?}");
        assert_eq!(told[2], format!("    {} ...", "x".repeat(LINE_CHARACTERS)));
        assert_eq!(told[11], "    (12 more lines)");
        assert!(!shortened(&output).contains(&wide));
        assert!(shortened(&output).contains("line 19"));
    }

    #[test]
    fn of_many_failing_tests_some_are_only_named() {
        let output: String = (0..100)
            .map(|at| format!("test t{at} ... FAILED\nfailures:\n---- t{at} stdout ----\nwhy\ntest result: FAILED\n"))
            .collect();
        assert_eq!(summary(&output).len(), 100 + PANICS_TOLD);
    }

    #[test]
    fn only_failing_tests_are_shown() {
        let shown = shortened(OUTPUT);
        assert!(shown.contains("much"), "{shown}");
        assert!(
            !shown.contains("noise") && !shown.contains("error:"),
            "{shown}"
        );
        assert_eq!(shortened("error: no such field"), "error: no such field");
    }
}
