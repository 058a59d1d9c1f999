//! Rows C1 and C3: nothing that is shown fetches. Judged by a scan that knows nothing of how it was made.

use std::io::Read;

use super::*;
use crate::encoding::QuotedWriter;

mod judge;
mod vectors;

use judge::{faults, faults_of_html};
use vectors::LEAKS;

/// The entity neutralised, as octets, and the count; `None` if it stays as it is.
fn neutralised(entity: &[u8]) -> Option<(Vec<u8>, usize)> {
    let found = neutralise(&entity).unwrap()?;
    let mut out = Vec::new();
    found.write_to(&mut out).unwrap();
    assert_eq!(found.length().unwrap(), out.len() as u64);
    Some((out, found.removed()))
}

/// Whether nothing is left to do.
fn is_settled(out: &[u8]) -> bool {
    neutralised(out).is_none_or(|(again, removed)| again == out && removed == 0)
}

fn sanitised(html: &str) -> String {
    let mut out = Vec::new();
    sanitise(html.as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn base64(octets: &[u8]) -> String {
    let mut writer = Base64Writer::new(Vec::new());
    writer.write_all(octets).unwrap();
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn quoted(octets: &[u8]) -> String {
    let mut writer = QuotedWriter::new(Vec::new());
    writer.write_all(octets).unwrap();
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn utf16(html: &str, little: bool) -> Vec<u8> {
    let units = html.encode_utf16();
    let octets = |unit: u16| match little {
        true => unit.to_le_bytes(),
        false => unit.to_be_bytes(),
    };
    units.flat_map(octets).collect()
}

/// UTF-7 in which every character that marks something up is hidden (RFC 2152).
fn utf7(html: &str) -> String {
    let hidden = |c: char| match c {
        '<' => "+ADw-".to_owned(),
        '>' => "+AD4-".to_owned(),
        '"' => "+ACI-".to_owned(),
        '=' => "+AD0-".to_owned(),
        c => c.to_string(),
    };
    html.chars().map(hidden).collect()
}

fn page(head: &str, body: &str) -> Vec<u8> {
    format!("{head}\r\n\r\n{body}").into_bytes()
}

fn many(kind: &str, parts: &[&str]) -> String {
    let parts: String = parts
        .iter()
        .map(|p| format!("--{kind}\r\n{p}\r\n"))
        .collect();
    format!("Content-Type: multipart/{kind}; boundary={kind}\r\n\r\n{parts}--{kind}--\r\n")
}

/// Every way in which a mail may hold `html`.
fn wrapped(html: &str) -> Vec<(&'static str, Vec<u8>)> {
    let plain = "Content-Type: text/plain\r\n\r\ntext";
    let part = format!("Content-Type: text/html; charset=utf-8\r\n\r\n{html}");
    let marked = [b"\xff\xfe".to_vec(), utf16(html, true)].concat();
    let inner = format!("Subject: s\r\n{part}");
    vec![
        ("as it is", part.clone().into_bytes()),
        (
            "no charset, upper case",
            page("CONTENT-TYPE: TEXT/HTML", html),
        ),
        (
            "base64",
            page(
                "Content-Type: text/html\r\nContent-Transfer-Encoding: BASE64",
                &base64(html.as_bytes()),
            ),
        ),
        (
            "quoted-printable",
            page(
                "Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/html; charset=us-ascii",
                &quoted(html.as_bytes()),
            ),
        ),
        (
            "UTF-16 with a mark",
            page(
                "Content-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: base64",
                &base64(&marked),
            ),
        ),
        (
            "UTF-16 with a label",
            page(
                "Content-Type: text/html; charset=UTF-16BE\r\nContent-Transfer-Encoding: base64",
                &base64(&utf16(html, false)),
            ),
        ),
        (
            "UTF-7",
            page("Content-Type: text/html; charset=utf-7", &utf7(html)),
        ),
        (
            "ISO-2022-JP",
            page(
                "Content-Type: text/html; charset=iso-2022-jp",
                &format!("\x1b$B%F\x1b(B{html}"),
            ),
        ),
        ("XHTML", page("Content-Type: application/xhtml+xml", html)),
        (
            "two types",
            page("Content-Type: text/plain\r\nContent-Type: text/html", html),
        ),
        (
            "two encodings",
            page(
                "Content-Type: text/html\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64",
                html,
            ),
        ),
        (
            "a list of types",
            page("Content-Type: text/plain, text/html", html),
        ),
        (
            "a broken type",
            page("Content-Type: text / html ; charset=\"", html),
        ),
        (
            "a line that is no field",
            page("Content-Type text/html\r\nX: y", html),
        ),
        (
            "alternative",
            many("alternative", &[plain, &part]).into_bytes(),
        ),
        (
            "related in alternative in mixed",
            many(
                "mixed",
                &[&many(
                    "alternative",
                    &[plain, &many("related", &[&part, plain])],
                )],
            )
            .into_bytes(),
        ),
        (
            "a message in a mail",
            many(
                "mixed",
                &[&format!("Content-Type: message/rfc822\r\n\r\n{inner}")],
            )
            .into_bytes(),
        ),
        (
            "a digest",
            many("digest", &[&format!("\r\n{inner}")]).into_bytes(),
        ),
        (
            "a doubled boundary line",
            many("mixed", &[plain, "--mixed", &part]).into_bytes(),
        ),
        (
            "two boundaries",
            many("mixed", &[plain, &part])
                .replace("boundary=mixed", "boundary=mixed; boundary=other")
                .into_bytes(),
        ),
        (
            "an encoded multipart",
            many("mixed", &[&part])
                .replacen(
                    "\r\n\r\n",
                    "\r\nContent-Transfer-Encoding: base64\r\n\r\n",
                    1,
                )
                .into_bytes(),
        ),
    ]
}

#[test]
fn c1_no_known_way_to_fetch_survives_in_any_wrapping() {
    assert!(LEAKS.len() >= 290);
    for leak in LEAKS {
        for (wrapping, entity) in wrapped(leak) {
            let (out, removed) =
                neutralised(&entity).unwrap_or_else(|| panic!("{wrapping}: {leak:?} stays"));
            let text = String::from_utf8_lossy(&out);
            assert_eq!(
                faults(&out),
                Vec::<String>::new(),
                "{wrapping}: {leak:?}: {text}"
            );
            // A name or a title is only written more clearly.
            let is_text = leak.contains("title") || wrapping == "UTF-7";
            assert!(removed > 0 || is_text, "{wrapping}: {leak:?}: {text}");
            assert!(is_settled(&out), "{wrapping}: {leak:?}: {text}");
        }
    }
}

#[test]
fn the_judge_sees_every_leak() {
    for leak in LEAKS {
        assert!(!faults_of_html(leak).is_empty(), "{leak:?}");
        for (wrapping, entity) in wrapped(leak) {
            assert!(!faults(&entity).is_empty(), "{wrapping}: {leak:?}");
        }
    }
}

/// What is wrapped in CMS cannot be looked at here: as a part it becomes a file, as the whole it is the caller's.
#[test]
fn c1_a_wrapped_part_becomes_a_file() {
    for (head, becomes) in [
        ("Content-Type: application/pkcs7-mime; name=smime.p7m", true),
        ("Content-Type: application/x-pkcs7-mime", true),
        (
            "Content-Type: text/plain\r\nContent-Type: application/pkcs7-mime",
            true,
        ),
        (
            "Content-Type: application/pkcs7-mime\r\nContent-Disposition: attachment",
            true,
        ),
        (
            "Content-Type: application/octet-stream; name=\"Smime.P7M\"",
            true,
        ),
        (
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=smime.p7m",
            true,
        ),
        (
            "Content-Type: application/pdf; name=x.p7m\r\nContent-Disposition: attachment",
            false,
        ),
        (
            "Content-Type: application/pkcs7-signature; name=smime.p7s",
            false,
        ),
    ] {
        let entity = many("mixed", &[&format!("{head}\r\n\r\nMII=")]);
        let out = neutralised(entity.as_bytes());
        assert_eq!(out.is_some(), becomes, "{head}");
        let Some((out, removed)) = out else {
            continue;
        };
        assert!(removed == 1 && is_settled(&out), "{head}");
        let text = String::from_utf8(out).unwrap();
        let file = text.contains("application/octet-stream") && text.contains("attachment");
        assert!(file && !text.contains("pkcs7"), "{head}: {text}");
        assert!(!text.contains("p7m") || text.contains(".p7m.bin"), "{text}");
    }
    let whole = page(
        "Content-Type: application/pkcs7-mime; name=smime.p7m",
        "MII=",
    );
    assert!(neutralised(&whole).is_none());
}

/// Numbers in an order that looks like none, the same each time.
struct Noise(u64);

impl Noise {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % most.max(1)
    }

    fn of<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.below(list.len())]
    }
}

/// What is thrown between.
const SHARDS: &[&str] = &[
    "<",
    ">",
    "\"",
    "'",
    "`",
    "=",
    "&",
    ";",
    "/",
    "\\",
    "\0",
    "\n",
    "\t",
    "\x0c",
    " ",
    "-->",
    "<!--",
    "<![CDATA[",
    "]]>",
    "&#x3c;",
    "&lt",
    "&quot;",
    "&",
    "<svg>",
    "</svg>",
    "<math>",
    "<style>",
    "</style>",
    "<script>",
    "</script>",
    "<title>",
    "</title>",
    "<textarea>",
    "<plaintext>",
    "<xmp>",
    "<noscript>",
    "<a href=",
    "<img src=",
    "src=//leak.example/",
    "style=\"",
    "url(",
    "/*",
    "*/",
    "{",
    "}",
    "@import '//leak.example/';",
    "@media{",
    "p{color:red}",
    "p{background:#fff url(//leak.example/)}",
    "<style media=all>",
    "rgb(",
    "\u{feff}",
    "\u{fffe}",
    "\u{2028}",
    "ſ",
    "K",
    "<p ",
    "</p ",
];

#[test]
fn c1_no_mixture_of_them_survives_either() {
    let mut noise = Noise(1);
    for round in 0..8_000 {
        let mut html = noise.of(LEAKS).to_owned();
        for _ in 0..noise.below(6) {
            let mut at = noise.below(html.len());
            while !html.is_char_boundary(at) {
                at -= 1;
            }
            match noise.below(4) {
                0 => html.insert_str(at, noise.of(SHARDS)),
                1 => html.insert_str(at, noise.of(LEAKS)),
                2 => drop(html.remove(at)),
                _ => html.truncate(at),
            }
            html.push('.');
        }
        let out = sanitised(&html);
        assert_eq!(
            faults_of_html(&out),
            Vec::<String>::new(),
            "round {round}: {html:?}: {out}"
        );
        assert_eq!(sanitised(&out), out, "round {round}: {html:?}");
    }
}

#[test]
fn what_is_to_be_read_stays() {
    let table = [
        (
            "<p>Grüße &amp; <b>mehr</b></p>",
            "<p>Grüße &amp; <b>mehr</b></p>",
        ),
        (
            "<table border=1 bgcolor='#fff'><tr><td colspan=2 align=right>x</td></tr></table>",
            "<table border=\"1\" bgcolor=\"#fff\"><tr><td colspan=\"2\" align=\"right\">x</td></tr></table>",
        ),
        (
            "<img src='cid:a@b' alt='a \"b\"' width=10 onload=x()>",
            "<img src=\"cid:a@b\" alt=\"a &quot;b&quot;\" width=\"10\">",
        ),
        (
            "<span style='color: #f00; background: url(x)'>x</span>",
            "<span style=\"color: #f00\">x</span>",
        ),
        ("<o:p>a</o:p><custom>b</custom>", "ab"),
        (
            "<style type='text/css'>p { color: red; x: y }\n@media print { p { color: red } }</style><p>a",
            "<style>p { color: red }\n</style><p>a",
        ),
        ("<style media=print>p{color:red}</style>a", "a"),
        ("<style type=text/less>p{color:red}</style>a", "a"),
        ("<style>p{color:red}", ""),
        (
            "<td style='background:#012 url(http://x/)'>x",
            "<td style=\"background: #012\">x",
        ),
        ("<style>p{}</style><script>x</script><title>t</title>a", "a"),
        ("<svg><text>drawn</text></svg>", "drawn"),
        ("<textarea><b>x</b></textarea>", "&lt;b&gt;x&lt;/b&gt;"),
        ("a<!-- hidden -->b<![endif]>c", "abc"),
        ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
        ("a = b (c) d@e", "a &#61; b &#40;c) d&#64;e"),
        ("a\0b\u{1}c", "abc"),
        ("<a href='https://x.example/a?b=c'>here</a>", "<a>here</a>"),
        (
            "<a href=https://x.example/>x.example</a>",
            "<a>x.example</a>",
        ),
        (
            "<a href=http://x.example>http://x.example/</a>",
            "<a>http://x.example/</a>",
        ),
        ("<a href='javascript:x()'>x</a>", "<a>x</a>"),
        (
            "<a href='#top' name=t>x</a>",
            "<a href=\"#top\" name=\"t\">x</a>",
        ),
        (
            "<a href='mailto:a@b.example?subject=s'>x</a>",
            "<a href=\"mailto:a@b.example\">x</a>",
        ),
        (
            "<!DOCTYPE html PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/html4/strict.dtd\"><html><head><meta charset=utf-8></head><body text=red>x</body></html>",
            "<!DOCTYPE html><html><body text=\"red\">x</body></html>",
        ),
        ("<br/><hr><p>a<br>b</br>", "<br><hr><p>a<br>b"),
        (
            "<blockquote type=cite cite='mid:a@b'>x</blockquote>",
            "<blockquote type=\"cite\" cite=\"mid:a@b\">x</blockquote>",
        ),
        ("<P ALIGN=center>x</P>", "<p align=\"center\">x</p>"),
    ];
    for (html, expected) in table {
        let expected = match expected {
            "<a>here</a>" => "<a>here [https://x.example/a?b&#61;c]</a>",
            other => other,
        };
        assert_eq!(sanitised(html), expected, "{html}");
    }
}

/// A file that readers show by its name alone is looked through, and stays a file.
#[test]
fn c1_a_file_without_a_type_is_looked_through() {
    let html = "<p>x<img src=\"http://leak.example/\">";
    let request = "BEGIN:VCALENDAR\r\nATTACH:http://leak.example/\r\nX-ALT-DESC;FMTTYPE=text/html:<img src=\"http://leak.example/\">\r\nSUMMARY:x\r\nEND:VCALENDAR\r\n";
    let cleaned = "BEGIN:VCALENDAR\r\nSUMMARY:x\r\nEND:VCALENDAR\r\n";
    let page_of_ours = "<p>x<img>";
    let octets = "Content-Type: application/octet-stream";
    let file = |name: &str| format!("{octets}\r\nContent-Disposition: attachment; filename={name}");
    let table = [
        (
            file("a.html"),
            html,
            page_of_ours,
            "text/html; charset=utf-8",
        ),
        (
            format!("{octets}; name=\"A.HTM\""),
            html,
            page_of_ours,
            "UTF-8''A.HTM",
        ),
        (
            file("\"=?utf-8?q?a=2Ehtml?=\""),
            html,
            page_of_ours,
            "attachment",
        ),
        (file("\"a.xhtml. \""), html, page_of_ours, "attachment"),
        (
            format!("{octets}; name*0=a.; name*1=html"),
            html,
            page_of_ours,
            "UTF-8''a.html",
        ),
        (
            format!("{octets}\r\nContent-Name: a.html"),
            html,
            page_of_ours,
            "attachment",
        ),
        (
            file("a.txt") + "\r\nX-Sun-Data-Name: a.html",
            html,
            page_of_ours,
            "UTF-8''a.txt",
        ),
        (
            "Content-Disposition: attachment; filename=a.html".to_owned(),
            html,
            page_of_ours,
            "attachment",
        ),
        (
            file("a.ics"),
            request,
            cleaned,
            "text/calendar; charset=utf-8",
        ),
        (
            "Content-Type: text/calendar; method=REQUEST; name=a.ics".to_owned(),
            request,
            cleaned,
            "text/calendar; charset=utf-8; method=REQUEST\r\n",
        ),
        (
            "Content-Type: application/ics".to_owned(),
            request,
            cleaned,
            "text/calendar",
        ),
        (
            "Content-Type: text/calendar\r\nContent-Type: text/plain".to_owned(),
            request,
            cleaned,
            "text/calendar",
        ),
        (
            "Content-Type: text/calendar; method=\"a b\"; charset=utf-16le".to_owned(),
            request,
            "",
            "text/calendar; charset=utf-8\r\n",
        ),
    ];
    for (head, body, kept, field) in table {
        let (out, removed) = neutralised(&page(&head, body)).unwrap_or_else(|| panic!("{head}"));
        assert!(removed > 0 && is_settled(&out), "{head}");
        let content = out.as_slice();
        let message = Message::read(&content).unwrap().structure().unwrap();
        let mut text = String::new();
        let mut reader = message.decoded(&content).unwrap();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, kept, "{head}");
        let written = String::from_utf8_lossy(message.header.raw()).into_owned();
        assert!(written.contains(field), "{head}: {written}");
        assert!(
            !written.contains("X-Sun") && !written.contains("Content-Name"),
            "{written}"
        );
    }
}

