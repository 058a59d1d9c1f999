//! Looks for secrets on the disk: every file of a directory, and every file a process has open, deleted ones included.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::keys::{Identity, shown, words};
use crate::program::must_run;

/// An octet string that must not be found, and what it is.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Such as `p of alice, RSA`.
    pub name: String,
    octets: Vec<u8>,
}

/// Shorter strings could stand somewhere by chance.
const SHORTEST: usize = 12;

impl Secret {
    /// Looked for as it is.
    pub fn new(name: String, octets: &[u8]) -> Self {
        assert!(octets.len() >= SHORTEST, "{name} is too short to look for");
        let octets = octets.to_vec();
        Self { name, octets }
    }

    /// What is looked for.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// A text as it may lie somewhere: plain, quoted-printable, and in base64 at each of the three offsets.
pub fn of_text(name: &str, text: &str) -> Vec<Secret> {
    let quoted = text.replace('=', "=3D").replace(' ', "=20");
    let mut all = vec![
        Secret::new(format!("{name}, plain"), text.as_bytes()),
        Secret::new(format!("{name}, quoted-printable"), quoted.as_bytes()),
    ];
    all.extend(in_base64(name, text.as_bytes()));
    all
}

/// The private parts of a key as octets and in base64: p, q and d of RSA, d of EC, and the whole key in PKCS#8.
pub fn of_key(name: &str, identity: &Identity) -> Vec<Secret> {
    let key = shown(&identity.key);
    let mut arguments = words("pkcs8 -topk8 -nocrypt -outform DER -in");
    arguments.push(key.clone());
    let mut parts = vec![("PKCS#8", must_run("openssl", &arguments, b""))];
    let text = must_run("openssl", &["pkey", "-noout", "-text", "-in", &key], b"");
    let text = String::from_utf8(text).unwrap();
    let names = [
        ("privateExponent:", "d"),
        ("prime1:", "p"),
        ("prime2:", "q"),
        ("priv:", "d"),
    ];
    for (label, part) in names {
        parts.extend(number(&text, label).map(|octets| (part, octets)));
    }
    assert!(parts.len() == 2 || parts.len() == 4, "{text}");
    let with_base64 = |(part, octets): (&str, Vec<u8>)| {
        let name = format!("{part} of {name}");
        let mut all = vec![Secret::new(name.clone(), &octets)];
        all.extend(in_base64(&name, &octets));
        all
    };
    parts.into_iter().flat_map(with_base64).collect()
}

/// A number as `openssl pkey -text` prints it, without leading zeros.
fn number(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("{label}\n"))?;
    let lines = rest.lines().take_while(|line| line.starts_with("    "));
    let hex: String = lines.collect::<String>().replace([' ', ':'], "");
    let octets: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let start = octets.iter().position(|&octet| octet != 0)?;
    Some(octets[start..].to_vec())
}

/// At each of the three offsets, without the first and last groups, which depend on their neighbours too, and cut to
/// what surely stands on one line of 64 or 76.
fn in_base64(name: &str, octets: &[u8]) -> Vec<Secret> {
    let at = |offset: usize| {
        let shifted = [&b"xx"[..offset], octets].concat();
        let base64 = must_run("openssl", &["base64", "-e", "-A"], &shifted);
        let inner = &base64[4..base64.len() - 8];
        let short = &inner[..inner.len().min(BASE64_LENGTH)];
        Secret::new(format!("{name}, base64 at offset {offset}"), short)
    };
    (0..3).map(at).collect()
}

/// Of base64 is looked for this much: a longer run would be broken by line ends.
const BASE64_LENGTH: usize = 30;

/// Where secrets were found, as `file: secret`.
pub fn below(directory: &Path, secrets: &[Secret]) -> Vec<String> {
    files(directory, &files_below(directory), secrets)
}

/// The same for all files that a process has open. What it has deleted but still holds is only to be found so.
pub fn open_in(process: u32, secrets: &[Secret]) -> Vec<String> {
    let descriptors = PathBuf::from(format!("/proc/{process}/fd"));
    let entries = fs::read_dir(&descriptors).unwrap().flatten();
    // Sockets and pipes are no files; reading one would wait. Many descriptors are of the same file.
    let mut seen = HashSet::new();
    let paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let file = fs::metadata(path).ok().filter(fs::Metadata::is_file);
            file.is_some_and(|about| seen.insert((about.dev(), about.ino())))
        })
        .collect();
    files(&descriptors, &paths, secrets)
}

fn files(directory: &Path, paths: &[PathBuf], secrets: &[Secret]) -> Vec<String> {
    let mut hits = Vec::new();
    for path in paths {
        // A file may go away while we look; what it held is then no longer on the disk.
        let octets = fs::read(path).unwrap_or_default();
        let short = path.strip_prefix(directory).unwrap_or(path);
        let found = contained(&octets, secrets);
        hits.extend(found.map(|secret| format!("{}: {}", short.display(), secret.name)));
    }
    hits
}

fn contained<'s>(octets: &[u8], secrets: &'s [Secret]) -> impl Iterator<Item = &'s Secret> {
    // Most octets begin no secret: a table of the first two of each makes the search fast enough.
    let mut starts = vec![false; 1 << 16];
    for secret in secrets {
        starts[first_two(&secret.octets)] = true;
    }
    let mut found = vec![false; secrets.len()];
    for at in 0..octets.len().saturating_sub(1) {
        if !starts[first_two(&octets[at..])] {
            continue;
        }
        for (index, secret) in secrets.iter().enumerate() {
            found[index] |= octets[at..].starts_with(&secret.octets);
        }
    }
    let pairs = secrets.iter().zip(found);
    pairs.filter_map(|(secret, found)| found.then_some(secret))
}

fn first_two(octets: &[u8]) -> usize {
    usize::from(octets[0]) << 8 | usize::from(octets[1])
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files
}
