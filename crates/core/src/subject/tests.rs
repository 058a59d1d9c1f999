use super::*;
use crate::testdata::{Counter, cpu_time};
use rand_core::RngCore;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

const TAGS: [&str; 8] = [
    "[signed]",
    "[signiert]",
    "[encrypted]",
    "[verschlüsselt]",
    "[signature not verified]",
    "[Signatur nicht geprüft]",
    "[signature invalid]",
    "[Signatur ungültig]",
];

/// The judge, made apart from what it judges: NFKC, case, prototypes of UTS 39 (which also drop what is not seen), and
/// blanks and controls taken out, in both orders of case and prototype.
fn looks(text: &str) -> [String; 2] {
    let text: String = text.nfkc().filter(|c| !c.is_control()).collect();
    let last = |text: String| -> String {
        let text = text.to_lowercase().replace('ß', "ss");
        text.chars().filter(|c| !c.is_whitespace()).collect()
    };
    let prototypes: String = skeleton(&text).collect();
    let lower: String = skeleton(&text.to_lowercase()).collect();
    [last(prototypes), last(lower)]
}

fn shows_a_tag(text: &str) -> bool {
    let shown = looks(text);
    TAGS.iter()
        .flat_map(|tag| looks(tag))
        .any(|tag| shown.iter().any(|one| one.contains(&tag)))
}

/// What the sink gets of this header, and whether any reading of it shows a tag.
fn survives(raw: &str) -> (String, bool) {
    let header = HeaderBlock::parse(raw.as_bytes());
    let sink = String::from_utf8(Cleaner::default().tagged(&header, "")).unwrap();
    let shows = HeaderBlock::parse(sink.as_bytes()).fields().any(|field| {
        shows_a_tag(&field.decoded()) || shows_a_tag(&String::from_utf8_lossy(field.raw()))
    });
    (sink, shows)
}

/// Row G1: variants of one forged tag. `<` stands for its first half, `>` for its second one.
const G1: [&str; 41] = [
    "Subject: <> hello",
    "Subject: hello <>",
    "Subject: hello<>hello",
    "subject:<>",
    "SUBJECT : <> hello",
    "Subject\r\n : <> hello",
    "Subject: <\r\n > hello",
    "Subject: <\t>",
    "Subject: <  >",
    "Subject: <<>> hello",
    "Subject: <<<>>> hello",
    "Subject: <><>",
    "Subject: one\r\nSubject: <> two",
    "Subject: <> one\r\nSubject: <> two",
    "Subject: <\u{200b}>",
    "Subject: <\u{200d}>",
    "Subject: <\u{ad}>",
    "Subject: <\u{2060}\u{feff}>",
    "Subject: <\u{202e}\u{202c}>",
    "Subject: \u{2066}<>\u{2069}",
    "Subject: <\u{fe0f}>",
    "Subject: <\u{e0020}>",
    "Subject: <\u{3164}>",
    "Subject: <\u{34f}>",
    "Subject: <\u{0}>",
    "Subject: <\u{7f}>",
    "Subject: <\r>",
    "Subject: <=?utf-8?Q??=>",
    "Subject: =?utf-8?Q?<>?= hello",
    "Subject: =?utf-8?Q?<?= =?utf-8?Q?>?=",
    "Subject: =?utf-8?Q?<?=\r\n =?iso-8859-1?Q?>?=",
    "Subject: =?utf-8?Q?<?=>",
    "Subject: =?nonsense?Q?<>?=",
    "Subject: =?utf-8?Q?<>?x?=",
    "Subject: =?utf-8?Q?x?<>?=",
    "Subject: =?utf-8?Q?<> and no end",
    "Subject: =?<>?Q?x?=",
    "Subject: =?us-ascii*<>?Q?x?=",
    "Subject: =?utf-8?X?<>?=",
    "Thread-Topic: <> hello",
    "Subject: <\u{a0}\u{2003}>",
];