#[test]
fn where_a_link_led_can_be_read() {
    let long = "a".repeat(1000);
    let table = [
        (
            "<a href=http://1.example/>x<a href=http://2.example/>y",
            "<a>x [http://1.example/]<a>y [http://2.example/]".to_owned(),
        ),
        (
            "<a href=http://1.example/></a>",
            "<a> [http://1.example/]</a>".to_owned(),
        ),
        (
            "<a href='HTTPS://1.example/'><img alt=x></a>",
            "<a><img alt=\"x\"> [HTTPS://1.example/]</a>".to_owned(),
        ),
    ];
    for (html, expected) in table {
        assert_eq!(sanitised(html), expected, "{html}");
    }
    let out = sanitised(&format!("<a href=http://x/{long}>y</a>"));
    assert!(out.contains("...]") && out.len() < 600, "{out}");
}

/// The decoded body of the one HTML part.
fn text_of(entity: &[u8]) -> String {
    let message = Message::read(&entity).unwrap();
    let part = message.structure().unwrap();
    let html = part
        .all()
        .into_iter()
        .find(|p| p.content_type.is("text", "html"))
        .unwrap();
    let mut out = String::new();
    html.decoded(&entity)
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    out
}

#[test]
fn text_stays_readable_in_every_encoding() {
    let table: [(&str, &[u8], &str); 13] = [
        ("; charset=iso-8859-1", b"Gr\xfc\xdfe", "Grüße"),
        ("; charset=\"windows-1252\"", b"5 \x80", "5 €"),
        ("; charset=us-ascii", b"Gr\xfc\xdfe", "Grüße"),
        ("; charset=utf-8", "Grüße".as_bytes(), "Grüße"),
        ("", "Grüße".as_bytes(), "Grüße"),
        ("", b"Gr\xfc\xdfe", "Grüße"),
        ("; charset=iso-2022-jp", b"\x1b$B4A;z\x1b(B", "漢字"),
        ("; charset=Shift_JIS", b"\x8a\xbf\x8e\x9a", "漢字"),
        ("; charset=gb2312", b"\xba\xba\xd7\xd6", "汉字"),
        ("; charset=koi8-r", b"\xc4\xc1", "да"),
        ("; charset=utf-16", b"a\0\xfc\0", "aü"),
        ("; charset=no-such-thing", "Grüße".as_bytes(), "Grüße"),
        ("; charset=iso-2022-kr", b"text", "text"),
    ];
    for (label, octets, expected) in table {
        let html = match label {
            "; charset=utf-16" => [utf16("<img src=x>", true), octets.to_vec()].concat(),
            _ => [b"<img src=x>", octets].concat(),
        };
        let head = format!("Content-Type: text/html{label}\r\n\r\n");
        let (out, removed) = neutralised(&[head.as_bytes(), &html].concat()).unwrap();
        assert_eq!(text_of(&out), format!("<img>{expected}"), "{label}");
        assert_eq!(removed, 1);
    }
    let late = [
        b"Content-Type: text/html\r\n\r\n<img src=x>",
        "x".repeat(70_000).as_bytes(),
        b"\xfc",
    ]
    .concat();
    assert!(text_of(&neutralised(&late).unwrap().0).ends_with("x\u{fc}"));
    let named = b"Content-Type: text/html\r\n\r\n<meta charset=\"koi8-r\"><img src=x>\xc4\xc1";
    assert_eq!(text_of(&neutralised(named).unwrap().0), "<img>да");
}

