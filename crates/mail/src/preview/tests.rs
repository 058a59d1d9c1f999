use super::{Text, preview, visible};

fn shown(mail: &str) -> super::Preview {
    let octets = mail.replace('\n', "\r\n").into_bytes();
    preview(&octets, false).unwrap()
}

fn text(text: &str, from_html: bool) -> Text {
    Text {
        text: text.to_owned(),
        from_html,
        cut: false,
    }
}

#[test]
fn fields_and_plain_text() {
    let found = shown(
        "From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>\nX-Secret: no\nSubject: a\u{202e}b\n\
         Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ngr=FC=DFe\nzwei\n",
    );
    assert_eq!(
        found.fields,
        [
            ("From".to_owned(), "Jürgen <j@x.example>".to_owned()),
            ("Subject".to_owned(), "a\u{fffd}b".to_owned()),
            (
                "Content-Type".to_owned(),
                "text/plain; charset=iso-8859-1".to_owned()
            ),
        ]
    );
    assert_eq!(found.texts, [text("grüße\nzwei\n", false)]);
    assert!(found.files.is_empty());
}

/// Nothing of HTML is left but its text: no address that a program could fetch, no script, no style.
#[test]
fn html_becomes_text() {
    for (html, expected) in [
        ("<p>Hello <b>you</b></p><p>again", "Hello you\n\nagain"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<style>b{background:url(http://x/)}</style>c", "ac"),
        ("<img src=http://x/p.png onerror=alert(1)>text", "text"),
        (
            "<svg onload=alert(1)><a href=javascript:1>link</a></svg>",
            "link",
        ),
        ("1 &lt;b&gt; &amp; 2", "1 <b> & 2"),
        ("<title>no</title>yes", "yes"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<iframe src=http://x/>never</iframe>seen", "seen"),
        ("<!-- no --><![CDATA[x]]>y", "y"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("<script>never closed", ""),
        (
            "<head><meta http-equiv=refresh content='0;url=http://x/'></head>body",
            "body",
        ),
    ] {
        let found = shown(&format!("Content-Type: text/html\n\n{html}"));
        assert_eq!(found.texts, [text(expected, true)], "{html}");
    }
}

#[test]
fn alternatives_and_files() {
    let found = shown(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n\
         --i\nContent-Type: text/plain\n\nplain\n--i\nContent-Type: text/html\n\n<p>html\n--i--\n\
         --o\nContent-Type: image/svg+xml; name=\"=?utf-8?q?p=C3=A4?=.svg\"\nContent-Transfer-Encoding: base64\n\nPHN2Zz4=\n\
         --o\nContent-Type: text/plain\nContent-Disposition: attachment; filename=\"../../etc\\\\a\u{202e}fdp.exe\"\n\nno\n\
         --o\nContent-Type: message/rfc822\n\nSubject: inner\n\ninner text\n--o--\n",
    );
    assert_eq!(found.texts, [text("plain", false)]);
    let files: Vec<_> = found
        .files
        .iter()
        .map(|file| {
            (
                file.name.as_deref().unwrap_or("-"),
                file.media_type.as_str(),
            )
        })
        .collect();
    assert_eq!(
        files,
        [
            ("pä.svg", "image/svg+xml"),
            ("../../etc\\a\u{fffd}fdp.exe", "text/plain"),
            ("-", "message/rfc822"),
        ]
    );
}

#[test]
fn large_texts_are_cut() {
    let long = "ä".repeat(400_000);
    let found = shown(&format!(
        "Content-Type: text/plain; charset=utf-8\n\n{long}"
    ));
    assert!(found.texts[0].cut);
    assert!(found.texts[0].text.len() <= crate::limits::PREVIEW_TEXT_OCTETS);
    let many = "--b\nContent-Type: text/plain\n\nx\n".repeat(500);
    let found = shown(&format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{many}--b--\n"
    ));
    assert_eq!(found.texts.len(), crate::limits::PREVIEW_TEXTS);
    assert_eq!(found.files.len(), crate::limits::PREVIEW_FILES);
    assert!(found.more);
}

#[test]
fn fields_only() {
    let octets = b"Subject: s\r\n\r\nsecret".to_vec();
    let found = preview(&octets, true).unwrap();
    assert_eq!(found.fields.len(), 1);
    assert!(found.texts.is_empty());
    assert_eq!(found.files.len(), 1);
}

#[test]
fn what_misleads_is_replaced() {
    assert_eq!(
        visible("a\0b\u{202e}c\r\nd\te", true),
        "a\u{fffd}b\u{fffd}c\nd\te"
    );
    assert_eq!(visible("a\r\nBcc: x", false), "a  Bcc: x");
}
