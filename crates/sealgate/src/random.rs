//! The operating system's random source, handed to the pure crates as an argument.

use rand_core::{CryptoRng, RngCore};

/// Random octets of the cryptographic library's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl RngCore for SystemRandom {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }
    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }
    fn fill_bytes(&mut self, buffer: &mut [u8]) {
        if sealgate_smime::aws::random(buffer).is_err() {
            // Without random numbers no key, nonce or boundary is safe; the queue is on disk.
            std::process::abort();
        }
    }
}

impl CryptoRng for SystemRandom {}
