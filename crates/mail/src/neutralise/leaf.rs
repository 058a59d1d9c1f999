//! What becomes of a part: which media types readers show by fetching or running something, and the headers that take
//! their place.

use crate::edit::HeaderEdit;
use crate::encoding::TransferEncoding;
use crate::header::{Field, HeaderBlock};
use crate::limits::PARAMETERS;
use crate::media::{ContentType, disposition};
use crate::part::Part;

/// What becomes of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It stays as it is, and what lies in it is looked at.
    Keep,
    /// Readers differ in what it is: it gets a header that says one thing.
    Settle,
    /// It is HTML.
    Html,
    /// It becomes a file that is not shown: what it may fetch is only fetched if somebody opens it.
    SetAside,
}

/// What becomes of `part`.
pub(super) fn treatment(part: &Part) -> Treatment {
    let doubtful = is_doubtful(part);
    if !part.is_leaf() {
        // A multipart without parts is shown as text by some.
        let shown = part.is_multipart() && part.children.is_empty();
        let unclear = part.is_multipart() && clean_boundary(&part.content_type).is_none();
        return match doubtful {
            true if shown || unclear => Treatment::SetAside,
            true => Treatment::Settle,
            false if shown => Treatment::SetAside,
            false => Treatment::Keep,
        };
    }
    let claims = match doubtful {
        true => all_claims(part),
        false => part.content_type.to_string(),
    };
    let unopened = ["multipart", "message"].contains(&part.content_type.kind());
    let readable = part.encoding != TransferEncoding::Unknown;
    match claims.contains("html") {
        true if readable && !unopened => Treatment::Html,
        true => Treatment::SetAside,
        false if is_active(part, &claims) => Treatment::SetAside,
        false if doubtful => Treatment::Settle,
        false => Treatment::Keep,
    }
}

/// Whether readers may unwrap the part and show what lies in it: CMS by its type, or by its name where it is no attachment
/// (RFC 8551 section 3.2.1).
pub(super) fn is_wrapped(part: &Part) -> bool {
    let declared = match is_doubtful(part) {
        true => all_claims(part).contains("pkcs7-mime"),
        false => part.content_type.subtype().contains("pkcs7-mime"),
    };
    let named = || {
        let name = file_name(part).unwrap_or_default().to_ascii_lowercase();
        [".p7m", ".p7z"]
            .iter()
            .any(|ending| name.trim_end().ends_with(ending))
    };
    part.is_leaf() && (declared || (!is_attachment(part) && named()))
}

/// Whether readers differ in what the header of `part` says.
fn is_doubtful(part: &Part) -> bool {
    part.is_ambiguous() || !is_well_formed(part)
}

/// Everything that the header may be taken to say of the type, in lower case: the fields of the content and lines that
/// are no fields, without blanks and without the endings of file names.
fn all_claims(part: &Part) -> String {
    let tells =
        |field: &Field<'_>| field.name().is_empty() || field.loose_name().starts_with("content");
    let fields = part.header.fields().filter(tells);
    let raw: Vec<u8> = fields.flat_map(|field| field.raw().to_vec()).collect();
    let raw = String::from_utf8_lossy(&raw).to_ascii_lowercase();
    let raw: String = raw.chars().filter(|c| !c.is_whitespace()).collect();
    let raw = SHOWN_ENDINGS
        .iter()
        .fold(raw, |raw, ending| raw.replace(ending, ""));
    raw + &part.content_type.to_string()
}

/// Whether the header says HTML, and nothing else, to every reader.
pub(super) fn is_plainly_html(part: &Part) -> bool {
    let outdated = |field: &Field<'_>| OUTDATED.contains(&field.loose_name().as_str());
    part.content_type.is("text", "html")
        && !is_doubtful(part)
        && !part.header.fields().any(|field| outdated(&field))
}

/// Whether the Content-Type field, if there is one, says just the type that was read in it.
fn is_well_formed(part: &Part) -> bool {
    let Some(field) = part.header.first("Content-Type") else {
        return true;
    };
    let value = field.value().to_ascii_lowercase();
    let name = part.content_type.to_string();
    value.strip_prefix(name.as_bytes()).is_some_and(|rest| {
        let rest = rest.trim_ascii_start();
        rest.is_empty() || rest.starts_with(b";")
    })
}

/// Whether readers may show the part, which is no HTML, by fetching or running something. `claims` is its type, or all
/// that it may be taken for.
fn is_active(part: &Part, claims: &str) -> bool {
    let media = &part.content_type;
    let claimed = |what: &[&str]| what.iter().any(|one| claims.contains(one));
    // A multipart or message that could not be looked into or lies elsewhere (RFC 2046 sections 5.2.2 and 5.2.3), and
    // pictures that fetch.
    let unopened = media.kind() == "multipart"
        || (media.kind() == "message" && !REPORTS.contains(&media.subtype()))
        || claimed(&["message/partial", "message/external-body", "svg"]);
    if unopened || is_attachment(part) {
        return unopened;
    }
    claimed(&[
        "/xml",
        "+xml",
        "text/css",
        "text/sgml",
        "text/enriched",
        "text/richtext",
    ]) || (media.kind() == "application" && is_shown_by_name(part))
}

