//! The interop matrix as data: algorithms, forms, encodings and directions, and the cells they make.

use std::fmt;

use crate::keys::KeyKind;

/// Who writes and who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The peer writes, we read.
    Read,
    /// We write, the peer reads.
    Written,
}

/// How a CMS object is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Definite lengths throughout.
    Der,
    /// Indefinite lengths, strings in pieces.
    Ber,
}

/// How an S/MIME signature stands to its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedForm {
    /// `multipart/signed`.
    Clear,
    /// `application/pkcs7-mime` with the content inside.
    Opaque,
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5.
    Pkcs1,
    /// RSASSA-PSS.
    Pss,
    /// ECDSA.
    Ecdsa,
    /// Ed25519 (RFC 8419).
    EdDsa,
}

/// A signature algorithm with the key it is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Name in the matrix.
    pub name: &'static str,
    /// The signer's key.
    pub key: KeyKind,
    /// The scheme.
    pub scheme: Scheme,
    /// The digest, as `sha256`.
    pub digest: &'static str,
    /// Whether we write it.
    pub ours: Ours,
}

/// How a content key reaches its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// RSAES-PKCS1-v1_5.
    Pkcs1,
    /// RSAES-OAEP with this digest and this digest of its mask.
    Oaep {
        /// The digest.
        digest: &'static str,
        /// The digest of the mask generation function.
        mask: &'static str,
    },
    /// Ephemeral-static agreement on a curve.
    Agreement {
        /// The digest of the key derivation: X9.63 on the NIST curves, HKDF with X25519 (RFC 8418).
        digest: &'static str,
        /// Cofactor Diffie-Hellman (RFC 5753 section 3.1).
        cofactor: bool,
    },
}

/// A key management algorithm with the recipient's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Management {
    /// Name in the matrix.
    pub name: &'static str,
    /// The recipient's key.
    pub key: KeyKind,
    /// The algorithm.
    pub transport: Transport,
    /// Whether we write it.
    pub ours: Ours,
}

impl Signature {
    /// Object identifiers that a SignedData with it names.
    pub fn oids(&self) -> Vec<&'static str> {
        let digest = digest_oid(self.digest);
        match self.scheme {
            Scheme::Pkcs1 | Scheme::Ecdsa => vec![digest],
            Scheme::Pss => vec![digest, "1.2.840.113549.1.1.10"],
            Scheme::EdDsa => vec!["1.3.101.112"],
        }
    }
}

fn digest_oid(digest: &str) -> &'static str {
    match digest {
        "sha1" => "1.3.14.3.2.26",
        "sha256" => "2.16.840.1.101.3.4.2.1",
        "sha384" => "2.16.840.1.101.3.4.2.2",
        "sha512" => "2.16.840.1.101.3.4.2.3",
        other => panic!("no digest of the matrix: {other}"),
    }
}

impl Management {
    /// Object identifiers that an envelope with it names.
    pub fn oids(&self) -> Vec<&'static str> {
        match self.transport {
            // SHA-1 is the default, and a default is not written (RFC 4055 section 4.1).
            Transport::Oaep { digest, .. } if digest != "sha1" => {
                vec![self.oid(), digest_oid(digest)]
            }
            _ => vec![self.oid()],
        }
    }

    /// Object identifier of the algorithm (RFC 8017 appendix C, RFC 5753 section 7.1.4, RFC 8418 section 2.2).
    pub fn oid(&self) -> &'static str {
        match self.transport {
            Transport::Pkcs1 => "1.2.840.113549.1.1.1",
            Transport::Oaep { .. } => "1.2.840.113549.1.1.7",
            Transport::Agreement { digest, cofactor } => {
                match (self.key == KeyKind::X25519, cofactor, digest) {
                    (true, _, "sha256") => "1.2.840.113549.1.9.16.3.19",
                    (true, _, "sha384") => "1.2.840.113549.1.9.16.3.20",
                    (true, _, _) => "1.2.840.113549.1.9.16.3.21",
                    (false, false, "sha1") => "1.3.133.16.840.63.0.2",
                    (false, false, "sha256") => "1.3.132.1.11.1",
                    (false, false, "sha384") => "1.3.132.1.11.2",
                    (false, false, _) => "1.3.132.1.11.3",
                    (false, true, "sha1") => "1.3.133.16.840.63.0.3",
                    (false, true, "sha256") => "1.3.132.1.14.1",
                    (false, true, "sha384") => "1.3.132.1.14.2",
                    (false, true, _) => "1.3.132.1.14.3",
                }
            }
        }
    }
}