#[test]
fn m13_every_other_octet_stays() {
    let before = "Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n<img src=\"http://x/\"> is text \u{fc}\r\n--b\r\n";
    let kept = "X-Kept : this \r\n";
    let html = "Content-Type: text/html; charset=us-ascii\r\nContent-Location: http://x/\r\nContent-ID: <h>\r\n\r\n<p>x<img src=http://x/>y\n";
    let after = "\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA \r\n\tAA==\r\n--b\r\nContent-Type: application/pdf; name=a.html\r\nContent-Disposition: attachment\r\n\r\n%PDF\r\n--b\r\nContent-Type: application/xml\r\nContent-Disposition: attachment; filename=rechnung.xml\r\n\r\n<x/>\r\n--b--\r\nepilogue";
    let entity = format!("{before}{kept}{html}{after}");
    let (out, removed) = neutralised(entity.as_bytes()).unwrap();
    let body = base64(b"<p>x<img>y\r\n");
    let body = body.trim_end();
    let head = "Content-Type: text/html; charset=utf-8\r\nContent-ID: <h>\r\nContent-Transfer-Encoding: base64\r\n";
    let kept = "X-Kept: this \r\n";
    let expected = format!("{before}{kept}{head}\r\n{body}{after}");
    let fields = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.starts_with(before) && out.ends_with(&format!("\r\n\r\n{body}{after}")),
        "{out}"
    );
    assert_eq!(fields(&out), fields(&expected));
    assert_eq!(removed, 1);
}

