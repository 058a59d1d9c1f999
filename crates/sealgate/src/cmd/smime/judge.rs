//! `verify` and `decrypt`: all layers of a message file, opened and judged as the gateway does.

use std::path::{Path, PathBuf};

use clap::Args;
use sealgate_core::header_protection::honoured;
use sealgate_core::process::{OpenInput, Opened, open};
use sealgate_mail::{HeaderBlock, Message, Timestamp};
use sealgate_smime::algorithms::Switches;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::KeyPair;
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::revocation::{Evidence, Freshness, RevocationError};
use sealgate_smime::roots::mozilla_email;
use sealgate_smime::verdict::{EncryptionVerdict, SignatureVerdict};
use sealgate_smime::verify::{SignatureReport, SignerReport, signed_entity};
use serde::Serialize;

use super::file::{FileShelf, of, read_message, write};
use super::{Keys, read_certificate_file};
use crate::cmd::{CODE_NO, Done, Failure, Output, read_input};
use crate::gateway::now;
use crate::limits::INPUT_MESSAGE;

/// What a message is judged against.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// Trusted root certificates, PEM or DER.
    #[arg(long, value_name = "CERTIFICATES")]
    roots: Vec<PathBuf>,
    /// Trust Mozilla's roots for e-mail too.
    #[arg(long)]
    public_roots: bool,
    /// When the message was received, in RFC 3339 form; now if absent.
    #[arg(long, value_name = "TIME", value_parser = time_argument)]
    at: Option<Timestamp>,
    /// Let in Triple DES and SHA-1.
    #[arg(long)]
    legacy: bool,
    /// Let in keys on Brainpool curves.
    #[arg(long)]
    brainpool: bool,
    /// Revocation list, PEM or DER.
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// OCSP answer, DER.
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
}

fn time_argument(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse_rfc3339(text).ok_or("a time such as 2026-11-22T05:05:06Z is expected")
}

impl JudgeArgs {
    /// Whether it was said whom to trust, so that a signature can be anything but untrusted.
    fn asked(&self) -> bool {
        self.public_roots || !self.roots.is_empty()
    }

    fn evidence(&self) -> Result<Evidence, Failure> {
        let mut evidence = Evidence::default();
        add(&self.crl, |octets| evidence.add_crl(octets))?;
        add(&self.ocsp, |octets| evidence.add_ocsp(octets))?;
        Ok(evidence)
    }

    fn open(
        &self,
        message: &dyn sealgate_mail::Content,
        ring: &[&KeyPair],
    ) -> Result<Opened, Failure> {
        let mut anchors = Vec::new();
        for path in &self.roots {
            anchors.extend(read_certificate_file(path)?);
        }
        let mut anchors = TrustAnchors::new(anchors);
        if self.public_roots {
            anchors = anchors.with(&mozilla_email());
        }
        let at = self.at.unwrap_or_else(now);
        let input = OpenInput {
            content: message,
            ring,
            anchors: &anchors,
            known: &[],
            at,
            switches: Switches {
                legacy: self.legacy,
                brainpool: self.brainpool,
                at,
            },
            exact_local_parts: false,
            size_limit: INPUT_MESSAGE,
        };
        let mut opened = open(&input, &FileShelf)?;
        if !self.crl.is_empty() || !self.ocsp.is_empty() {
            opened.judge_revocation(&self.evidence()?, at, false);
        }
        Ok(opened)
    }
}

fn add(
    files: &[PathBuf],
    mut taken: impl FnMut(&[u8]) -> Result<Freshness, RevocationError>,
) -> Result<(), Failure> {
    for file in files {
        taken(&read_input(file)?)
            .map_err(|error| Failure::new(format_args!("{}: {error}", file.display())))?;
    }
    Ok(())
}

/// Judges the signatures of a message; `to` gets what the outermost covers.
pub fn verify(file: &Path, judge: &JudgeArgs, to: Option<&Path>, output: Output) -> Done {
    let content = read_message(file)?;
    let message = Message::read(&content).map_err(of(file))?;
    let opened = judge.open(&content, &[])?;
    if let Some(to) = to {
        match signed_entity(&message).map_err(of(file))? {
            Ok(entity) => write(Some(to), &[&entity])?,
            Err(fault) => return no(format!("{}: {fault}", file.display())),
        }
    }
    let verdict = opened.verdicts.signature;
    output.show(&Judged::new(&opened), human)?;
    if verdict == SignatureVerdict::Valid {
        return Ok(());
    }
    no(format!("{}: the signature is {verdict}", file.display()))
}

