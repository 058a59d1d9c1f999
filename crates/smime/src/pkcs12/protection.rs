//! The ways in which PKCS#12 files are encrypted: PBES2 (RFC 8018 section 6.2) and the old schemes of RFC 7292 appendix C.

use zeroize::Zeroizing;

use super::kdf::{self, Use};
use super::{EmptyForm, Pkcs12Error, Result, Secret};
use crate::algorithms::{AlgorithmIdentifier, ContentEncryption, DigestAlgorithm};
use crate::asn1::{self, tag};
use crate::aws::{self, CbcDecryptor, FileCipher};

const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
/// Password-based MAC (RFC 9579).
pub(super) const PBMAC1: &str = "1.2.840.113549.1.5.14";

/// Decrypts with the password; wrong padding is taken for a wrong password.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifier,
    encrypted: &[u8],
    secret: &Secret<'_>,
) -> Result<Zeroizing<Vec<u8>>> {
    let kind = algorithm.oid.to_string();
    let parameters = algorithm
        .parameters
        .as_deref()
        .ok_or(Pkcs12Error::Malformed)?;
    if kind == PBES2 {
        return pbes2(parameters, encrypted, secret);
    }
    let cipher = old_cipher(&kind).ok_or(Pkcs12Error::Unsupported(kind))?;
    match old_scheme(cipher, parameters, encrypted, secret) {
        Err(Pkcs12Error::WrongPassword)
            if secret.password.is_empty() && secret.empty.get() == EmptyForm::Absent =>
        {
            secret.empty.set(EmptyForm::Terminator);
            old_scheme(cipher, parameters, encrypted, secret)
        }
        result => result,
    }
}

fn open(cipher: FileCipher, key: &[u8], iv: &[u8], encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(encrypted.len()));
    let mut opener = CbcDecryptor::for_file(cipher, key, iv).map_err(|_| Pkcs12Error::Malformed)?;
    opener
        .update(encrypted, &mut plain)
        .map_err(|_| Pkcs12Error::WrongPassword)?;
    opener
        .finish(&mut plain)
        .map_err(|_| Pkcs12Error::WrongPassword)?;
    Ok(plain)
}

