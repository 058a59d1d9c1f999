//! `smime sign|encrypt|verify|decrypt FILE`: the engine on message files, without a gateway.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sealgate_mail::canonical::Canonical;
use sealgate_mail::{Message, Source};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::{Decryption, KeyPair, decrypt};
use sealgate_smime::encrypt::{EncryptTo, encrypt};
use sealgate_smime::key::PrivateKey;
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::pkcs12;
use sealgate_smime::sign::{Form, Signer, sign};
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{SignatureReport, VerifyInput, verify};
use serde::Serialize;

use super::{CODE_NO, Done, Failure, Output, read_input};
use crate::description::read_certificates;
use crate::gateway::now;
use crate::random::SystemRandom;

/// What to do with a message file.
#[derive(Debug, Subcommand)]
pub enum SmimeCommand {
    /// Sign a message.
    Sign {
        /// The message.
        file: PathBuf,
        /// Signer.
        #[command(flatten)]
        key: KeyArgs,
        /// Opaque signature instead of a clear one.
        #[arg(long)]
        opaque: bool,
        /// Where to write; standard output if absent.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Encrypt a message.
    Encrypt {
        /// The message.
        file: PathBuf,
        /// Certificate of a recipient, PEM or DER.
        #[arg(long = "to", required = true, value_name = "CERTIFICATE")]
        to: Vec<PathBuf>,
        /// Where to write; standard output if absent.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Judge the signature of a message.
    Verify {
        /// The message.
        file: PathBuf,
        /// Trusted root certificates, PEM or DER.
        #[arg(long, value_name = "CERTIFICATES")]
        roots: Vec<PathBuf>,
    },
    /// Decrypt a message.
    Decrypt {
        /// The message.
        file: PathBuf,
        /// Recipient.
        #[command(flatten)]
        key: KeyArgs,
        /// Where to write; standard output if absent.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
}

/// A private key with its certificate.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// PKCS#12 file with key and certificate.
    #[arg(long, conflicts_with_all = ["certificate", "key"])]
    pkcs12: Option<PathBuf>,
    /// Password of the PKCS#12 file.
    #[arg(long, default_value = "")]
    password: String,
    /// Certificate, PEM or DER; further ones in it are sent along.
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// Private key, PKCS#8 as PEM or DER.
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
}

struct Keys {
    pairs: Vec<KeyPair>,
    chain: Vec<Certificate>,
}

impl KeyArgs {
    fn read(&self) -> Result<Keys, Failure> {
        match (&self.pkcs12, &self.certificate, &self.key) {
            (Some(file), _, _) => {
                let contents = pkcs12::import(&read_input(file)?, &self.password)
                    .map_err(|error| Failure::new(format_args!("{}: {error}", file.display())))?;
                let pairs = contents
                    .pairs
                    .into_iter()
                    .map(|(certificate, key)| KeyPair { certificate, key })
                    .collect();
                Ok(Keys {
                    pairs,
                    chain: contents.chain,
                })
            }
            (None, Some(certificate), Some(key)) => read_pair(certificate, key),
            _ => Err(Failure::new("give --pkcs12, or --certificate and --key")),
        }
    }
}

fn read_pair(certificate: &Path, key: &Path) -> Result<Keys, Failure> {
    let mut certificates = read_certificate_file(certificate)?;
    let private = PrivateKey::read(&read_input(key)?)
        .map_err(|error| Failure::new(format_args!("{}: {error}", key.display())))?;
    let own = certificates
        .iter()
        .position(|certificate| private.matches(certificate));
    let own = own.ok_or_else(|| {
        Failure::new(format_args!(
            "no certificate in {} belongs to the key in {}",
            certificate.display(),
            key.display()
        ))
    })?;
    let certificate = certificates.remove(own);
    Ok(Keys {
        pairs: vec![KeyPair {
            certificate,
            key: private,
        }],
        chain: certificates,
    })
}

fn read_certificate_file(path: &Path) -> Result<Vec<Certificate>, Failure> {
    read_certificates(&path.display().to_string(), Path::new(""))
}

/// Carries out a verb on a message file.
pub fn smime(command: &SmimeCommand, output: Output) -> Done {
    match command {
        SmimeCommand::Sign {
            file,
            key,
            opaque,
            output: to,
        } => {
            let form = if *opaque { Form::Opaque } else { Form::Clear };
            sign_file(file, &key.read()?, form, to.as_deref())
        }
        SmimeCommand::Encrypt { file, to, output } => encrypt_file(file, to, output.as_deref()),
        SmimeCommand::Verify { file, roots } => verify_file(file, roots, output),
        SmimeCommand::Decrypt {
            file,
            key,
            output: to,
        } => decrypt_file(file, &key.read()?, to.as_deref(), output),
    }
}

fn sign_file(file: &Path, keys: &Keys, form: Form, to: Option<&Path>) -> Done {
    let octets = read_message(file)?;
    let message = Message::read(&octets)?;
    let pair = keys
        .pairs
        .iter()
        .find(|pair| pair.certificate.may_sign().is_ok());
    let pair = pair.ok_or_else(|| Failure::new("none of the certificates may sign"))?;
    let entity = Canonical::new(&message)?;
    let signer = Signer {
        key: &pair.key,
        certificate: &pair.certificate,
        chain: &keys.chain,
        rsa_signature: Default::default(),
    };
    let signed = sign(&entity, form, signer, now(), &mut SystemRandom)?;
    write(to, &message.outer_fields(), &signed)
}

fn encrypt_file(file: &Path, recipients: &[PathBuf], to: Option<&Path>) -> Done {
    let octets = read_message(file)?;
    let message = Message::read(&octets)?;
    let mut certificates = Vec::new();
    for path in recipients {
        certificates.extend(read_certificate_file(path)?);
    }
    let recipients: Vec<_> = certificates.iter().map(EncryptTo::new).collect();
    let entity = message.entity();
    let enveloped = encrypt(&entity, &recipients, Default::default(), &mut SystemRandom)?;
    write(to, &message.outer_fields(), &enveloped)
}

#[derive(Serialize)]
struct Verified {
    verdict: SignatureVerdict,
    signers: Vec<VerifiedSigner>,
}

#[derive(Serialize)]
struct VerifiedSigner {
    verdict: SignatureVerdict,
    reason: &'static str,
    subject: Option<String>,
    issuer: Option<String>,
    addresses: Vec<String>,
    signing_time: Option<String>,
}

fn verify_file(file: &Path, roots: &[PathBuf], output: Output) -> Done {
    let octets = read_message(file)?;
    let message = Message::read(&octets)?;
    let mut anchors = Vec::new();
    for path in roots {
        anchors.extend(read_certificate_file(path)?);
    }
    let anchors = TrustAnchors::new(anchors);
    let from = message.single_from().map(|mailbox| mailbox.address);
    let input = VerifyInput {
        anchors: &anchors,
        at: now(),
        from: from.as_ref(),
        date: message.date(),
        known: &[],
        switches: sealgate_smime::algorithms::Switches::default(),
    };
    let verified = verified(&verify(&message, &input)?);
    output.show(&verified, human)?;
    if verified.verdict == SignatureVerdict::Valid {
        Ok(())
    } else {
        no(format!("the signature is {}", verified.verdict.as_str()))
    }
}

fn verified(report: &SignatureReport) -> Verified {
    let signers = report.signers.iter().map(|signer| VerifiedSigner {
        verdict: signer.verdict,
        reason: signer.reason,
        subject: signer.certificate.as_ref().map(Certificate::subject_name),
        issuer: signer.certificate.as_ref().map(Certificate::issuer_name),
        addresses: signer
            .certificate
            .iter()
            .flat_map(Certificate::addresses)
            .map(ToString::to_string)
            .collect(),
        signing_time: signer.signing_time.map(|time| time.rfc3339()),
    });
    Verified {
        verdict: report.verdict,
        signers: signers.collect(),
    }
}

fn human(verified: &Verified) -> String {
    let mut text = format!("signature: {}\n", verified.verdict.as_str());
    for signer in &verified.signers {
        let subject = signer
            .subject
            .as_deref()
            .unwrap_or("certificate not sent along");
        text.push_str(&format!(
            "  {}: {subject} <{}>\n",
            signer.verdict.as_str(),
            signer.addresses.join(", ")
        ));
        if let Some(issuer) = &signer.issuer {
            text.push_str(&format!("    issued by {issuer}\n"));
        }
        if !signer.reason.is_empty() {
            text.push_str(&format!("    {}\n", signer.reason));
        }
    }
    text
}

fn decrypt_file(file: &Path, keys: &Keys, to: Option<&Path>, output: Output) -> Done {
    let octets = read_message(file)?;
    let message = Message::read(&octets)?;
    let ring: Vec<_> = keys.pairs.iter().collect();
    let mut plain = Vec::new();
    match decrypt(
        &message,
        &ring,
        sealgate_smime::algorithms::Switches::default(),
        &mut plain,
    )? {
        Decryption::Opened { .. } => write(to, &message.outer_fields(), &plain),
        Decryption::NoKey => no("the message is not encrypted to this key".to_owned()),
        Decryption::Failed { .. } => no("the message cannot be decrypted".to_owned()),
        Decryption::Refused(limit) => no(format!("the message was not opened: {limit}")),
    }
    .and_then(|()| {
        if output.json {
            output.show(&serde_json::json!({ "decrypted": true }), |_| String::new())
        } else {
            Ok(())
        }
    })
}

fn no(message: String) -> Done {
    Err(Failure {
        message,
        code: CODE_NO,
    })
}

/// A message file; line ends of any system become CRLF, as on the wire.
fn read_message(path: &Path) -> Result<Vec<u8>, Failure> {
    let octets = read_input(path)?;
    let mut canonical = Vec::with_capacity(octets.len());
    let mut writer = sealgate_mail::encoding::CrlfWriter::new(&mut canonical);
    writer.write_all(&octets)?;
    writer.finish()?;
    Ok(canonical)
}

fn write(to: Option<&Path>, fields: &[u8], entity: &dyn Source) -> Done {
    let mut out: Box<dyn Write> = match to {
        Some(path) => Box::new(std::fs::File::create(path).map_err(|error| {
            Failure::new(format_args!("cannot write {}: {error}", path.display()))
        })?),
        None => Box::new(std::io::stdout().lock()),
    };
    out.write_all(fields)?;
    entity.write_to(&mut out)?;
    out.flush()?;
    Ok(())
}
