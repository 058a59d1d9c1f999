//! Goals G7 to G9: the engine beside libcrypto, each operation through S/MIME text from file to file, in CPU time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use openssl::symm::Cipher;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use rustix::time::{ClockId, clock_gettime};
use sealgate_smime::algorithms::ContentEncryption;

use crate::cast::{Cast, write_mail};
use crate::ours::Engine;
use crate::{Failed, libcrypto};

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Sign,
    FormAndSign,
    Verify,
    Cbc,
    Gcm,
    Decrypt,
}

use Operation::{Cbc, Decrypt, FormAndSign, Gcm, Sign, Verify};

/// One size of mail.
struct Goal {
    id: &'static str,
    octets: u64,
    /// How often both sides do it; the median counts.
    rounds: usize,
    /// How often in each round.
    repeated: u32,
    /// The most that ours may take, as a ratio.
    most: [(Operation, f64); 6],
}

/// The first column of the performance goals.
const GOALS: [Goal; 3] = [
    Goal {
        id: "G7",
        octets: 10_000,
        rounds: 9,
        repeated: 20,
        most: [
            (Sign, 1.05),
            (FormAndSign, 1.05),
            (Verify, 1.0),
            (Cbc, 1.1),
            (Gcm, 1.1),
            (Decrypt, 1.05),
        ],
    },
    Goal {
        id: "G8",
        octets: 1_000_000,
        rounds: 9,
        repeated: 3,
        most: [
            (Sign, 0.9),
            (FormAndSign, 0.9),
            (Verify, 0.3),
            (Cbc, 0.6),
            (Gcm, 0.5),
            (Decrypt, 0.5),
        ],
    },
    Goal {
        id: "G9",
        octets: 25_000_000,
        rounds: 9,
        repeated: 1,
        most: [
            (Sign, 0.8),
            (FormAndSign, 0.8),
            (Verify, 0.15),
            (Cbc, 0.5),
            (Gcm, 0.35),
            (Decrypt, 0.35),
        ],
    },
];

/// Both sides with their keys, and where the files are.
struct Bench {
    cast: Cast,
    engine: Engine,
    store: X509Store,
    mail: PathBuf,
    signed: PathBuf,
    encrypted: PathBuf,
    /// What each side writes, over and over: emptying a file costs as much as its writer made it cost.
    ours: PathBuf,
    theirs: PathBuf,
}

/// Measures everything and prints ratios beside their goals.
pub fn run(directory: &Path) -> Result<(), Failed> {
    let cast = Cast::new()?;
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(cast.root.clone())?;
    let mut bench = Bench {
        engine: cast.engine()?,
        cast,
        store: store.build(),
        mail: directory.join("mail"),
        signed: directory.join("signed"),
        encrypted: directory.join("encrypted"),
        ours: directory.join("ours"),
        theirs: directory.join("theirs"),
    };
    println!(
        "{}, RSA-3072, CPU time of one operation\n",
        openssl::version::version()
    );
    println!("goal     octets  operation          ours   libcrypto   ratio   goal");
    for goal in &GOALS {
        bench.measure(goal)?;
    }
    Ok(())
}

impl Bench {
    fn measure(&mut self, goal: &Goal) -> Result<(), Failed> {
        write_mail(&self.mail, goal.octets)?;
        libcrypto::sign(
            &self.mail,
            &self.signed,
            &self.cast.certificate,
            &self.cast.key,
        )?;
        // What both sides read was written by the foreign side.
        libcrypto::encrypt(
            &self.mail,
            &self.encrypted,
            &self.cast.certificate,
            Cipher::aes_256_cbc(),
        )?;
        for (operation, most) in goal.most {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..goal.rounds {
                ours.push(cpu_time(goal.repeated, || self.ours(operation))?);
                theirs.push(cpu_time(goal.repeated, || self.theirs(operation))?);
            }
            let (ours, theirs) = (middle(ours), middle(theirs));
            let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
            let verdict = if ratio <= most { "" } else { "  short of it" };
            println!(
                "{:4} {:>10}  {:12} {:>10.3?} {:>11.3?} {ratio:>7.2} {most:>6.2}{verdict}",
                goal.id,
                goal.octets,
                format!("{operation:?}"),
                ours,
                theirs
            );
        }
        Ok(())
    }

    fn ours(&self, operation: Operation) -> Result<(), Failed> {
        match operation {
            Sign => self.engine.sign(&self.mail, &self.ours),
            FormAndSign => self.engine.form_and_sign(&self.mail, &self.ours),
            Verify => self.engine.verify(&self.signed),
            Cbc => self
                .engine
                .encrypt(&self.mail, &self.ours, ContentEncryption::Aes256Cbc),
            Gcm => self
                .engine
                .encrypt(&self.mail, &self.ours, ContentEncryption::Aes256Gcm),
            Decrypt => self.engine.decrypt(&self.encrypted, &self.ours),
        }
    }

    fn theirs(&self, operation: Operation) -> Result<(), Failed> {
        let (certificate, key) = (&self.cast.certificate, &self.cast.key);
        match operation {
            Sign | FormAndSign => libcrypto::sign(&self.mail, &self.theirs, certificate, key),
            Verify => libcrypto::verify(&self.signed, &self.store),
            Cbc => libcrypto::encrypt(&self.mail, &self.theirs, certificate, Cipher::aes_256_cbc()),
            Gcm => libcrypto::encrypt(&self.mail, &self.theirs, certificate, Cipher::aes_256_gcm()),
            Decrypt => libcrypto::decrypt(&self.encrypted, &self.theirs, certificate, key),
        }
    }
}

/// One operation of ours or of libcrypto, again and again, for a profiler.
pub fn only(directory: &Path, side: &str, operation: &str, octets: u64) -> Result<(), Failed> {
    let all = [Sign, FormAndSign, Verify, Cbc, Gcm, Decrypt];
    let named = |one: &Operation| format!("{one:?}").eq_ignore_ascii_case(operation);
    let operation = all.into_iter().find(named).ok_or("no such operation")?;
    let cast = Cast::new()?;
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(cast.root.clone())?;
    let bench = Bench {
        engine: cast.engine()?,
        cast,
        store: store.build(),
        mail: write_mail(&directory.join("mail"), octets)?,
        signed: directory.join("signed"),
        encrypted: directory.join("encrypted"),
        ours: directory.join("ours"),
        theirs: directory.join("theirs"),
    };
    let certificate = &bench.cast.certificate;
    libcrypto::sign(&bench.mail, &bench.signed, certificate, &bench.cast.key)?;
    libcrypto::encrypt(
        &bench.mail,
        &bench.encrypted,
        certificate,
        Cipher::aes_256_cbc(),
    )?;
    for _ in 0..200 {
        match side {
            "ours" => bench.ours(operation)?,
            _ => bench.theirs(operation)?,
        }
    }
    Ok(())
}

/// The CPU time of one of `repeated` runs.
fn cpu_time(
    repeated: u32,
    mut operation: impl FnMut() -> Result<(), Failed>,
) -> Result<Duration, Failed> {
    let start = used();
    for _ in 0..repeated {
        operation()?;
    }
    Ok((used() - start) / repeated)
}

fn used() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
