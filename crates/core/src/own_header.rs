//! The header fields of this gateway: which are taken off a mail that comes from outside (row M9), what is written of a
//! verdict (RFC 7281, row G7), and the mark by which a loop is seen (row M6).

use sealgate_mail::Domain;
use sealgate_mail::edit::HeaderEdit;
use sealgate_mail::header::{Field, HeaderBlock, fold};
use sealgate_smime::algorithms::DigestAlgorithm;
use sealgate_smime::aws::hmac;
use sealgate_smime::verdict::{EncryptionVerdict, SignatureVerdict};
use sealgate_smime::verify::Note;

use crate::journal::Direction;
use crate::limits::{RECEIVED_HOPS, TRACE_FIELDS};
use crate::process::Layer;
use crate::tenant::OrganisationId;

/// What every field of ours begins with, in lower case.
const OWN_PREFIX: &str = "x-sealgate-";
/// The field by which a mail from a shared network says whose it is; taken off every copy.
pub const CONNECTOR: &str = "X-Sealgate-Connector";
const TRACE: &str = "X-Sealgate-Trace";
const RESULT: &str = "X-Sealgate-Result";
const AUTHENTICATION_RESULTS: &str = "Authentication-Results";

/// What tells our own fields from forged ones.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// The name under which results are written (RFC 8601 section 2.5).
    pub authserv_id: &'a Domain,
    /// Secret of the installation, for the marks against loops.
    pub trace_key: &'a [u8],
}

/// Whether a field of a mail from outside claims to be ours: a name of ours however it is spelled, or
/// Authentication-Results under our name (RFC 8601 section 5), or one whose name cannot be read. A mark against loops
/// that this installation made for this mail is none: it must be there when the mail comes round again.
pub fn is_forged(field: &Field<'_>, header: &HeaderBlock, own: Own<'_>) -> bool {
    let name = field.loose_name();
    if name.starts_with(OWN_PREFIX) {
        return !is_own_trace(field, header, own.trace_key);
    }
    let authserv_id = own.authserv_id;
    if name != "authentication-results" {
        return false;
    }
    let value = value_of(field);
    let decoded = sealgate_mail::words::decode(&value);
    let ours = |value: &[u8]| match claimed_id(value) {
        Some(id) => same_host(&id, authserv_id.as_str()),
        None => true,
    };
    ours(&value) || ours(decoded.as_bytes())
}

/// Whether the field is taken off the top of a mail from outside: what claims to be ours, and a first line that begins with a
/// blank, which would continue the field of ours that is put above it.
pub fn is_taken_off(field: &Field<'_>, header: &HeaderBlock, own: Own<'_>) -> bool {
    field.raw().starts_with(b" ") || field.raw().starts_with(b"\t") || is_forged(field, header, own)
}

/// What of an inbound mail's header may go back to its sender: nothing that we wrote, and no Content-* field, so that a
/// report about a delivered copy tells neither what was found inside nor whether it could be decrypted (rows C10, M8).
pub fn for_strangers(header: &HeaderBlock) -> HeaderBlock {
    let tells = |field: &Field<'_>| {
        let name = field.loose_name();
        name.starts_with(OWN_PREFIX)
            || name.starts_with("content-")
            || ["authentication-results", "mime-version"].contains(&name.as_str())
    };
    HeaderBlock::parse(&HeaderEdit::new(header).remove(tells).finish())
}

/// All after the first colon, unfolded, also of a line that is hardly a field.
pub(crate) fn value_of(field: &Field<'_>) -> Vec<u8> {
    let raw = field.raw();
    let colon = raw.iter().position(|b| *b == b':').unwrap_or(raw.len());
    let value = raw.get(colon.saturating_add(1)..).unwrap_or_default();
    value
        .iter()
        .copied()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .collect()
}

