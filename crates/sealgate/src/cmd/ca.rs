//! `ca`: what of the built-in CA is public. Its keys are never shown.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use sealgate_net::ca::builtin::{Ca, ListOf, Published, Publisher};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::pem;
use sealgate_store::{IssuedCounts, Store};
use serde::Serialize;

use super::{Cli, Done, Failure, Output, configuration};
use crate::built_in;
use crate::gateway::{now, open_store};

/// Verbs for the built-in CA.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Show names, validity and fingerprints, and how many certificates were issued and revoked.
    Show,
    /// Write a public certificate as PEM: the issuing CA's, or the root's for correspondents to trust.
    Certificate {
        /// The root's.
        #[arg(long)]
        root: bool,
    },
    /// Write a new list of revoked certificates.
    Crl(CrlArgs),
}

/// Options of `ca crl`.
#[derive(Debug, Args)]
pub struct CrlArgs {
    /// The root's list instead of the issuing CA's.
    #[arg(long)]
    pub root: bool,
    /// As DER instead of PEM.
    #[arg(long)]
    pub der: bool,
    /// Write it there instead of to standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Shown {
    root: ShownCertificate,
    issuing: ShownCertificate,
    certificates: IssuedCounts,
    published_at: Option<String>,
}

#[derive(Serialize)]
struct ShownCertificate {
    name: String,
    serial: String,
    not_before: String,
    not_after: String,
    sha256: String,
}

impl ShownCertificate {
    fn of(certificate: &Certificate) -> Self {
        Self {
            name: certificate.subject_name(),
            serial: certificate.serial_hex(),
            not_before: certificate.not_before().rfc3339(),
            not_after: certificate.not_after().rfc3339(),
            sha256: certificate.fingerprint_hex(),
        }
    }

    fn words(&self, what: &str) -> String {
        format!(
            "{what}: {}\n  valid from {} to {}\n  serial number {}\n  SHA-256 {}\n",
            self.name, self.not_before, self.not_after, self.serial, self.sha256
        )
    }
}

/// Carries out a verb.
pub async fn ca(cli: &Cli, command: &CaCommand, output: Output) -> Done {
    let config = configuration(cli)?;
    let store = open_store(&config).await?;
    let found = built_in::find(&store).await?.ok_or_else(|| {
        Failure::new("there is no built-in CA yet; it is made when it issues its first certificate, or when `serve` starts with [publish]")
    })?;
    match command {
        CaCommand::Show => {
            let shown = Shown {
                root: ShownCertificate::of(&found.root_certificate),
                issuing: ShownCertificate::of(&found.issuing_certificate),
                certificates: store.issued_counts().await?,
                published_at: config.publish.map(|publish| publish.url),
            };
            output.show(&shown, words)
        }
        CaCommand::Certificate { root } => {
            let certificate = match root {
                true => &found.root_certificate,
                false => &found.issuing_certificate,
            };
            let shown = serde_json::json!({
                "name": certificate.subject_name(),
                "sha256": certificate.fingerprint_hex(),
                "pem": certificate.pem(),
            });
            output.show(&shown, |_| certificate.pem())
        }
        CaCommand::Crl(arguments) => crl(found, store, arguments, output).await,
    }
}

fn words(shown: &Shown) -> String {
    let counts = shown.certificates;
    let published = shown.published_at.as_ref().map_or_else(
        || "not published: the configuration has no [publish]".to_owned(),
        |url| format!("published at {url}"),
    );
    format!(
        "{}{}{} certificates issued, {} of them revoked\n{published}\n",
        shown.root.words("root"),
        shown.issuing.words("issuing CA"),
        counts.issued,
        counts.revoked
    )
}

async fn crl(ca: Ca, store: Store, arguments: &CrlArgs, output: Output) -> Done {
    let of = match arguments.root {
        true => ListOf::Root,
        false => ListOf::Issuing,
    };
    let list = Publisher::new(ca, Arc::new(store), now).list(of).await?;
    let text = pem::write("X509 CRL", &list.octets);
    let octets = match arguments.der {
        true => list.octets.to_vec(),
        false => text.clone().into_bytes(),
    };
    let Some(path) = &arguments.out else {
        if arguments.der && !output.json {
            return Ok(std::io::stdout().write_all(&octets)?);
        }
        return output.show(&shown_list(&list, Some(&text)), |_| text.clone());
    };
    std::fs::write(path, octets)
        .map_err(|error| Failure::new(format_args!("cannot write {}: {error}", path.display())))?;
    output.show(&shown_list(&list, None), |_| {
        format!(
            "{}: counts until {}\n",
            path.display(),
            list.until.rfc3339()
        )
    })
}

fn shown_list(list: &Published, pem: Option<&str>) -> serde_json::Value {
    let mut shown = serde_json::json!({
        "this_update": list.from.rfc3339(),
        "next_update": list.until.rfc3339(),
    });
    if let (Some(pem), Some(fields)) = (pem, shown.as_object_mut()) {
        fields.insert("pem".to_owned(), pem.into());
    }
    shown
}
