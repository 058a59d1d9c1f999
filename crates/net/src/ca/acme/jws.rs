//! The account's key and what it signs: JWS in the flattened form (RFC 7515 section 7.2.2, RFC 8555 section 6.2).

use sealgate_core::challenge::base64url;
use sealgate_smime::algorithms::{DigestAlgorithm, SignatureAlgorithm};
use sealgate_smime::asn1::{self, tag};
use sealgate_smime::aws::{self, Digest};
use sealgate_smime::key::{KeyError, KeyKind, PrivateKey};
use serde_json::{Value, json};

/// Octets of a P-256 coordinate, and of each half of its signature (RFC 7518 sections 3.4, 6.2.1.2).
const COORDINATE: usize = 32;
/// First octet of an uncompressed point (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// Why a key cannot be used, or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountKeyError {
    /// No base64, no PKCS#8, or no P-256 key.
    #[error("the account key is no P-256 key: PKCS#8 in base64 is needed")]
    Unreadable,
    /// The external account's key is no base64url.
    #[error("the key of the external account is not base64url: copy it as the authority shows it")]
    External,
    /// The crypto library failed.
    #[error("the account key cannot be used: {0}")]
    Crypto(String),
}

impl From<KeyError> for AccountKeyError {
    fn from(error: KeyError) -> Self {
        Self::Crypto(error.to_string())
    }
}

impl From<asn1::Asn1Error> for AccountKeyError {
    fn from(_: asn1::Asn1Error) -> Self {
        Self::Unreadable
    }
}

/// A new account key: P-256, PKCS#8 in base64, as [`sealgate_core::authority::AcmeSettings`] keeps it.
pub fn new_account_key() -> Result<String, AccountKeyError> {
    let key = PrivateKey::generate(KeyKind::P256)?;
    Ok(base64_simd::STANDARD.encode_to_string(key.to_pkcs8()?.as_slice()))
}

/// The key of an ACME account.
pub struct AccountKey {
    key: PrivateKey,
    x: String,
    y: String,
}

/// Whom the server knows the signer by (RFC 8555 section 6.2).
#[derive(Clone, Copy)]
pub enum Signer<'a> {
    /// The key itself: for a new account.
    Key,
    /// The account's URL.
    Account(&'a str),
}

impl AccountKey {
    /// Reads it from PKCS#8 in base64.
    pub fn read(text: &str) -> Result<Self, AccountKeyError> {
        let der = base64_simd::STANDARD.decode_to_vec(text.trim());
        let der = zeroize_on_drop(der.map_err(|_| AccountKeyError::Unreadable)?);
        let key = PrivateKey::from_pkcs8(&der).map_err(|_| AccountKeyError::Unreadable)?;
        let mut inside = asn1::read_only(key.spki_der(), tag::SEQUENCE)?.inside();
        inside.expect(tag::SEQUENCE)?;
        let point = inside.expect(tag::BIT_STRING)?.bit_string()?;
        let ([UNCOMPRESSED], rest) = point.split_at_checked(1).unwrap_or_default() else {
            return Err(AccountKeyError::Unreadable);
        };
        match rest.split_at_checked(COORDINATE) {
            Some((x, y)) if y.len() == COORDINATE => Ok(Self {
                x: base64url(x),
                y: base64url(y),
                key,
            }),
            _ => Err(AccountKeyError::Unreadable),
        }
    }

    /// The public key as JWK (RFC 7518 section 6.2.1).
    pub fn jwk(&self) -> Value {
        json!({"crv": "P-256", "kty": "EC", "x": self.x, "y": self.y})
    }

    /// RFC 7638 section 3: the SHA-256 of the required members, in order and without blanks, in base64url.
    pub fn thumbprint(&self) -> String {
        let Self { x, y, .. } = self;
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        base64url(&Digest::of(DigestAlgorithm::Sha256, members.as_bytes()))
    }

