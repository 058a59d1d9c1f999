//! Which files `tidy` reads, and which of them are test code.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// One text file of the workspace.
#[derive(Debug, Clone)]
pub struct Source {
    /// Path below the workspace root, with `/` between the parts.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// Endings of the files that are read. Mail samples and keys are data and not text of ours.
const ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".sql", ".ftl", ".yml", ".sh"];
/// Files without such an ending that are read all the same.
const BY_NAME: &[&str] = &[".ci/run"];
/// Directories that hold no text of ours.
const LEFT_OUT: &[&str] = &["target", ".git"];

/// Reads every text file below `root`, in the order of their paths.
pub fn read_all(root: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut waiting = vec![String::new()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(root.join(&directory))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if directory.is_empty() {
                name.clone()
            } else {
                format!("{directory}/{name}")
            };
            if entry.file_type()?.is_dir() {
                if !LEFT_OUT.contains(&name.as_str()) {
                    waiting.push(path);
                }
            } else if is_text(&path) {
                let text = std::fs::read_to_string(entry.path())?;
                sources.push(Source { path, text });
            }
        }
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn is_text(path: &str) -> bool {
    ENDINGS.iter().any(|ending| path.ends_with(ending)) || BY_NAME.contains(&path)
}

/// Paths of the files that are test code as a whole: the `e2e` crate, the fuzz targets, `tests/` and `benches/`
/// directories, and files named by a `#[cfg(test)] mod name;`.
pub fn test_files(sources: &[Source]) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for source in sources.iter().filter(|one| one.path.ends_with(".rs")) {
        let path = &source.path;
        let all_tests = path.starts_with("e2e/") || path.starts_with("fuzz/");
        if all_tests || path.contains("/tests/") || path.contains("/benches/") {
            tests.insert(path.clone());
        }
        let Ok(file) = syn::parse_file(&source.text) else {
            continue;
        };
        for item in &file.items {
            if let syn::Item::Mod(module) = item
                && module.content.is_none()
                && super::code::is_test_only(&module.attrs)
            {
                tests.extend(module_files(path, &module.ident.to_string()));
            }
        }
    }
    tests
}

/// Where a module declared in the file `parent` may lie.
fn module_files(parent: &str, name: &str) -> [String; 2] {
    let (directory, file) = parent.rsplit_once('/').unwrap_or(("", parent));
    let base = match file {
        "lib.rs" | "main.rs" | "mod.rs" => directory.to_owned(),
        _ => format!("{directory}/{}", file.trim_end_matches(".rs")),
    };
    [format!("{base}/{name}.rs"), format!("{base}/{name}/mod.rs")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn test_files_are_known_by_place_and_by_declaration() {
        let sources = [
            source(
                "crates/mail/src/lib.rs",
                "#[cfg(test)] mod checks; mod part;",
            ),
            source("crates/mail/src/part.rs", "#[cfg(test)]\nmod table;"),
            source("crates/mail/tests/all.rs", ""),
            source("e2e/src/sink.rs", ""),
        ];
        let tests = test_files(&sources);
        for path in [
            "crates/mail/src/checks.rs",
            "crates/mail/src/part/table.rs",
            "crates/mail/tests/all.rs",
            "e2e/src/sink.rs",
        ] {
            assert!(tests.contains(path), "{path}");
        }
        assert!(!tests.contains("crates/mail/src/part.rs"));
    }
}
