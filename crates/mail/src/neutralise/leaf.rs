//! What becomes of a part: which media types readers show by fetching or running something, and the headers that take
//! their place.

use crate::edit::HeaderEdit;
use crate::encoding::TransferEncoding;
use crate::header::{Field, HeaderBlock};
use crate::limits::PARAMETERS;
use crate::media::{ContentType, disposition, parameters};
use crate::part::Part;
use crate::words;

/// What becomes of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It stays as it is, and what lies in it is looked at.
    Keep,
    /// Readers differ in what it is: it gets a header that says one thing.
    Settle,
    /// It is text of this form, which is written anew.
    Text(Form),
    /// It becomes a file that is not shown: what it may fetch is only fetched if somebody opens it.
    SetAside,
}

/// A form of text that readers show by fetching, and that is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Html,
    /// iCalendar (RFC 5545).
    Calendar,
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
    let readable = part.encoding != TransferEncoding::Unknown && !unopened;
    match form(part, &claims) {
        Some(form) if readable => Treatment::Text(form),
        Some(_) => Treatment::SetAside,
        None if is_active(part, &claims) => Treatment::SetAside,
        None if doubtful => Treatment::Settle,
        None => Treatment::Keep,
    }
}

/// The form of text that a reader may take the part for, by its type (`claims`) or, where that says nothing, by its name.
fn form(part: &Part, claims: &str) -> Option<Form> {
    let media = &part.content_type;
    let is_calendar = media.is("text", "calendar") || media.is("application", "ics");
    match () {
        () if claims.contains("html") => Some(Form::Html),
        () if is_calendar => Some(Form::Calendar),
        () if !is_untyped(part) => None,
        () if is_named(part, &HTML_ENDINGS) => Some(Form::Html),
        () if is_named(part, &CALENDAR_ENDINGS) => Some(Form::Calendar),
        () => None,
    }
}

/// Whether the type says nothing, so that readers go by the name, also of what is marked as an attachment.
fn is_untyped(part: &Part) -> bool {
    let nothing = ["octet-stream", "unknown", "binary", "download"];
    let media = &part.content_type;
    let says_nothing = nothing.iter().any(|word| media.subtype().contains(word));
    (media.kind() == "application" && says_nothing) || part.header.first("Content-Type").is_none()
}

/// Whether readers may unwrap the part and show what lies in it: CMS by its type, or by its name where it is no attachment
/// (RFC 8551 section 3.2.1), or its type says nothing.
pub(super) fn is_wrapped(part: &Part) -> bool {
    let declared = match is_doubtful(part) {
        true => all_claims(part).contains("pkcs7-mime"),
        false => part.content_type.subtype().contains("pkcs7-mime"),
    };
    let named = is_named(part, &[".p7m", ".p7z"]);
    part.is_leaf() && (declared || (named && (is_untyped(part) || !is_attachment(part))))
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
    let raw = HTML_ENDINGS
        .iter()
        .chain(&PICTURE_ENDINGS)
        .fold(raw, |raw, ending| raw.replace(ending, ""));
    raw + &part.content_type.to_string()
}

/// The part with the text that stands in its header: a line that is no field ends the header for most readers, who show
/// what follows. None if there is no such line, or the body is encoded.
pub(super) fn with_stray_text(part: &Part) -> Option<Part> {
    if !part.is_leaf() || !part.encoding.is_identity() || !part.header.has_malformed() {
        return None;
    }
    let mark = |field: &Field<'_>| field.range().start == 0 && field.raw().starts_with(b"From ");
    let mut fields = part.header.fields();
    let stray = fields.find(|field| field.name().is_empty() && !mark(field))?;
    let start = part.range.0.saturating_add(stray.range().start as u64);
    let mut whole = part.clone();
    whole.body.0 = start.min(part.body.0);
    Some(whole)
}