/// A cipher for content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Name in the matrix; what `openssl cms` and our own program call it.
    pub name: &'static str,
    /// Object identifier.
    pub oid: &'static str,
    /// Whether it goes into AuthEnvelopedData.
    pub authenticated: bool,
    /// Whether we write it.
    pub ours: Ours,
}

/// What we do with an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ours {
    /// Written and read.
    Both,
    /// Only read.
    ReadOnly,
    /// Only read, and only where the organisation allows legacy algorithms.
    Legacy,
    /// Only read, and only where the organisation allows Brainpool curves.
    Brainpool,
}

const fn signature(
    name: &'static str,
    key: KeyKind,
    scheme: Scheme,
    digest: &'static str,
    ours: Ours,
) -> Signature {
    Signature {
        name,
        key,
        scheme,
        digest,
        ours,
    }
}

const fn management(
    name: &'static str,
    key: KeyKind,
    transport: Transport,
    ours: Ours,
) -> Management {
    Management {
        name,
        key,
        transport,
        ours,
    }
}

const fn oaep(digest: &'static str, mask: &'static str) -> Transport {
    Transport::Oaep { digest, mask }
}

const fn agreement(digest: &'static str, cofactor: bool) -> Transport {
    Transport::Agreement { digest, cofactor }
}

const fn content(
    name: &'static str,
    oid: &'static str,
    authenticated: bool,
    ours: Ours,
) -> Content {
    Content {
        name,
        oid,
        authenticated,
        ours,
    }
}

use KeyKind::{Ed25519, P256, P384, P521, Rsa, RsaPss, X25519};
use Ours::{Both, Legacy, ReadOnly};
use Scheme::{Ecdsa, EdDsa, Pkcs1, Pss};

const BP256: KeyKind = KeyKind::BrainpoolP256;
const BP384: KeyKind = KeyKind::BrainpoolP384;
const RSA2: KeyKind = Rsa(2048);
const RSA3: KeyKind = Rsa(3072);

/// Every signature algorithm of the matrix.
pub const SIGNATURES: &[Signature] = &[
    signature("rsa2048-pkcs1-sha256", RSA2, Pkcs1, "sha256", Both),
    signature("rsa2048-pkcs1-sha384", RSA2, Pkcs1, "sha384", Both),
    signature("rsa2048-pkcs1-sha512", RSA2, Pkcs1, "sha512", Both),
    signature("rsa2048-pkcs1-sha1", RSA2, Pkcs1, "sha1", Legacy),
    signature("rsa3072-pkcs1-sha256", RSA3, Pkcs1, "sha256", Both),
    signature("rsa3072-pkcs1-sha384", RSA3, Pkcs1, "sha384", Both),
    signature("rsa3072-pkcs1-sha512", RSA3, Pkcs1, "sha512", Both),
    signature("rsa2048-pss-sha256", RSA2, Pss, "sha256", Both),
    signature("rsa2048-pss-sha384", RSA2, Pss, "sha384", Both),
    signature("rsa2048-pss-sha512", RSA2, Pss, "sha512", Both),
    signature("rsa3072-pss-sha256", RSA3, Pss, "sha256", Both),
    signature("rsa3072-pss-sha384", RSA3, Pss, "sha384", Both),
    signature("rsa3072-pss-sha512", RSA3, Pss, "sha512", Both),
    signature("psskey2048-pss-sha256", RsaPss(2048), Pss, "sha256", Both),
    signature("psskey2048-pss-sha512", RsaPss(2048), Pss, "sha512", Both),
    signature("p256-ecdsa-sha256", P256, Ecdsa, "sha256", Both),
    signature("p256-ecdsa-sha384", P256, Ecdsa, "sha384", ReadOnly),
    signature("p256-ecdsa-sha512", P256, Ecdsa, "sha512", ReadOnly),
    signature("p256-ecdsa-sha1", P256, Ecdsa, "sha1", Legacy),
    signature("p384-ecdsa-sha256", P384, Ecdsa, "sha256", ReadOnly),
    signature("p384-ecdsa-sha384", P384, Ecdsa, "sha384", Both),
    signature("p384-ecdsa-sha512", P384, Ecdsa, "sha512", ReadOnly),
    signature("p521-ecdsa-sha256", P521, Ecdsa, "sha256", ReadOnly),
    signature("p521-ecdsa-sha512", P521, Ecdsa, "sha512", Both),
    signature(
        "bp256-ecdsa-sha256",
        BP256,
        Ecdsa,
        "sha256",
        Ours::Brainpool,
    ),
    signature(
        "bp384-ecdsa-sha384",
        BP384,
        Ecdsa,
        "sha384",
        Ours::Brainpool,
    ),
    signature("ed25519", Ed25519, EdDsa, "sha512", Both),
];