/// The authserv-id: `[CFWS] value` with value a token or a quoted string (RFC 8601 section 2.2). None if there is none.
fn claimed_id(value: &[u8]) -> Option<Vec<u8>> {
    let mut rest = after_comments(value)?;
    let mut id = Vec::new();
    if let Some(quoted) = rest.strip_prefix(b"\"") {
        rest = quoted;
        while let Some((byte, tail)) = rest.split_first() {
            match byte {
                b'"' => return Some(id),
                b'\\' => {
                    let (escaped, tail) = tail.split_first()?;
                    id.push(*escaped);
                    rest = tail;
                }
                _ => {
                    id.push(*byte);
                    rest = tail;
                }
            }
        }
        return None;
    }
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b';' | b'(');
    id.extend(rest.iter().copied().take_while(|b| !ends(b)));
    (!id.is_empty()).then_some(id)
}

/// What follows blanks and comments; none if a comment does not end.
fn after_comments(value: &[u8]) -> Option<&[u8]> {
    let mut depth = 0usize;
    let mut escaped = false;
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if depth > 0 => escaped = true,
            b'(' => depth = depth.saturating_add(1),
            b')' if depth > 0 => depth = depth.saturating_sub(1),
            _ if depth > 0 || byte.is_ascii_whitespace() => {}
            _ => return value.get(at..),
        }
    }
    (depth == 0).then_some(&[])
}

fn same_host(claimed: &[u8], ours: &str) -> bool {
    let visible: Vec<u8> = claimed
        .iter()
        .copied()
        .filter(u8::is_ascii_graphic)
        .collect();
    let visible = visible.strip_suffix(b".").unwrap_or(&visible);
    visible.eq_ignore_ascii_case(ours.as_bytes())
}

/// What is said of a mail's S/MIME; nothing by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// Of the signature.
    pub signature: SignatureVerdict,
    /// Of the encryption.
    pub encryption: EncryptionVerdict,
    /// The signer's address as the certificate names it, for a signature that is good.
    pub signer: Option<String>,
    /// Each layer of S/MIME, the outermost first (row C24).
    pub layers: Vec<Layer>,
    /// Remarks that do not change the verdicts.
    pub notes: Vec<Note>,
    /// Whether what is signed holds the Subject (RFC 9788); else a signature covers the body alone (row C9).
    pub covers_subject: bool,
    /// Whether remote content was taken out of what was decrypted (row C1).
    pub neutralised: bool,
}

impl Default for Verdicts {
    fn default() -> Self {
        Self {
            signature: SignatureVerdict::None,
            encryption: EncryptionVerdict::None,
            signer: None,
            layers: Vec::new(),
            notes: Vec::new(),
            covers_subject: false,
            neutralised: false,
        }
    }
}

impl Verdicts {
    /// Whether there was any S/MIME to speak of.
    pub fn any(&self) -> bool {
        self.signature != SignatureVerdict::None || self.encryption != EncryptionVerdict::None
    }

    /// The fields to write at the top of the delivered mail, with line ends; none for a mail without S/MIME.
    pub fn fields(&self, authserv_id: &Domain) -> String {
        if !self.any() {
            return String::new();
        }
        let (signature, encryption) = (self.signature.as_str(), self.encryption.as_str());
        let host = authserv_id.as_str();
        let mut method = format!("smime={}", rfc_7281_result(self.signature));
        if self.signature != SignatureVerdict::None {
            method.push_str(&format!(" reason=\"{signature}\""));
        }
        // RFC 7281 section 3.2.1: body.smime-identifier is an address of the signer's certificate.
        let signer = self.signer.iter().filter(|_| self.signature.is_good());
        for address in signer.filter(|address| is_plain(address)) {
            method.push_str(&format!(" body.smime-identifier={address}"));
        }
        let results = fold(&format!("{AUTHENTICATION_RESULTS}: {host}; {method}"));
        let remarks = self.remarks();
        let own = fold(&format!(
            "{RESULT}: signature={signature}; encryption={encryption}{remarks}"
        ));
        results + &own
    }

