//! What each step runs, and how it reads the result.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{Count, Outcome, Place, Step, failures, tools};
use crate::tidy;

/// The steps in their order. All tests and the program are built once, by `build`: the steps after it choose among what is
/// there, always of the whole workspace, since cargo builds crates anew for another choice of packages.
pub const STEPS: &[Step] = &[
    step("tools", "foreign programs", 20, foreign_programs),
    step("fetch", "all crates of Cargo.lock", 15, fetch),
    step("fmt", "formatted as rustfmt does", 2, format),
    step("clippy", "no warning in any target", 20, clippy),
    step("tidy", "crate directions, budgets, marks", 2, tidy_step),
    step("deny", "licences, bans, sources", 5, deny),
    step("build", "the program under test and all tests", 25, build),
    step("unit", "tests of the crates", 15, unit),
    step("e2e", "the whole gateway", 25, end_to_end),
    step("interop", "foreign programs both ways", 15, interop),
];

const fn step(
    name: &'static str,
    what: &'static str,
    minutes: u64,
    run: fn(&Place, Duration) -> Outcome,
) -> Step {
    Step {
        name,
        what,
        limit: Duration::from_secs(minutes * 60),
        run,
    }
}

/// Test files of `e2e/tests` whose name begins so belong to the step `interop`.
const INTEROP: &str = "interop";
/// How a test says that it did not run; written by the `e2e` crate.
const SKIPPED: &str = "skipped: ";
/// How a test says what the interop matrix of one peer came to.
const MATRIX: &str = "interop: ";

fn foreign_programs(place: &Place, limit: Duration) -> Outcome {
    let (notes, missing) = tools::provide(place, limit);
    let failure = (place.ci && !missing.is_empty()).then(|| missing.join("\n"));
    let mut notes = notes;
    if failure.is_none() {
        notes.extend(missing);
    }
    Outcome {
        failure,
        notes,
        ..Outcome::default()
    }
}

fn fetch(place: &Place, limit: Duration) -> Outcome {
    plain(place.cargo("fetch", &["fetch", "--locked"]).run(limit))
}

fn format(place: &Place, limit: Duration) -> Outcome {
    plain(place.cargo("fmt", &["fmt", "--all", "--check"]).run(limit))
}

fn clippy(place: &Place, limit: Duration) -> Outcome {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    plain(place.cargo("clippy", &arguments).run(limit))
}

fn tidy_step(place: &Place, _limit: Duration) -> Outcome {
    plain(tidy::report(&place.root))
}

fn deny(place: &Place, limit: Duration) -> Outcome {
    let Some(program) = tools::cargo_deny(place) else {
        return skipped_step(place, "cargo-deny is not there; the step `tools` builds it");
    };
    let arguments = [
        "--offline",
        "--all-features",
        "check",
        "bans",
        "licenses",
        "sources",
    ];
    plain(place.job("deny", &program, &arguments).run(limit))
}

/// A step that lacks its program: a failure in CI, a named skip elsewhere.
fn skipped_step(place: &Place, reason: &str) -> Outcome {
    let mut outcome = Outcome::default();
    if place.ci {
        outcome.failure = Some(reason.to_owned());
    } else {
        outcome.notes.push(format!("{SKIPPED}{reason}"));
        outcome.count.skipped = 1;
    }
    outcome
}

fn build(place: &Place, limit: Duration) -> Outcome {
    let arguments = [
        "build",
        "--workspace",
        "--bin",
        "sealgate",
        "--tests",
        "--locked",
    ];
    plain(place.cargo("build", &arguments).run(limit))
}

fn unit(place: &Place, limit: Duration) -> Outcome {
    let crates = fs::read_dir(place.root.join("crates"));
    let names: Vec<String> = crates
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|entry| test_targets(&entry.path().join("tests")))
        .collect();
    let chosen = names.iter().flat_map(|name| ["--test", name]);
    let mut arguments = vec!["--lib", "--bins"];
    arguments.extend(chosen);
    tests(place, "unit", &arguments, limit)
}

fn end_to_end(place: &Place, limit: Duration) -> Outcome {
    e2e_tests(place, "e2e", limit, |name| !name.starts_with(INTEROP))
}

