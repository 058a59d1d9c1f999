//! Every fuzz target on every seed of the corpus, on what fuzzing found before, and on seeded mutations of both. A panic
//! inside a target is the failure; so is an input that takes too long (rows C17 to C20).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e::chance::Chance;
use e2e::program::work;

#[path = "../../fuzz/targets.rs"]
mod targets;

/// HTML that fetches, one way each.
#[path = "../../crates/mail/src/neutralise/tests/vectors.rs"]
mod vectors;

use targets::{TARGETS, Target};

/// Mutations of each target's seeds.
const MUTATIONS: usize = 300;
/// Largest seed that is mutated: an edit in a large one says no more, and costs more.
const MUTATED_OCTETS: usize = 32 * 1024;
/// Most work that one input may cause, without optimisation.
const SLOWEST: Duration = Duration::from_secs(1);

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of a directory by name, without notes on where they are from.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_input = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        path.is_file() && name != "SOURCE.txt" && !name.starts_with("LICENSE")
    };
    let inputs = paths.into_iter().filter(is_input);
    inputs
        .map(|path| {
            let octets = fs::read(&path).unwrap();
            (path, octets)
        })
        .collect()
}

/// The seeds of the corpus; a named skip where it is not there.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let base = workspace().join("../shared/corpus");
    if !base.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the corpus is missing");
        println!("skipped: seeds of {}: the corpus is missing", target.name);
        return Vec::new();
    }
    let all = target.seeds.iter().map(|folder| base.join(folder));
    let found: Vec<_> = all.flat_map(|folder| files(&folder)).collect();
    assert!(found.len() >= 20, "the corpus is incomplete");
    found
}

/// Our own vectors: of the S/MIME crate, which name the keys that are held, and HTML that fetches.
fn own(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    match target.name {
        "cms" | "certificate" => files(&workspace().join("crates/smime/testdata")),
        "sanitiser" => vectors::LEAKS
            .iter()
            .map(|html| (PathBuf::from(html), html.as_bytes().to_vec()))
            .collect(),
        _ => Vec::new(),
    }
}

/// One to four small changes: a bit, an octet, a cut, a piece twice, a piece of another seed, a length that lies.
fn mutated(seed: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut out = seed.to_vec();
    for _ in 0..=chance.below(3) {
        if out.is_empty() {
            return other.to_vec();
        }
        let at = usize::try_from(chance.below(out.len() as u64)).unwrap();
        let length = usize::try_from(chance.below(64)).unwrap();
        let end = (at + length).min(out.len());
        match chance.below(6) {
            0 => out[at] ^= 1 << chance.below(8),
            1 => out[at] = *chance.one_of(&[0, 0x30, 0x80, 0x81, 0x84, 0xff, b'\n', b'"', b'-']),
            2 => drop(out.drain(at..end)),
            3 => {
                let piece = out[at..end].to_vec();
                out.splice(at..at, piece);
            }
            4 => {
                let from = usize::try_from(chance.below(other.len() as u64 + 1)).unwrap();
                let piece = &other[from..(from + length).min(other.len())];
                out.splice(at..end, piece.iter().copied());
            }
            _ => out.truncate(at),
        }
    }
    out
}

/// Runs one input; what went wrong, if anything.
fn run(target: &Target, octets: &[u8]) -> Result<Duration, String> {
    let before = work("thread-self");
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(octets)));
    let taken = work("thread-self").saturating_sub(before);
    match outcome {
        Err(_) => Err("it panics".to_owned()),
        Ok(()) if taken > SLOWEST => Err(format!("it takes {taken:?}")),
        Ok(()) => Ok(taken),
    }
}

fn smoke(name: &str) {
    let target = TARGETS.iter().find(|one| one.name == name).unwrap();
    let found = files(&workspace().join("fuzz/found").join(name));
    let seeds = [found.clone(), own(target), corpus(target)].concat();
    let mut slowest = Duration::ZERO;
    for (path, octets) in &seeds {
        let taken = run(target, octets).unwrap_or_else(|fault| panic!("{name}: {path:?}: {fault}"));
        slowest = slowest.max(taken);
    }
    let small: Vec<&[u8]> = seeds.iter().map(|(_, octets)| octets.as_slice()).collect();
    let small: Vec<&[u8]> = small
        .into_iter()
        .filter(|s| s.len() <= MUTATED_OCTETS)
        .collect();
    let mut chance = Chance::seeded(1);
    let mutations = if small.is_empty() { 0 } else { MUTATIONS };
    for number in 0..mutations {
        let (seed, other) = (*chance.one_of(&small), *chance.one_of(&small));
        let octets = mutated(seed, other, &mut chance);
        let taken = run(target, &octets).unwrap_or_else(|fault| {
            let kept = std::env::temp_dir().join(format!("fuzz-{name}-{number}"));
            fs::write(&kept, &octets).unwrap();
            panic!("{name}: mutation {number}, kept as {kept:?}: {fault}")
        });
        slowest = slowest.max(taken);
    }
    println!(
        "fuzz smoke {name}: {} seeds, {} of them found by fuzzing, {mutations} mutations, slowest {slowest:?}",
        seeds.len(),
        found.len()
    );
}

macro_rules! smoke_tests {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                smoke($name);
            }
        )*

        #[test]
        fn every_target_has_its_smoke_test() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$($name),*]);
        }
    };
}

smoke_tests! {
    smoke_cms: "cms",
    smoke_certificate: "certificate",
    smoke_revocation: "revocation",
    smoke_pkcs12: "pkcs12",
    smoke_mime: "mime",
    smoke_address: "address",
    smoke_sanitiser: "sanitiser",
}