#[test]
fn what_fetches_nothing_stays_octet_for_octet() {
    let table = [
        "Content-Type: text/plain\r\n\r\n<img src=\"http://x/\">",
        "Subject: none\r\n\r\n<img src=\"http://x/\">",
        "Content-Type: text/html; charset=utf-8\r\n\r\n<html><head><meta http-equiv=\"content-type\" content=\"text/html; charset=UTF-8\"><title>t</title></head>\r\n<body text=\"#000000\"><p>Gr\u{fc}\u{df}e &amp; <img src=\"cid:a@b\" alt=\"\"></p><a href='#x'>y</a></body></html>",
        "Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=FC=\r\n=DFe",
        "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+eDwvcD4=\r\n",
        "Content-Type: image/png\r\n\r\n<svg>",
        "Content-Type: application/xml\r\nContent-Disposition: attachment\r\n\r\n<x/>",
        "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nx",
        "Content-Type: application/vnd.openxmlformats-officedocument.wordprocessingml.document\r\n\r\nPK",
        "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR",
        "Content-Type: application/octet-stream; name=a.ics\r\n\r\nBEGIN:VCALENDAR\r\nSUMMARY;LANGUAGE=de:x\r\n",
        "Content-Type: text/html; charset=utf-8\r\n\r\n<style>p { color: red }\n</style><p>x</p>",
        "Content-Type: audio/wav\r\nContent-Disposition: attachment; filename=x.wav\r\n\r\nRIFF",
        "Content-Type: text/vcard; name=x.vcf\r\nContent-Disposition: attachment\r\n\r\nBEGIN:VCARD",
        "Content-Type: application/rtf; name=x.rtf\r\nContent-Disposition: attachment\r\n\r\n{}",
        "Content-Type: application/octet-stream; name=\"a.html.bin\"\r\n\r\n<img src=\"http://x/\">",
        "Content-Type: application/octet-stream; name=\"x.pdf\"\r\n\r\n%PDF",
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x",
    ];
    for entity in table {
        assert!(neutralised(entity.as_bytes()).is_none(), "{entity}");
    }
}

