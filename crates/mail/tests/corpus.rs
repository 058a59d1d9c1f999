//! Every message of the open corpora: the tree is found, its ranges nest, untouched bytes stay, and the canonical form
//! decodes to the same octets.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_macros
)]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sealgate_mail::edit::{Edited, HeaderEdit};
use sealgate_mail::encoding::CrlfWriter;
use sealgate_mail::neutralise::neutralise;
use sealgate_mail::{Canonical, Message, Part, Source, canonical};

/// The messages of a corpus folder, or a named skip where the corpus is not there.
fn messages(folder: &str, extension: &str) -> Vec<(String, Vec<u8>)> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus")
        .join(folder);
    if !base.is_dir() {
        assert!(
            std::env::var_os("CI").is_none(),
            "corpus {folder} is missing"
        );
        println!("skipped: corpus {folder} is not there");
        return Vec::new();
    }
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&base)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let wanted = |path: &PathBuf| path.extension().is_some_and(|e| e == extension);
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_message = !name.contains("LICENSE") && name != "SOURCE.txt";
        is_message.then(|| (name, std::fs::read(&path).unwrap()))
    };
    let found: Vec<_> = paths.into_iter().filter(wanted).filter_map(named).collect();
    assert!(found.len() >= 32, "corpus {folder} is incomplete");
    found
}

fn all() -> Vec<(String, Vec<u8>)> {
    [
        messages("cpython-email", "txt"),
        messages("mime4j-testmsgs", "msg"),
    ]
    .concat()
}

fn crlf(raw: &[u8]) -> Vec<u8> {
    let mut writer = CrlfWriter::new(Vec::new());
    writer.write_all(raw).unwrap();
    writer.finish().unwrap()
}

fn written(source: &dyn Source) -> Vec<u8> {
    let mut out = Vec::new();
    source.write_to(&mut out).unwrap();
    assert_eq!(source.length().unwrap(), out.len() as u64);
    out
}

/// The decoded leaves in order.
fn leaves(raw: &Vec<u8>, part: &Part) -> Vec<(String, Vec<u8>)> {
    let leaf = |part: &&Part| part.is_leaf() && part.content_type.kind() != "multipart";
    let decoded = |part: &Part| {
        let mut out = Vec::new();
        part.decoded(raw).unwrap().read_to_end(&mut out).unwrap();
        (part.content_type.to_string(), out)
    };
    part.all().into_iter().filter(leaf).map(decoded).collect()
}

fn assert_nested(name: &str, part: &Part) {
    assert!(
        part.range.0 <= part.body.0 && part.body.0 <= part.body.1,
        "{name}"
    );
    assert_eq!(part.body.1, part.range.1, "{name}");
    let mut at = part.body.0;
    for child in &part.children {
        assert!(
            at <= child.range.0 && child.range.1 <= part.body.1,
            "{name}"
        );
        at = child.range.1;
        assert_nested(name, child);
    }
}

#[test]
fn trees_nest() {
    for (name, raw) in all() {
        for raw in [crlf(&raw), raw] {
            let message = Message::read(&raw).unwrap();
            let part = message.structure().unwrap();
            assert_eq!(part.range, (0, raw.len() as u64), "{name}");
            assert_nested(&name, &part);
        }
    }
}

#[test]
fn m13_what_is_not_changed_is_the_same() {
    for (name, raw) in all() {
        let raw = crlf(&raw);
        let message = Message::read(&raw).unwrap();
        let same = HeaderEdit::new(message.header())
            .remove_named("X-Not-There")
            .finish();
        let mut edited = Edited::new(message.content());
        edited.replace(0, message.body_start(), [&same[..], b"\r\n"].concat());
        let edited = written(&edited);
        if !message.body().eq(&[]) {
            assert_eq!(edited, raw, "{name}");
        }
        let split = [message.outer_fields(), message.entity_fields()].concat();
        assert!(split.len() >= message.header().raw().len(), "{name}");
    }
}

/// Whether a slice holds the given octets.
trait Holds {
    fn eq(&self, octets: &[u8]) -> bool;
}

impl Holds for sealgate_mail::Slice<'_> {
    fn eq(&self, octets: &[u8]) -> bool {
        written(self) == octets
    }
}

