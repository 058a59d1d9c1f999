//! Whom an organisation trusts: its own roots, and certificates it never trusts.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sealgate_core::change::{Change, Described};
use sealgate_core::tenant::Blocked;
use sealgate_smime::certificate::Certificate;
use serde::Serialize;

use super::{Admin, yes_no};
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, table};
use crate::description::{block_by_fingerprint, block_of, read_certificates};

/// Verbs for trust.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Trust a certification authority.
    Add {
        /// PEM or DER file; every certificate in it.
        file: PathBuf,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// No longer trust a certification authority of the organisation's own.
    Remove(TrustArg),
    /// Never trust a certificate, nor what it certifies: of an authority, also a public one, or of anybody.
    Block(TrustArg),
    /// Take a block back.
    Unblock(TrustArg),
    /// List the organisation's own roots and its blocks.
    List {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// Which certificate.
#[derive(Debug, Args)]
pub struct TrustArg {
    /// PEM or DER file with one certificate.
    #[arg(required_unless_present = "sha256", conflicts_with = "sha256")]
    file: Option<PathBuf>,
    /// Its SHA-256 instead; for a block also that of its SubjectPublicKeyInfo, which blocks every certificate of the key.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// Carries out a verb for trust.
pub async fn trust(cli: &Cli, command: &TrustCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        TrustCommand::Add { file, organisation } => {
            let name = admin.organisation(organisation).await?;
            let roots = read_certificates(&file.to_string_lossy(), Path::new(""))?;
            let changes = roots.into_iter().map(Change::PutTrustRoot).collect();
            admin.report(&name, changes, output).await
        }
        TrustCommand::Remove(which) => {
            let sha256 = which.blocked()?.sha256;
            let known = which.described(&admin).await?.trust_roots;
            if !known.iter().any(|root| root.fingerprint() == sha256) {
                return Err(Failure::new(
                    "this is no root of the organisation's own; to distrust a public root, use: sealgate trust block",
                ));
            }
            admin
                .one(&which.organisation, Change::RemoveTrustRoot(sha256), output)
                .await
        }
        TrustCommand::Block(which) => {
            let change = Change::Block(which.blocked()?);
            admin.one(&which.organisation, change, output).await
        }
        TrustCommand::Unblock(which) => {
            let sha256 = which.blocked()?.sha256;
            let known = which.described(&admin).await?.blocked;
            if !known.iter().any(|one| one.sha256 == sha256) {
                return Err(Failure::new(
                    "this certificate is not blocked; list the blocks with: sealgate trust list",
                ));
            }
            admin
                .one(&which.organisation, Change::Unblock(sha256), output)
                .await
        }
        TrustCommand::List { organisation } => {
            let name = admin.organisation(organisation).await?;
            list(&admin.described(&name).await?.described, output)
        }
    }
}

impl TrustArg {
    fn blocked(&self) -> Result<Blocked, Failure> {
        if let Some(digits) = &self.sha256 {
            return block_by_fingerprint(digits);
        }
        let file = self.file.clone().unwrap_or_default();
        match read_certificates(&file.to_string_lossy(), Path::new(""))?.as_slice() {
            [certificate] => Ok(block_of(certificate)),
            several => Err(Failure::new(format_args!(
                "{} holds {} certificates; give a file with just one",
                file.display(),
                several.len()
            ))),
        }
    }

    async fn described(&self, admin: &Admin) -> Result<Described, Failure> {
        let name = admin.organisation(&self.organisation).await?;
        Ok(admin.described(&name).await?.described)
    }
}

#[derive(Serialize)]
struct Trust {
    public_roots: bool,
    roots: Vec<Root>,
    blocked: Vec<Blocked>,
}

#[derive(Serialize)]
struct Root {
    sha256: String,
    subject: String,
    valid_until: String,
}

fn root(certificate: &Certificate) -> Root {
    Root {
        sha256: certificate.fingerprint_hex(),
        subject: certificate.subject_name(),
        valid_until: certificate.not_after().rfc3339(),
    }
}

fn list(described: &Described, output: Output) -> Done {
    let trust = Trust {
        public_roots: described.settings.public_roots,
        roots: described.trust_roots.iter().map(root).collect(),
        blocked: described.blocked.clone(),
    };
    output.show(&trust, |trust| {
        let roots = trust.roots.iter().map(|root| {
            let (subject, sha256) = (root.subject.clone(), root.sha256.clone());
            vec!["trusted".to_owned(), subject, sha256]
        });
        let blocked = trust.blocked.iter().map(|one| {
            let subject = one.subject.clone().unwrap_or_default();
            vec!["blocked".to_owned(), subject, one.hex()]
        });
        let rows: Vec<_> = roots.chain(blocked).collect();
        format!(
            "{}public roots: {}\n",
            table(&["TRUST", "SUBJECT", "SHA-256"], &rows),
            yes_no(trust.public_roots)
        )
    })
}
