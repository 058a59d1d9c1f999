//! `docs/interop.md`: what the matrix showed, one section a peer.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::cell::{
    CONTENTS, Cell, Direction, Encoding, Layers, MANAGEMENTS, SIGNATURES, SignedForm, all_layers,
};
use super::matrix::{Outcome, Run};
use crate::place::workspace;

/// The peers in the order of the page: their names in the matrix and their titles.
const PEERS: [(&str, &str); 4] = [
    ("openssl", "OpenSSL"),
    ("nss", "NSS"),
    ("gpgsm", "gpgsm"),
    ("bouncy-castle", "Bouncy Castle"),
];

const HEAD: &str = "\
# Interoperability

This page is written by the tests: `SEALGATE_GOLDEN=write cargo test -p e2e --test interop_matrix`. Without that variable the tests
compare, and a page that is out of date fails.

The peers are those of Debian 12: `openssl cms` (3.0), NSS `cmsutil` (3.87), `gpgsm` (2.2.40), Bouncy Castle (1.72). In each cell one side writes
with `sealgate smime` or the peer and the other side reads. A cell passes if the written object names the algorithms of the cell and is
encoded as the cell says, the reader calls it good (a signature must be `valid` under the root of the signer), and the content comes
out octet for octet. In the first part of an entry the peer writes and we read: `DER` with definite lengths, `BER` with indefinite
lengths and strings in pieces. `yes` in the second part: we write, always DER, and the peer reads; `-`: we do not write it.

A number in brackets is a skip with its reason below the tables. Skipped cells run as well: one that works fails the tests, and so
does one where the peer reads what it writes itself. The cells are in `e2e/src/interop/cell.rs`, the skips in
`e2e/interop/skipped.toml`. `des3` and SHA-1 signatures are read only where the organisation allows legacy algorithms, Brainpool
curves (`bp256`, `bp384`) only where it allows those. Bouncy Castle 1.72 has no RecipientInfo for
X25519: `e2e/interop/Peer.java` puts it together from the library's X25519, HKDF and AES key wrap.
";

impl Run {
    fn count(&self, wanted: impl Fn(&Outcome) -> bool) -> usize {
        self.cells.iter().filter(|(_, one)| wanted(one)).count()
    }

    /// Cells that passed.
    pub fn passed(&self) -> usize {
        self.count(|one| *one == Outcome::Passed)
    }

    /// Cells that were skipped.
    pub fn skipped(&self) -> usize {
        self.count(|one| matches!(one, Outcome::Skipped(_)))
    }

    /// A line for each cell that failed, and for each skip that no cell needs.
    pub fn failures(&self) -> Vec<String> {
        let failed = self.cells.iter().filter_map(|(cell, one)| match one {
            Outcome::Failed(reason) => Some(format!("{}: {cell}: {reason}", self.peer)),
            _ => None,
        });
        let unused = self.skips.iter().flat_map(|skip| {
            let idle = skip.cells.iter().filter(|pattern| {
                let matches =
                    |(cell, _): &(Cell, Outcome)| super::skip::fits(pattern, &cell.to_string());
                !self.cells.iter().any(matches)
            });
            idle.map(|pattern| format!("{}: no cell is called `{pattern}`", self.peer))
        });
        failed.chain(unused).collect()
    }

    fn mark(&self, direction: Direction, layers: Layers, encoding: Encoding) -> Option<String> {
        let wanted = Cell {
            direction,
            layers,
            encoding,
        };
        let (_, outcome) = self.cells.iter().find(|(cell, _)| *cell == wanted)?;
        Some(match outcome {
            Outcome::Passed if direction == Direction::Written => "yes".to_owned(),
            Outcome::Passed if encoding == Encoding::Der => "DER".to_owned(),
            Outcome::Passed => "BER".to_owned(),
            Outcome::Skipped(number) => format!("[{}]", number + 1),
            Outcome::Failed(_) => "failed".to_owned(),
        })
    }

