//! Names that must be unlike all others: Message-IDs and boundaries.

use rand_core::CryptoRng;

use crate::address::Domain;
use crate::limits::ID_OCTETS;

/// A new Message-ID with its angle brackets (RFC 5322 section 3.6.4).
pub fn new_message_id(domain: &Domain, rng: &mut dyn CryptoRng) -> String {
    format!("<{}@{domain}>", token(rng))
}

/// A new boundary of 34 characters. It begins with `=_`, which neither base64 nor quoted-printable can hold
/// (RFC 2045 section 6.7), so it needs quotes in a parameter.
pub fn new_boundary(rng: &mut dyn CryptoRng) -> String {
    format!("=_{}", token(rng))
}

fn token(rng: &mut dyn CryptoRng) -> String {
    let mut octets = [0u8; ID_OCTETS];
    rng.fill_bytes(&mut octets);
    octets.iter().map(|b| format!("{b:02x}")).collect()
}
