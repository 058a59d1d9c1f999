//! Whose keys are used: one mailbox with an RSA-3072 key, its certificate from a root made on the spot; and the mails.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use rand_core::RngCore;
use sealgate_mail::{BlockWriter, Timestamp};

use crate::Failed;
use crate::chance::Chance;
use crate::ours::Engine;

/// RSA bits: that of R in the performance goals.
const BITS: u32 = 3072;
/// Octets of random data in a line of base64.
const LINE: usize = 57;

/// The mailbox and its root.
pub struct Cast {
    /// The private key of the mailbox.
    pub key: PKey<Private>,
    /// Its certificate.
    pub certificate: X509,
    /// Who issued it.
    pub root: X509,
}

impl Cast {
    /// Fresh keys and certificates.
    pub fn new() -> Result<Self, Failed> {
        let root_key = PKey::from_rsa(Rsa::generate(BITS)?)?;
        let key = PKey::from_rsa(Rsa::generate(BITS)?)?;
        let mut root = builder("Bench root", "Bench root", &root_key)?;
        root.append_extension(BasicConstraints::new().critical().ca().build()?)?;
        root.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
        root.sign(&root_key, MessageDigest::sha256())?;
        let root = root.build();
        let mut leaf = builder("alice", "Bench root", &key)?;
        let mut usage = KeyUsage::new();
        usage.critical().digital_signature().key_encipherment();
        leaf.append_extension(usage.build()?)?;
        leaf.append_extension(ExtendedKeyUsage::new().email_protection().build()?)?;
        let mut names = SubjectAlternativeName::new();
        names.email("alice@example.com");
        let names = names.build(&leaf.x509v3_context(Some(&root), None))?;
        leaf.append_extension(names)?;
        leaf.sign(&root_key, MessageDigest::sha256())?;
        Ok(Self {
            key,
            certificate: leaf.build(),
            root,
        })
    }

    /// The same for our engine.
    pub fn engine(&self) -> Result<Engine, Failed> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        Engine::new(
            &self.key.private_key_to_pkcs8()?,
            &self.certificate.to_der()?,
            &self.root.to_der()?,
            Timestamp(i64::try_from(since)?),
        )
    }

    /// Writes key, certificate and root where another process finds them.
    pub fn write(&self, directory: &Path) -> Result<(), Failed> {
        std::fs::write(
            directory.join("key.pem"),
            self.key.private_key_to_pem_pkcs8()?,
        )?;
        std::fs::write(
            directory.join("certificate.pem"),
            self.certificate.to_pem()?,
        )?;
        Ok(std::fs::write(
            directory.join("root.pem"),
            self.root.to_pem()?,
        )?)
    }

    /// Reads what [`Cast::write`] has written.
    pub fn read(directory: &Path) -> Result<Self, Failed> {
        let file = |name: &str| std::fs::read(directory.join(name));
        Ok(Self {
            key: PKey::private_key_from_pem(&file("key.pem")?)?,
            certificate: X509::from_pem(&file("certificate.pem")?)?,
            root: X509::from_pem(&file("root.pem")?)?,
        })
    }
}

fn name(common: &str) -> Result<X509Name, Failed> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", common)?;
    Ok(name.build())
}

/// A certificate without its extensions and signature.
fn builder(subject: &str, issuer: &str, key: &PKey<Private>) -> Result<X509Builder, Failed> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let serial = BigNum::from_u32(subject.len() as u32)?.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    let (subject, issuer) = (name(subject)?, name(issuer)?);
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&issuer)?;
    let (start, end) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(30)?);
    builder.set_not_before(&start)?;
    builder.set_not_after(&end)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}

/// Writes a mail of about that many octets: a text of base64 lines, as an attachment is one.
pub fn write_mail(path: &Path, octets: u64) -> Result<PathBuf, Failed> {
    let mut out = BlockWriter::new(File::create(path)?);
    out.write_all(
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    )?;
    let (mut left, mut random) = (octets, [0; LINE]);
    let mut chance = Chance::new();
    while left > 0 {
        chance.fill_bytes(&mut random);
        let line = openssl::base64::encode_block(&random);
        write!(out, "{line}\r\n")?;
        left = left.saturating_sub(line.len() as u64 + 2);
    }
    out.finish()?;
    Ok(path.to_owned())
}