    /// A request body for `url`. Without a payload it is a POST-as-GET (RFC 8555 section 6.3).
    pub fn sign(
        &self,
        url: &str,
        nonce: &str,
        signer: Signer<'_>,
        payload: Option<&Value>,
    ) -> Result<Vec<u8>, AccountKeyError> {
        let protected = match signer {
            Signer::Key => json!({"alg": "ES256", "jwk": self.jwk(), "nonce": nonce, "url": url}),
            Signer::Account(kid) => json!({"alg": "ES256", "kid": kid, "nonce": nonce, "url": url}),
        };
        let payload = payload.map(Value::to_string).unwrap_or_default();
        let input = SigningInput::new(&protected, &payload);
        let algorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
        let der = self.key.sign(algorithm, input.text().as_bytes())?;
        Ok(input.signed(&fixed_width(&der)?).to_string().into_bytes())
    }

    /// `externalAccountBinding` (RFC 8555 section 7.3.4): the account's key, vouched for by the external account's.
    pub fn bound_to(&self, (kid, key): (&str, &str), url: &str) -> Result<Value, AccountKeyError> {
        let bare = key.trim().trim_end_matches('=');
        let secret = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(bare);
        let secret = zeroize_on_drop(secret.map_err(|_| AccountKeyError::External)?);
        let protected = json!({"alg": "HS256", "kid": kid, "url": url});
        let input = SigningInput::new(&protected, &self.jwk().to_string());
        let mac = aws::hmac(DigestAlgorithm::Sha256, &secret, input.text().as_bytes());
        let mac = mac.map_err(|error| AccountKeyError::Crypto(error.to_string()))?;
        Ok(input.signed(&mac))
    }
}

fn zeroize_on_drop(octets: Vec<u8>) -> zeroize::Zeroizing<Vec<u8>> {
    zeroize::Zeroizing::new(octets)
}

/// What a signature is over (RFC 7515 section 5.1).
struct SigningInput {
    protected: String,
    payload: String,
}

impl SigningInput {
    fn new(protected: &Value, payload: &str) -> Self {
        Self {
            protected: base64url(protected.to_string().as_bytes()),
            payload: base64url(payload.as_bytes()),
        }
    }

    fn text(&self) -> String {
        format!("{}.{}", self.protected, self.payload)
    }

    fn signed(&self, signature: &[u8]) -> Value {
        json!({
            "protected": self.protected,
            "payload": self.payload,
            "signature": base64url(signature),
        })
    }
}