#[test]
fn canonical_leaves_decode_to_the_same_octets() {
    for (name, raw) in all() {
        let raw = crlf(&raw);
        let message = Message::read(&raw).unwrap();
        let form = Canonical::new(&message).unwrap();
        let out = written(&form);
        let again = Message::read(&out).unwrap();
        let before = leaves(&raw, &message.structure().unwrap());
        let after = leaves(&out, &again.structure().unwrap());
        assert_eq!(before, after, "{name}");
        if canonical::is_canonical(&message).unwrap() {
            assert_eq!(written(&message.body()), written(&again.body()), "{name}");
        }
        if !form.must_be_opaque() {
            assert!(canonical::is_canonical(&again).unwrap(), "{name}");
            assert!(out.is_ascii(), "{name}");
        }
        let entity = written(&message.entity());
        let entity = Message::read(&entity).unwrap();
        assert_eq!(written(&entity.body()), written(&message.body()), "{name}");
    }
}

/// Cases of mime4j read differently, each a decision.
const OTHERWISE: [(&str, &str); 12] = [
    (
        "bad-newlines-multiple-parts-base64.msg",
        "an encoded message is not looked into (RFC 2046 section 5.2.1 forbids it)",
    ),
    (
        "base64encoded-rfc822message-nested.msg",
        "an encoded message is not looked into",
    ),
    (
        "base64encoded-rfc822message.msg",
        "an encoded message is not looked into",
    ),
    (
        "ending-boundaries.msg",
        "a boundary line with text behind the boundary is text, as Python has it",
    ),
    (
        "malformedHeaderStartsBody-nocrlfcrlf.msg",
        "the header ends with the blank line, whatever stands before it",
    ),
    (
        "malformedHeaderStartsBody-noheader.msg",
        "the header ends with the blank line, whatever stands before it",
    ),
    (
        "missing-inner-boundary.msg",
        "a multipart without boundary lines has no parts, as Python has it",
    ),
    (
        "multipartemptypart.msg",
        "between two boundary lines lies one part, not two",
    ),
    (
        "multipartnestedemptyparts.msg",
        "a message inside is a message, not also a text",
    ),
    (
        "very-long-boundary.msg",
        "blanks at the end of a boundary do not count, as Python has it",
    ),
    (
        "very-very-long-boundary.msg",
        "blanks at the end of a boundary do not count, as Python has it",
    ),
    (
        "weird-boundary.msg",
        "blanks at the end of a boundary do not count, as Python has it",
    ),
];

#[test]
fn leaves_equal_those_of_mime4j() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/mime4j-testmsgs");
    let mut differences = Vec::new();
    for (name, raw) in messages("mime4j-testmsgs", "msg") {
        let stem = name.strip_suffix(".msg").unwrap();
        let message = Message::read(&raw).unwrap();
        let mut expected: Vec<(String, Vec<u8>)> = Vec::new();
        for entry in std::fs::read_dir(&base).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some(tail) = file.strip_prefix(&format!("{stem}_decoded_")) else {
                continue;
            };
            expected.push((tail.to_owned(), std::fs::read(&path).unwrap()));
        }
        expected.sort();
        let expected: Vec<Vec<u8>> = expected.into_iter().map(|(_, octets)| octets).collect();
        let found: Vec<Vec<u8>> = leaves(&raw, &message.structure().unwrap())
            .into_iter()
            .map(|(_, octets)| octets)
            .collect();
        if found != expected {
            differences.push(name);
        }
    }
    let known: Vec<String> = OTHERWISE
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(differences, known);
}

#[test]
fn c1_neutralising_settles_every_message() {
    let mut changed = 0;
    for (name, raw) in all() {
        let raw = crlf(&raw);
        let Some(found) = neutralise(&raw).unwrap() else {
            continue;
        };
        changed += 1;
        let out = written(&found);
        let message = Message::read(&out).unwrap();
        let part = message.structure().unwrap();
        assert!(!part.all().iter().any(|part| part.is_ambiguous()), "{name}");
        if let Some(again) = neutralise(&out).unwrap() {
            assert_eq!(again.removed(), 0, "{name}");
            assert!(written(&again) == out, "{name}");
        }
    }
    assert!(changed > 0 || all().is_empty());
}
