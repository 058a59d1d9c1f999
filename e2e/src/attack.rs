//! Attack mails in bulk: many go through one gateway, and each is judged by what the organisation's server got. CMS objects are put
//! together by [`crate::der`]; digests and signatures come from the `openssl` program.

use crate::cast::{ALICE, CAROL, Cast};
use crate::der::{Node, of, oid, plain, sequence, small};
use crate::gateway::{Options, program};
use crate::keys::{Identity, KeyKind, shown};
use crate::mime::{field, find, split};
use crate::openssl::{Writing, crlf, sign};
use crate::program::{must_run, present};
use crate::scene::{DELIVERY, Scene, rule, send};
use crate::sink::Received;

/// A mail and what must be told of it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Stands in its Message-ID; no two of a scene may have the same.
    pub name: String,
    /// The whole mail.
    pub message: Vec<u8>,
    /// Words one of which `X-Sealgate-Result` must name as verdict of the signature; empty for any.
    pub signature: &'static [&'static str],
    /// The same of the encryption.
    pub encryption: &'static [&'static str],
}

impl Attempt {
    /// From carol to alice, about nothing, with this entity.
    pub fn new(name: &str, entity: &[u8]) -> Self {
        let version = match field(entity, "MIME-Version") {
            Some(_) => "",
            None => "MIME-Version: 1.0\r\n",
        };
        let message = [head(name, CAROL).as_bytes(), version.as_bytes(), entity].concat();
        Self {
            name: name.to_owned(),
            message,
            signature: &[],
            encryption: &[],
        }
    }

    /// With this verdict of the signature.
    pub fn signature(self, one_of: &'static [&'static str]) -> Self {
        Self {
            signature: one_of,
            ..self
        }
    }

    /// With this verdict of the encryption.
    pub fn encryption(self, one_of: &'static [&'static str]) -> Self {
        Self {
            encryption: one_of,
            ..self
        }
    }
}

/// The fields of a mail named `name`, without those of MIME.
pub fn head(name: &str, from: &str) -> String {
    format!("From: {from}\r\nTo: {ALICE}\r\nSubject: s\r\nMessage-ID: <{name}@attack.example>\r\n")
}

/// With keys of one kind, `more` behind the mailboxes; `None` if something is missing, which is said.
pub fn scene(name: &str, kind: KeyKind, more: &str) -> Option<Scene> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    Scene::new(name, &Options::default(), Cast::with(kind), more)
}

/// The part that signature attacks are about.
pub const PART: &[u8] = b"Content-Type: text/plain\r\n\r\nI agree\r\n";
/// What must be said of a good signature.
pub const VALID: &[&str] = &["valid"];
/// What must be said of one that does not fit or breaks the standard.
pub const BROKEN: &[&str] = &["broken"];

/// Who signs in signature attacks.
pub fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

/// A gateway that judges signatures and decrypts where it can.
pub fn start(name: &str) -> Option<Scene> {
    scene(name, KeyKind::P256, &rule("optional", "neither"))
}

/// A good signature of carol over [`PART`], content inside or not.
pub fn good(content: Option<&[u8]>) -> Node {
    let carol = &cast().carol;
    let signer = signer(carol, Some(attributes(PART)), PART);
    signed_data(content, &[carol], vec![signer])
}

/// What the organisation's server got under this name.
pub fn arrived(scene: &Scene, name: &str) -> Option<Received> {
    let own = format!("<{name}@attack.example>");
    let is_it = |mail: &Received| find(&mail.content, own.as_bytes()).is_some();
    scene.office.received().into_iter().find(is_it)
}

/// Verdict of signature and encryption as they are told; `none` for a mail of which nothing is.
pub fn verdicts(mail: &[u8]) -> (String, String) {
    let told = field(mail, "X-Sealgate-Result").unwrap_or_default();
    let word = |name: &str| {
        let value = told
            .split("; ")
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or("none").to_owned()
    };
    (word("signature"), word("encryption"))
}

