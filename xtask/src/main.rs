//! The tasks around the product: which task a command line asks for.
//!
//! `cargo xtask test [STEP...]` is the one test command, `cargo xtask tidy` checks what compilers
//! and linters do not: crate directions, dependency allow-lists, size budgets, marks. `cargo xtask bench` and
//! `cargo xtask timing` build and start the benchmarks, which are a workspace of their own.

mod bench;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask test [--no-install] [STEP...]   run all steps, or only those named
       cargo xtask tidy                            check crate directions, budgets and marks
       cargo xtask bench smime|memory              speed beside libcrypto, memory beside `openssl cms`
       cargo xtask bench portal [LINES]            how long each page takes where there is much data
       cargo xtask timing [DECRYPTIONS]            whether RSA decryption tells anything by its time

steps: tools fetch fmt clippy tidy deny unit build e2e interop
A missing foreign program fails the run when CI is set; elsewhere its tests are skipped by name.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = workspace_root();
    match arguments.split_first() {
        Some((task, rest)) if task == "test" => test::run(&root, rest),
        Some((task, [])) if task == "tidy" => tidy_command(&root),
        Some((task, [what])) if task == "bench" && bench::BENCHES.contains(&what.as_str()) => {
            bench::run(&root, &[what])
        }
        Some((task, [what, lines])) if task == "bench" && what == "portal" => {
            bench::portal(&root, lines)
        }
        Some((task, rest)) if task == "timing" && rest.len() <= 1 => bench::timing(&root, rest),
        Some((help, _)) if help == "help" || help == "--help" || help == "-h" => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn tidy_command(root: &Path) -> ExitCode {
    match tidy::report(root) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprint!("{text}");
            ExitCode::FAILURE
        }
    }
}

/// The directory above this crate's, as cargo tells it when it runs us; else the current directory.
fn workspace_root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .and_then(|own| own.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from("."))
}
