//! DKIM keys of domains: create, list, show the record, check it, activate, rotate, remove.

use clap::{Args, Subcommand};
use sealgate_core::dkim::{DkimKey, DkimKeyKind, DkimKeyState, Published, Selector};
use sealgate_core::prerequisite::Answer;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Domain;
use sealgate_net::dns::Dns;
use sealgate_net::prerequisites;
use sealgate_store::NewDkimKey;
use serde::Serialize;

use super::{Admin, domain, word};
use crate::cmd::{CODE_NO, Cli, Done, Failure, OrganisationArg, Output, configuration, table};
use crate::dkim::generate;
use crate::gateway::now;

/// Verbs for DKIM keys.
#[derive(Debug, Subcommand)]
pub enum DkimCommand {
    /// Make a key for a domain and show its record; it signs from when the record is seen in DNS.
    Create {
        /// Domain of an inbound route.
        #[arg(value_parser = domain)]
        domain: Domain,
        /// Name of the key below the domain; the next free one if absent.
        #[arg(long, value_parser = Selector::parse)]
        selector: Option<Selector>,
        /// rsa-2048, or ed25519 beside it.
        #[arg(long, default_value = "rsa-2048", value_parser = word::<DkimKeyKind>)]
        kind: DkimKeyKind,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// List the keys.
    List {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Show the records to publish.
    Show(KeysArg),
    /// Compare the records with DNS and say what to do.
    Check(KeysArg),
    /// Let new keys sign, once their records are in DNS; a running gateway does so by itself within minutes.
    Activate {
        /// Which keys.
        #[command(flatten)]
        keys: KeysArg,
        /// Do not look into DNS.
        #[arg(long)]
        force: bool,
    },
    /// Make the next key for each that signs; the old one goes on signing until the record of the new one is in DNS.
    Rotate(KeysArg),
    /// Remove a key, whatever its state; what it signed is verified no longer once its record is gone.
    Remove {
        /// Domain.
        #[arg(value_parser = domain)]
        domain: Domain,
        /// Selector of the key.
        #[arg(value_parser = Selector::parse)]
        selector: Selector,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// Keys of a domain.
#[derive(Debug, Args)]
pub struct KeysArg {
    /// Domain.
    #[arg(value_parser = domain)]
    domain: Domain,
    /// Only the key with this selector.
    #[arg(long, value_parser = Selector::parse)]
    selector: Option<Selector>,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// A key with its record.
#[derive(Serialize)]
struct Shown {
    domain: Domain,
    selector: Selector,
    kind: DkimKeyKind,
    state: DkimKeyState,
    since: String,
    gone_at: Option<String>,
    record_name: String,
    record: String,
    zone_line: String,
}

impl From<&DkimKey> for Shown {
    fn from(key: &DkimKey) -> Self {
        Self {
            domain: key.domain.clone(),
            selector: key.selector.clone(),
            kind: key.kind,
            state: key.state,
            since: key.since.rfc3339(),
            gone_at: key.gone_at().map(|at| at.rfc3339()),
            record_name: key.record_name(),
            record: key.record(),
            zone_line: key.zone_line(),
        }
    }
}

/// Carries out a verb for DKIM keys.
pub async fn dkim(cli: &Cli, command: &DkimCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        DkimCommand::Create {
            domain,
            selector,
            kind,
            organisation,
        } => {
            let id = admin.organisation_id(organisation).await?;
            let key = create(&admin, (id, domain), *kind, selector.clone()).await?;
            output.show(&Shown::from(&key), |shown| {
                records(std::slice::from_ref(shown))
            })
        }
        DkimCommand::List { organisation } => {
            let id = admin.organisation_id(organisation).await?;
            let keys = admin.store.dkim_keys(id).await?;
            output.show(&keys.iter().map(Shown::from).collect::<Vec<_>>(), |shown| {
                list(shown)
            })
        }
        DkimCommand::Show(which) => {
            let (_, keys) = found(&admin, which).await?;
            let shown: Vec<_> = keys.iter().map(Shown::from).collect();
            output.show(&shown, |shown| records(shown))
        }
        DkimCommand::Check(which) => check(cli, &admin, which, output).await,
        DkimCommand::Activate { keys, force } => {
            activate(cli, &admin, (keys, *force), output).await
        }
        DkimCommand::Rotate(which) => rotate(&admin, which, output).await,
        DkimCommand::Remove {
            domain,
            selector,
            organisation,
        } => {
            let id = admin.organisation_id(organisation).await?;
            remove(&admin, id, (domain, selector), output).await
        }
    }
}

async fn create(
    admin: &Admin,
    (organisation, domain): (OrganisationId, &Domain),
    kind: DkimKeyKind,
    selector: Option<Selector>,
) -> Result<DkimKey, Failure> {
    let key = tokio::task::spawn_blocking(move || generate(kind)).await??;
    let new = NewDkimKey {
        organisation,
        domain: domain.clone(),
        selector,
        kind,
        key,
    };
    let made = admin.store.create_dkim_key(new, "command line", now());
    Ok(made.await?)
}

/// The keys an argument names; at least one.
async fn found(admin: &Admin, which: &KeysArg) -> Result<(OrganisationId, Vec<DkimKey>), Failure> {
    let id = admin.organisation_id(&which.organisation).await?;
    let mut keys = admin.store.dkim_keys(id).await?;
    let domain = &which.domain;
    keys.retain(|key| key.domain == *domain);
    if keys.is_empty() {
        return Err(Failure::new(format_args!(
            "{domain} has no DKIM key; make one with: sealgate dkim create {domain}"
        )));
    }
    if let Some(selector) = &which.selector {
        keys.retain(|key| key.selector == *selector);
        if keys.is_empty() {
            return Err(no_such_key(domain, selector));
        }
    }
    Ok((id, keys))
}

fn no_such_key(domain: &Domain, selector: &Selector) -> Failure {
    Failure::new(format_args!(
        "{domain} has no DKIM key {selector}; list them with: sealgate dkim list"
    ))
}

fn list(shown: &[Shown]) -> String {
    let rows: Vec<_> = shown
        .iter()
        .map(|key| {
            vec![
                key.domain.to_string(),
                key.selector.to_string(),
                key.kind.to_string(),
                key.state.as_str().to_owned(),
                key.since.clone(),
                key.gone_at.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let heading = ["DOMAIN", "SELECTOR", "KIND", "STATE", "SINCE", "REMOVED AT"];
    table(&heading, &rows)
}

/// The records, as a form of a DNS provider and as a zone file want them.
fn records(shown: &[Shown]) -> String {
    let one = |key: &Shown| {
        format!(
            "{} key {} of {}, {}\nName:   {}\nType:   TXT\nValue:  {}\nIn a zone file:\n{}\n",
            key.kind,
            key.selector,
            key.domain,
            key.state.as_str(),
            key.record_name,
            key.record,
            key.zone_line
        )
    };
    let all: Vec<String> = shown.iter().map(one).collect();
    all.join("\n")
}

/// What DNS says of a key.
#[derive(Serialize)]
struct Checked {
    selector: Selector,
    state: DkimKeyState,
    /// `seen`, `missing`, `wrong` or `unknown`.
    record: &'static str,
    text: String,
}

impl Checked {
    fn new(key: &DkimKey, answer: &Answer<Published>) -> Self {
        let name = key.record_name();
        let publish = format!(
            "publish what this shows: sealgate dkim show {} --selector {}",
            key.domain, key.selector
        );
        let (record, text) = match (answer, key.state) {
            (Answer::Known(Published::Seen), DkimKeyState::New) => (
                "seen",
                format!(
                    "{name} is right; let it sign with: sealgate dkim activate {}",
                    key.domain
                ),
            ),
            (Answer::Known(Published::Seen), _) => ("seen", format!("{name} is right")),
            (Answer::Known(Published::Missing), _) => {
                ("missing", format!("{name} is not in DNS: {publish}"))
            }
            (Answer::Known(Published::Wrong(fault)), _) => {
                ("wrong", format!("{name} is wrong, {fault}: {publish}"))
            }
            (Answer::Off, _) => (
                "unknown",
                "nothing can be asked: DNS is switched off in the configuration".to_owned(),
            ),
            (Answer::Missing(why), _) => {
                ("unknown", format!("{name} cannot be asked for now: {why}"))
            }
        };
        Self {
            selector: key.selector.clone(),
            state: key.state,
            record,
            text,
        }
    }

    fn is_seen(&self) -> bool {
        self.record == "seen"
    }
}

async fn ask(cli: &Cli, keys: &[DkimKey]) -> Result<Vec<Checked>, Failure> {
    let dns = Dns::new(configuration(cli)?.dns_config().map_err(Failure::new)?)?;
    let mut checked = Vec::new();
    for key in keys {
        let answer = prerequisites::published(&dns, key).await;
        checked.push(Checked::new(key, &answer));
    }
    Ok(checked)
}

async fn check(cli: &Cli, admin: &Admin, which: &KeysArg, output: Output) -> Done {
    let (_, keys) = found(admin, which).await?;
    let checked = ask(cli, &keys).await?;
    output.show(&checked, |checked| {
        checked
            .iter()
            .map(|one| format!("{}\n", one.text))
            .collect()
    })?;
    match checked.iter().filter(|one| !one.is_seen()).count() {
        0 => Ok(()),
        bad => Err(Failure {
            message: format!(
                "{bad} of {} records of {} are not seen in DNS",
                checked.len(),
                which.domain
            ),
            code: CODE_NO,
        }),
    }
}

async fn activate(
    cli: &Cli,
    admin: &Admin,
    (which, force): (&KeysArg, bool),
    output: Output,
) -> Done {
    let (id, mut keys) = found(admin, which).await?;
    keys.retain(|key| key.state == DkimKeyState::New);
    if keys.is_empty() {
        return Err(Failure::new(format_args!(
            "{} has no new DKIM key; make one with: sealgate dkim rotate {}",
            which.domain, which.domain
        )));
    }
    if !force && let Some(bad) = ask(cli, &keys).await?.iter().find(|one| !one.is_seen()) {
        return Err(Failure::new(&bad.text));
    }
    for key in &keys {
        admin
            .store
            .activate_dkim_key((id, key.id), "command line", now())
            .await?;
    }
    let (_, keys) = found(admin, which).await?;
    output.show(&keys.iter().map(Shown::from).collect::<Vec<_>>(), |shown| {
        list(shown)
    })
}

async fn rotate(admin: &Admin, which: &KeysArg, output: Output) -> Done {
    let (id, mut keys) = found(admin, which).await?;
    keys.retain(|key| key.state == DkimKeyState::Active);
    if keys.is_empty() {
        return Err(Failure::new(format_args!(
            "{} has no active DKIM key to be followed by another; see: sealgate dkim list",
            which.domain
        )));
    }
    let mut made = Vec::new();
    for key in &keys {
        made.push(create(admin, (id, &which.domain), key.kind, None).await?);
    }
    let shown: Vec<_> = made.iter().map(Shown::from).collect();
    output.show(&shown, |shown| {
        format!(
            "{}\nThe old key signs until this record is in DNS. Leave its record there for another seven days.\n",
            records(shown)
        )
    })
}

async fn remove(
    admin: &Admin,
    id: OrganisationId,
    (domain, selector): (&Domain, &Selector),
    output: Output,
) -> Done {
    let keys = admin.store.dkim_keys(id).await?;
    let is_meant = |key: &&DkimKey| key.domain == *domain && key.selector == *selector;
    let key = keys
        .iter()
        .find(is_meant)
        .ok_or_else(|| no_such_key(domain, selector))?;
    admin
        .store
        .remove_dkim_key((id, key.id), "command line", now())
        .await?;
    let done = serde_json::json!({ "domain": domain, "selector": selector, "removed": true });
    output.show(&done, |_| {
        format!(
            "DKIM key {selector} of {domain} removed; take {} out of DNS when no mail that it signed is under way any more\n",
            key.record_name()
        )
    })
}
