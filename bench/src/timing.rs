//! Rows C10 and C11: how long one RSA decryption takes must not tell what lies in the ciphertext. Ciphertexts of all
//! classes are decrypted in random order and their times compared.

use std::hint::black_box;
use std::time::Instant;

use openssl::pkey::Private;
use openssl::rsa::{Padding, Rsa};
use sealgate_smime::algorithms::{KeyTransport, TransportParameters};
use sealgate_smime::key::PrivateKey;

use crate::Failed;
use crate::chance::Chance;
use crate::statistics::{mann_whitney, median};

/// Decryptions of each class, as row C11 asks.
pub const DECRYPTIONS: usize = 100_000;
/// Different ciphertexts of each class; they are used in turn.
const CIPHERTEXTS: usize = 5_000;
/// Decryptions before the measured ones.
const WARM_UP: usize = 500;
/// Octets of the modulus.
const BLOCK: usize = 256;
/// Octets of the content key that is expected: AES-256.
const KEY: usize = 32;
/// A difference is one if its p-value, corrected for the number of comparisons, is not above this.
const SIGNIFICANT: f64 = 0.001;
/// And if the medians are as far apart, in nanoseconds.
const MEDIANS_APART: f64 = 100.0;

/// What is wrong with a block, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The right content key.
    Good,
    /// Padding as it should be, another content key.
    OtherKey,
    /// The second octet is not 2.
    NoTwo,
    /// No zero octet between filler and key.
    NoZero,
    /// A key one octet shorter.
    ShortKey,
    /// A key one octet longer.
    LongKey,
    /// A zero octet in the first eight of the filler.
    ZeroInFiller,
    /// Random octets.
    Random,
}

const CLASSES: [Class; 8] = [
    Class::Good,
    Class::OtherKey,
    Class::NoTwo,
    Class::NoZero,
    Class::ShortKey,
    Class::LongKey,
    Class::ZeroInFiller,
    Class::Random,
];

impl Class {
    /// A block below the modulus (RFC 8017 section 7.2.1), with what is wrong in this class.
    fn block(self, content_key: &[u8; KEY], chance: &mut Chance) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block.fill_with(|| chance.octet_but_zero());
        (block[0], block[1]) = (0, 2);
        let key_at = BLOCK - KEY;
        block[key_at - 1] = 0;
        block[key_at..].copy_from_slice(content_key);
        match self {
            Self::Good => {}
            Self::OtherKey => block[key_at..].fill_with(|| chance.octet()),
            Self::NoTwo => block[1] = 1,
            Self::NoZero => block[2..].fill_with(|| chance.octet_but_zero()),
            Self::ShortKey => {
                block[key_at - 1] = chance.octet_but_zero();
                block[key_at] = 0;
            }
            Self::LongKey => {
                block[key_at - 1] = chance.octet_but_zero();
                block[key_at - 2] = 0;
            }
            Self::ZeroInFiller => block[4] = 0,
            Self::Random => block[1..].fill_with(|| chance.octet()),
        }
        block
    }
}

/// Measures `count` decryptions of each class and compares each class with each.
pub fn run(count: usize) -> Result<(), Failed> {
    let mut chance = Chance::new();
    let rsa = Rsa::generate(BLOCK as u32 * 8)?;
    let pkcs8 = openssl::pkey::PKey::from_rsa(rsa.clone())?.private_key_to_pkcs8()?;
    let key = PrivateKey::from_pkcs8(&pkcs8)?;
    let pools = pools(&rsa, &key, count.min(CIPHERTEXTS), &mut chance)?;
    let mut times = measure(&key, &pools, count, &mut chance)?;
    times.iter_mut().for_each(|sample| sample.sort_unstable());
    println!("RSA-2048, {count} decryptions of each class in random order\n");
    println!("{:14} {:>14}", "class", "median in ns");
    for (class, sample) in CLASSES.iter().zip(&times) {
        println!("{:14} {:>14.0}", format!("{class:?}"), median(sample));
    }
    compare(&times)
}

/// Ciphertexts of each class.
fn pools(
    rsa: &Rsa<Private>,
    key: &PrivateKey,
    size: usize,
    chance: &mut Chance,
) -> Result<Vec<Vec<Vec<u8>>>, Failed> {
    let mut content_key = [0; KEY];
    content_key.fill_with(|| chance.octet());
    let mut pools = Vec::new();
    for class in CLASSES {
        let mut pool = Vec::with_capacity(size);
        for _ in 0..size {
            let block = class.block(&content_key, chance);
            let mut out = vec![0; BLOCK];
            rsa.public_encrypt(&block, &mut out, Padding::NONE)?;
            pool.push(out);
        }
        // The test tests itself: only good padding gives what was put in.
        let found = key.decrypt_rsa(transport(), &pool[0], KEY)?;
        if (found[..] == content_key) != (class == Class::Good) {
            return Err(format!("{class:?} is not what it should be").into());
        }
        pools.push(pool);
    }
    Ok(pools)
}

fn transport() -> TransportParameters {
    TransportParameters {
        algorithm: KeyTransport::RsaPkcs1,
        label: Vec::new(),
    }
}

/// Nanoseconds of each decryption, by class.
fn measure(
    key: &PrivateKey,
    pools: &[Vec<Vec<u8>>],
    count: usize,
    chance: &mut Chance,
) -> Result<Vec<Vec<u64>>, Failed> {
    let classes = pools.len();
    let mut order: Vec<u8> = (0..count * classes).map(|n| (n % classes) as u8).collect();
    chance.shuffle(&mut order);
    let mut times: Vec<Vec<u64>> = vec![Vec::with_capacity(count); classes];
    let mut used = vec![0; classes];
    for number in 0..WARM_UP {
        let pool = &pools[number % classes];
        black_box(key.decrypt_rsa(transport(), &pool[number % pool.len()], KEY)?);
    }
    for class in order.into_iter().map(usize::from) {
        let pool = &pools[class];
        let ciphertext = &pool[used[class] % pool.len()];
        used[class] += 1;
        let parameters = transport();
        let start = Instant::now();
        let found = key.decrypt_rsa(parameters, black_box(ciphertext), KEY);
        let taken = start.elapsed();
        black_box(found?);
        times[class].push(taken.as_nanos() as u64);
    }
    Ok(times)
}

/// Compares each pair; an error if one differs.
fn compare(times: &[Vec<u64>]) -> Result<(), Failed> {
    let pairs = times.len() * (times.len() - 1) / 2;
    println!("\n{pairs} comparisons; p is corrected for their number (Bonferroni)");
    let (mut least, mut furthest, mut differ) = (1.0f64, 0.0f64, Vec::new());
    for one in 0..times.len() {
        for other in 0..one {
            let p = (mann_whitney(&times[one], &times[other]) * pairs as f64).min(1.0);
            let apart = (median(&times[one]) - median(&times[other])).abs();
            least = least.min(p);
            furthest = furthest.max(apart);
            if p <= SIGNIFICANT {
                let names = format!("{:?} and {:?}", CLASSES[other], CLASSES[one]);
                println!("{names}: p = {p:.2e}, medians {apart:.0} ns apart");
                if apart >= MEDIANS_APART {
                    differ.push(names);
                }
            }
        }
    }
    println!("smallest p {least:.3}, medians at most {furthest:.0} ns apart");
    match differ.is_empty() {
        true => {
            println!("no class differs");
            Ok(())
        }
        false => Err(format!("these classes differ: {}", differ.join("; ")).into()),
    }
}