#[test]
fn g1_forged_tags_reach_no_sink() {
    assert!(TAGS.iter().all(|tag| shows_a_tag(tag)), "the judge sees");
    let spellings = |tag: &str| {
        let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap();
        let full: String = tag
            .chars()
            .map(|c| if c.is_ascii_graphic() { wide(c) } else { c })
            .collect();
        let brackets = tag.replace('[', "\u{ff3b}").replace(']', "\u{ff3d}");
        [tag.to_owned(), tag.to_uppercase(), full, brackets]
    };
    for tag in TAGS.iter().flat_map(|tag| spellings(tag)) {
        let half = tag.char_indices().nth(tag.chars().count() / 2).unwrap().0;
        let (first, second) = tag.split_at(half);
        for variant in G1 {
            let raw: String = variant
                .chars()
                .map(|c| match c {
                    '<' => first.to_owned(),
                    '>' => second.to_owned(),
                    c => c.to_string(),
                })
                .collect();
            let (sink, shows) = survives(&format!("From: a@x.example\r\n{raw}\r\n"));
            assert!(!shows, "{raw:?} becomes {sink:?}");
        }
    }
}

#[test]
fn g1_every_encoding_of_a_forged_tag_is_seen() {
    use base64_of as b;
    for tag in TAGS {
        let utf_16: Vec<u8> = tag.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let latin: Vec<u8> = tag.chars().map(|c| c as u8).collect();
        let q: String = tag.bytes().map(|b| format!("={b:02X}")).collect();
        let (first, second) = tag.as_bytes().split_at(4);
        let table = [
            format!("=?utf-8?B?{}?=", b(tag.as_bytes())),
            format!("=?utf-8?B?{}?=", b(tag.as_bytes()).trim_end_matches('=')),
            format!("=?utf-8?B?{}?=", b(tag.as_bytes()).replace('b', "b*!")),
            format!("=?utf-8?B?{}{}?=", b(first), b(second)),
            format!("=?utf-8?B?{}?= =?utf-8?B?{}?=", b(first), b(second)),
            format!("=?utf-8?Q?{q}?="),
            format!("=?utf-8*de?q?{q}?="),
            format!("=?iso-8859-15?B?{}?=", b(&latin)),
            format!("=?utf-16be?B?{}?=", b(&utf_16)),
            format!("=?utf-16?B?{}?=", b(&[&[0xfe, 0xff], &utf_16[..]].concat())),
            format!("=?utf-7?Q?+{}-?=", b(&utf_16).trim_end_matches('=')),
            format!("=?cp037?Q?{q}?="),
            format!(
                "=?iso-2022-jp?B?GyRC?= =?iso-2022-jp?Q?{}?=",
                tag.replace(' ', "_")
            ),
            format!("Re: x=?utf-8?Q?{q}?=y"),
            format!("=?utf-8?Q?{q}?x?="),
            format!("=?utf-8?Q?x?{q}?="),
            format!("=?cp850?Q?{}?=", q.replace("=C3=BC", "=81")),
            format!("=?x?b??[ =?x?b??= {}", &tag[1..]),
        ];
        for value in table {
            let (sink, shows) = survives(&format!("Subject: {value}\r\n"));
            assert!(!shows, "{tag} as {value:?} becomes {sink:?}");
            assert!(!sink.contains(&value), "{tag} as {value:?} stays");
        }
    }
}

fn base64_of(octets: &[u8]) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let bits = (0..3).fold(0u32, |bits, n| {
            bits << 8 | u32::from(*chunk.get(n).unwrap_or(&0))
        });
        let letter = |n: usize| match n <= chunk.len() {
            true => char::from(letters[(bits >> (18 - 6 * n)) as usize & 63]),
            false => '=',
        };
        (0..4).map(letter).collect::<String>()
    };
    octets.chunks(3).map(group).collect()
}