#[test]
fn html_that_readers_may_take_otherwise_is_written_anew() {
    let table = [
        "Content-Type: text/html; charset=utf-7\r\n\r\n<p>x",
        "Content-Type: text/html; charset=shift_jis\r\n\r\n<p>x",
        "Content-Type: text/html; charset=utf-8\r\n\r\n<meta charset=utf-7><p>x",
        "Content-Type: text/html; charset=utf-8\r\n\r\n<meta charset=utf-8><meta charset=x><p>x",
        "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+eA==PHA+eDwvcD4=\r\n",
        "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=3Zx",
        "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=",
        "Content-Type: text/html\r\nContent-Base: http://x/\r\n\r\n<p>x",
        "Content-Type: text/html\r\n\r\n<p>x < y",
        "Content-Type: text/html\r\n\r\n<p title='<'>x",
        "Content-Type: text/html\r\n\r\n<p id=a id=b>x",
        "Content-Type: text/html\r\n\r\n<title><b></title>x",
        "Content-Type: text/html; charset=utf-8\r\n\r\n<p>\u{1}x",
        "Content-Type: application/xhtml+xml\r\n\r\n<p>x</p>",
        // UTF-16 by its mark, ASCII by its label.
        "Content-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: base64\r\n\r\n//48AHAAPgB4AA==\r\n",
    ];
    for entity in table {
        let (out, _) = neutralised(entity.as_bytes()).unwrap_or_else(|| panic!("{entity}"));
        assert!(is_settled(&out), "{entity}");
        assert_eq!(faults(&out), Vec::<String>::new(), "{entity}");
    }
    let bad = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>\xc3<img>";
    assert!(neutralised(bad).is_some());
}

