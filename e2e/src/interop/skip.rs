//! Which cells a peer cannot pass, and why: `e2e/interop/skipped.toml`.

use serde::Deserialize;

use super::cell::Cell;
use crate::place::workspace;

/// Cells of one peer that are expected to fail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// The peer.
    pub peer: String,
    /// Patterns of cell names; `*` stands for any text.
    pub cells: Vec<String>,
    /// Why the peer cannot pass them.
    pub reason: String,
}

#[derive(Deserialize)]
struct File {
    skip: Vec<Skip>,
}

impl Skip {
    /// The skips of one peer, in the order of the file.
    pub fn of(peer: &str) -> Vec<Self> {
        let path = workspace().join("e2e/interop/skipped.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File = toml::from_str(&text).unwrap();
        file.skip
            .into_iter()
            .filter(|skip| skip.peer == peer)
            .collect()
    }

    /// Whether it speaks of this cell.
    pub fn matches(&self, cell: &Cell) -> bool {
        let name = cell.to_string();
        self.cells.iter().any(|pattern| fits(pattern, &name))
    }
}

/// Whether a name fits a pattern in which `*` stands for any text.
pub fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|t| fits(rest, t)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("read a der", "read a der", true),
            ("read a der", "read a ber", false),
            ("* a *", "read a der", true),
            ("*", "", true),
            ("read *-cbc der", "read x aes-128-cbc der", true),
            ("read *-cbc", "read x aes-128-cbc der", false),
            ("*gcm*", "x aes-128-gcm der", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
