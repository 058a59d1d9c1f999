//! A repeatable source of chance: tests print its seed, and the same seed gives the same test.

/// A 64-bit generator (splitmix64); for choosing test inputs only.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// From `SEALGATE_E2E_SEED`, else from `default`; says which.
    pub fn seeded(default: u64) -> Self {
        let given = std::env::var("SEALGATE_E2E_SEED").ok();
        let seed = given.and_then(|text| text.parse().ok()).unwrap_or(default);
        println!("SEALGATE_E2E_SEED={seed}");
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// One of these.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(all.len() as u64)).unwrap();
        &all[at]
    }
}
