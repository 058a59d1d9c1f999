//! One-time codes (RFC 6238: SHA-1, 30 seconds, six digits, as every authenticator app has it), and recovery codes.

use qrcode::QrCode;
use qrcode::render::svg;
use sealgate_core::permission::UserId;
use sealgate_mail::Timestamp;
use totp_rs::{Algorithm, Builder};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::secrets::{base32, grouped, random};
use super::who::sha256;
use crate::limits::{RECOVERY_CODES, RECOVERY_OCTETS, TOTP_OCTETS, TOTP_STEP};
use crate::problem::Problem;

/// A new secret.
pub fn new_secret() -> Result<Zeroizing<Vec<u8>>, Problem> {
    Ok(Zeroizing::new(random::<TOTP_OCTETS>()?.to_vec()))
}

/// The step of which `code` is the one, one step of drift allowed (RFC 6238 section 5.2).
pub fn step_of(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    let now = u64::try_from(now.0).ok()?;
    let secret = <[u8; TOTP_OCTETS]>::try_from(secret).ok()?;
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(TOTP_STEP)
        .with_secret(secret)
        .build()
        .ok()?;
    let code: String = code.chars().filter(|one| !one.is_whitespace()).collect();
    totp.check(&code, now)
        .and_then(|step| i64::try_from(step).ok())
}

/// What authenticator apps read from the picture.
pub fn address(secret: &[u8], name: &str) -> Zeroizing<String> {
    let name: String = byte_serialize(name.as_bytes()).collect();
    Zeroizing::new(format!(
        "otpauth://totp/Sealgate:{}?secret={}&issuer=Sealgate",
        name.replace('+', "%20"),
        base32(secret)
    ))
}

/// The secret as people type it.
pub fn typed(secret: &[u8]) -> String {
    grouped(&base32(secret), " ")
}

/// The picture.
pub fn picture(secret: &[u8], name: &str) -> Result<String, Problem> {
    let code = QrCode::new(address(secret, name).as_bytes()).map_err(Problem::internal)?;
    Ok(code
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .dark_color(svg::Color("#000000"))
        .light_color(svg::Color("#ffffff"))
        .build())
}

/// New recovery codes.
pub fn new_recovery_codes() -> Result<Vec<String>, Problem> {
    let one = |_| {
        let octets = random::<RECOVERY_OCTETS>()?;
        Ok(grouped(&base32(octets.as_slice()).to_lowercase(), "-"))
    };
    (0..RECOVERY_CODES).map(one).collect()
}

/// What is kept of a recovery code, however it was typed.
pub fn recovery_hash(user: UserId, code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|one| one.to_ascii_lowercase())
        .collect();
    let user = user.0.to_be_bytes();
    sha256(&[b"sealgate recovery ", &user, plain.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 6238 appendix B, SHA-1, the last six digits.
    #[test]
    fn codes_as_in_the_rfc_with_one_step_of_drift() {
        for (now, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            let step = now / 30;
            for (second, expected) in [
                (now, Some(step)),
                (now + 30, Some(step)),
                (now - 30, Some(step)),
                (now + 60, None),
                (now - 60, None),
            ] {
                assert_eq!(
                    step_of(SECRET, code, Timestamp(second)),
                    expected,
                    "{code} at {second}"
                );
            }
        }
        let now = Timestamp(59);
        assert_eq!(step_of(SECRET, "287 082", now), Some(1));
        for wrong in ["", "28708", "2870823", "28708a", "+87082", "２８７０８２"] {
            assert_eq!(step_of(SECRET, wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn the_picture_says_the_address() {
        assert_eq!(
            address(SECRET, "a+b@example.com").as_str(),
            "otpauth://totp/Sealgate:a%2Bb%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Sealgate"
        );
        let picture = picture(SECRET, "a@example.com").unwrap();
        assert!(picture.contains("<svg") && !picture.contains("style="));
    }

    #[test]
    fn recovery_codes_are_known_however_they_are_typed() {
        let codes = new_recovery_codes().unwrap();
        assert_eq!(codes.len(), 10);
        let code = &codes[0];
        assert_eq!(code.len(), 19, "{code}");
        let kept = recovery_hash(UserId(1), code);
        assert_eq!(
            kept,
            recovery_hash(UserId(1), &code.to_uppercase().replace('-', " "))
        );
        assert_ne!(kept, recovery_hash(UserId(2), code));
        assert_ne!(kept, recovery_hash(UserId(1), &codes[1]));
    }
}
