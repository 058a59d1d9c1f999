//! `smime sign|encrypt|verify|decrypt FILE`: the engine on message files, without a gateway.

mod choice;
mod file;
mod judge;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sealgate_mail::Message;
use sealgate_mail::canonical::Canonical;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::KeyPair;
use sealgate_smime::encrypt::{EncryptTo, encrypt};
use sealgate_smime::key::PrivateKey;
use sealgate_smime::pkcs12;
use sealgate_smime::sign::{Form, Signer, sign};

use self::choice::{EncryptChoice, SignChoice};
use self::file::{of, read_message, write};
use self::judge::JudgeArgs;
use super::{Done, Failure, Output, read_input};
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
        /// Algorithms.
        #[command(flatten)]
        choice: SignChoice,
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
        /// Algorithms.
        #[command(flatten)]
        choice: EncryptChoice,
        /// Where to write; standard output if absent.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Judge the signatures of a message.
    Verify {
        /// The message.
        file: PathBuf,
        /// What to judge against.
        #[command(flatten)]
        judge: JudgeArgs,
        /// Where to write what the outermost signature covers.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Decrypt a message, and judge the signatures inside.
    Decrypt {
        /// The message.
        file: PathBuf,
        /// Recipient.
        #[command(flatten)]
        key: KeyArgs,
        /// What to judge against.
        #[command(flatten)]
        judge: JudgeArgs,
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
            choice,
            output: to,
        } => {
            let form = if *opaque { Form::Opaque } else { Form::Clear };
            sign_file(file, (&key.read()?, choice), form, to.as_deref())
        }
        SmimeCommand::Encrypt {
            file,
            to,
            choice,
            output,
        } => encrypt_file(file, to, choice, output.as_deref()),
        SmimeCommand::Verify {
            file,
            judge,
            output: to,
        } => judge::verify(file, judge, to.as_deref(), output),
        SmimeCommand::Decrypt {
            file,
            key,
            judge,
            output: to,
        } => judge::decrypt(file, &key.read()?, judge, (to.as_deref(), output)),
    }
}

fn sign_file(
    file: &Path,
    (keys, choice): (&Keys, &SignChoice),
    form: Form,
    to: Option<&Path>,
) -> Done {
    let content = read_message(file)?;
    let message = Message::read(&content).map_err(of(file))?;
    let pair = keys
        .pairs
        .iter()
        .find(|pair| pair.certificate.may_sign().is_ok());
    let pair = pair.ok_or_else(|| Failure::new("none of the certificates may sign"))?;
    let entity = Canonical::new(&message).map_err(of(file))?;
    let others = keys
        .pairs
        .iter()
        .filter(|other| other.certificate != pair.certificate);
    let others = others.map(|other| other.certificate.clone());
    let chain: Vec<_> = keys.chain.iter().cloned().chain(others).collect();
    let signer = Signer {
        key: &pair.key,
        certificate: &pair.certificate,
        chain: &chain,
        rsa_signature: choice.rsa_signature(&pair.key)?,
    };
    let signed = sign(&entity, form, signer, now(), &mut SystemRandom).map_err(of(file))?;
    write(to, &[&message.outer_fields(), &signed])
}

fn encrypt_file(
    file: &Path,
    recipients: &[PathBuf],
    choice: &EncryptChoice,
    to: Option<&Path>,
) -> Done {
    let content = read_message(file)?;
    let message = Message::read(&content).map_err(of(file))?;
    let mut certificates = Vec::new();
    for path in recipients {
        certificates.extend(read_certificate_file(path)?);
    }
    let recipients: Vec<_> = certificates.iter().map(EncryptTo::new).collect();
    let entity = message.entity();
    let enveloped = encrypt(&entity, &recipients, choice.suite(), &mut SystemRandom);
    let enveloped = enveloped.map_err(of(file))?;
    write(to, &[&message.outer_fields(), &enveloped])
}