#[test]
fn other_parts_that_fetch_become_files() {
    let svg = "<svg><image href=\"http://x/\"/></svg>";
    let table = [
        (
            "Content-Type: image/svg+xml; name=\"a b.svg\"",
            "filename*=UTF-8''a%20b.svg",
        ),
        (
            "Content-Type: image/svg+xml\r\nContent-Disposition: attachment; filename=x.svg",
            "filename*=UTF-8''x.svg",
        ),
        ("Content-Type: text/xml", "attachment"),
        (
            "Content-Type: application/atom+xml\r\nContent-Disposition: inline",
            "attachment",
        ),
        ("Content-Type: text/css", "attachment"),
        (
            "Content-Type: text/xml\r\nContent-Disposition: attachment\r\nContent-Disposition: inline",
            "attachment",
        ),
        ("Content-Type: text/enriched", "attachment"),
        (
            "Content-Type: message/external-body; access-type=URL; URL=\"http://x/\"",
            "attachment",
        ),
        (
            "Content-Type: message/partial; id=x; number=1",
            "attachment",
        ),
        (
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64",
            "base64",
        ),
        ("Content-Type: message/news", "attachment"),
        ("Content-Type: multipart/mixed", "attachment"),
        ("Content-Type: multipart/mixed; boundary=none", "attachment"),
        (
            "Content-Type: multipart/mixed; boundary=\"\u{fc}\"",
            "attachment",
        ),
        (
            "Content-Type: text/html\r\nContent-Transfer-Encoding: x-uuencode",
            "8bit",
        ),
        (
            "Content-Type: text/enriched\r\nContent-Disposition: attachment",
            "attachment",
        ),
        ("Content-Type: text/rtf", "attachment"),
        ("Content-Type: text/x-vcard", "attachment"),
        ("Content-Type: audio/x-mpegurl", "attachment"),
        ("Content-Type: video/quicktime", "attachment"),
        (
            "Content-Type: application/x-unknown-content-type\r\nContent-Disposition: attachment",
            "attachment",
        ),
        (
            "Content-Type: application/ms-tnef; name=winmail.dat",
            "filename*=UTF-8''winmail.dat.bin",
        ),
        (
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"=?utf-8?q?Winmail=2Edat?=\"",
            ".bin",
        ),
        (
            "Content-Type: application/octet-stream; name=a.eml\r\nContent-Disposition: attachment; filename=a.txt",
            "filename*=UTF-8''a.txt",
        ),
        (
            "Content-Type: application/octet-stream; name*0=a.e; name*1=ml",
            "filename*=UTF-8''a.eml.bin",
        ),
        (
            "Content-Type: message/rfc822; name=a.eml\r\nContent-Transfer-Encoding: base64",
            "filename*=UTF-8''a.eml.bin",
        ),
        (
            "Content-Type: text/html; name=a.htm\r\nContent-Transfer-Encoding: x-uuencode",
            "filename*=UTF-8''a.htm.bin",
        ),
        (
            "Content-Type: application/octet-stream\r\nContent-Name: a.mht",
            "attachment",
        ),
        (
            "Content-Type: application/octet-stream\r\nContent-Disposition: inline; filename=\"x.svg\"",
            "attachment",
        ),
        (
            "Content-Type: image/svg+xml\r\nContent-Type: image/png",
            "attachment",
        ),
    ];
    for (head, expected) in table {
        let entity = page(head, svg);
        let (out, removed) = neutralised(&entity).unwrap_or_else(|| panic!("{head}"));
        let out = String::from_utf8(out).unwrap();
        assert!(
            out.contains("Content-Type: application/octet-stream\r\n"),
            "{out}"
        );
        assert!(out.contains(expected) && out.ends_with(svg), "{out}");
        assert_eq!(removed, 1);
        assert!(neutralised(out.as_bytes()).is_none(), "{out}");
    }
}