    /// What is said beside the verdicts, each after `; `: what a good signature covers, each layer where there are several,
    /// and notes.
    pub fn remarks(&self) -> String {
        let mut remarks: Vec<String> = Vec::new();
        if self.signature.is_good() {
            let covers = if self.covers_subject {
                "body+subject"
            } else {
                "body"
            };
            remarks.push(format!("covers={covers}"));
        }
        let several = self.layers.len() > 1;
        let layers = self.layers.iter().filter(|_| several).map(layer);
        remarks.extend(layers.map(|layer| format!("layer={layer}")));
        remarks.extend(self.notes.iter().map(|note| format!("note={note}")));
        if self.neutralised {
            remarks.push("note=remote-content-removed".to_owned());
        }
        let written = remarks.iter().map(|remark| format!("; {remark}"));
        written.collect()
    }
}

/// A layer in one word, such as `signed:valid:alice@partner.example` or `encrypted:decrypted` (row C24).
fn layer(layer: &Layer) -> String {
    let word = layer.to_string().replace('=', ":");
    match layer {
        Layer::Signed {
            signer: Some(address),
            ..
        } if is_plain(address) => format!("{word}:{address}"),
        Layer::Signed { .. } | Layer::Encrypted { .. } | Layer::Compressed(_) => word,
    }
}

/// Letters that stand in a pvalue without quoting (RFC 8601 section 2.2), so that no address writes another result.
fn is_plain(address: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"@.-_+".contains(&b);
    address.bytes().all(allowed)
}

/// The result words of RFC 7281 section 3.1 (they are those of DKIM, RFC 8601 section 2.7.1).
const fn rfc_7281_result(verdict: SignatureVerdict) -> &'static str {
    use SignatureVerdict as V;
    match verdict {
        V::None => "none",
        V::Valid => "pass",
        V::ValidOtherAddress | V::ValidNoAddress => "policy",
        V::Untrusted | V::Expired | V::Weak => "policy",
        V::RevocationUnknown => "temperror",
        V::Revoked | V::Broken => "fail",
        V::Partial | V::Unsupported => "neutral",
    }
}

/// The field that lets this installation see its own mail again, with line end.
///
/// `key` is a secret of the installation; the mark is bound to the mail's Message-ID. Empty if the library fails: the
/// Received fields still count.
pub fn trace_field(
    key: &[u8],
    organisation: OrganisationId,
    direction: Direction,
    header: &HeaderBlock,
) -> String {
    match trace_value(key, organisation, direction, header) {
        Some(value) => fold(&format!("{TRACE}: {}", value.replace(';', "; "))),
        None => String::new(),
    }
}

/// Whether the mail went through this organisation in this direction before, or through too many servers
/// (RFC 5321 section 6.3). To be asked before the fields of ours are taken off.
pub fn is_loop(
    key: &[u8],
    organisation: OrganisationId,
    direction: Direction,
    header: &HeaderBlock,
) -> bool {
    if header.count("Received") >= RECEIVED_HOPS {
        return true;
    }
    let Some(expected) = trace_value(key, organisation, direction, header) else {
        return false;
    };
    let mut marks = header.all(TRACE).take(TRACE_FIELDS);
    marks.any(|field| without_blanks(&field.value()) == expected)
}

/// Whether the mail comes straight from this installation: no server has written a Received field above ours since we marked
/// it. To be asked before the fields of ours are taken off.
pub fn is_straight_from_us(key: &[u8], header: &HeaderBlock) -> bool {
    let mark = header
        .fields()
        .position(|field| is_own_trace(&field, header, key));
    let above = header.fields().take(mark.unwrap_or_default());
    // Our own Received field stands above the mark.
    let hops = above.filter(|field| field.is("Received")).count();
    mark.is_some() && hops <= 1
}

