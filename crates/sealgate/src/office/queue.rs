//! The portal's questions about the queue, and what administrators do with it.

use std::collections::HashMap;

use async_trait::async_trait;
use sealgate_core::journal::MailStatus;
use sealgate_core::saying::Inputs;
use sealgate_core::saying::Refusals;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::preview::preview;
use sealgate_portal::auth::{Operate, Permitted, Read, Write};
use sealgate_portal::limits::PAGE_ROWS_MOST;
use sealgate_portal::office::held::{
    Held, MailsDone, QueueFilter, QueueVerb, QueuedCopy, QueuedDetail, QueuedMail, QueuedRecipient,
    RawMail,
};
use sealgate_portal::office::{Asked, At, Page, Paging, RefusedPart};
use sealgate_portal::problem::{Problem, Titles};
use sealgate_store::{
    Look, QueueFilter as Filter, QueueRow, QueuedContent, StoreError, Verb, queue_id,
};

use super::mails::{delivery, mail_id};
use super::{PortalOffice, last_of_full, number, problem};
use crate::gateway::now;

#[async_trait]
impl Held for PortalOffice {
    async fn queue(
        &self,
        who: &Permitted<Read>,
        filter: &QueueFilter,
        paging: &Paging,
    ) -> Asked<Page<QueuedMail>> {
        self.queue_page(Some(who.organisation()), filter, paging)
            .await
    }

    async fn queued_mail(&self, who: &Permitted<Write>, mail: &str) -> Asked<QueuedDetail> {
        let of = (who.organisation(), mail_id(mail)?);
        let by = (who.who(), now());
        let contents = self.0.store.queued_contents(of, Look::Shown, by);
        let contents = contents.await.map_err(problem)?;
        let rows = self.rows_of(who.organisation(), mail).await?;
        let mail = grouped(rows, &HashMap::new()).into_iter().next();
        let mail = mail.ok_or_else(Problem::not_found)?;
        let copies = tokio::task::spawn_blocking(|| contents.into_iter().map(shown).collect());
        Ok(QueuedDetail {
            mail,
            copies: copies.await.map_err(Problem::internal)?,
        })
    }

    async fn raw_mail(
        &self,
        who: &Permitted<Write>,
        mail: &str,
        copy: Option<&str>,
    ) -> Asked<RawMail> {
        let (organisation, mail) = (who.organisation(), mail_id(mail)?);
        let store = &self.0.store;
        let contents = store.contents_in_queue(organisation, mail).await;
        let contents = contents.map_err(problem)?;
        let own = contents
            .into_iter()
            .find(|content| copy_number(content).as_deref() == copy);
        let own = own.ok_or_else(Problem::not_found)?;
        if is_decrypted(&own) {
            return Err(Problem::new("for-recipients-only"));
        }
        // It is there and may be had: what is left is to send it.
        let by = (who.who(), now());
        let told = store.looked((organisation, mail), Look::Downloaded, by);
        told.await.map_err(problem)?;
        Ok(RawMail {
            content: own.content,
        })
    }