#[test]
fn m12_a_header_that_reads_two_ways_reads_one_way_afterwards() {
    let (out, removed) = neutralised(
        b"Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Type: text/calendar\r\nX: y\r\n\r\nbody",
    )
    .unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(
        out,
        "X: y\r\nContent-Type: text/plain;\r\n charset=\"utf-8\";\r\n format=\"flowed\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\nbody"
    );
    assert_eq!(removed, 1);
    let folded = b"Subject :a\r\n b \r\nX\t: y\r\nZ:z\r\n\r\nbody";
    let (out, _) = neutralised(folded).unwrap();
    assert!(out.starts_with(b"Subject:a\r\n b \r\nX: y\r\nZ:z\r\nContent-Type: text/plain"));
    let text = neutralised(b"Subject: html\r\nno field\r\n\r\n<p>")
        .unwrap()
        .0;
    assert!(text.ends_with(b"\r\n\r\nno field\r\n\r\n<p>"), "{text:?}");
    let doubled = "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble <img src=http://x/>\r\n--b\r\n\r\nx\r\n--b\r\n--b--\r\nepilogue";
    let (out, _) = neutralised(doubled.as_bytes()).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(
        !out.contains("preamble") && !out.contains("epilogue"),
        "{out}"
    );
    assert!(
        !Message::read(&out.as_bytes())
            .unwrap()
            .structure()
            .unwrap()
            .is_ambiguous(),
        "{out}"
    );
}