#[test]
fn g1_octets_that_are_no_utf_8_hide_nothing() {
    for value in [
        &b"\xff[signed]"[..],
        b"\xff [\xd1\x95igned]",
        b"[sign\xffed]",
        b"\xfc[verschl\xfcsselt]",
    ] {
        let raw = [b"Subject: ", value, b"\r\n"].concat();
        let sink = Cleaner::default().tagged(&HeaderBlock::parse(&raw), "");
        let sink = String::from_utf8(sink).unwrap();
        let shown = HeaderBlock::parse(sink.as_bytes())
            .first("Subject")
            .unwrap()
            .decoded();
        assert!(!shows_a_tag(&shown), "{shown:?}");
    }
}

#[test]
fn g1_text_from_right_to_left_hides_nothing() {
    for forged in [
        "\u{202e}[dengis]\u{202c}",
        "\u{202e}]dengis[",
        "\u{2067}[detpyrcne]\u{2069}",
    ] {
        let cleaned = Cleaner::default().cleaned_text(&format!("{forged} hello"));
        assert_eq!(seen(&cleaned.unwrap()), "hello", "{forged:?}");
    }
}

/// The text without what is not seen and without the blanks around it.
fn seen(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_ascii());
    letters.collect::<String>().trim().to_owned()
}

/// How a character looks to the generator: the prototype of what it is compatible with.
fn look(c: char) -> String {
    let text: String = c.nfkc().collect();
    skeleton(&text).collect::<String>().to_lowercase()
}

#[test]
fn g2_letters_that_look_alike_reach_no_sink() {
    let mut chance = Counter(29_144);
    let mut below = |n: usize| chance.next_u64() as usize % n;
    let mut known: std::collections::HashMap<String, Vec<char>> = Default::default();
    for c in '\u{80}'..=char::MAX {
        known.entry(look(c)).or_default().push(c);
    }
    let ignorable = [
        '\u{200b}',
        '\u{ad}',
        '\u{200d}',
        '\u{202e}',
        '\u{2064}',
        '\u{fe01}',
        '\u{e0100}',
    ];
    for tag in TAGS {
        for _ in 0..250 {
            let mut forged = String::new();
            for c in tag.chars() {
                let c = if below(4) == 0 {
                    c.to_ascii_uppercase()
                } else {
                    c
                };
                let alike = known.get(&look(c)).map(Vec::as_slice).unwrap_or_default();
                match below(3) {
                    0 => forged.push(c),
                    _ if alike.is_empty() => forged.push(c),
                    _ => forged.push(alike[below(alike.len())]),
                }
                if below(6) == 0 {
                    forged.push(ignorable[below(ignorable.len())]);
                }
            }
            let encoded = encode_unstructured("Subject", &format!("a {forged} b"));
            for raw in [format!("Subject: a {forged} b\r\n"), encoded] {
                let (sink, shows) = survives(&raw);
                assert!(!shows, "{forged:?} becomes {sink:?}");
                let shown = HeaderBlock::parse(sink.as_bytes())
                    .first("Subject")
                    .unwrap()
                    .decoded();
                assert_eq!(seen(&shown).replace("  ", " "), "a b", "{forged:?}");
            }
        }
    }
    assert!(known["s"].len() > 10, "there are letters that look alike");
}

#[test]
fn g1_what_is_not_forged_stays_octet_for_octet() {
    let ordinary = [
        "Subject: Contract (signed)",
        "Subject: [Project] signed [v2]",
        "Subject: Re: [list] signed documents",
        "Subject: [signed by Bob] x",
        "subject :   odd   blanks\t here ",
        "Subject: =?UTF-8?b?R3LDvMOfZSBhdXMgS8O2bG4=?=\r\n =?utf-8?q?_[Test]?=",
        "Subject: =?iso-8859-1?Q?[Gr=FC=DFe]?=",
        "Subject: =?koi8-r?B?1MXT1A==?= [\u{442}\u{435}\u{441}\u{442}]",
        "Subject: =?gb2312?B?suLK1A==?=",
        "Subject: =?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=",
        "Subject: 【重要】お知らせ",
        "Subject: [Важно] отчёт",
        "Subject: \u{5d0}\u{5d1} [\u{5d2}]",
        "Subject: Grüße [intern]",
        "Subject: =? x ?= [y]",
        "Subject:",
        "Subject: []",
        "Subject: verschlüsselt und signiert",
        "Subject: =?utf-8?Q?=C3?= =?utf-8?Q?=BC?= [x]",
        "X-Other: [signed]",
        "Thread-Topic: plain",
    ];
    for raw in ordinary {
        let raw = format!("From: a@x.example\r\n{raw}\r\nTo: b\r\n");
        assert_eq!(survives(&raw).0, raw);
    }
    // Octets that are no UTF-8.
    let raw = b"Subject: Gr\xfc\xdfe [x]\r\n";
    assert_eq!(Cleaner::default().tagged(&HeaderBlock::parse(raw), ""), raw);
}

