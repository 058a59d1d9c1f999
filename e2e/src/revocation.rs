//! Lists (RFC 5280 section 5) and OCSP answers (RFC 6960) as an authority would publish them, also old, forged and future
//! ones: put together here, signed by the `openssl` program. Where no time has to be bent, `openssl ocsp` answers.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use sealgate_mail::Timestamp;
use sealgate_smime::certificate::Certificate;

use crate::keys::{Identity, shown, words};
use crate::program::must_run;

/// The present.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_secs()).unwrap())
}

/// The certificate of an identity.
pub fn certificate(identity: &Identity) -> Certificate {
    let file = std::fs::read(&identity.certificate).unwrap();
    Certificate::read_all(&file).unwrap().remove(0)
}

/// What a list or an answer says about time, in seconds from now.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Its thisUpdate.
    pub from: i64,
    /// Its nextUpdate.
    pub until: i64,
}

/// From a minute ago until in an hour.
pub const CURRENT: Window = Window {
    from: -60,
    until: 3600,
};

/// A list of `issuer` that revokes the certificates with these serial numbers, and `others` more with serial numbers of
/// its own.
pub fn crl(issuer: &Identity, serials: &[&[u8]], others: u32, window: Window) -> Vec<u8> {
    let revoked_at = generalized_or_utc(now().plus(-3600));
    let mut entries = Vec::new();
    for serial in serials {
        entries.extend(entry(serial, &revoked_at));
    }
    for other in 0..others {
        let serial = [&[1][..], &other.to_be_bytes()].concat();
        entries.extend(entry(&serial, &revoked_at));
    }
    let list = if entries.is_empty() {
        Vec::new()
    } else {
        tlv(0x30, &entries)
    };
    // RFC 5280 section 5.2.3: the number of the list.
    let number = tlv(
        0x30,
        &[tlv(6, &[0x55, 0x1d, 20]), tlv(4, &[2, 1, 7])].concat(),
    );
    let tbs = [
        tlv(2, &[1]),
        ecdsa_with_sha256(),
        certificate(issuer).subject_der().to_vec(),
        generalized_or_utc(now().plus(window.from)),
        generalized_or_utc(now().plus(window.until)),
        list,
        tlv(0xa0, &tlv(0x30, &number)),
    ];
    signed(&tlv(0x30, &tbs.concat()), issuer, &[])
}

fn entry(serial: &[u8], revoked_at: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(2, serial), revoked_at].concat())
}

/// What a responder says of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// It is good.
    Good,
    /// It was revoked an hour ago.
    Revoked,
    /// It is not known.
    Unknown,
}

/// An answer to `request`, signed by `responder`, whose certificate goes along.
pub fn ocsp(request: &[u8], responder: &Identity, says: Says, window: Window) -> Vec<u8> {
    let own = certificate(responder);
    let status = match says {
        Says::Good => tlv(0x80, &[]),
        Says::Revoked => tlv(0xa1, &generalized(now().plus(-3600))),
        Says::Unknown => tlv(0x82, &[]),
    };
    let single = [
        asked_about(request),
        status,
        generalized(now().plus(window.from)),
        tlv(0xa0, &generalized(now().plus(window.until))),
    ];
    let tbs = [
        tlv(0xa1, own.subject_der()),
        generalized(now().plus(window.from)),
        tlv(0x30, &tlv(0x30, &single.concat())),
    ];
    let certificates = tlv(0xa0, &tlv(0x30, own.der()));
    let basic = signed(&tlv(0x30, &tbs.concat()), responder, &certificates);
    // id-pkix-ocsp-basic
    let kind = tlv(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]);
    let octets = tlv(0x30, &[kind, tlv(4, &basic)].concat());
    tlv(0x30, &[tlv(10, &[0]), tlv(0xa0, &octets)].concat())
}

/// The CertID of the only question of a request without version and name of the requestor.
fn asked_about(request: &[u8]) -> Vec<u8> {
    let mut inner = request;
    for _ in 0..4 {
        inner = content(inner).0;
    }
    let (_, all) = content(inner);
    inner[..all].to_vec()
}

/// The content of the first element, and the length of the whole element.
fn content(octets: &[u8]) -> (&[u8], usize) {
    let (head, length) = match octets[1] {
        short @ ..=0x7f => (2, usize::from(short)),
        0x81 => (3, usize::from(octets[2])),
        0x82 => (4, usize::from(octets[2]) << 8 | usize::from(octets[3])),
        other => panic!("a length of {other:#x}"),
    };
    (&octets[head..head + length], head + length)
}

/// What `openssl ocsp` answers to `request` as a responder for `issuer` that knows these serial numbers, revoked or not.
pub fn openssl_ocsp(
    directory: &Path,
    request: &[u8],
    (issuer, responder): (&Identity, &Identity),
    known: &[(&[u8], bool)],
) -> Vec<u8> {
    let stem = format!("ocsp-{:?}", std::thread::current().id()).replace(['(', ')'], "");
    let file = |end: &str| directory.join(format!("{stem}.{end}"));
    let line = |(serial, revoked): &(&[u8], bool)| {
        let serial: String = serial.iter().map(|octet| format!("{octet:02X}")).collect();
        let (state, at) = match revoked {
            true => ("R", "260101000000Z"),
            false => ("V", ""),
        };
        format!("{state}\t491231235959Z\t{at}\t{serial}\tunknown\t/CN=x\n")
    };
    let index: String = known.iter().map(line).collect();
    std::fs::write(file("index"), index).unwrap();
    std::fs::write(file("request"), request).unwrap();
    let mut arguments = words("ocsp -ndays 1");
    for (option, path) in [
        ("-index", &file("index")),
        ("-reqin", &file("request")),
        ("-respout", &file("response")),
        ("-CA", &issuer.certificate),
        ("-rsigner", &responder.certificate),
        ("-rkey", &responder.key),
    ] {
        arguments.extend([option.to_owned(), shown(path)]);
    }
    must_run("openssl", &arguments, b"");
    std::fs::read(file("response")).unwrap()
}

/// SEQUENCE of what is signed, algorithm, signature and what follows.
fn signed(tbs: &[u8], signer: &Identity, rest: &[u8]) -> Vec<u8> {
    let arguments = ["dgst", "-sha256", "-sign", signer.key.to_str().unwrap()];
    let signature = must_run("openssl", &arguments, tbs);
    let bits = tlv(3, &[&[0][..], &signature].concat());
    tlv(0x30, &[tbs, &ecdsa_with_sha256(), &bits, rest].concat())
}

fn ecdsa_with_sha256() -> Vec<u8> {
    tlv(0x30, &tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]))
}

/// `20261122072301Z`
fn digits(at: Timestamp) -> String {
    let mut text: String = at.rfc3339().chars().filter(char::is_ascii_digit).collect();
    text.truncate(14);
    text + "Z"
}

fn generalized(at: Timestamp) -> Vec<u8> {
    tlv(0x18, digits(at).as_bytes())
}

/// RFC 5280 section 5.1.2.4: UTCTime until 2049.
fn generalized_or_utc(at: Timestamp) -> Vec<u8> {
    tlv(0x17, &digits(at).as_bytes()[2..])
}

/// One element in DER.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(u8::try_from(length).unwrap()),
        _ => {
            let octets = length.to_be_bytes();
            let first = octets.iter().position(|octet| *octet != 0).unwrap();
            out.push(0x80 | u8::try_from(octets.len() - first).unwrap());
            out.extend_from_slice(&octets[first..]);
        }
    }
    out.extend_from_slice(content);
    out
}
