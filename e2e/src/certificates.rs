//! Certificates that no authority would issue, made by `openssl`; what it does not write is changed in their octets and signed anew.

use std::path::Path;

use crate::attack::{certificate, cms_of, pkcs7};
use crate::cast::Cast;
use crate::der::{Node, of, oid, plain, sequence};
use crate::keys::{Identity, KeyKind, shown, words};
use crate::openssl::{self, Writing};
use crate::program::must_run;
use crate::revocation::{CURRENT, crl};

/// A key pair on P-256.
const P256: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";
/// Of somebody, not of an authority.
pub const LEAF: &str = "basicConstraints=critical,CA:false";
/// Signs, and agrees on keys.
pub const USAGE: &str = "keyUsage=critical,digitalSignature,keyAgreement";
/// For mail.
pub const MAIL: &str = "extendedKeyUsage=emailProtection";

/// What a certificate is made of.
pub struct Wanted<'a> {
    /// Who signs it; nobody else if absent.
    pub issuer: Option<&'a Identity>,
    /// Options of `openssl req` about key and digest.
    pub key: &'a str,
    /// Such as `/O=Test/CN=x`.
    pub subject: &'a str,
    /// Each as `name=value` of an OpenSSL settings file.
    pub extensions: &'a [&'a str],
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            issuer: Some(&Cast::with(KeyKind::P256).partner_authority),
            key: P256,
            subject: "/O=Test/CN=x",
            extensions: &[LEAF, USAGE, MAIL],
        }
    }
}

/// Makes it, with a new key, as files of this name.
pub fn make(directory: &Path, name: &str, wanted: &Wanted<'_>) -> Identity {
    let identity = Identity {
        certificate: directory.join(format!("{name}.pem")),
        key: directory.join(format!("{name}.key")),
    };
    // Without a file of settings nothing is added.
    let settings = directory.join("empty.cnf");
    std::fs::write(&settings, "[req]\ndistinguished_name=name\n[name]\n").unwrap();
    let mut arguments = words("req -x509 -noenc -days 90 -utf8 -multivalue-rdn");
    arguments.extend(words(wanted.key));
    arguments.extend(["-config".to_owned(), shown(&settings)]);
    arguments.extend(["-subj".to_owned(), wanted.subject.to_owned()]);
    for extension in wanted.extensions {
        arguments.extend(["-addext".to_owned(), (*extension).to_owned()]);
    }
    if let Some(issuer) = wanted.issuer {
        arguments.extend(["-CA".to_owned(), shown(&issuer.certificate)]);
        arguments.extend(["-CAkey".to_owned(), shown(&issuer.key)]);
    }
    arguments.extend(["-out".to_owned(), shown(&identity.certificate)]);
    arguments.extend(["-keyout".to_owned(), shown(&identity.key)]);
    must_run("openssl", &arguments, b"");
    identity
}

/// The same certificate with something changed, signed anew by a P-256 issuer.
pub fn changed(
    identity: &Identity,
    issuer: &Identity,
    name: &str,
    change: impl Fn(&mut Node),
) -> Identity {
    let mut whole = certificate(identity);
    change(whole.at(&[0]));
    let key = shown(&issuer.key);
    let signature = must_run(
        "openssl",
        &["dgst", "-sha256", "-sign", &key],
        &whole.at(&[0]).der(),
    );
    *whole.at(&[2]) = plain(3, &[&[0][..], &signature].concat());
    let pem = must_run("openssl", &["x509", "-inform", "DER"], &whole.der());
    let path = identity.certificate.with_file_name(format!("{name}.pem"));
    std::fs::write(&path, pem).unwrap();
    Identity {
        certificate: path,
        key: identity.key.clone(),
    }
}

/// An entity signed opaquely, with a list of the partner's authority inside that revokes the certificate.
pub fn signed_and_revoked(entity: &[u8], identity: &Identity) -> Vec<u8> {
    let mut cms = cms_of(&openssl::sign(entity, identity, None, true, Writing::Der));
    let serial = certificate(identity).at(&[0, 1]).octets().clone();
    let authority = &Cast::with(KeyKind::P256).partner_authority;
    let list = crl(authority, &[&serial], 0, CURRENT);
    let parts = cms.at(&[1, 0]).parts();
    let last = parts.len() - 1;
    parts.insert(last, of(0xa1, vec![Node::read(&list)]));
    pkcs7(&cms, "signed-data")
}

/// A subjectAltName with these names as they are, for `-addext`.
pub fn names(names: Vec<Node>) -> String {
    let hex: Vec<String> = sequence(names)
        .der()
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    format!("subjectAltName=DER:{}", hex.join(":"))
}

/// The name rfc822Name with these octets.
pub fn rfc822(text: &str) -> Node {
    plain(0x81, text.as_bytes())
}

/// id-on-SmtpUTF8Mailbox, RFC 9598 section 3.
pub fn utf8_mailbox(text: &str) -> Node {
    of(
        0xa0,
        vec![
            oid("1.3.6.1.5.5.7.8.9"),
            of(0xa0, vec![plain(12, text.as_bytes())]),
        ],
    )
}