/// Hands all in, waits, and says every one that was told otherwise than expected. Gives what arrived, in the same order.
pub fn judge(scene: &Scene, attempts: &[Attempt]) -> Vec<Received> {
    let before = scene.office.received().len();
    for attempt in attempts {
        let reply = send(scene.gateway.inbound, CAROL, &[ALICE], &attempt.message);
        assert_eq!(reply.code, 250, "{}: {reply:?}", attempt.name);
    }
    scene.office.wait_for(before + attempts.len(), DELIVERY);
    let mut wrong = Vec::new();
    let mut all = Vec::new();
    for attempt in attempts {
        let mail = arrived(scene, &attempt.name);
        let mail = mail.unwrap_or_else(|| panic!("{} did not arrive", attempt.name));
        let (signature, encryption) = verdicts(&mail.content);
        let fits = |allowed: &[&str], word: &str| allowed.is_empty() || allowed.contains(&word);
        if !fits(attempt.signature, &signature) || !fits(attempt.encryption, &encryption) {
            wrong.push(format!(
                "{}: signature={signature} encryption={encryption}, not {:?} {:?}",
                attempt.name, attempt.signature, attempt.encryption
            ));
        }
        all.push(mail);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    all
}

/// The octets of the CMS object of an `application/pkcs7-mime` entity.
pub fn cms_of(entity: &[u8]) -> Node {
    Node::read(&must_run("openssl", &["base64", "-d"], split(entity).1))
}

/// An `application/pkcs7-mime` entity around a CMS object.
pub fn pkcs7(cms: &Node, smime_type: &str) -> Vec<u8> {
    crate::nss::pkcs7_mime(&cms.der(), smime_type)
}

/// A `multipart/signed` of these octets with this CMS object.
pub fn clear_signed(part: &[u8], cms: &Node) -> Vec<u8> {
    let base64 = crlf(&must_run("openssl", &["base64", "-e"], &cms.der()));
    [
        b"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"outer\"\r\n\r\n--outer\r\n".as_slice(),
        part,
        b"\r\n--outer\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        &base64,
        b"--outer--\r\n",
    ]
    .concat()
}

/// id-data, RFC 5652 section 4.
pub const DATA: &str = "1.2.840.113549.1.7.1";
/// id-signedData, RFC 5652 section 5.1.
pub const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
/// id-contentType, RFC 5652 section 11.1.
pub const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
/// id-messageDigest, RFC 5652 section 11.2.
pub const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
/// id-signingTime, RFC 5652 section 11.3.
pub const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";

/// The certificate of an identity, taken apart.
pub fn certificate(identity: &Identity) -> Node {
    let file = shown(&identity.certificate);
    let arguments = ["x509", "-in", file.as_str(), "-outform", "DER"];
    Node::read(&must_run("openssl", &arguments, b""))
}

/// Digest with an algorithm as `openssl` names it.
pub fn digest(name: &str, octets: &[u8]) -> Vec<u8> {
    must_run("openssl", &["dgst", &format!("-{name}"), "-binary"], octets)
}

/// One attribute with these values.
pub fn attribute(name: &str, values: Vec<Node>) -> Node {
    sequence(vec![oid(name), of(0x31, values)])
}

/// The two attributes that must be there for this content, and a signing time.
pub fn attributes(content: &[u8]) -> Vec<Node> {
    vec![
        attribute(CONTENT_TYPE, vec![oid(DATA)]),
        attribute(MESSAGE_DIGEST, vec![plain(4, &digest("sha256", content))]),
    ]
}

/// The identifier of an algorithm without parameters.
pub fn algorithm(name: &str) -> Node {
    sequence(vec![oid(name)])
}

/// SHA-256.
pub const SHA_256: &str = "2.16.840.1.101.3.4.2.1";
const ECDSA_SHA_256: &str = "1.2.840.10045.4.3.2";

/// A SignerInfo of an identity with a P-256 key: over these attributes, sorted as DER wants, or over the content without any.
pub fn signer(identity: &Identity, attributes: Option<Vec<Node>>, content: &[u8]) -> Node {
    let mut own = certificate(identity);
    let (issuer, serial) = (own.at(&[0, 3]).clone(), own.at(&[0, 1]).clone());
    let attributes = attributes.map(|mut list| {
        list.sort_by_key(Node::der);
        list
    });
    let covered = match &attributes {
        Some(list) => of(0x31, list.clone()).der(),
        None => content.to_vec(),
    };
    let key = shown(&identity.key);
    let signature = must_run("openssl", &["dgst", "-sha256", "-sign", &key], &covered);
    let mut parts = vec![small(1), sequence(vec![issuer, serial]), algorithm(SHA_256)];
    parts.extend(attributes.map(|list| of(0xa0, list)));
    parts.extend([algorithm(ECDSA_SHA_256), plain(4, &signature)]);
    sequence(parts)
}

/// A SignedData: content inside or not, certificates, SignerInfos.
pub fn signed_data(content: Option<&[u8]>, certificates: &[&Identity], signers: Vec<Node>) -> Node {
    let mut inside = vec![oid(DATA)];
    inside.extend(content.map(|octets| of(0xa0, vec![plain(4, octets)])));
    let certificates = certificates.iter().map(|one| certificate(one)).collect();
    let digests = if signers.is_empty() {
        Vec::new()
    } else {
        vec![algorithm(SHA_256)]
    };
    let signed = sequence(vec![
        small(1),
        of(0x31, digests),
        sequence(inside),
        of(0xa0, certificates),
        of(0x31, signers),
    ]);
    sequence(vec![oid(SIGNED_DATA), of(0xa0, vec![signed])])
}

/// What is signed where it matters to nobody.
pub const CLEAR_PART: &[u8] = b"Content-Type: text/plain\r\n\r\nhello\r\n";

/// A mail under this From, clear-signed.
pub fn signed(name: &str, from: &str, signer: &Identity) -> Attempt {
    let entity = sign(CLEAR_PART, signer, None, false, Writing::Der);
    let message = [head(name, from).as_bytes(), &entity].concat();
    Attempt {
        message,
        ..Attempt::new(name, b"")
    }
}