/// Kinds of `message` that are fields and no mail (RFC 3464, RFC 3886, RFC 5965, RFC 6533, RFC 8098).
const REPORTS: [&str; 7] = [
    "delivery-status",
    "disposition-notification",
    "feedback-report",
    "global-delivery-status",
    "global-disposition-notification",
    "global-headers",
    "tracking-status",
];

fn is_attachment(part: &Part) -> bool {
    let mut fields = part.header.all("Content-Disposition");
    let first = fields.next();
    let says = first.is_some_and(|field| disposition(&field.value()).0 == "attachment");
    says && fields.next().is_none()
}

/// Endings by which readers take a file for something they show, longer ones first.
const SHOWN_ENDINGS: [&str; 9] = [
    ".xhtml", ".shtml", ".mhtml", ".html", ".svgz", ".htm", ".xht", ".mht", ".svg",
];

fn is_shown_by_name(part: &Part) -> bool {
    file_name(part).is_some_and(|name| {
        let name = name.to_ascii_lowercase();
        SHOWN_ENDINGS
            .iter()
            .any(|ending| name.trim_end().ends_with(ending))
    })
}

fn file_name(part: &Part) -> Option<String> {
    let field = part.header.first("Content-Disposition");
    let named = field.and_then(|field| disposition(&field.value()).1);
    named.or_else(|| part.content_type.parameter("name").map(str::to_owned))
}

/// The header of a part that becomes HTML of ours, with the blank line.
pub(super) fn html_head(part: &Part) -> Vec<u8> {
    finished(
        cleaned(&part.header, &["content-type", "content-transfer-encoding"])
            .append("Content-Type: text/html; charset=utf-8")
            .append("Content-Transfer-Encoding: base64"),
    )
}

/// The header of a part that becomes a file, with the blank line. The body is not touched.
pub(super) fn aside_head(part: &Part) -> Vec<u8> {
    let name = file_name(part).map(|name| format!("; filename*=UTF-8''{}", percent(&name)));
    let place = format!(
        "Content-Disposition: attachment{}",
        name.unwrap_or_default()
    );
    let dropped = [
        "content-type",
        "content-disposition",
        "content-transfer-encoding",
    ];
    finished(
        cleaned(&part.header, &dropped)
            .append("Content-Type: application/octet-stream")
            .append(&transfer_field(part))
            .append(&place),
    )
}

/// The header of a part with what the first fields say and no second reading, with the blank line.
pub(super) fn settled_head(part: &Part) -> Vec<u8> {
    let media = &part.content_type;
    let mut kind = format!("Content-Type: {media}");
    let mut written = Vec::new();
    for (name, _) in media.parameters() {
        let value = match name {
            "boundary" => clean_boundary(media),
            name => media.parameter(name).filter(|value| is_quotable(value)),
        };
        let new = name.is_ascii() && !written.contains(&name) && written.len() < PARAMETERS;
        if let Some(value) = value.filter(|_| new) {
            kind = kind + ";\r\n " + name + "=\"" + value + "\"";
            written.push(name);
        }
    }
    finished(
        cleaned(&part.header, &["content-type", "content-transfer-encoding"])
            .append(&kind)
            .append(&transfer_field(part)),
    )
}

/// How the body is written, which stays as it is; what has parts is not encoded (RFC 2045 section 6.4).
fn transfer_field(part: &Part) -> String {
    let encoding = match part.encoding {
        TransferEncoding::Unknown => TransferEncoding::EightBit,
        TransferEncoding::Base64 | TransferEncoding::QuotedPrintable
            if !part.children.is_empty() =>
        {
            TransferEncoding::EightBit
        }
        encoding => encoding,
    };
    format!("Content-Transfer-Encoding: {}", encoding.as_str())
}

/// The boundary, if it can be written so that every reader reads the same (RFC 2046 section 5.1.1).
pub(super) fn clean_boundary(media: &ContentType) -> Option<&str> {
    media
        .boundary()
        .filter(|text| is_quotable(text) && text.len() <= 70)
}

fn is_quotable(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\' || b == b' ';
    !text.is_empty() && text.bytes().all(plain)
}

/// Fields that say where else the content lies, or what it was before it changed (RFC 2557, RFC 1864).
const OUTDATED: [&str; 6] = [
    "content-base",
    "content-location",
    "content-md5",
    "content-length",
    "content-encoding",
    "content-features",
];

/// A header without lines that are no fields, without outdated fields and without those called one of `names`.
fn cleaned<'h>(header: &'h HeaderBlock, names: &'h [&'h str]) -> HeaderEdit<'h> {
    HeaderEdit::new(header).remove(|field: &Field<'_>| {
        let name = field.loose_name();
        field.name().is_empty()
            || names.contains(&name.as_str())
            || OUTDATED.contains(&name.as_str())
    })
}

fn finished(edit: HeaderEdit<'_>) -> Vec<u8> {
    let mut head = edit.finish();
    head.extend_from_slice(b"\r\n");
    head
}

/// A value as RFC 2231 section 4 writes it.
fn percent(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'-' | b'.' | b'_' => out.push(char::from(b)),
            b if b.is_ascii_alphanumeric() => out.push(char::from(b)),
            b => out = out + &format!("%{b:02X}"),
        }
    }
    out
}
