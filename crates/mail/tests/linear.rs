//! Row C20 of the attack list: time grows with the size of the input, not with its square.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods
)]

use std::time::{Duration, Instant};

use sealgate_mail::neutralise::neutralise;
use sealgate_mail::{Canonical, ContentType, HeaderBlock, Message, Source, parse_mailboxes, words};

/// Makes an input of about `n` steps and reads it.
type Case = (&'static str, usize, fn(usize) -> Vec<u8>, fn(&Vec<u8>));

fn read_all(raw: &Vec<u8>) {
    let Ok(message) = Message::read(raw) else {
        return;
    };
    let _ = message.structure();
    let _ = Canonical::new(&message);
}

fn multipart(body: &str) -> Vec<u8> {
    format!(
        "Content-Type: multipart/mixed; boundary={}\r\n\r\n{body}",
        "b".repeat(70)
    )
    .into_bytes()
}

/// HTML of `n` pieces.
fn html(before: &str, piece: &str, n: usize) -> Vec<u8> {
    format!("Content-Type: text/html\r\n\r\n{before}{}", piece.repeat(n)).into_bytes()
}

fn neutralised(raw: &Vec<u8>) {
    if let Ok(Some(found)) = neutralise(raw) {
        found.write_to(&mut std::io::sink()).unwrap();
    }
}

/// A calendar of `n` pieces.
fn calendar(piece: &str, n: usize) -> Vec<u8> {
    format!("Content-Type: text/calendar\r\n\r\n{}", piece.repeat(n)).into_bytes()
}

const HTML_CASES: [Case; 13] = [
    (
        "rules",
        3_000,
        |n| html("<style>", "p{color:red;x:y}@x{", n),
        neutralised,
    ),
    (
        "lines of a calendar",
        5_000,
        |n| calendar("ATTACH;X=\"a;b\":c\r\n", n),
        neutralised,
    ),
    (
        "one line of a calendar",
        5_000,
        |n| calendar("SUMMARY;a=b\r\n ", n),
        neutralised,
    ),
    ("open tags", 5_000, |n| html("", "<div><b>", n), neutralised),
    (
        "closed tags",
        5_000,
        |n| html("", "</div></svg>", n),
        neutralised,
    ),
    (
        "attributes",
        3_000,
        |n| html("<p ", "a=b style=c ", n),
        neutralised,
    ),
    (
        "attributes of all names",
        5_000,
        |n| {
            let names: String = (0..n).map(|i| format!("x{i}=y ")).collect();
            html(&format!("<meta {names}><p {names}>"), "", 0)
        },
        neutralised,
    ),
    (
        "one value",
        50_000,
        |n| html("<img src=\"cid:", "abc", n),
        neutralised,
    ),
    (
        "style",
        5_000,
        |n| html("<p style=\"", "color:rgb(", n),
        neutralised,
    ),
    (
        "references",
        5_000,
        |n| html("", "&lt;&#x3c;&notanything", n),
        neutralised,
    ),
    (
        "ends of no script",
        5_000,
        |n| html("<script>", "</scriptx", n),
        neutralised,
    ),
    (
        "comments",
        5_000,
        |n| html("", "<!-- <!-- --><!", n),
        neutralised,
    ),
    (
        "links",
        3_000,
        |n| html("", "<a href=http://x/>y", n),
        neutralised,
    ),
];

const CASES: [Case; 9] = [
    (
        "header lines",
        20_000,
        |n| "a: b\r\n".repeat(n).into_bytes(),
        read_all,
    ),
    (
        "one long header line",
        100_000,
        |n| format!("a: {}\r\n", "b ".repeat(n)).into_bytes(),
        read_all,
    ),
    (
        "parts",
        1_000,
        |n| multipart(&format!("--{}\r\n\r\nx\r\n", "b".repeat(70)).repeat(n)),
        read_all,
    ),
    (
        "almost boundaries",
        10_000,
        |n| multipart(&format!("--{}\r\n", "b".repeat(69)).repeat(n)),
        read_all,
    ),
    (
        "hyphens",
        200_000,
        |n| multipart(&"--\n".repeat(n)),
        read_all,
    ),
    (
        "continuations of a parameter",
        5_000,
        |n| {
            (0..n)
                .map(|i| format!(";x*{i}=y"))
                .collect::<String>()
                .into_bytes()
        },
        |raw| {
            let _ = ContentType::parse(&[b"a/b".as_slice(), raw].concat());
        },
    ),
    (
        "comments in an address",
        50_000,
        |n| "(c)".repeat(n).into_bytes(),
        |raw| {
            let _ = parse_mailboxes(raw);
        },
    ),
    (
        "encoded words that are none",
        50_000,
        |n| "=?a?q".repeat(n).into_bytes(),
        |raw| {
            let _ = words::decode(raw);
        },
    ),
    (
        "folded lines",
        50_000,
        |n| [b"a:".to_vec(), b"\r\n b".repeat(n)].concat(),
        |raw| {
            let header = HeaderBlock::parse(raw);
            let _ = header.first("a").unwrap().decoded();
        },
    ),
];

/// The shortest of several runs: other work on the machine only makes them longer.
fn shortest(raw: &Vec<u8>, read: fn(&Vec<u8>)) -> Duration {
    let run = || {
        let start = Instant::now();
        read(raw);
        start.elapsed()
    };
    (0..3).map(|_| run()).min().unwrap()
}

#[test]
fn c20_time_grows_linearly() {
    for (name, n, make, read) in CASES.into_iter().chain(HTML_CASES) {
        let (small, large) = (make(n), make(4 * n));
        // Four times the input: four times the time if linear, sixteen if quadratic. Below a millisecond nothing is known.
        let floor = Duration::from_millis(1);
        let mut measured = Vec::new();
        // Other work on the machine may fall on one of the two only, but not each time.
        let is_linear = (0..5).any(|_| {
            let (small, large) = (shortest(&small, read), shortest(&large, read));
            measured.push((small, large));
            large < small.max(floor) * 9
        });
        assert!(is_linear, "{name}: {measured:?}");
    }
}
