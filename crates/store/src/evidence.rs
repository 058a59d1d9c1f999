//! What keys of correspondents are asked about again with: lists and answers about revocation, kept for all organisations
//! because they are public, the issuers' certificates that were sent along, and when each key is due.

use sealgate_core::asking::{Decided, Verdict};
use sealgate_core::limits::ASK_AGAIN;
use sealgate_core::saying::Keys as Said;
use sealgate_core::tenant::{CorrespondentKey, CorrespondentState, OrganisationId};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::name::DistinguishedName;
use sealgate_smime::revocation::Question;
use sqlx::SqliteConnection;

use crate::correspondents::{certificate, key, supersede, take_over};
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::limits::{EVIDENCE_OCTETS, EVIDENCE_ROWS, ISSUERS, ISSUERS_OF_ONE_NAME};
use crate::rows::{Columns, column, word};
use crate::store::Store;
use crate::writer::{Weight, job};

/// What is kept of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The last list or answer that was had.
    pub body: Option<Vec<u8>>,
    /// When it is to be asked again; before that nobody is asked.
    pub ask_at: Timestamp,
    /// How often in a row nothing was had.
    pub failures: u32,
}

/// A correspondent key that is due to be asked about.
#[derive(Clone, Debug)]
pub struct DueKey {
    /// Whose.
    pub organisation: OrganisationId,
    /// The key.
    pub key: CorrespondentKey,
    /// How often in a row there was no answer.
    pub failures: u32,
    /// Since when it is due.
    pub since: Timestamp,
}