/// Whether the field is a mark that [`trace_field`] made for this mail.
fn is_own_trace(field: &Field<'_>, header: &HeaderBlock, key: &[u8]) -> bool {
    let value = without_blanks(&field.value());
    let number = value.strip_prefix("organisation=");
    let number = number.and_then(|rest| rest.split(';').next()?.parse().ok());
    let Some(organisation) = number.map(OrganisationId) else {
        return false;
    };
    let ours = |direction| {
        field.is(TRACE)
            && trace_value(key, organisation, direction, header).as_ref() == Some(&value)
    };
    ours(Direction::Inbound) || ours(Direction::Outbound)
}

fn without_blanks(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The mark's value without blanks.
fn trace_value(
    key: &[u8],
    organisation: OrganisationId,
    direction: Direction,
    header: &HeaderBlock,
) -> Option<String> {
    let mac = mac(key, organisation, direction, header)?;
    let (number, direction) = (organisation.0, word(direction));
    Some(format!(
        "organisation={number};direction={direction};mac={mac}"
    ))
}

const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

/// Lower case hexadecimal. A guess gains nothing but a refusal of one's own mail, so that the comparison needs no
/// constant time.
fn mac(
    key: &[u8],
    organisation: OrganisationId,
    direction: Direction,
    header: &HeaderBlock,
) -> Option<String> {
    let id = header.first("Message-ID").map(|field| field.value());
    let mut data = format!("trace\0{}\0{}\0", organisation.0, word(direction)).into_bytes();
    data.extend_from_slice(id.as_deref().unwrap_or_default());
    let mac = hmac(DigestAlgorithm::Sha256, key, &data).ok()?;
    Some(mac.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Domain {
        Domain::parse("mx.we.example").unwrap()
    }

    fn forged(raw: &str) -> Vec<bool> {
        let header = HeaderBlock::parse(raw.as_bytes());
        let own = Own {
            authserv_id: &ours(),
            trace_key: &[7; 32],
        };
        header
            .fields()
            .map(|field| is_forged(&field, &header, own))
            .collect()
    }

    #[test]
    fn c10_a_returned_header_does_not_tell_what_was_found() {
        let header = HeaderBlock::parse(
            b"Received: x\r\nX-Sealgate-Result: encryption=decrypted\r\nAuthentication-Results: mx.we.example;\r\n smime=pass\r\n\
              From: a@x.example\r\nMessage-ID: <1@x.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n name=secret\r\n\
              content-description : secret\r\nSubject: s\r\n",
        );
        assert_eq!(
            for_strangers(&header).raw(),
            b"Received: x\r\nFrom: a@x.example\r\nMessage-ID: <1@x.example>\r\nSubject: s\r\n"
        );
    }

    #[test]
    fn m6_what_comes_straight_from_us() {
        let key = [7; 32];
        let mail = "From: a@x.example\r\nMessage-ID: <1@x.example>\r\n";
        let parsed = |text: &str| HeaderBlock::parse(text.as_bytes());
        let mark =
            |key: &[u8]| trace_field(key, OrganisationId(3), Direction::Outbound, &parsed(mail));
        let (ours, received) = (mark(&key), "Received: from x by us\r\n");
        let forged = mark(&[8; 32]);
        let table = [
            ("no mark", format!("{received}{mail}"), false),
            ("as we send it", format!("{received}{ours}{mail}"), true),
            (
                "signed",
                format!("DKIM-Signature: x\r\n{received}{ours}{mail}"),
                true,
            ),
            (
                "by another server",
                format!("{received}{received}{ours}{mail}"),
                false,
            ),
            ("another's mark", format!("{received}{forged}{mail}"), false),
        ];
        for (name, header, straight) in table {
            assert_eq!(
                is_straight_from_us(&key, &parsed(&header)),
                straight,
                "{name}"
            );
        }
    }

    #[test]
    fn m9_own_header_spoofed() {
        let taken_off = [
            "X-Sealgate-Result: signature=valid\r\n",
            "x-sealgate-result: signature=valid\r\n",
            "X-SEALGATE-RESULT:signature=valid\r\n",
            "X-Sealgate-Result : signature=valid\r\n",
            "X-Sealgate-Result\t: signature=valid\r\n",
            "X-Sealgate-\r\n Result: signature=valid\r\n",
            "X-Sealgate-Result\r\n : signature=valid\r\n",
            "X-Sealgate-Result:\r\n signature=valid\r\n",
            "X-Sealgate-Anything: 1\r\n",
            "X-Sealgate-: 1\r\n",
            "\u{feff}X-Sealgate-Result: signature=valid\r\n",
            "X-Sealgate-\u{7f}Result: signature=valid\r\n",
            "X-Sealgate-Trace: organisation=1\r\n",
            "Authentication-Results: mx.we.example; smime=pass\r\n",
            "authentication-results: MX.We.Example; smime=pass\r\n",
            "Authentication-Results : mx.we.example; smime=pass\r\n",
            "Authentication-\r\n Results: mx.we.example; smime=pass\r\n",
            "Authentication-Results:\r\n mx.we.example;\r\n smime=pass\r\n",
            "Authentication-Results: (a (b) \\) c) mx.we.example (d); smime=pass\r\n",
            "Authentication-Results: \"mx.we.example\"; smime=pass\r\n",
            "Authentication-Results: \"mx.we\\.example\"; smime=pass\r\n",
            "Authentication-Results: mx.we.example 1; smime=pass\r\n",
            "Authentication-Results: mx.we.example.; smime=pass\r\n",
            "Authentication-Results: mx.we.example(c); smime=pass\r\n",
            "Authentication-Results: =?utf-8?q?mx.we.example?=; smime=pass\r\n",
            "Authentication-Results: (never closed mx.we.example; smime=pass\r\n",
            "Authentication-Results: ; smime=pass\r\n",
            "Authentication-Results:\r\n",
        ];
        for raw in taken_off {
            assert_eq!(forged(raw), [true], "{raw:?}");
        }
        let twice = "X-Sealgate-Result: a\r\nSubject: b\r\nX-Sealgate-Result: c\r\n";
        assert_eq!(forged(twice), [true, false, true]);
        let kept = [
            "Authentication-Results: mx.elsewhere.example; smime=pass\r\n",
            "Authentication-Results: mx.we.example.elsewhere.example; spf=pass\r\n",
            "Authentication-Results: mx.we.\r\n example; smime=pass\r\n",
            "X-Seal: 1\r\n",
            "X-Sealgateway: 1\r\n",
            "Subject: X-Sealgate-Result: valid\r\n",
            "Subject: a\r\n X-Sealgate-Result: valid\r\n",
            "no field at all\r\n",
        ];
        for raw in kept {
            assert_eq!(forged(raw), [false], "{raw:?}");
        }
    }

    #[test]
    fn m9_nothing_continues_a_field_of_ours() {
        let own = Own {
            authserv_id: &ours(),
            trace_key: &[7; 32],
        };
        for (raw, expected) in [
            (" ; smime=pass\r\nSubject: a\r\n b\r\n", [true, false]),
            (
                "\tsignature=valid\r\n\tmore\r\nSubject: a\r\n",
                [true, false],
            ),
            ("Subject: a\r\n b\r\nX-Sealgate-A: 1\r\n", [false, true]),
        ] {
            let header = HeaderBlock::parse(raw.as_bytes());
            let taken_off = header
                .fields()
                .map(|field| is_taken_off(&field, &header, own));
            assert_eq!(taken_off.collect::<Vec<_>>(), expected, "{raw:?}");
        }
    }

    #[test]
    fn g7_verdict_in_the_header() {
        use EncryptionVerdict as E;
        use SignatureVerdict as S;
        let signer = "alice@partner.example";
        let table = [
            (S::None, E::None, ""),
            (
                S::Valid,
                E::DecryptedAuthenticated,
                "Authentication-Results: mx.we.example; smime=pass reason=\"valid\" \
                 body.smime-identifier=alice@partner.example X-Sealgate-Result: signature=valid; \
                 encryption=decrypted-authenticated; covers=body",
            ),
            (
                S::Broken,
                E::None,
                "Authentication-Results: mx.we.example; smime=fail reason=\"broken\" \
                 X-Sealgate-Result: signature=broken; encryption=none",
            ),
            (
                S::None,
                E::NoKey,
                "Authentication-Results: mx.we.example; smime=none \
                 X-Sealgate-Result: signature=none; encryption=no-key",
            ),
            (
                S::RevocationUnknown,
                E::None,
                "Authentication-Results: mx.we.example; smime=temperror \
                 reason=\"revocation-unknown\" X-Sealgate-Result: signature=revocation-unknown; \
                 encryption=none",
            ),
        ];
        for (signature, encryption, expected) in table {
            let signer = Some(signer.to_owned());
            let verdicts = Verdicts {
                signature,
                encryption,
                signer,
                ..Verdicts::default()
            };
            let fields = verdicts.fields(&ours());
            let words: Vec<&str> = fields.split_whitespace().collect();
            assert_eq!(words.join(" "), expected);
            let count = HeaderBlock::parse(fields.as_bytes()).fields().count();
            assert_eq!(count, if expected.is_empty() { 0 } else { 2 });
        }
    }

    #[test]
    fn an_address_never_writes_a_result() {
        for signer in [
            "a@b; smime=pass",
            "\"a b\"@c",
            "a\r\nX: y@c",
            "(c)@d",
            "\u{fc}@d",
        ] {
            let verdicts = Verdicts {
                signature: SignatureVerdict::Valid,
                encryption: EncryptionVerdict::None,
                signer: Some(signer.to_owned()),
                ..Verdicts::default()
            };
            assert!(!verdicts.fields(&ours()).contains("identifier"), "{signer}");
        }
    }

    #[test]
    fn m6_mail_loops() {
        let (key, us, others) = (&[7; 32], OrganisationId(3), OrganisationId(4));
        let (inbound, outbound) = (Direction::Inbound, Direction::Outbound);
        let mail = "Message-ID: <1@x.example>\r\nSubject: s\r\n";
        let marked = |key: &[u8], organisation, direction| {
            let header = HeaderBlock::parse(mail.as_bytes());
            let field = trace_field(key, organisation, direction, &header);
            HeaderBlock::parse(format!("{field}{mail}").as_bytes())
        };
        let seen = |header: &HeaderBlock| is_loop(key, us, inbound, header);
        assert!(seen(&marked(key, us, inbound)));
        // Organisation to organisation passes once each, and outbound before inbound.
        assert!(!seen(&marked(key, us, outbound)));
        assert!(!seen(&marked(key, others, inbound)));
        // Our own marks stay; those of another key go.
        let stays = |header: &HeaderBlock| {
            let own = Own {
                authserv_id: &ours(),
                trace_key: key,
            };
            let mark = header.first(TRACE).unwrap();
            !is_forged(&mark, header, own)
        };
        assert!(stays(&marked(key, us, inbound)) && stays(&marked(key, others, outbound)));
        assert!(!stays(&marked(&[8; 32], us, inbound)));
        // A mark of another key, or of another mail, is no mark.
        assert!(!seen(&marked(&[8; 32], us, inbound)));
        let copied = String::from_utf8(marked(key, us, inbound).raw().to_vec()).unwrap();
        let copied = copied.replace("<1@x", "<2@x");
        assert!(!seen(&HeaderBlock::parse(copied.as_bytes())));

        let hops = |n| "Received: from a by b; x\r\n".repeat(n) + mail;
        assert!(!seen(&HeaderBlock::parse(hops(99).as_bytes())));
        assert!(seen(&HeaderBlock::parse(hops(100).as_bytes())));
    }
}
