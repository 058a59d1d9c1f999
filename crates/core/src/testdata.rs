//! Certificates and keys made by `testdata/make.sh`, for the tests of this crate.

use rand_core::{CryptoRng, RngCore};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::PrivateKey;

fn read(name: &str) -> Vec<u8> {
    let file = format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(file).unwrap()
}

/// The certificate of that name.
pub fn certificate(name: &str) -> Certificate {
    Certificate::from_der(&read(&format!("{name}.der"))).unwrap()
}

/// The private key of that name.
pub fn key(name: &str) -> PrivateKey {
    PrivateKey::from_pkcs8(&read(&format!("{name}.p8"))).unwrap()
}

/// Chance that is none, for tests of form; keys made with it protect nothing.
pub struct Counter(pub u64);

impl RngCore for Counter {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }
    fn next_u64(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 7
    }
    fn fill_bytes(&mut self, out: &mut [u8]) {
        out.fill_with(|| self.next_u64() as u8);
    }
}

impl CryptoRng for Counter {}

/// CPU time of this thread, which other programs on the machine do not lengthen; time of day where the system does not tell.
pub(crate) fn cpu_time(since: std::time::Instant) -> std::time::Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = text.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), std::time::Duration::from_nanos)
}