/// Whether the header says this form, and nothing else, to every reader.
pub(super) fn is_plainly(part: &Part, form: Form) -> bool {
    let outdated = |field: &Field<'_>| OUTDATED.contains(&field.loose_name().as_str());
    let says = match form {
        Form::Html => part.content_type.is("text", "html"),
        Form::Calendar => part.content_type.is("text", "calendar") || is_untyped(part),
    };
    says && !is_doubtful(part) && !part.header.fields().any(|field| outdated(&field))
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
    // A multipart or message that could not be looked into or lies elsewhere (RFC 2046 sections 5.2.2 and 5.2.3), pictures
    // that fetch, and what some readers unfold though it is marked as an attachment.
    let unfolded = media.kind() == "multipart"
        || (media.kind() == "message" && !REPORTS.contains(&media.subtype()))
        || claimed(&UNFOLDED)
        || is_named(part, &["winmail.dat"])
        || (is_untyped(part) && is_named(part, &UNFOLDED_ENDINGS));
    let shown = media.kind() == "application"
        && (is_named(part, &HTML_ENDINGS) || is_named(part, &PICTURE_ENDINGS));
    unfolded || (!is_attachment(part) && (shown || claimed(&SHOWN)))
}

/// Types that readers unfold wherever they find them: parts of other mails, pictures that fetch, text with markup, Microsoft's
/// TNEF, and a type by which one reader looks for files in the text.
const UNFOLDED: [&str; 8] = [
    "message/partial",
    "message/external-body",
    "svg",
    "text/enriched",
    "text/richtext",
    "ms-tnef",
    "x-unknown-content-type",
    "x-uue",
];

/// Types that readers show unless they are marked as an attachment, and that may say where more is to be fetched.
const SHOWN: [&str; 12] = [
    "/xml",
    "+xml",
    "text/css",
    "text/sgml",
    "/rtf",
    "/x-rtf",
    "vcard",
    "vcalendar",
    "text/directory",
    "audio/",
    "video/",
    "smil",
];

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

/// Endings of names by which readers take a file for a page, longer ones first.
const HTML_ENDINGS: [&str; 6] = [".xhtml", ".shtml", ".html", ".htm", ".xht", ".hta"];
/// Endings of names by which readers take a file for a calendar.
const CALENDAR_ENDINGS: [&str; 4] = [".ics", ".ical", ".ifb", ".icalendar"];
/// Endings of names by which readers take a file for a picture that fetches or a page with all its parts.
const PICTURE_ENDINGS: [&str; 4] = [".mhtml", ".svgz", ".mht", ".svg"];
/// Endings of names by which readers take a file of no type for a mail, text with markup, or TNEF, and unfold it.
const UNFOLDED_ENDINGS: [&str; 10] = [
    ".eml", ".emlx", ".mime", ".mim", ".mhtml", ".mht", ".nws", ".rtx", ".tnef", ".tnf",
];
/// Endings under which no file is set aside: there are readers that go by them and unfold it all the same.
const RENAMED: [&[&str]; 4] = [
    &HTML_ENDINGS,
    &CALENDAR_ENDINGS,
    &UNFOLDED_ENDINGS,
    &[".p7m", ".p7z", "winmail.dat"],
];

/// Fields in which readers look for the name of a file.
const NAMING: [&str; 4] = [
    "content-disposition",
    "content-type",
    "content-name",
    "x-sun-data-name",
];

/// Whether a reader may find a name with one of these endings for the part: any name, as it is written or with its encoded
/// words decoded, and any text in the fields that could be one.
fn is_named(part: &Part, endings: &[&str]) -> bool {
    let naming = |field: &Field<'_>| NAMING.contains(&field.loose_name().as_str());
    part.header.fields().filter(naming).any(|field| {
        let value = field.value();
        let parsed = parameters(&value).into_iter().map(|(_, text)| text);
        let texts: Vec<String> = parsed
            .chain([String::from_utf8_lossy(&value).into_owned()])
            .collect();
        texts.iter().any(|text| {
            let decoded = words::decode(text.as_bytes());
            has_ending(text, endings) || has_ending(&decoded, endings)
        })
    })
}