/// What a question is kept under: 32 octets of digest over its kind, its place, and its request or anchor.
fn question_key(question: &Question) -> Vec<u8> {
    let (kind, asked): (&[u8], &[u8]) = match question {
        Question::Crl { anchor, .. } => (b"crl", anchor),
        Question::Ocsp { request, .. } => (b"ocsp", request),
    };
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in [kind, question.url().as_bytes(), asked] {
        digest.update(&part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finish().as_ref().to_vec()
}

/// The comparison form of a name as octets.
fn subject_key(name: &DistinguishedName) -> Vec<u8> {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in name.normal() {
        digest.update(&part.len().to_be_bytes());
        digest.update(&part);
    }
    digest.finish().as_ref().to_vec()
}

impl Store {
    /// What is kept of a question.
    pub async fn evidence(&self, question: &Question) -> Result<Option<Kept>, StoreError> {
        let row = sqlx::query("SELECT body, ask_at, failures FROM evidence WHERE question = $1")
            .bind(question_key(question))
            .fetch_optional(&self.0.readers)
            .await?;
        let kept = |row: sqlx::sqlite::SqliteRow| {
            Ok(Kept {
                body: row.field("body")?,
                ask_at: row.time("ask_at")?,
                failures: row.field("failures")?,
            })
        };
        row.map(kept).transpose()
    }

    /// Keeps a list or answer until it is to be asked for again.
    pub async fn keep_evidence(
        &self,
        question: &Question,
        body: Vec<u8>,
        (now, ask_at): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let question = question_key(question);
        let octets = body.len();
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO evidence (question, octets, fetched, ask_at, failures, body) VALUES ($1, $2, $3, $4, 0, $5)
                     ON CONFLICT (question) DO UPDATE SET octets = excluded.octets, fetched = excluded.fetched,
                        ask_at = excluded.ask_at, failures = 0, body = excluded.body",
                )
                .bind(question)
                .bind(column(octets as u64))
                .bind(now.0)
                .bind(ask_at.0)
                .bind(body)
                .execute(&mut *connection)
                .await?;
                make_room(connection).await
            })
        });
        let weight = Weight {
            octets,
            wakes: false,
        };
        self.0.writer.write(weight, work).await
    }

    /// Remembers that nothing was had; what was kept before stays.
    pub async fn no_evidence(
        &self,
        question: &Question,
        (now, ask_at): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let question = question_key(question);
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO evidence (question, octets, fetched, ask_at, failures) VALUES ($1, 0, $2, $3, 1)
                     ON CONFLICT (question) DO UPDATE SET ask_at = excluded.ask_at, failures = failures + 1",
                )
                .bind(question)
                .bind(now.0)
                .bind(ask_at.0)
                .execute(&mut *connection)
                .await?;
                make_room(connection).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// What was had settled nothing: it is asked for again `seconds` after it was had, and not later.
    pub async fn doubt_evidence(
        &self,
        question: &Question,
        seconds: i64,
    ) -> Result<(), StoreError> {
        let question = question_key(question);
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE evidence SET ask_at = fetched + $1 WHERE question = $2 AND ask_at > fetched + $1 AND failures = 0",
                )
                .bind(seconds)
                .bind(question)
                .execute(connection)
                .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Remembers issuers' certificates that were part of good paths.
    pub async fn remember_issuers(
        &self,
        organisation: OrganisationId,
        issuers: &[Certificate],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if issuers.is_empty() {
            return Ok(());
        }
        let issuers = issuers.to_vec();
        let work = job(move |connection| {
            Box::pin(async move {
                for issuer in issuers {
                    sqlx::query(
                        "INSERT INTO issuers (organisation, fingerprint, subject, certificate, seen) VALUES ($1, $2, $3, $4, $5)
                         ON CONFLICT (organisation, fingerprint) DO UPDATE SET seen = excluded.seen",
                    )
                    .bind(organisation.0)
                    .bind(issuer.fingerprint().as_slice())
                    .bind(subject_key(issuer.subject()))
                    .bind(issuer.der())
                    .bind(now.0)
                    .execute(&mut *connection)
                    .await?;
                }
                sqlx::query(
                    "DELETE FROM issuers WHERE organisation = $1 AND fingerprint IN
                     (SELECT fingerprint FROM issuers WHERE organisation = $1 ORDER BY seen DESC LIMIT -1 OFFSET $2)",
                )
                .bind(organisation.0)
                .bind(ISSUERS)
                .execute(connection)
                .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Issuers' certificates from which a path up from `certificate` may be built.
    pub async fn issuers(
        &self,
        organisation: OrganisationId,
        certificate: &Certificate,
    ) -> Result<Vec<Certificate>, StoreError> {
        let mut found: Vec<Certificate> = Vec::new();
        let mut names = vec![certificate.issuer().clone()];
        let mut next = 0;
        while let Some(name) = names.get(next) {
            next += 1;
            for issuer in self.issuers_named(organisation, name).await? {
                if !found.contains(&issuer) && found.len() < ISSUERS_OF_ONE_NAME * 4 {
                    names.push(issuer.issuer().clone());
                    found.push(issuer);
                }
            }
        }
        Ok(found)
    }

    async fn issuers_named(
        &self,
        organisation: OrganisationId,
        name: &DistinguishedName,
    ) -> Result<Vec<Certificate>, StoreError> {
        let rows = sqlx::query(
            "SELECT certificate FROM issuers WHERE organisation = $1 AND subject = $2 ORDER BY seen DESC LIMIT $3",
        )
        .bind(organisation.0)
        .bind(subject_key(name))
        .bind(ISSUERS_OF_ONE_NAME as i64)
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter()
            .map(|row| certificate(row.field("certificate")?))
            .collect()
    }

    /// The keys of an address are due now: a mail has brought an answer that may change one of them. Whoever is asking about one
    /// just now sees by its time that it is to be asked about once more.
    pub async fn ask_soon(
        &self,
        organisation: OrganisationId,
        address: &Address,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mailbox = address.key();
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE correspondents SET ask_at = MIN(ask_at, $3) - 1
                     WHERE organisation = $1 AND mailbox = $2 AND state <> 'blocked' AND ask_at IS NOT NULL",
                )
                .bind(organisation.0)
                .bind(mailbox)
                .bind(now.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Correspondent keys that are due to be asked about, the longest due first, so that each has its turn. One that cannot be
    /// read is put off and does not keep the others waiting.
    pub async fn keys_to_ask(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM correspondents WHERE ask_at <= $1 ORDER BY ask_at, id LIMIT $2",
        )
        .bind(now.0)
        .bind(column(limit as u64))
        .fetch_all(&self.0.readers)
        .await?;
        let mut found = Vec::new();
        for row in &rows {
            match due(row) {
                Ok(due) => found.push(due),
                Err(error) => {
                    let id: i64 = row.field("id")?;
                    tracing::error!(%error, key = id, "a correspondent's key cannot be read");
                    self.put_off(id, now.plus(ASK_AGAIN)).await?;
                }
            }
        }
        Ok(found)
    }

    async fn put_off(&self, id: i64, until: Timestamp) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE correspondents SET ask_at = $1 WHERE id = $2")
                    .bind(until.0)
                    .bind(id)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Writes what was decided about a key that was asked about, with the event. The state changes only if it is still the
    /// one that was judged; a key that was to be asked about meanwhile is due again, behind those that are due already.
    pub async fn asked(
        &self,
        due: DueKey,
        decided: Decided,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE correspondents SET ask_at = CASE ask_at WHEN $4 THEN $1 ELSE $5 END, ask_failures = $2
                     WHERE id = $3 AND ask_at IS NOT NULL",
                )
                .bind(decided.ask_at.map(|at| at.0))
                .bind(decided.failures)
                .bind(due.key.id)
                .bind(due.since.0)
                .bind(now.0)
                .execute(&mut *connection)
                .await?;
                carry_out(connection, &due, &decided.verdict, now).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

fn due(row: &sqlx::sqlite::SqliteRow) -> Result<DueKey, StoreError> {
    Ok(DueKey {
        organisation: row.organisation("organisation")?,
        key: key(row)?,
        failures: row.field("ask_failures")?,
        since: row.time("ask_at")?,
    })
}

/// The state a key goes to, with the event and its words; none if nothing happens to it.
fn change(
    key: &CorrespondentKey,
    verdict: &Verdict,
) -> Option<(CorrespondentState, EventKind, Said)> {
    match verdict {
        Verdict::Same => None,
        Verdict::Promoted(harvested) => Some((
            harvested.state,
            EventKind::KeyLearned,
            Said::AnswerIsGood {},
        )),
        Verdict::Unanswered => Some((
            CorrespondentState::Pending,
            EventKind::KeyUnanswered,
            Said::AnswerIsMissing {},
        )),
        Verdict::Revoked(at) => Some((
            CorrespondentState::Blocked,
            EventKind::KeyRevoked,
            Said::Revoked { at: *at },
        )),
        Verdict::RevokedManual(at) => Some((
            key.state,
            EventKind::KeyRevoked,
            match key.pinned {
                true => Said::RevokedPinned { at: *at },
                false => Said::RevokedManual { at: *at },
            },
        )),
    }
}

async fn carry_out(
    connection: &mut SqliteConnection,
    due: &DueKey,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (key, organisation) = (&due.key, due.organisation.0);
    let Some((state, kind, why)) = change(key, verdict) else {
        return Ok(());
    };
    let done = sqlx::query(
        "UPDATE correspondents SET state = $1 WHERE id = $2 AND state = $3 AND pinned = $4",
    )
    .bind(word(&state)?)
    .bind(key.id)
    .bind(word(&key.state)?)
    .bind(key.pinned)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    if let Verdict::Promoted(harvested) = verdict {
        supersede(connection, organisation, &harvested.superseded).await?;
    }
    let said = Said::Became {
        state,
        address: key.address.to_string(),
        sha256: key.certificate.fingerprint_hex(),
        why: why.into(),
    };
    events::insert(&mut *connection, organisation, now, (kind, said)).await?;
    take_over(connection, (organisation, &key.address), now).await
}

/// Removes the oldest until what is kept is within its bounds, and before that places where nothing was had: whoever makes
/// certificates can name any number of them, and must not push out lists that others need.
async fn make_room(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    loop {
        let row = sqlx::query(
            "SELECT COUNT(*) AS entries, COALESCE(SUM(octets), 0) AS octets FROM evidence",
        )
        .fetch_one(&mut *connection)
        .await?;
        let (entries, octets): (i64, i64) = (row.field("entries")?, row.field("octets")?);
        if entries <= EVIDENCE_ROWS && octets <= EVIDENCE_OCTETS {
            return Ok(());
        }
        sqlx::query(
            "DELETE FROM evidence WHERE question IN (SELECT question FROM evidence WHERE $1 OR body IS NOT NULL
             ORDER BY body IS NOT NULL, fetched LIMIT $2)",
        )
        .bind(entries > EVIDENCE_ROWS)
        .bind((entries / 10).max(1))
        .execute(&mut *connection)
        .await?;
    }
}