/// Decrypts a message, down to the innermost layer the keys open; what it says of itself is judged too where roots are
/// given. The message goes to `to`, else to standard output.
pub fn decrypt(file: &Path, keys: &Keys, judge: &JudgeArgs, out: (Option<&Path>, Output)) -> Done {
    let (to, output) = out;
    if output.json && to.is_none() {
        return Err(Failure::new(
            "with --json, --output says where the message goes",
        ));
    }
    let content = read_message(file)?;
    let message = Message::read(&content).map_err(of(file))?;
    let ring: Vec<&KeyPair> = keys.pairs.iter().collect();
    let opened = judge.open(&content, &ring)?;
    let Some(entity) = &opened.entity else {
        if output.json {
            output.show(&Judged::new(&opened), human)?;
        }
        return no(format!(
            "{}: {}",
            file.display(),
            unopened(opened.verdicts.encryption)
        ));
    };
    // Rows G3 and G4: of what was inside only Content-* and protected fields stand in the header.
    let inner = Message::read(entity.content.as_ref()).map_err(of(file))?;
    let mut fields = message.outer_fields();
    if let Some(protected) = &opened.protected {
        fields = honoured(&HeaderBlock::parse(&fields), protected);
    }
    write(to, &[&fields, &inner.entity()])?;
    let judged = Judged::new(&opened);
    if to.is_some() {
        output.show(&judged, human)?;
    } else {
        eprint!("{}", human(&judged));
    }
    let signature = opened.verdicts.signature;
    let good = [SignatureVerdict::None, SignatureVerdict::Valid].contains(&signature);
    if good || !judge.asked() {
        return Ok(());
    }
    no(format!("{}: the signature is {signature}", file.display()))
}

fn unopened(verdict: EncryptionVerdict) -> &'static str {
    match verdict {
        EncryptionVerdict::Refused => "the message was not opened: it goes beyond a limit",
        EncryptionVerdict::Failed => "the message cannot be decrypted",
        _ => "the message is not encrypted to this key",
    }
}

fn no(message: String) -> Done {
    Err(Failure {
        message,
        code: CODE_NO,
    })
}

/// What is said about a message.
#[derive(Serialize)]
struct Judged {
    /// The signature verdict.
    verdict: SignatureVerdict,
    encryption: EncryptionVerdict,
    /// The outermost first, such as `encrypted=decrypted`.
    layers: Vec<String>,
    /// Those of all signatures, the outermost first.
    signers: Vec<JudgedSigner>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct JudgedSigner {
    verdict: SignatureVerdict,
    reason: &'static str,
    subject: Option<String>,
    issuer: Option<String>,
    addresses: Vec<String>,
    /// What its certificate may be used for: `sign`, `encrypt`.
    uses: Vec<&'static str>,
    signing_time: Option<String>,
    algorithm: Option<&'static str>,
    digest: Option<&'static str>,
}

impl Judged {
    fn new(opened: &Opened) -> Self {
        let reports = opened.signatures.iter();
        Self {
            verdict: opened.verdicts.signature,
            encryption: opened.verdicts.encryption,
            layers: opened
                .verdicts
                .layers
                .iter()
                .map(ToString::to_string)
                .collect(),
            signers: reports
                .flat_map(|report: &SignatureReport| &report.signers)
                .map(JudgedSigner::new)
                .collect(),
            notes: opened
                .verdicts
                .notes
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

impl JudgedSigner {
    fn new(signer: &SignerReport) -> Self {
        let certificate = signer.certificate.as_ref();
        let addresses = certificate.into_iter().flat_map(Certificate::addresses);
        Self {
            verdict: signer.verdict,
            reason: signer.reason,
            subject: certificate.map(Certificate::subject_name),
            issuer: certificate.map(Certificate::issuer_name),
            addresses: addresses.map(ToString::to_string).collect(),
            uses: certificate.map_or_else(Vec::new, uses),
            signing_time: signer.signing_time.map(|time| time.rfc3339()),
            algorithm: signer.algorithm.map(|algorithm| algorithm.row().name),
            digest: signer.digest.map(|digest| digest.row().name),
        }
    }
}

/// RFC 8550 section 4.4: by basic constraints, key usage, extended key usage and the key itself (row X4).
fn uses(certificate: &Certificate) -> Vec<&'static str> {
    let may = [
        ("sign", certificate.may_sign()),
        ("encrypt", certificate.may_encrypt()),
    ];
    let allowed = may.into_iter().filter(|(_, may)| may.is_ok());
    allowed.map(|(name, _)| name).collect()
}

fn human(judged: &Judged) -> String {
    let mut text = format!("signature: {}\n", judged.verdict);
    if judged.encryption != EncryptionVerdict::None {
        text.push_str(&format!("encryption: {}\n", judged.encryption));
    }
    if judged.layers.len() > 1 {
        text.push_str(&format!(
            "layers: {}
",
            judged.layers.join(", ")
        ));
    }
    for signer in &judged.signers {
        let subject = signer
            .subject
            .as_deref()
            .unwrap_or("certificate not sent along");
        let addresses = signer.addresses.join(", ");
        text.push_str(&format!("  {}: {subject} <{addresses}>\n", signer.verdict));
        if let Some(issuer) = &signer.issuer {
            text.push_str(&format!("    issued by {issuer}\n"));
        }
        if let Some(algorithm) = signer.algorithm {
            text.push_str(&format!("    {algorithm}\n"));
        }
        if !signer.reason.is_empty() {
            text.push_str(&format!("    {}\n", signer.reason));
        }
    }
    for note in &judged.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}
