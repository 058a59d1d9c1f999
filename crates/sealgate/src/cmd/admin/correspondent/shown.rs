//! One correspondent's key with all that is known of it.

use sealgate_core::harvest::{self, Usable};
use sealgate_core::tenant::{CorrespondentKey, OrganisationId};
use sealgate_smime::algorithms::PublicKeyKind;
use sealgate_smime::certificate::Certificate;
use sealgate_store::{ChainLink, CorrespondentDetail, LearnedFrom, queue_id};
use serde::Serialize;

use super::{Admin, CorrespondentRow, KeyArg, state_words, word_of};
use crate::cmd::{Done, Failure, Output};
use crate::gateway::now;

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    row: CorrespondentRow,
    sha256: String,
    key: String,
    policies: Vec<String>,
    added: String,
    /// Whether the next mail to the address is encrypted to it.
    used_now: bool,
    learned_from: Option<Mail>,
    chain: Vec<ChainLink>,
    announced: Option<Announcement>,
    asked_again: Option<String>,
}

#[derive(Serialize)]
struct Mail {
    queue_id: String,
    from: Option<String>,
    message_id: Option<String>,
    at: Option<String>,
}

#[derive(Serialize)]
struct Announcement {
    at: String,
    reads: Vec<&'static str>,
}

pub(super) async fn show(admin: &Admin, which: &KeyArg, output: Output) -> Done {
    let organisation = admin.organisation_id(&which.organisation).await?;
    let detail = admin.store.correspondent(organisation, which.id).await?;
    let used_now = is_used(admin, organisation, &detail.key).await?;
    output.show(&shown(detail, used_now), text)
}

async fn is_used(
    admin: &Admin,
    organisation: OrganisationId,
    key: &CorrespondentKey,
) -> Result<bool, Failure> {
    let installation = admin.store.installation().await?;
    let Some(of) = installation.organisation(organisation) else {
        return Ok(false);
    };
    let address = std::slice::from_ref(&key.address);
    let known = admin.store.correspondents(organisation, address).await?;
    let keys = known
        .get(&key.address)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let usable = harvest::usable(keys, &of.anchors, of.profile(&key.address), now());
    Ok(matches!(usable, Usable::Keys(used) if used.iter().any(|one| one.id == key.id)))
}

fn shown(detail: CorrespondentDetail, used_now: bool) -> Shown {
    let key = detail.key;
    let certificate = &key.certificate;
    let policies = certificate.extensions().policies.iter().flatten();
    let announced = key.announced.as_ref().map(|announced| Announcement {
        at: announced.at.rfc3339(),
        reads: key
            .capabilities()
            .map(|known| known.names())
            .unwrap_or_default(),
    });
    Shown {
        sha256: certificate.fingerprint_hex(),
        key: kind(certificate),
        policies: policies.map(ToString::to_string).collect(),
        added: key.added.rfc3339(),
        used_now,
        learned_from: detail.mail.map(mail),
        chain: detail.chain,
        announced,
        asked_again: detail.ask_at.map(|at| at.rfc3339()),
        row: CorrespondentRow::new(key),
    }
}

fn mail(from: LearnedFrom) -> Mail {
    Mail {
        queue_id: queue_id(from.mail),
        from: from.header_from.map(|from| from.to_string()),
        message_id: from.message_id,
        at: from.at.map(|at| at.rfc3339()),
    }
}

fn kind(certificate: &Certificate) -> String {
    match certificate.key_kind() {
        Some(PublicKeyKind::Rsa(bits)) => format!("RSA with {bits} bits"),
        Some(PublicKeyKind::RsaPss(bits)) => format!("RSASSA-PSS with {bits} bits"),
        Some(PublicKeyKind::Ec(curve)) => format!("{curve:?}"),
        Some(other) => format!("{other:?}"),
        None => "unknown".to_owned(),
    }
}

fn text(shown: &Shown) -> String {
    let row = &shown.row;
    let mut lines = vec![
        ("public key", row.id.to_string()),
        ("address", row.address.to_string()),
        ("subject", row.subject.clone()),
        ("issued by", row.issuer.clone()),
        ("serial number", row.serial.clone()),
        ("sha-256", shown.sha256.clone()),
        ("kind of key", shown.key.clone()),
        ("valid from", row.valid_from.clone()),
        ("valid until", row.valid_until.clone()),
        ("state", state_words(row.state, row.pinned)),
        (
            "used now",
            if shown.used_now { "yes" } else { "no" }.to_owned(),
        ),
        ("origin", word_of(&row.origin)),
        ("added", shown.added.clone()),
    ];
    if let Some(mail) = &shown.learned_from {
        let from = mail.from.as_deref().unwrap_or("unknown");
        let at = mail.at.as_deref().unwrap_or("unknown");
        lines.push((
            "learned from",
            format!("mail {} from {from} at {at}", mail.queue_id),
        ));
        lines.extend(mail.message_id.clone().map(|id| ("message-id", id)));
    }
    let chain = shown.chain.iter();
    lines.extend(chain.map(|link| {
        (
            "vouched for by",
            format!("{} ({})", link.subject, link.sha256),
        )
    }));
    let policies = shown.policies.iter();
    lines.extend(policies.map(|policy| ("policy", policy.clone())));
    if let Some(announced) = &shown.announced {
        let reads = announced.reads.join(", ");
        lines.push(("announced", format!("{reads} (at {})", announced.at)));
    }
    let again = shown.asked_again.clone();
    lines.extend(again.map(|at| ("asked again", at)));
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines
        .iter()
        .map(|(name, value)| format!("{name:<width$}  {value}\n"))
        .collect()
}
