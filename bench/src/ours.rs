//! The engine used as the gateway uses it: from file to file, streaming.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sealgate_mail::{BlockWriter, Canonical, Content, Message, Source, Timestamp};
use sealgate_smime::algorithms::{ContentEncryption, Switches};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::{Decryption, KeyPair};
use sealgate_smime::encrypt::EncryptTo;
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::profile::Suite;
use sealgate_smime::sign::{Form, Signer};
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::VerifyInput;

use crate::Failed;
use crate::chance::Chance;

/// A file as content.
pub struct OnDisk {
    path: PathBuf,
    length: u64,
}

impl OnDisk {
    /// The file as it is now.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            length: std::fs::metadata(path)?.len(),
        })
    }
}

impl Content for OnDisk {
    fn len(&self) -> u64 {
        self.length
    }
    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(from))?;
        Ok(Box::new(file))
    }
}

/// What the engine works with.
pub struct Engine {
    /// The signer and recipient.
    pub pair: KeyPair,
    /// The root.
    pub anchors: TrustAnchors,
    /// The time.
    pub at: Timestamp,
}

impl Engine {
    fn signer(&self) -> Signer<'_> {
        Signer {
            key: &self.pair.key,
            certificate: &self.pair.certificate,
            chain: &[],
            rsa_signature: Default::default(),
        }
    }

    /// Signs the entity `from`, which is in canonical form, into a multipart/signed at `to`.
    pub fn sign(&self, from: &Path, to: &Path) -> Result<(), Failed> {
        let content = OnDisk::open(from)?;
        let message = Message::read(&content)?;
        let entity = message.entity();
        let rng = &mut Chance::new();
        let signed = sealgate_smime::sign::sign(&entity, Form::Clear, self.signer(), self.at, rng)?;
        write(&signed, to)
    }

    /// The same, brought into canonical form first.
    pub fn form_and_sign(&self, from: &Path, to: &Path) -> Result<(), Failed> {
        let content = OnDisk::open(from)?;
        let message = Message::read(&content)?;
        let form = Canonical::new(&message)?;
        let rng = &mut Chance::new();
        let signed = sealgate_smime::sign::sign(&form, Form::Clear, self.signer(), self.at, rng)?;
        write(&signed, to)
    }

    /// Signs and encrypts in one go.
    pub fn sign_and_encrypt(&self, from: &Path, to: &Path) -> Result<(), Failed> {
        let content = OnDisk::open(from)?;
        let message = Message::read(&content)?;
        let form = Canonical::new(&message)?;
        let rng = &mut Chance::new();
        let signed = sealgate_smime::sign::sign(&form, Form::Clear, self.signer(), self.at, rng)?;
        let recipients = [EncryptTo::new(&self.pair.certificate)];
        let suite = Suite::default();
        let enveloped = sealgate_smime::encrypt::encrypt(&signed, &recipients, suite, rng)?;
        write(&enveloped, to)
    }

    /// Verifies the multipart/signed `from`.
    pub fn verify(&self, from: &Path) -> Result<(), Failed> {
        let content = OnDisk::open(from)?;
        let message = Message::read(&content)?;
        let input = VerifyInput {
            anchors: &self.anchors,
            at: self.at,
            from: self.pair.certificate.addresses().first(),
            date: None,
            known: &[],
            switches: Switches::default(),
            exact_local_parts: false,
        };
        let report = sealgate_smime::verify::verify(&message, &input)?;
        match report.verdict {
            SignatureVerdict::Valid => Ok(()),
            other => Err(format!("the verdict is {other}").into()),
        }
    }

    /// Encrypts the entity `from`.
    pub fn encrypt(&self, from: &Path, to: &Path, cipher: ContentEncryption) -> Result<(), Failed> {
        let content = OnDisk::open(from)?;
        let message = Message::read(&content)?;
        let recipients = [EncryptTo::new(&self.pair.certificate)];
        let suite = Suite {
            content: cipher,
            ..Suite::default()
        };
        let entity = message.entity();
        let rng = &mut Chance::new();
        let enveloped = sealgate_smime::encrypt::encrypt(&entity, &recipients, suite, rng)?;
        write(&enveloped, to)
    }

    /// Decrypts the message `from`.
    pub fn decrypt(&self, from: &Path, to: &Path) -> Result<(), Failed> {
        let content = OnDisk::open(from)?;
        let message = Message::read(&content)?;
        let mut out = BlockWriter::new(File::create(to)?);
        let switches = Switches::default();
        let decryption =
            sealgate_smime::decrypt::decrypt(&message, &[&self.pair], switches, &mut out)?;
        out.finish()?;
        match decryption {
            Decryption::Opened(_) => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    }

    /// From keys and certificates in DER.
    pub fn new(key: &[u8], certificate: &[u8], root: &[u8], at: Timestamp) -> Result<Self, Failed> {
        Ok(Self {
            pair: KeyPair {
                certificate: Certificate::from_der(certificate)?,
                key: sealgate_smime::key::PrivateKey::from_pkcs8(key)?,
            },
            anchors: TrustAnchors::new(vec![Certificate::from_der(root)?]),
            at,
        })
    }
}

fn write(source: &dyn Source, to: &Path) -> Result<(), Failed> {
    let mut out = BlockWriter::new(File::create(to)?);
    source.write_to(&mut out)?;
    Ok(out.finish().map(drop)?)
}
