//! Where tests find the test corpus: beside the workspace, never in it.

use std::path::{Path, PathBuf};

/// The corpus directory, or `None` with a named skip; in CI its absence fails.
pub(crate) fn directory(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus")
        .join(name);
    if path.is_dir() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "the corpus {name} is missing"
    );
    eprintln!("skipped: the corpus {name} is missing");
    None
}

/// A JSON file of the corpus.
pub(crate) fn json(name: &str, file: &str) -> Option<serde_json::Value> {
    let path = directory(name)?.join(file);
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// Octets of a hexadecimal string.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).unwrap() as u8)
        .collect();
    digits.chunks(2).map(|two| two[0] << 4 | two[1]).collect()
}
