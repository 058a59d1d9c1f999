//! Mass re-issue: the next certificates of many active mailboxes, chosen by issuer, kind of key, end or list; throttled, and
//! gone on with after any interruption.

use std::path::PathBuf;

use clap::Args;
use sealgate_core::change::{Activation, Change};
use sealgate_core::mailbox::MailboxState;
use sealgate_core::order::Purpose;
use sealgate_core::tenant::Mailbox;
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::KeyKind;
use serde::Serialize;

use super::mailbox::{self, Refused};
use super::{Admin, word_of};
use crate::cmd::{
    CODE_NO, Cli, Done, Failure, OrganisationArg, Output, address_argument, read_input,
};
use crate::lifecycle;

/// Options of `reissue`.
#[derive(Debug, Args)]
pub struct ReissueArgs {
    /// Mailboxes; or choose by the options below.
    #[arg(value_parser = address_argument)]
    addresses: Vec<Address>,
    /// A file with one mailbox on each line.
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Those whose certificate has this in its issuer's name.
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// Those whose certificate is for this kind of key: rsa-2048, rsa-3072, rsa-4096, p-256 or p-384.
    #[arg(long, value_parser = any_key_kind, value_name = "KIND")]
    with_key: Option<KeyKind>,
    /// Those whose certificate ends before this day, as 2027-12-31.
    #[arg(long, value_parser = super::day, value_name = "DAY")]
    ending_before: Option<Timestamp>,
    /// All active mailboxes.
    #[arg(long)]
    all: bool,
    /// The authority to order from; the standard one if absent.
    #[arg(long, value_name = "NAME")]
    authority: Option<String>,
    /// The kind of key to make: rsa-3072, p-256 or p-384.
    #[arg(long, default_value = "rsa-3072", value_parser = lifecycle::key_kind)]
    key: KeyKind,
    /// The token to make keys on.
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
    /// At most so many orders in a minute.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    per_minute: Option<u32>,
    /// Revoke the present certificates when the next ones are there.
    #[arg(long)]
    revoke: bool,
    /// Name the mailboxes and order nothing.
    #[arg(long)]
    dry_run: bool,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

#[derive(Serialize)]
struct Reissued {
    organisation: String,
    dry_run: bool,
    ordered: Vec<Address>,
    refused: Vec<Refused>,
    live: String,
}

/// Orders the next certificates.
pub async fn reissue(cli: &Cli, arguments: &ReissueArgs, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    let name = admin.organisation(&arguments.organisation).await?;
    let chosen = choose(&admin, &name, arguments).await?;
    if arguments.dry_run || chosen.is_empty() {
        let done = Reissued {
            organisation: name,
            dry_run: arguments.dry_run,
            ordered: chosen,
            refused: Vec::new(),
            live: "nothing was ordered".to_owned(),
        };
        return output.show(&done, human);
    }
    let purpose = if arguments.revoke {
        Purpose::Replacement
    } else {
        Purpose::Renewal
    };
    let order = |mailbox: &Address| {
        let activation = Activation {
            mailbox: mailbox.clone(),
            authority: arguments.authority.clone(),
            key: arguments.key,
            token: arguments.token.clone(),
        };
        Change::Renew(activation, purpose)
    };
    let changes: Vec<Change> = chosen.iter().map(order).collect();
    let count = chosen.len();
    let about = (
        sealgate_core::saying::Changes::NextOf { count }.into(),
        arguments.per_minute,
    );
    let changed = admin.instruct_many(&name, about, &changes).await?;
    let (refused, ordered) = mailbox::split(&chosen, &changed.refused);
    let done = Reissued {
        organisation: name,
        dry_run: false,
        ordered,
        refused,
        live: changed.live,
    };
    output.show(&done, human)?;
    match done.refused.len() {
        0 => Ok(()),
        count => Err(Failure {
            message: format!("{count} of {} mailboxes were refused", chosen.len()),
            code: CODE_NO,
        }),
    }
}

fn human(done: &Reissued) -> String {
    let mut text = match (done.ordered.len(), done.dry_run) {
        (0, _) if done.refused.is_empty() => "no active mailbox is chosen\n".to_owned(),
        (count, true) => format!("would order the next certificates of {count} mailboxes:\n"),
        (count, false) => format!("ordered the next certificates of {count} mailboxes\n"),
    };
    if done.dry_run {
        text.extend(done.ordered.iter().map(|mailbox| format!("  {mailbox}\n")));
    }
    for refused in &done.refused {
        text.push_str(&format!("  not for {}: {}\n", refused.mailbox, refused.why));
    }
    if !done.dry_run && !done.ordered.is_empty() {
        text.push_str("`sealgate order batches` shows how far they are\n");
    }
    format!("{text}{}\n", done.live)
}

/// The active mailboxes that are meant: those named, or all that every given option is true of.
async fn choose(
    admin: &Admin,
    name: &str,
    arguments: &ReissueArgs,
) -> Result<Vec<Address>, Failure> {
    let mut named = arguments.addresses.clone();
    if let Some(file) = &arguments.list {
        let text = String::from_utf8_lossy(&read_input(file)?).into_owned();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            named.push(
                address_argument(line).map_err(|why| {
                    Failure::new(format_args!("{}: {line}: {why}", file.display()))
                })?,
            );
        }
    }
    let by_option = arguments.issuer.is_some()
        || arguments.with_key.is_some()
        || arguments.ending_before.is_some();
    if named.is_empty() && !by_option && !arguments.all {
        return Err(Failure::new(
            "choose the mailboxes: name them, or give --list, --issuer, --with-key, --ending-before or --all",
        ));
    }
    let installation = admin.store.installation().await?;
    let organisation = installation
        .organisations()
        .iter()
        .find(|organisation| organisation.name == name)
        .ok_or_else(|| crate::cmd::apply::no_such_organisation(name))?;
    if !named.is_empty() && !by_option {
        return Ok(named);
    }
    let mut mailboxes: Vec<&Mailbox> = organisation
        .mailboxes
        .values()
        .filter(|mailbox| mailbox.state == MailboxState::Active)
        .filter(|mailbox| named.is_empty() || named.contains(&mailbox.address))
        .collect();
    mailboxes.sort_by(|a, b| a.address.cmp(&b.address));
    let mut chosen = Vec::new();
    for mailbox in mailboxes {
        if !by_option || fits(admin, mailbox, arguments).await? {
            chosen.push(mailbox.address.clone());
        }
    }
    Ok(chosen)
}

