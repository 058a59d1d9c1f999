//! What `cargo xtask tidy` checks, and how it reports: a rule is a pure function from a file or the
//! crate graph to findings; only this file and `files` touch the disk.

mod budget;
mod code;
mod crates;
mod files;
mod text;

use std::fmt;
use std::path::Path;

/// One thing to mend: where it is, which rule it breaks, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path below the workspace root.
    pub file: String,
    /// Line, counted from 1; 0 where a whole file or crate is meant.
    pub line: usize,
    /// Short name of the rule.
    pub rule: &'static str,
    /// What was found and what is allowed.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}:{}: {}: {}",
            self.file, self.line, self.rule, self.what
        )
    }
}

/// Checks the whole workspace below `root`. `Ok` is a summary line, `Err` the list of findings.
pub fn report(root: &Path) -> Result<String, String> {
    let mut found = Vec::new();
    let sources = files::read_all(root).map_err(|error| format!("tidy: cannot read: {error}\n"))?;
    let test_files = files::test_files(&sources);
    for source in &sources {
        text::check(source, &mut found);
        if source.path.ends_with(".rs") {
            code::check(source, test_files.contains(&source.path), &mut found);
        }
    }
    text::check_held(&sources, &mut found);
    let graph = crates::Graph::load(root).map_err(|error| format!("tidy: {error}\n"))?;
    graph.check(&mut found);
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Ok(format!("tidy: {} files, nothing to mend\n", sources.len()));
    }
    let lines: String = found.iter().map(|one| format!("{one}\n")).collect();
    Err(format!("{lines}tidy: {} to mend\n", found.len()))
}