/// Every key management algorithm of the matrix.
pub const MANAGEMENTS: &[Management] = &[
    management("rsa2048-pkcs1", RSA2, Transport::Pkcs1, Both),
    management("rsa3072-pkcs1", RSA3, Transport::Pkcs1, Both),
    management("rsa2048-oaep-sha1", RSA2, oaep("sha1", "sha1"), Both),
    management("rsa2048-oaep-sha256", RSA2, oaep("sha256", "sha256"), Both),
    management("rsa2048-oaep-sha384", RSA2, oaep("sha384", "sha384"), Both),
    management("rsa2048-oaep-sha512", RSA2, oaep("sha512", "sha512"), Both),
    management(
        "rsa2048-oaep-sha256-mgf1-sha1",
        RSA2,
        oaep("sha256", "sha1"),
        ReadOnly,
    ),
    management("rsa3072-oaep-sha256", RSA3, oaep("sha256", "sha256"), Both),
    management("p256-ecdh-sha1", P256, agreement("sha1", false), ReadOnly),
    management("p256-ecdh-sha256", P256, agreement("sha256", false), Both),
    management("p256-ecdh-sha384", P256, agreement("sha384", false), Both),
    management("p256-ecdh-sha512", P256, agreement("sha512", false), Both),
    management(
        "p256-cofactor-sha1",
        P256,
        agreement("sha1", true),
        ReadOnly,
    ),
    management(
        "p256-cofactor-sha256",
        P256,
        agreement("sha256", true),
        ReadOnly,
    ),
    management(
        "p256-cofactor-sha384",
        P256,
        agreement("sha384", true),
        ReadOnly,
    ),
    management(
        "p256-cofactor-sha512",
        P256,
        agreement("sha512", true),
        ReadOnly,
    ),
    management("p384-ecdh-sha1", P384, agreement("sha1", false), ReadOnly),
    management("p384-ecdh-sha256", P384, agreement("sha256", false), Both),
    management("p384-ecdh-sha384", P384, agreement("sha384", false), Both),
    management("p384-ecdh-sha512", P384, agreement("sha512", false), Both),
    management(
        "p384-cofactor-sha1",
        P384,
        agreement("sha1", true),
        ReadOnly,
    ),
    management(
        "p384-cofactor-sha256",
        P384,
        agreement("sha256", true),
        ReadOnly,
    ),
    management(
        "p384-cofactor-sha384",
        P384,
        agreement("sha384", true),
        ReadOnly,
    ),
    management(
        "p384-cofactor-sha512",
        P384,
        agreement("sha512", true),
        ReadOnly,
    ),
    management("p521-ecdh-sha1", P521, agreement("sha1", false), ReadOnly),
    management("p521-ecdh-sha256", P521, agreement("sha256", false), Both),
    management("p521-ecdh-sha384", P521, agreement("sha384", false), Both),
    management("p521-ecdh-sha512", P521, agreement("sha512", false), Both),
    management(
        "p521-cofactor-sha1",
        P521,
        agreement("sha1", true),
        ReadOnly,
    ),
    management(
        "p521-cofactor-sha256",
        P521,
        agreement("sha256", true),
        ReadOnly,
    ),
    management(
        "p521-cofactor-sha384",
        P521,
        agreement("sha384", true),
        ReadOnly,
    ),
    management(
        "p521-cofactor-sha512",
        P521,
        agreement("sha512", true),
        ReadOnly,
    ),
    management(
        "bp256-ecdh-sha256",
        BP256,
        agreement("sha256", false),
        Ours::Brainpool,
    ),
    management(
        "bp384-ecdh-sha384",
        BP384,
        agreement("sha384", false),
        Ours::Brainpool,
    ),
    management("x25519-sha256", X25519, agreement("sha256", false), Both),
    management("x25519-sha384", X25519, agreement("sha384", false), Both),
    management("x25519-sha512", X25519, agreement("sha512", false), Both),
];

/// Every content cipher of the matrix.
pub const CONTENTS: &[Content] = &[
    content("aes-128-cbc", "2.16.840.1.101.3.4.1.2", false, Both),
    content("aes-192-cbc", "2.16.840.1.101.3.4.1.22", false, Both),
    content("aes-256-cbc", "2.16.840.1.101.3.4.1.42", false, Both),
    content("aes-128-gcm", "2.16.840.1.101.3.4.1.6", true, Both),
    content("aes-192-gcm", "2.16.840.1.101.3.4.1.26", true, Both),
    content("aes-256-gcm", "2.16.840.1.101.3.4.1.46", true, Both),
    content("des3", "1.2.840.113549.3.7", false, Legacy),
];