async fn fits(admin: &Admin, mailbox: &Mailbox, arguments: &ReissueArgs) -> Result<bool, Failure> {
    let Some(current) = mailbox.signing else {
        return Ok(false);
    };
    let in_time = arguments
        .ending_before
        .is_none_or(|day| current.not_after < day);
    if !in_time || (arguments.issuer.is_none() && arguments.with_key.is_none()) {
        return Ok(in_time);
    }
    let certificate = admin.store.certificate(current.key).await?;
    Ok(is_meant(&certificate, arguments))
}

fn is_meant(certificate: &Certificate, arguments: &ReissueArgs) -> bool {
    let by_issuer = arguments.issuer.as_ref().is_none_or(|text| {
        let issuer = certificate.issuer().to_string().to_lowercase();
        issuer.contains(&text.to_lowercase())
    });
    let by_key = arguments
        .with_key
        .is_none_or(|kind| sealgate_store::key_kind(certificate) == kind);
    by_issuer && by_key
}

fn any_key_kind(text: &str) -> Result<KeyKind, String> {
    const KINDS: [KeyKind; 5] = [
        KeyKind::Rsa2048,
        KeyKind::Rsa3072,
        KeyKind::Rsa4096,
        KeyKind::P256,
        KeyKind::P384,
    ];
    let found = KINDS
        .into_iter()
        .find(|kind| word_of(kind).replace('-', "") == text.replace('-', ""));
    found.ok_or_else(|| {
        format!("\"{text}\" is no kind of key; write rsa-2048, rsa-3072, rsa-4096, p-256 or p-384")
    })
}
