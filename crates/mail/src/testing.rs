//! What several tests of this crate use.

use rand_core::{CryptoRng, RngCore};

/// Octets that count up: not random, but each call gives others.
pub struct Counting(pub u8);

impl RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        let mut octets = [0; 4];
        self.fill_bytes(&mut octets);
        u32::from_be_bytes(octets)
    }

    fn next_u64(&mut self) -> u64 {
        let mut octets = [0; 8];
        self.fill_bytes(&mut octets);
        u64::from_be_bytes(octets)
    }

    fn fill_bytes(&mut self, octets: &mut [u8]) {
        for octet in octets {
            *octet = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

impl CryptoRng for Counting {}