fn interop(place: &Place, limit: Duration) -> Outcome {
    e2e_tests(place, "interop", limit, |name| name.starts_with(INTEROP))
}

fn e2e_tests(place: &Place, step: &str, limit: Duration, belongs: fn(&str) -> bool) -> Outcome {
    let names = test_targets(&place.root.join("e2e/tests"));
    let chosen = names.iter().filter(|name| belongs(name));
    let arguments: Vec<&str> = chosen.flat_map(|name| ["--test", name]).collect();
    if arguments.is_empty() {
        return Outcome::default();
    }
    tests(place, step, &arguments, limit)
}

/// Names of the test targets cargo finds in a `tests` directory, sorted: files, and folders with a `main.rs`.
fn test_targets(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            match entry.path().join("main.rs").is_file() {
                true => Some(name),
                false => name.strip_suffix(".rs").map(str::to_owned),
            }
        })
        .collect();
    names.sort();
    names
}

/// Runs cargo's test runner. A passing run that executed no test is a failure: something was named wrongly.
fn tests(place: &Place, step: &str, chosen: &[&str], limit: Duration) -> Outcome {
    let mut arguments = vec!["test", "--workspace", "--locked", "--no-fail-fast"];
    arguments.extend(chosen);
    arguments.extend(["--", "--show-output"]);
    let binary = place.target.join("debug/sealgate");
    let job = place
        .cargo(step, &arguments)
        .env("SEALGATE_BIN", binary)
        .env("SEALGATE_PYTHON", tools::python(place))
        .env("SEALGATE_NPM", tools::npm(place));
    let (output, mut failure) = match job.run(limit) {
        Ok(output) => (output, None),
        Err(failed) => {
            let shown = failures::shortened(&failed.output);
            let text = format!("{shown}\n{}", failed.reason);
            (failed.output, Some(text))
        }
    };
    let mut count = count(&output);
    let mut notes = said(&output, SKIPPED);
    count.skipped += notes.len() as u64;
    notes.extend(said(&output, MATRIX));
    if failure.is_none() && count.passed == 0 {
        failure = Some("no test was run".to_owned());
    }
    Outcome {
        summary: failures::summary(&output),
        failure,
        notes,
        count,
    }
}

fn plain(result: Result<String, impl Into<String>>) -> Outcome {
    Outcome {
        failure: result.err().map(Into::into),
        ..Outcome::default()
    }
}

/// Adds up the closing lines `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
fn count(output: &str) -> Count {
    let mut total = Count::default();
    for line in output
        .lines()
        .filter(|line| line.starts_with("test result: "))
    {
        let number = |word: &str| {
            line.split(['.', ';'])
                .filter_map(|part| part.trim().strip_suffix(word))
                .find_map(|head| head.trim().parse::<u64>().ok())
                .unwrap_or(0)
        };
        total.passed += number("passed");
        total.failed += number("failed");
        total.skipped += number("ignored");
    }
    total
}

/// The lines that begin so, each once.
fn said(output: &str, beginning: &str) -> Vec<String> {
    let mut lines: Vec<String> = output
        .lines()
        .filter(|line| line.starts_with(beginning))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 3 tests
test a ... ok

successes:
---- a stdout ----
skipped: cmsutil is not installed (Debian package libnss3-tools)
interop: nss: 3 passed, 2 skipped

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
skipped: cmsutil is not installed (Debian package libnss3-tools)
";

    #[test]
    fn closing_lines_are_added_up() {
        let expected = Count {
            passed: 7,
            failed: 2,
            skipped: 1,
        };
        assert_eq!(count(OUTPUT), expected);
        assert_eq!(count("no such line"), Count::default());
    }

    #[test]
    fn skips_are_named_once() {
        assert_eq!(
            said(OUTPUT, SKIPPED),
            ["skipped: cmsutil is not installed (Debian package libnss3-tools)"]
        );
        assert_eq!(said(OUTPUT, MATRIX), ["interop: nss: 3 passed, 2 skipped"]);
    }

    #[test]
    fn step_names_are_unique() {
        for (index, step) in STEPS.iter().enumerate() {
            assert!(
                STEPS
                    .iter()
                    .skip(index + 1)
                    .all(|other| other.name != step.name)
            );
        }
    }
}