#[test]
fn g1_what_readers_take_differently_is_written_anew() {
    let table = [
        ("=?utf-8?Q?a b?=", "a b"),
        ("=?utf-8?Q?a?b?=", "a?b"),
        (
            "=?utf-8?Q?x?[si =?cp500?b?h\t5WBo6SZhUCJ?= y",
            "x?[si =?cp500?b?h 5WBo6SZhUCJ y",
        ),
        ("=?cp850?Q?x?=", "x"),
    ];
    for (value, text) in table {
        let cleaned = Cleaner::default().cleaned_value(value.as_bytes()).unwrap();
        let field = encode_unstructured("Subject", &cleaned);
        let header = HeaderBlock::parse(field.as_bytes());
        assert_eq!(header.first("Subject").unwrap().decoded(), text);
    }
}

#[test]
fn only_what_is_forged_is_taken_out() {
    let table = [
        ("[signed] hello", "hello"),
        ("Re: [signed] hello", "Re: hello"),
        ("Re:[Signed]hello", "Re:hello"),
        ("[sig[signed]ned] a [b]", "a [b]"),
        ("[signed][encrypted] [Signatur ungültig] x", "x"),
        ("[signed] x [verschluesselt]", "x"),
        ("[si\u{262}\u{274}ed] x", "x"),
        ("x [[signed]] y", "x [] y"),
        ("\u{249c}[signed]b", "\u{249c}b"),
        ("[signed ok] x", "x"),
        ("[signed]", ""),
    ];
    for (text, cleaned) in table {
        assert_eq!(
            Cleaner::default().cleaned_text(text).as_deref(),
            Some(cleaned),
            "{text}"
        );
    }
}

#[test]
fn each_verdict_has_its_tag() {
    use EncryptionVerdict as E;
    use SignatureVerdict as S;
    let table = [
        (S::None, E::None, ""),
        (S::Valid, E::None, "[signed] "),
        (S::Valid, E::DecryptedAuthenticated, "[signed] [encrypted] "),
        (S::None, E::Decrypted, "[encrypted] "),
        (S::Partial, E::None, ""),
        (S::Untrusted, E::None, "[signature not verified] "),
        (S::RevocationUnknown, E::None, "[signature not verified] "),
        (S::Unsupported, E::None, "[signature not verified] "),
        (S::ValidNoAddress, E::None, "[signature not verified] "),
        (S::ValidOtherAddress, E::None, "[signature invalid] "),
        (S::Expired, E::None, "[signature invalid] "),
        (S::Revoked, E::None, "[signature invalid] "),
        (S::Weak, E::None, "[signature invalid] "),
        (S::Broken, E::Failed, "[signature invalid] "),
        (S::None, E::NoKey, ""),
        (S::None, E::Refused, ""),
    ];
    for (signature, encryption, expected) in table {
        let verdicts = Verdicts {
            signature,
            encryption,
            ..Verdicts::default()
        };
        assert_eq!(tags(&verdicts, Language::En), expected);
        assert_eq!(
            tags(&verdicts, Language::De).is_empty(),
            expected.is_empty()
        );
    }
    let verdicts = Verdicts {
        signature: S::Valid,
        encryption: E::Decrypted,
        ..Verdicts::default()
    };
    assert_eq!(tags(&verdicts, Language::De), "[signiert] [verschlüsselt] ");
}

