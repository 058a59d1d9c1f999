//! RSA keys whose primes were made by a faulty library of Infineon and can be found from the modulus (CVE-2017-15361).

/// The odd primes up to 167: all divide the number that library made its primes around.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// What the library took powers of.
const GENERATOR: u32 = 65537;

/// Whether `modulus`, big-endian, bears the mark: modulo each of the primes it is a power of 65537. Of other moduli less
/// than one in a hundred million does.
pub(crate) fn is_marked(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let rest = remainder(modulus, *prime);
        powers(*prime).any(|power| power == rest)
    })
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    let digit = |sum: u32, octet: &u8| ((sum << 8) | u32::from(*octet)) % prime;
    number.iter().fold(0, digit)
}

/// The powers of the generator; their period is below the prime.
fn powers(prime: u32) -> impl Iterator<Item = u32> {
    let step = GENERATOR % prime;
    std::iter::successors(Some(1 % prime), move |power| Some(power * step % prime))
        .take(prime as usize)
}

/// A modulus with the mark, of 2,049 bits: 65537 to the 128th.
#[cfg(test)]
pub(crate) fn marked_modulus() -> Vec<u8> {
    let mut number = vec![1u8];
    for _ in 0..128 {
        // Times 65537 is the number and the number two octets further left.
        let mut next = [number.as_slice(), &[0, 0]].concat();
        let mut carry = 0u16;
        for (place, octet) in next.iter_mut().rev().enumerate() {
            let low = number
                .len()
                .checked_sub(place + 1)
                .map_or(0, |at| number[at]);
            let sum = u16::from(*octet) + u16::from(low) + carry;
            *octet = sum as u8;
            carry = sum >> 8;
        }
        number = next;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x3_moduli_with_and_without_the_mark() {
        let mut number = marked_modulus();
        assert!(is_marked(&number));
        let last = number.len() - 1;
        number[last] ^= 2;
        assert!(!is_marked(&number));
        assert!(!is_marked(&[0xc5; 256]));
    }
}
