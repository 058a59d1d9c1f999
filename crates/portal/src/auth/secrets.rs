//! Secrets that the portal makes: of sessions, links and tokens; and base32, in which people type some of them.

use zeroize::Zeroizing;

use crate::limits::SECRET_OCTETS;
use crate::problem::Problem;

/// What every API token begins with, so that a search for lost secrets finds it.
pub const TOKEN_PREFIX: &str = "sgt_";

/// Random octets.
pub fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Problem> {
    let mut octets = Zeroizing::new([0; N]);
    aws_lc_rs::rand::fill(octets.as_mut_slice()).map_err(Problem::internal)?;
    Ok(octets)
}

/// A secret of 256 bits as text that fits into cookies and addresses.
pub fn secret() -> Result<Zeroizing<String>, Problem> {
    let octets = random::<SECRET_OCTETS>()?;
    let text = base64_simd::URL_SAFE_NO_PAD.encode_to_string(octets.as_slice());
    Ok(Zeroizing::new(text))
}

/// The alphabet of base32 (RFC 4648 section 6).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Base32 without padding.
pub fn base32(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 8 / 5 + 1);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for octet in octets {
        bits = (bits << 8) | u32::from(*octet);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(letter(bits >> count));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        text.push(letter(bits << (5 - count)));
    }
    text
}

fn letter(five: u32) -> char {
    let place = usize::try_from(five & 31).unwrap_or_default();
    char::from(BASE32[place])
}

/// Text in groups of four characters, so that people can read it off.
pub fn grouped(text: &str, between: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 section 10, without padding.
    #[test]
    fn base32_as_in_its_rfc() {
        for (octets, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(octets.as_bytes()), text, "{octets}");
        }
        assert_eq!(grouped("MZXW6YTBOI", " "), "MZXW 6YTB OI");
    }

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert_eq!(one.len(), 43);
        assert_ne!(one, other);
    }
}