/// RFC 7292 appendix C, without RC4.
fn old_cipher(kind: &str) -> Option<OldCipher> {
    match kind {
        "1.2.840.113549.1.12.1.3" => Some(OldCipher::TripleDes { keys: 3 }),
        "1.2.840.113549.1.12.1.4" => Some(OldCipher::TripleDes { keys: 2 }),
        "1.2.840.113549.1.12.1.5" => Some(OldCipher::Rc2(FileCipher::Rc2Bits128)),
        "1.2.840.113549.1.12.1.6" => Some(OldCipher::Rc2(FileCipher::Rc2Bits40)),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum OldCipher {
    TripleDes { keys: usize },
    Rc2(FileCipher),
}

fn old_scheme(
    cipher: OldCipher,
    parameters: &[u8],
    encrypted: &[u8],
    secret: &Secret<'_>,
) -> Result<Zeroizing<Vec<u8>>> {
    let mut inside = asn1::read_only(parameters, tag::SEQUENCE)?.inside();
    let salt = inside.expect(tag::OCTET_STRING)?.content;
    let iterations = inside.expect(tag::INTEGER)?.small()?;
    let derive = |id, length| {
        kdf::derive(
            DigestAlgorithm::Sha1,
            secret,
            &Use {
                id,
                salt,
                iterations,
            },
            length,
        )
    };
    let (cipher, key) = match cipher {
        OldCipher::TripleDes { keys } => {
            let mut key = derive(kdf::KEY, keys.saturating_mul(8))?;
            // Two keys: the first is used again as the third.
            let missing = 24usize.saturating_sub(key.len());
            key.extend_from_within(..missing);
            (FileCipher::Content(ContentEncryption::TripleDesCbc), key)
        }
        OldCipher::Rc2(cipher) => (cipher, derive(kdf::KEY, cipher.lengths().0)?),
    };
    let iv = derive(kdf::VECTOR, cipher.lengths().1)?;
    open(cipher, &key, &iv, encrypted)
}

fn pbes2(parameters: &[u8], encrypted: &[u8], secret: &Secret<'_>) -> Result<Zeroizing<Vec<u8>>> {
    let mut inside = asn1::read_only(parameters, tag::SEQUENCE)?.inside();
    let derivation = AlgorithmIdentifier::read(&mut inside)?;
    let encryption = AlgorithmIdentifier::read(&mut inside)?;
    let content = ContentEncryption::from_algorithm_identifier(
        &encryption.oid,
        encryption.parameters.as_deref(),
    )
    .map_err(|_| Pkcs12Error::Unsupported(encryption.oid.to_string()))?;
    if content.algorithm.authenticated() {
        return Err(Pkcs12Error::Unsupported(encryption.oid.to_string()));
    }
    let key = pbkdf2(&derivation, secret, content.algorithm.key_length())?;
    open(
        FileCipher::Content(content.algorithm),
        &key,
        &content.iv,
        encrypted,
    )
}

/// PBKDF2-params (RFC 8018 appendix A.2).
fn pbkdf2(
    derivation: &AlgorithmIdentifier,
    secret: &Secret<'_>,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    if derivation.oid.to_string() != PBKDF2 {
        return Err(Pkcs12Error::Unsupported(derivation.oid.to_string()));
    }
    let parameters = derivation
        .parameters
        .as_deref()
        .ok_or(Pkcs12Error::Malformed)?;
    let mut inside = asn1::read_only(parameters, tag::SEQUENCE)?.inside();
    let salt = inside.expect(tag::OCTET_STRING)?.content;
    let iterations = inside.expect(tag::INTEGER)?.small()?;
    if inside
        .optional(tag::INTEGER)?
        .is_some_and(|stated| stated.small() != Ok(length as u32))
    {
        return Err(Pkcs12Error::Malformed);
    }
    let digest = if inside.is_empty() {
        DigestAlgorithm::Sha1
    } else {
        hmac_digest(&AlgorithmIdentifier::read(&mut inside)?)?
    };
    secret.spend(iterations, length.div_ceil(digest.length()))?;
    let password = secret.password.as_bytes();
    aws::pbkdf2(digest, password, salt, iterations, length).map_err(|_| Pkcs12Error::Malformed)
}

/// The digest of an HMAC identifier (RFC 8018 appendix B.1).
fn hmac_digest(algorithm: &AlgorithmIdentifier) -> Result<DigestAlgorithm> {
    match algorithm.oid.to_string().as_str() {
        "1.2.840.113549.2.7" => Ok(DigestAlgorithm::Sha1),
        "1.2.840.113549.2.9" => Ok(DigestAlgorithm::Sha256),
        "1.2.840.113549.2.10" => Ok(DigestAlgorithm::Sha384),
        "1.2.840.113549.2.11" => Ok(DigestAlgorithm::Sha512),
        other => Err(Pkcs12Error::Unsupported(other.into())),
    }
}

/// The MAC by PBMAC1-params (RFC 8018 appendix A.5, RFC 9579 section 4).
pub(super) fn pbmac1(
    algorithm: &AlgorithmIdentifier,
    data: &[u8],
    secret: &Secret<'_>,
) -> Result<Vec<u8>> {
    let parameters = algorithm
        .parameters
        .as_deref()
        .ok_or(Pkcs12Error::Malformed)?;
    let mut inside = asn1::read_only(parameters, tag::SEQUENCE)?.inside();
    let derivation = AlgorithmIdentifier::read(&mut inside)?;
    let digest = hmac_digest(&AlgorithmIdentifier::read(&mut inside)?)?;
    let key = pbkdf2(&derivation, secret, digest.length())?;
    aws::hmac(digest, &key, data).map_err(|_| Pkcs12Error::Malformed)
}