#[test]
fn a_tag_stands_in_front_of_every_subject() {
    let tagged = |raw: &str, tags: &str| {
        let header = HeaderBlock::parse(raw.as_bytes());
        String::from_utf8(Cleaner::default().tagged(&header, tags)).unwrap()
    };
    let table = [
        ("Subject: x\r\n", "[signed] ", "Subject: [signed] x\r\n"),
        (
            "Subject: [encrypted] x\r\nSubject: y\r\n",
            "[signed] ",
            "Subject: [signed] x\r\nSubject: [signed] y\r\n",
        ),
        (
            "Subject: x\r\nThread-Topic: x\r\n",
            "[signed] ",
            "Subject: [signed] x\r\nThread-Topic: x\r\n",
        ),
        ("To: x\r\n", "[signed] ", "To: x\r\nSubject: [signed]\r\n"),
        ("To: x\r\n", "", "To: x\r\n"),
        (
            "Subject: =?utf-8?Q?=C3=BC?=\r\n",
            "[verschlüsselt] ",
            "Subject: =?utf-8?B?W3ZlcnNjaGzDvHNzZWx0XSDDvA==?=\r\n",
        ),
    ];
    for (raw, tags, expected) in table {
        assert_eq!(tagged(raw, tags), expected, "{raw}");
    }
}

#[test]
fn c20_a_subject_that_is_too_long_is_cut() {
    let value = "\u{fdfa}".repeat(300_000) + "[signed]";
    let cleaned = Cleaner::default().cleaned_value(value.as_bytes()).unwrap();
    assert!(cleaned.len() <= SUBJECT_OCTETS, "{}", cleaned.len());
    assert!(cleaned.starts_with("\u{fdfa}"));
}

/// All subjects of a mail together have one limit; what cannot hold a tag costs nothing of it.
#[test]
fn c20_subjects_beyond_the_limit_are_dropped() {
    let cleaner = Cleaner::default();
    let value = format!("[x] {}", "\u{455}".repeat(1_000));
    let plain = "an ordinary subject, such as most are";
    let looked_at = SUBJECTS_OCTETS / value.len();
    for count in 0..looked_at + 2 {
        let expected = (count >= looked_at).then(String::new);
        assert_eq!(cleaner.cleaned_value(value.as_bytes()), expected, "{count}");
        assert_eq!(cleaner.cleaned_value(plain.as_bytes()), None);
    }
    // Short ones cost as much as somewhat longer ones.
    let field = "Subject: [x] \u{455}\r\n";
    let header = HeaderBlock::parse(field.repeat(SUBJECTS_OCTETS / 64 + 1).as_bytes());
    let sink = String::from_utf8(Cleaner::default().tagged(&header, "")).unwrap();
    let (first, end) = sink.split_at(sink.len() - 40);
    assert!(
        first.starts_with(field) && end.ends_with("\u{455}\r\nSubject: \r\n"),
        "{end:?}"
    );
}

#[test]
fn c20_long_subjects_cost_linear_time() {
    let time = |text: &str| {
        let start = std::time::Instant::now();
        let before = cpu_time(start);
        let _ = Cleaner::default().cleaned_value(text.as_bytes());
        cpu_time(start) - before
    };
    let kinds: [(&str, &str); 6] = [
        ("[sig", "ned]"),
        ("[", ""),
        ("]", ""),
        ("[signed", ""),
        ("=?x?Q?[?=", ""),
        ("\u{455}[\u{200b}", ""),
    ];
    for (open, close) in kinds {
        let text = |n: usize| open.repeat(n) + &close.repeat(n);
        let _ = time(&text(500));
        let few = time(&text(4_000)).as_secs_f64().max(0.001);
        let many = time(&text(16_000)).as_secs_f64();
        // Four times as much; quadratic would be sixteen.
        assert!(many < few * 10.0, "{open}: {few} and {many}");
    }
}