    /// What an entry of a table says: read, and written.
    fn entry(&self, layers: Layers) -> String {
        let mut read: Vec<String> = [Encoding::Der, Encoding::Ber]
            .into_iter()
            .filter_map(|encoding| self.mark(Direction::Read, layers, encoding))
            .collect();
        read.dedup();
        let written = self.mark(Direction::Written, layers, Encoding::Der);
        format!("{} / {}", read.join(" "), written.as_deref().unwrap_or("-"))
    }

    /// The section of this peer, without its heading.
    fn section(&self) -> String {
        let mut text = format!(
            "{} cells: {} passed, {} skipped.\n\n",
            self.cells.len(),
            self.passed(),
            self.skipped()
        );
        text.push_str("| signature | clear-signed | opaque |\n|---|---|---|\n");
        for signature in SIGNATURES {
            let entry = |form| self.entry(Layers::Signed(form, *signature));
            let (clear, opaque) = (entry(SignedForm::Clear), entry(SignedForm::Opaque));
            writeln!(text, "| {} | {clear} | {opaque} |", signature.name).unwrap();
        }
        self.envelopes(&mut text);
        text.push_str("\n| signed, then enveloped | |\n|---|---|\n");
        for layers in all_layers() {
            if matches!(layers, Layers::Both(..)) {
                writeln!(text, "| {layers} | {} |", self.entry(layers)).unwrap();
            }
        }
        text.push('\n');
        for (number, skip) in self.skips.iter().enumerate() {
            let count = self.count(|one| *one == Outcome::Skipped(number));
            writeln!(text, "[{}] {} ({count} cells)\n", number + 1, skip.reason).unwrap();
        }
        text.trim_end().to_owned() + "\n"
    }

    fn envelopes(&self, text: &mut String) {
        let names: Vec<&str> = CONTENTS.iter().map(|content| content.name).collect();
        let rule = "---|".repeat(names.len() + 1);
        write!(text, "\n| envelope | {} |\n|{rule}\n", names.join(" | ")).unwrap();
        for management in MANAGEMENTS {
            let entries: Vec<String> = CONTENTS
                .iter()
                .map(|content| self.entry(Layers::Enveloped(*management, *content)))
                .collect();
            writeln!(text, "| {} | {} |", management.name, entries.join(" | ")).unwrap();
        }
    }

    /// Compares the section of this peer in the page, or writes it if `SEALGATE_GOLDEN` is `write`.
    pub fn check_page(&self) -> Result<(), String> {
        static WRITING: Mutex<()> = Mutex::new(());
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        let old = std::fs::read_to_string(page()).unwrap_or_default();
        let new = with_section(&old, self.peer, &self.section());
        if std::env::var("SEALGATE_GOLDEN").is_ok_and(|value| value == "write") {
            std::fs::write(page(), new).unwrap();
            return Ok(());
        }
        if old == new {
            Ok(())
        } else {
            Err(format!("{} is out of date", page().display()))
        }
    }
}

fn page() -> PathBuf {
    workspace().join("docs/interop.md")
}

/// The page with this section for one peer and the old ones for the others.
fn with_section(old: &str, peer: &str, section: &str) -> String {
    let mut text = HEAD.to_owned();
    for (name, title) in PEERS {
        let heading = format!("\n## {title}\n\n");
        let kept = old.split_once(&heading).map_or("", |(_, rest)| {
            rest.split_once("\n## ").map_or(rest, |(kept, _)| kept)
        });
        let section = if name == peer { section } else { kept };
        text.push_str(&heading);
        text.push_str(section);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_section_is_replaced() {
        let first = with_section("", "nss", "N\n");
        let both = with_section(&first, "openssl", "O\n");
        assert!(both.starts_with(HEAD));
        assert!(
            both.ends_with(
                "\n## OpenSSL\n\nO\n\n## NSS\n\nN\n\n## gpgsm\n\n\n## Bouncy Castle\n\n"
            )
        );
        assert_eq!(with_section(&both, "nss", "N\n"), both);
    }
}
