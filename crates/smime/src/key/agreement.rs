//! From a shared secret to the content key: key derivation and key wrap (RFC 5753, RFC 8418).

use zeroize::Zeroizing;

use crate::algorithms::{ContentEncryption, DigestAlgorithm, KeyAgreement, KeyDerivation, KeyWrap};
use crate::asn1::{self, tag};
use crate::aws::{self, CryptoError, Digest};

/// The wrapping key from the shared secret.
pub(super) fn derive(
    agreement: &KeyAgreement,
    secret: &[u8],
    ukm: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let length = agreement.wrap.key_length();
    let info = shared_info(agreement, ukm);
    // RFC 8418 section 2.2: the user keying material is the salt too; without it there is none.
    let hkdf = |digest| aws::hkdf(digest, secret, ukm.unwrap_or_default(), &info, length);
    match agreement.derivation {
        KeyDerivation::X963(digest) | KeyDerivation::Cofactor(digest) => {
            Ok(x963(digest, secret, &info, length))
        }
        KeyDerivation::HkdfSha256 => hkdf(DigestAlgorithm::Sha256),
        KeyDerivation::HkdfSha384 => hkdf(DigestAlgorithm::Sha384),
        KeyDerivation::HkdfSha512 => hkdf(DigestAlgorithm::Sha512),
    }
}

/// ECC-CMS-SharedInfo (RFC 5753 section 7.2).
fn shared_info(agreement: &KeyAgreement, ukm: Option<&[u8]>) -> Vec<u8> {
    let bits = (agreement.wrap.key_length() as u32).saturating_mul(8);
    let entity = ukm.map(|ukm| asn1::tlv(tag::context_constructed(0), &asn1::octet_string(ukm)));
    let public = asn1::tlv(
        tag::context_constructed(2),
        &asn1::octet_string(&bits.to_be_bytes()),
    );
    asn1::sequence(&[
        &agreement.wrap_identifier,
        entity.as_deref().unwrap_or_default(),
        &public,
    ])
}

/// The KDF of ANSI X9.63 (SEC 1 section 3.6.1).
fn x963(digest: DigestAlgorithm, secret: &[u8], info: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(length.saturating_add(digest.length())));
    let mut counter: u32 = 1;
    while out.len() < length {
        let mut state = Digest::new(digest);
        state.update(secret);
        state.update(&counter.to_be_bytes());
        state.update(info);
        out.extend_from_slice(&Zeroizing::new(state.finish()));
        counter = counter.saturating_add(1);
    }
    out.truncate(length);
    out
}

/// Wraps a content key; not with Triple DES, which is only read.
pub(super) fn wrap(
    wrap: KeyWrap,
    wrapping: &[u8],
    content_key: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    match wrap {
        KeyWrap::Aes128 | KeyWrap::Aes192 | KeyWrap::Aes256 => aws::wrap_key(wrapping, content_key),
        KeyWrap::TripleDes => Err(CryptoError("key wrap")),
    }
}

/// Unwraps a content key.
pub(super) fn unwrap(
    wrap: KeyWrap,
    wrapping: &[u8],
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    match wrap {
        KeyWrap::Aes128 | KeyWrap::Aes192 | KeyWrap::Aes256 => aws::unwrap_key(wrapping, wrapped),
        KeyWrap::TripleDes => unwrap_triple_des(wrapping, wrapped),
    }
}

/// The fixed initialisation vector of RFC 3217 section 3.1, step 7.
const TRIPLE_DES_VECTOR: [u8; 8] = [0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05];
/// A wrapped Triple DES key in octets: vector, key, check value (RFC 3217 section 3.2, step 1).
const TRIPLE_DES_WRAPPED: usize = 40;

/// RFC 3217 section 3.2. Parity is not checked: no cipher looks at it.
fn unwrap_triple_des(wrapping: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let wrong = CryptoError("key unwrap");
    if wrapped.len() != TRIPLE_DES_WRAPPED {
        return Err(wrong);
    }
    let cipher = ContentEncryption::TripleDesCbc;
    let mut outer = aws::decrypt_blocks(cipher, wrapping, &TRIPLE_DES_VECTOR, wrapped)?;
    outer.reverse();
    let (vector, inner) = outer.split_at_checked(8).ok_or(wrong)?;
    let mut key = aws::decrypt_blocks(cipher, wrapping, vector, inner)?;
    let (content_key, check) = key.split_at_checked(24).ok_or(wrong)?;
    let digest = Digest::of(DigestAlgorithm::Sha1, content_key);
    if !digest.starts_with(check) {
        return Err(wrong);
    }
    key.truncate(24);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::CbcEncryptor;

    fn encrypt_blocks(key: &[u8], iv: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut cipher = CbcEncryptor::new(ContentEncryption::TripleDesCbc, key, iv).unwrap();
        cipher.update(plain, &mut out).unwrap();
        cipher.finish(&mut out).unwrap();
        out.truncate(plain.len());
        out
    }

    /// RFC 3217 section 3.1.
    fn wrap_triple_des(wrapping: &[u8], key: &[u8], vector: &[u8]) -> Vec<u8> {
        let check = Digest::of(DigestAlgorithm::Sha1, key);
        let inner = encrypt_blocks(wrapping, vector, &[key, &check[..8]].concat());
        let mut outer = [vector, &inner].concat();
        outer.reverse();
        encrypt_blocks(wrapping, &TRIPLE_DES_VECTOR, &outer)
    }

    #[test]
    fn c14_triple_des_wrap_is_read() {
        let (wrapping, key) = ([3; 24], (0..24).collect::<Vec<u8>>());
        let mut wrapped = wrap_triple_des(&wrapping, &key, &[9; 8]);
        assert_eq!(wrapped.len(), TRIPLE_DES_WRAPPED);
        let read = |wrapped: &[u8]| unwrap(KeyWrap::TripleDes, &wrapping, wrapped);
        assert_eq!(*read(&wrapped).unwrap(), key);
        assert!(read(&wrapped[..32]).is_err() && read(&[]).is_err());
        wrapped[20] ^= 1;
        assert!(read(&wrapped).is_err());
        assert!(wrap(KeyWrap::TripleDes, &wrapping, &key).is_err());
    }

    /// RFC 8418 section 2.2, step by step.
    #[test]
    fn user_keying_material_is_the_salt_of_hkdf() {
        let sha256 = DigestAlgorithm::Sha256;
        let agreement = KeyAgreement::new(KeyDerivation::HkdfSha256, KeyWrap::Aes256);
        for ukm in [None, Some(&[7u8, 8][..])] {
            let salt = ukm.unwrap_or(&[0; 32]);
            let extracted = aws::hmac(sha256, salt, &[5; 32]).unwrap();
            let info = [&shared_info(&agreement, ukm)[..], &[1]].concat();
            let expected = aws::hmac(sha256, &extracted, &info).unwrap();
            assert_eq!(*derive(&agreement, &[5; 32], ukm).unwrap(), expected);
        }
    }

    #[test]
    fn info_as_in_rfc_5753() {
        let agreement = KeyAgreement::new(
            KeyDerivation::X963(DigestAlgorithm::Sha256),
            KeyWrap::Aes128,
        );
        let info = shared_info(&agreement, Some(&[7, 8]));
        let expected = [
            0x30, 0x1b, 0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 5, 0xa0, 4, 4, 2, 7,
            8, 0xa2, 6, 4, 4, 0, 0, 0, 128,
        ];
        assert_eq!(info, expected);
    }
}