#[test]
fn c18_what_is_too_deep_or_too_much_is_an_error() {
    let deep: String = (0..1000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    assert!(matches!(
        neutralise(&deep.as_bytes()),
        Err(MessageError::TooDeep)
    ));
    let many = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\n".repeat(20_000)
    );
    assert!(matches!(
        neutralise(&many.as_bytes()),
        Err(MessageError::TooMany)
    ));
}

#[test]
fn a_page_too_large_becomes_a_file() {
    let html = "<p>x".repeat(5_000_000);
    let entity = page("Content-Type: text/html", &html);
    let (out, _) = neutralised(&entity).unwrap();
    assert!(out.starts_with(b"Content-Type: application/octet-stream"));
    assert!(out.ends_with(html.as_bytes()));
}

#[test]
fn overlong_names_and_values_go() {
    let long = "a".repeat(100_000);
    let table = [
        (format!("<{long}>x"), "x".to_owned()),
        (format!("<p {long}=1 id=a>x"), "<p id=\"a\">x".to_owned()),
        (
            format!("<p title={long} id=a>x"),
            "<p id=\"a\">x".to_owned(),
        ),
        (
            format!("<img src=cid:{long} alt=a>x"),
            format!("<img src=\"cid:{long}\" alt=\"a\">x"),
        ),
    ];
    for (html, expected) in table {
        assert!(sanitised(&html) == expected);
    }
}
