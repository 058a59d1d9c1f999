//! PKCS#12's own key derivation (RFC 7292 appendix B.2).

use zeroize::{Zeroize, Zeroizing};

use super::{Pkcs12Error, Secret};
use crate::algorithms::DigestAlgorithm;
use crate::aws::Digest;

/// What the octets are for (RFC 7292 appendix B.3): a key, an initialisation vector, a MAC key.
pub(super) const KEY: u8 = 1;
pub(super) const VECTOR: u8 = 2;
pub(super) const MAC_KEY: u8 = 3;

/// One use of the derivation.
pub(super) struct Use<'a> {
    pub(super) id: u8,
    pub(super) salt: &'a [u8],
    pub(super) iterations: u32,
}

/// `length` octets from the password.
pub(super) fn derive(
    digest: DigestAlgorithm,
    secret: &Secret<'_>,
    what: &Use<'_>,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
    if what.iterations == 0 || what.salt.len() > crate::limits::PKCS12_SALT_OCTETS {
        return Err(Pkcs12Error::Malformed);
    }
    secret.spend(what.iterations, length.div_ceil(digest.length()))?;
    // The block of the digest (FIPS 180-4): v in the standard.
    let block = match digest {
        DigestAlgorithm::Sha1 | DigestAlgorithm::Sha224 | DigestAlgorithm::Sha256 => 64,
        DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512 => 128,
    };
    let mut input = Zeroizing::new(filled(what.salt, block));
    input.extend(filled(&secret.bmp(), block));
    let mut out = Zeroizing::new(Vec::with_capacity(length.saturating_add(digest.length())));
    while out.len() < length {
        let mut first = Digest::new(digest);
        first.update(&vec![what.id; block]);
        first.update(&input);
        let mut hash = first.finish();
        for _ in 1..what.iterations {
            hash = Digest::of(digest, &hash);
        }
        out.extend_from_slice(&hash);
        let step = repeated(&hash, block);
        input
            .chunks_mut(block)
            .for_each(|chunk| add_one_more(chunk, &step));
        hash.zeroize();
    }
    out.truncate(length);
    Ok(out)
}

/// Copies of `octets` up to the next multiple of a block; nothing for nothing.
fn filled(octets: &[u8], block: usize) -> Vec<u8> {
    repeated(octets, octets.len().div_ceil(block).saturating_mul(block))
}

fn repeated(octets: &[u8], length: usize) -> Vec<u8> {
    octets.iter().copied().cycle().take(length).collect()
}

/// `chunk = chunk + step + 1` as big-endian numbers, without the carry out.
fn add_one_more(chunk: &mut [u8], step: &[u8]) {
    let mut carry = 1u16;
    for (octet, more) in chunk.iter_mut().zip(step).rev() {
        let sum = u16::from(*octet)
            .saturating_add(u16::from(*more))
            .saturating_add(carry);
        *octet = sum as u8;
        carry = sum >> 8;
    }
}