/// The S/MIME layers of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// Signed alone.
    Signed(SignedForm, Signature),
    /// Enveloped or auth-enveloped alone.
    Enveloped(Management, Content),
    /// Signed, then enveloped.
    Both(SignedForm, Signature, Management, Content),
}

/// One cell of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Who writes.
    pub direction: Direction,
    /// What is written.
    pub layers: Layers,
    /// How it is encoded.
    pub encoding: Encoding,
}

impl Layers {
    fn ours(&self) -> bool {
        match self {
            Self::Signed(_, signature) => signature.ours == Both,
            Self::Enveloped(management, content) => management.ours == Both && content.ours == Both,
            Self::Both(_, signature, management, content) => {
                [signature.ours, management.ours, content.ours] == [Both; 3]
            }
        }
    }

    /// The switches of `sealgate smime` without which we refuse it.
    pub fn switches(&self) -> Vec<&'static str> {
        let all = match *self {
            Self::Signed(_, signature) => vec![signature.ours],
            Self::Enveloped(management, content) => vec![management.ours, content.ours],
            Self::Both(_, signature, management, content) => {
                vec![signature.ours, management.ours, content.ours]
            }
        };
        let named = [(Legacy, "--legacy"), (Ours::Brainpool, "--brainpool")];
        let needed = named.into_iter().filter(|(ours, _)| all.contains(ours));
        needed.map(|(_, switch)| switch).collect()
    }
}

/// All kinds of layers, in the order of the report.
pub fn all_layers() -> Vec<Layers> {
    let forms = [SignedForm::Clear, SignedForm::Opaque];
    let signed = forms
        .into_iter()
        .flat_map(|form| SIGNATURES.iter().map(move |one| Layers::Signed(form, *one)));
    let enveloped = MANAGEMENTS.iter().flat_map(|management| {
        CONTENTS
            .iter()
            .map(move |content| Layers::Enveloped(*management, *content))
    });
    let mut all: Vec<Layers> = signed.chain(enveloped).collect();
    for layers in signed_then_enveloped() {
        if !all.contains(&layers) {
            all.push(layers);
        }
    }
    all
}

/// Each signature in the simplest envelope, and the simplest signature in each kind of envelope.
fn signed_then_enveloped() -> Vec<Layers> {
    let (signature, management) = (SIGNATURES[0], MANAGEMENTS[0]);
    let mut all = Vec::new();
    for form in [SignedForm::Clear, SignedForm::Opaque] {
        let inside = |one: &Signature| Layers::Both(form, *one, management, CONTENTS[0]);
        all.extend(SIGNATURES.iter().map(inside));
    }
    let in_cipher = |one: &Content| Layers::Both(SignedForm::Clear, signature, management, *one);
    all.extend(CONTENTS.iter().map(in_cipher));
    // Opaque, since `openssl` writes that form in BER too.
    let to_key = |one: &Management| Layers::Both(SignedForm::Opaque, signature, *one, CONTENTS[2]);
    all.extend(MANAGEMENTS.iter().map(to_key));
    all
}

/// All cells. We write DER alone, so there is no cell in which we write BER.
pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for layers in all_layers() {
        let cell = |direction, encoding| Cell {
            direction,
            layers,
            encoding,
        };
        cells.push(cell(Direction::Read, Encoding::Der));
        cells.push(cell(Direction::Read, Encoding::Ber));
        if layers.ours() {
            cells.push(cell(Direction::Written, Encoding::Der));
        }
    }
    cells
}

impl fmt::Display for SignedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clear => "clear-signed",
            Self::Opaque => "opaque",
        })
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = |content: &Content| {
            if content.authenticated {
                "auth-enveloped"
            } else {
                "enveloped"
            }
        };
        match self {
            Self::Signed(signed, signature) => write!(f, "{signed} {}", signature.name),
            Self::Enveloped(management, content) => {
                write!(f, "{} {} {}", form(content), management.name, content.name)
            }
            Self::Both(signed, signature, management, content) => {
                let (form, name) = (form(content), signature.name);
                let (key, cipher) = (management.name, content.name);
                write!(f, "{signed} {name} in {form} {key} {cipher}")
            }
        }
    }
}

/// The name skips speak of: `read clear-signed p256-ecdsa-sha256 ber`.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Read => "read",
            Direction::Written => "written",
        };
        let encoding = match self.encoding {
            Encoding::Der => "der",
            Encoding::Ber => "ber",
        };
        write!(f, "{direction} {} {encoding}", self.layers)
    }
}
