//! A repeatable source of chance for choosing inputs and their order, and for what the engine asks for.

use rand_core::{CryptoRng, RngCore};

/// A 64-bit generator (splitmix64); what is made with it protects nothing.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// Always the same.
    pub fn new() -> Self {
        Self(1)
    }

    /// Any octet.
    pub fn octet(&mut self) -> u8 {
        (self.next_u64() >> 32) as u8
    }

    /// Any octet but zero.
    pub fn octet_but_zero(&mut self) -> u8 {
        loop {
            match self.octet() {
                0 => {}
                octet => return octet,
            }
        }
    }

    /// Random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            let other = self.next_u64() % (at as u64 + 1);
            all.swap(at, other as usize);
        }
    }
}

impl RngCore for Chance {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
    fn fill_bytes(&mut self, out: &mut [u8]) {
        out.fill_with(|| self.octet());
    }
}

impl CryptoRng for Chance {}