    async fn act_on_mails(
        &self,
        who: &Permitted<Write>,
        verb: QueueVerb,
        mails: Vec<String>,
    ) -> Asked<MailsDone> {
        let most = usize::try_from(PAGE_ROWS_MOST).unwrap_or(usize::MAX);
        if mails.is_empty() {
            return Err(Problem::new("nothing-chosen"));
        }
        if mails.len() > most {
            return Err(Problem::wrong("mails", Inputs::AtOnce { most }));
        }
        let mut done = MailsDone {
            mails: 0,
            refused: Vec::new(),
        };
        let only = mails.len() == 1;
        for mail in mails {
            match self.act_on(who, verb, &mail).await {
                Ok(_) => done.mails = done.mails.saturating_add(1),
                Err(missing) if !only && missing.code == "not-found" => {
                    done.refused
                        .push(RefusedPart::new(mail, Refusals::TooLate {}));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(done)
    }

    async fn whole_queue(
        &self,
        _who: &Permitted<Operate>,
        filter: &QueueFilter,
        paging: &Paging,
    ) -> Asked<Page<QueuedMail>> {
        self.queue_page(None, filter, paging).await
    }
}

impl PortalOffice {
    async fn queue_page(
        &self,
        organisation: Option<OrganisationId>,
        filter: &QueueFilter,
        paging: &Paging,
    ) -> Asked<Page<QueuedMail>> {
        let rows = self.0.store.queue(Filter {
            organisation,
            mail: None,
            held: filter.held == Some(true),
            after: number(paging)?,
            limit: paging.rows(),
        });
        let rows = rows.await.map_err(problem)?;
        let names = match organisation {
            Some(_) => HashMap::new(),
            None => self.names().await?,
        };
        Ok(Page {
            next: last_of_full(&rows, paging).map(|row| row.row.to_string()),
            items: grouped(rows, &names),
        })
    }

    async fn names(&self) -> Asked<HashMap<OrganisationId, String>> {
        let all = self.0.store.organisations().await.map_err(problem)?;
        Ok(all.into_iter().map(|one| (one.id, one.name)).collect())
    }

    async fn rows_of(&self, organisation: OrganisationId, mail: &str) -> Asked<Vec<QueueRow>> {
        let rows = self.0.store.queue(Filter {
            organisation: Some(organisation),
            mail: Some(mail_id(mail)?),
            limit: u32::MAX,
            ..Filter::default()
        });
        rows.await.map_err(problem)
    }

    async fn act_on(&self, who: &Permitted<Write>, verb: QueueVerb, mail: &str) -> Asked<u64> {
        let verb = match verb {
            QueueVerb::Retry => Verb::Retry,
            QueueVerb::Hold => Verb::Hold,
            QueueVerb::Release => Verb::Release,
            QueueVerb::Delete => Verb::Delete,
        };
        let id = mail_id(mail)?;
        let own = Some(who.organisation());
        let done: Result<u64, StoreError> = self.0.store.act(verb, id, own, who.who(), now()).await;
        done.map_err(problem)
    }
}

/// Rows of one mail beside each other become one entry.
fn grouped(rows: Vec<QueueRow>, names: &HashMap<OrganisationId, String>) -> Vec<QueuedMail> {
    let mut mails: Vec<QueuedMail> = Vec::new();
    for row in rows {
        let mail = queue_id(row.mail);
        let recipient = QueuedRecipient {
            address: row.recipient,
            state: delivery(row.state),
            attempts: row.attempts,
            next_attempt: row.next_attempt.map(At),
            held_until: row.held_until.map(At),
            notes: row.said.as_ref().map(Titles::of),
            note: row.note,
        };
        match mails.last_mut() {
            Some(last) if last.mail == mail && last.report == row.report => {
                last.recipients.push(recipient);
            }
            _ => mails.push(QueuedMail {
                mail,
                organisation: names.get(&row.organisation).cloned(),
                report: row.report,
                from: row.from,
                since: At(row.accepted),
                size: row.size,
                recipients: vec![recipient],
            }),
        }
    }
    mails
}

fn copy_number(content: &QueuedContent) -> Option<String> {
    content.copy.map(|copy| copy.0.to_string())
}

fn is_decrypted(content: &QueuedContent) -> bool {
    content.status == Some(MailStatus::Decrypted)
}

/// What was decrypted here is for its recipients only: an administrator sees who wrote to whom and about what, not what.
fn shown(content: QueuedContent) -> QueuedCopy {
    let decrypted = is_decrypted(&content);
    let preview = preview(&*content.content, decrypted);
    if let Err(error) = &preview {
        tracing::info!(%error, "a mail in the queue cannot be shown");
    }
    QueuedCopy {
        copy: copy_number(&content),
        decrypted,
        preview: preview.ok(),
        recipients: content.recipients,
    }
}