/// An ECDSA signature as JWS has it: both numbers in 32 octets (RFC 7518 section 3.4), from DER (RFC 3279 section 2.2.3).
fn fixed_width(der: &[u8]) -> Result<Vec<u8>, AccountKeyError> {
    let mut numbers = asn1::read_only(der, tag::SEQUENCE)?.inside();
    let mut out = Vec::with_capacity(COORDINATE.saturating_mul(2));
    for _ in 0..2 {
        let number = numbers.expect(tag::INTEGER)?.content;
        let start = number.iter().take_while(|octet| **octet == 0).count();
        let number = number.get(start..).unwrap_or_default();
        let padding = COORDINATE.checked_sub(number.len());
        let padding = padding.ok_or(AccountKeyError::Unreadable)?;
        out.extend(std::iter::repeat_n(0, padding));
        out.extend_from_slice(number);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> AccountKey {
        AccountKey::read(&new_account_key().unwrap()).unwrap()
    }

    fn decoded(value: &Value, name: &str) -> Vec<u8> {
        let text = value[name].as_str().unwrap();
        base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
    }

    #[test]
    fn numbers_of_a_signature_have_one_width() {
        let der = [0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 2];
        let fixed = fixed_width(&der).unwrap();
        assert_eq!(fixed.len(), 64);
        assert_eq!((fixed[31], &fixed[62..]), (1, &[0x80, 2][..]));
        assert!(fixed[..31].iter().all(|octet| *octet == 0));
        assert!(fixed_width(&der[..7]).is_err());
    }

    /// The key and the thumbprint of RFC 7638 are RSA; this pair comes from `openssl` and `jwcrypto`.
    #[test]
    fn a_thumbprint_as_another_program_makes_it() {
        let key = AccountKey::read(KNOWN_KEY).unwrap();
        assert_eq!(key.thumbprint(), KNOWN_THUMBPRINT);
    }

    const KNOWN_KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRE+4KQ6bIuEomn3y0OC5ry1eN1iSwJGzDI2ypLKeWnahRANCAATUTZB8NM4caWEfusjWpP6iy1DjfENZdRgbjLUtgNGPP1cqDCs6GnxyRHtJiBQbARZXhXsmje002FByfCNqaRh5";
    const KNOWN_THUMBPRINT: &str = "tyY6gxQIKW3ODK2sdvmp4r19Kv2iRx9ZAHEPfsakzmA";

    #[test]
    fn what_is_signed_verifies() {
        let key = key();
        for signer in [Signer::Key, Signer::Account("https://ca.example/acct/1")] {
            let payload = json!({"a": 1});
            let body = key.sign("https://ca.example/x", "n", signer, Some(&payload));
            let body: Value = serde_json::from_slice(&body.unwrap()).unwrap();
            assert_eq!(decoded(&body, "payload"), br#"{"a":1}"#);
            let protected: Value = serde_json::from_slice(&decoded(&body, "protected")).unwrap();
            assert_eq!(protected["alg"], "ES256");
            assert_eq!(protected["nonce"], "n");
            assert_eq!(protected["url"], "https://ca.example/x");
            assert_eq!(
                protected.get("kid").is_some(),
                protected.get("jwk").is_none()
            );
            let x = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(&key.x).unwrap();
            let y = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(&key.y).unwrap();
            let point = [&[UNCOMPRESSED], x.as_slice(), &y].concat();
            let text = format!(
                "{}.{}",
                body["protected"].as_str().unwrap(),
                body["payload"].as_str().unwrap()
            );
            let public = aws_lc_rs::signature::UnparsedPublicKey::new(
                &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED,
                point,
            );
            let signature = decoded(&body, "signature");
            assert!(public.verify(text.as_bytes(), &signature).is_ok());
        }
        let body = key.sign("u", "n", Signer::Account("k"), None).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["payload"], "");
    }

    #[test]
    fn an_external_account_vouches_for_the_key() {
        let key = key();
        let secret = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
        let bound = key
            .bound_to(("kid-1", secret), "https://ca.example/new")
            .unwrap();
        let protected: Value = serde_json::from_slice(&decoded(&bound, "protected")).unwrap();
        assert_eq!(
            protected,
            json!({"alg": "HS256", "kid": "kid-1", "url": "https://ca.example/new"})
        );
        let payload: Value = serde_json::from_slice(&decoded(&bound, "payload")).unwrap();
        assert_eq!(payload, key.jwk());
        let octets = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(secret).unwrap();
        let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &octets);
        let text = format!(
            "{}.{}",
            bound["protected"].as_str().unwrap(),
            bound["payload"].as_str().unwrap()
        );
        let tag = decoded(&bound, "signature");
        assert!(aws_lc_rs::hmac::verify(&mac, text.as_bytes(), &tag).is_ok());
        assert_eq!(
            key.bound_to(("k", "no base64!"), "u"),
            Err(AccountKeyError::External)
        );
    }

    #[test]
    fn keys_that_are_none() {
        let p384 = PrivateKey::generate(KeyKind::P384).unwrap();
        let p384 = base64_simd::STANDARD.encode_to_string(p384.to_pkcs8().unwrap().as_slice());
        for text in ["", "!", "AAAA", &p384] {
            assert!(AccountKey::read(text).is_err(), "{text}");
        }
    }
}
