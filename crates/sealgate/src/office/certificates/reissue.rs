//! New certificates for many mailboxes: which are meant, and what they are ordered with.

use std::collections::HashSet;

use sealgate_core::order::Purpose;
use sealgate_core::saying::{Inputs, Refusals};
use sealgate_mail::Address;
use sealgate_portal::auth::{Permitted, Write};
use sealgate_portal::office::Asked;
use sealgate_portal::office::certificates::{Reissue, ReissueChoice, ReissuePreview, Reissued};
use sealgate_portal::problem::Problem;
use sealgate_smime::key::KeyKind;
use sealgate_store::limits::{PAGE_ROWS, TOGETHER};
use sealgate_store::{BulkAction, CertificateQuery, Certificates};

use super::in_days;
use crate::limits::{REISSUE_NAMED, REISSUE_PER_MINUTE, REISSUE_SHOWN};
use crate::office::{PortalOffice, problem};

impl PortalOffice {
    pub(super) async fn preview(
        &self,
        who: &Permitted<Write>,
        choice: &ReissueChoice,
    ) -> Asked<ReissuePreview> {
        judge(choice)?;
        if !choice.mailboxes.is_empty() {
            let chosen = self.chosen_for_reissue(who, (choice, false)).await?;
            let revocable = self.chosen_for_reissue(who, (choice, true)).await?;
            let meant: HashSet<&Address> = chosen.iter().collect();
            let named = choice.mailboxes.iter();
            let left_out = named.filter(|address| !meant.contains(address));
            return Ok(ReissuePreview {
                mailboxes: chosen.len() as u64,
                revocable: revocable.len() as u64,
                left_out: left_out.take(REISSUE_SHOWN).cloned().collect(),
                first: chosen.iter().take(REISSUE_SHOWN).cloned().collect(),
            });
        }
        let store = &self.0.store;
        let mut query = query(choice);
        let count = store.certificate_count(who.organisation(), &query).await;
        query.issued = true;
        let revocable = store.certificate_count(who.organisation(), &query).await;
        query.issued = false;
        query.limit = u32::try_from(REISSUE_SHOWN).unwrap_or(PAGE_ROWS);
        let first = store.certificate_page(who.organisation(), &query).await;
        let first = first.map_err(problem)?.into_iter();
        Ok(ReissuePreview {
            mailboxes: count.map_err(problem)?,
            revocable: revocable.map_err(problem)?,
            first: first.map(|row| row.address).collect(),
            left_out: Vec::new(),
        })
    }

    pub(super) async fn order_again(
        &self,
        who: &Permitted<Write>,
        what: Reissue,
    ) -> Asked<Reissued> {
        judge(&what.choice)?;
        let key = what.key.unwrap_or(KeyKind::Rsa3072);
        self.judge_terms(who, &what, key).await?;
        let chosen = self.chosen_for_reissue(who, (&what.choice, false)).await?;
        if chosen.is_empty() {
            return Err(Problem::new("nothing-to-reissue"));
        }
        let purpose = match what.revoke {
            true => Purpose::Replacement,
            false => Purpose::Renewal,
        };
        let with = Certificates {
            authority: what.authority,
            key,
            token: None,
        };
        let action = BulkAction::Renewal(with, purpose, what.per_minute);
        let mailboxes = chosen.len() as u64;
        let done = self.bulk(who, action, chosen).await?;
        Ok(Reissued {
            batch: done.batch,
            mailboxes,
            refused: done.applied.refused,
        })
    }

    async fn judge_terms(&self, who: &Permitted<Write>, what: &Reissue, key: KeyKind) -> Asked<()> {
        if !matches!(key, KeyKind::Rsa3072 | KeyKind::P256 | KeyKind::P384) {
            return Err(Problem::wrong(
                "key",
                Inputs::OneOf {
                    words: "rsa3072, p256, p384".to_owned(),
                },
            ));
        }
        let rate = what.per_minute.unwrap_or(1);
        if !(1..=REISSUE_PER_MINUTE).contains(&rate) {
            return Err(Problem::wrong(
                "per_minute",
                Inputs::Between {
                    least: 1,
                    most: REISSUE_PER_MINUTE.into(),
                },
            ));
        }
        let Some(name) = &what.authority else {
            return Ok(());
        };
        let known = self.0.store.authorities(who.organisation()).await;
        match known.map_err(problem)?.iter().any(|one| one.name == *name) {
            true => Ok(()),
            false => Err(Problem::wrong(
                "authority",
                Refusals::NoAuthority { name: name.clone() },
            )),
        }
    }

    /// The active mailboxes that are meant, in the order in which their certificates end; `issued`: only those whose
    /// certificate an authority of the organisation issued.
    async fn chosen_for_reissue(
        &self,
        who: &Permitted<Write>,
        (choice, issued): (&ReissueChoice, bool),
    ) -> Asked<Vec<Address>> {
        let mut chosen = Vec::new();
        let mut named = choice.mailboxes.chunks(TOGETHER);
        let mut query = CertificateQuery {
            issued,
            ..query(choice)
        };
        loop {
            query.mailboxes = named.next().unwrap_or_default().to_vec();
            query.after = None;
            loop {
                query.limit = PAGE_ROWS;
                let rows = self.0.store.certificate_page(who.organisation(), &query);
                let rows = rows.await.map_err(problem)?;
                let Some(last) = rows.last() else { break };
                query.after = Some((last.not_after, last.id.0));
                chosen.extend(rows.into_iter().map(|row| row.address));
            }
            if named.len() == 0 {
                return Ok(chosen);
            }
        }
    }
}

/// Something must be chosen; all mailboxes never by an empty form.
fn judge(choice: &ReissueChoice) -> Asked<()> {
    let narrowed = choice.issuer.is_some() || choice.with_key.is_some() || choice.within.is_some();
    if choice.mailboxes.len() > REISSUE_NAMED {
        return Err(Problem::new("too-large"));
    }
    match narrowed || choice.all || !choice.mailboxes.is_empty() {
        true => Ok(()),
        false => Err(Problem::new("nothing-chosen")),
    }
}

fn query(choice: &ReissueChoice) -> CertificateQuery {
    CertificateQuery {
        ends_before: choice.within.map(in_days),
        issuer: choice.issuer.clone(),
        kind: choice.with_key,
        to_reissue: true,
        ..CertificateQuery::default()
    }
}