/// Whether one of `endings` stands at the end of a word of `text`.
fn has_ending(text: &str, endings: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    let goes_on = |rest: &str| {
        let rest = rest.trim_start_matches(['.', ' ']);
        rest.starts_with(|c: char| c.is_alphanumeric() || "-_".contains(c))
    };
    endings.iter().any(|ending| {
        text.match_indices(ending).any(|(at, _)| {
            !goes_on(
                text.get(at.saturating_add(ending.len())..)
                    .unwrap_or_default(),
            )
        })
    })
}

fn file_name(part: &Part) -> Option<String> {
    let field = part.header.first("Content-Disposition");
    let named = field.and_then(|field| disposition(&field.value()).1);
    named.or_else(|| part.content_type.parameter("name").map(str::to_owned))
}

/// The header of a part that becomes text of ours, with the blank line. What was a file by its name only stays one.
pub(super) fn text_head(part: &Part, form: Form) -> Vec<u8> {
    let kind = match form {
        Form::Html => "Content-Type: text/html; charset=utf-8".to_owned(),
        Form::Calendar => {
            let method = part.content_type.parameter("method");
            let method = method.filter(|word| word.bytes().all(|b| b.is_ascii_alphabetic()));
            let method = method.map(|word| format!("; method={word}"));
            format!(
                "Content-Type: text/calendar; charset=utf-8{}",
                method.unwrap_or_default()
            )
        }
    };
    let disposed = part.header.first("Content-Disposition");
    let unnamed = disposed.is_none_or(|field| disposition(&field.value()).1.is_none());
    let is_file = is_untyped(part) || (is_attachment(part) && unnamed);
    let mut dropped = vec!["content-type", "content-transfer-encoding"];
    if is_file {
        dropped.push("content-disposition");
    }
    let mut edit = cleaned(&part.header, &dropped)
        .append(&kind)
        .append("Content-Transfer-Encoding: base64");
    if is_file {
        edit = edit.append(&place(file_name(part)));
    }
    finished(edit)
}

/// The header of a part that becomes a file, with the blank line. The body is not touched.
pub(super) fn aside_head(part: &Part) -> Vec<u8> {
    let name = file_name(part);
    let again = |name: &String| RENAMED.iter().any(|endings| has_ending(name, endings));
    let name = name.map(
        |name| match again(&name) || again(&words::decode(name.as_bytes())) {
            true => name + ".bin",
            false => name,
        },
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
            .append(&place(name)),
    )
}

/// The field that makes a file of a part.
fn place(name: Option<String>) -> String {
    let name = name.map(|name| format!("; filename*=UTF-8''{}", percent(&name)));
    format!(
        "Content-Disposition: attachment{}",
        name.unwrap_or_default()
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

/// Fields that say where else the content lies, what it was before it changed (RFC 2557, RFC 1864), or another name for it.
const OUTDATED: [&str; 8] = [
    "content-name",
    "x-sun-data-name",
    "content-base",
    "content-location",
    "content-md5",
    "content-length",
    "content-encoding",
    "content-features",
];

/// A header without lines that are no fields, without outdated fields and without those called one of `names`; no blank
/// stands before a colon.
fn cleaned<'h>(header: &'h HeaderBlock, names: &'h [&'h str]) -> HeaderEdit<'h> {
    let dropped = |field: &Field<'_>| {
        let name = field.loose_name();
        field.name().is_empty()
            || names.contains(&name.as_str())
            || OUTDATED.contains(&name.as_str())
    };
    HeaderEdit::new(header).remove(dropped).rewrite(tightened)
}

/// The field without the blanks before its colon, if there are any (RFC 5322 section 4.5.8).
fn tightened(field: &Field<'_>) -> Option<String> {
    let raw = String::from_utf8_lossy(field.raw());
    let (before, value) = raw.split_once(':')?;
    let name = field.name();
    (before != name).then(|| format!("{name}:{}", value.trim_end_matches(['\r', '\n'])))
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
