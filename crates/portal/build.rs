//! Fails the build when a text is missing in a catalogue, or the catalogues differ; unused ones fail it where `CI` is set.

use std::path::Path;
use std::{env, fs, io};

#[path = "src/keys.rs"]
mod keys;

use keys::{Source, compare};

fn main() -> io::Result<()> {
    let mut sources = Vec::new();
    let mut catalogues = Vec::new();
    read(Path::new("src"), "rs", &mut sources)?;
    read(Path::new("templates"), "html", &mut sources)?;
    read(Path::new("lang"), "ftl", &mut catalogues)?;
    for folder in ["src", "templates", "lang", "static"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    println!("cargo::rerun-if-env-changed=CI");
    let found = compare(&sources, &catalogues);
    let is_strict = env::var_os("CI").is_some();
    for wrong in &found.wrong {
        println!("cargo::error={wrong}");
    }
    for unused in found.unused.iter().filter(|_| is_strict) {
        println!("cargo::error={unused}");
    }
    Ok(())
}

/// Every file below `folder` whose name ends so, but for the one with the rules themselves.
fn read(folder: &Path, end: &str, files: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, end, files)?;
        } else if path.extension().is_some_and(|own| own == end) && !path.ends_with("src/keys.rs") {
            files.push(Source {
                name: path.display().to_string(),
                text: fs::read_to_string(&path)?,
            });
        }
    }
    Ok(())
}
