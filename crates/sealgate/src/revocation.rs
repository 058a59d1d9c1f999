//! Asks whether certificates were revoked: from what is kept, else from where the certificates say. Only certificates whose
//! path is otherwise good are asked about, never while a client waits, and a mail waits only so long (rows X7 and X8).
//! Once a list or answer is under way it is brought home for the next mail, too, whoever stopped waiting for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sealgate_mail::Timestamp;
use sealgate_net::fetch::{FetchError, Fetcher};
use sealgate_smime::algorithms::DigestAlgorithm;
use sealgate_smime::aws::Digest;
use sealgate_smime::path::VerifiedPath;
use sealgate_smime::revocation::{self, Evidence, Question};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::cmd::Failure;
use crate::gateway::{Gateway, now};
use crate::limits::{
    EVIDENCE_DOUBTED, EVIDENCE_KEPT, EVIDENCE_KEPT_LEAST, EVIDENCE_LARGE, EVIDENCE_PAUSE,
    EVIDENCE_PAUSE_MOST, EVIDENCE_READING, EVIDENCE_SHARED, QUESTIONS_AT_ONCE,
};

/// Who fetches, what is on its way, and what was read lately.
#[derive(Debug)]
pub struct Revocation {
    fetcher: Fetcher,
    /// The other end goes when the question is settled.
    flights: Mutex<HashMap<Question, watch::Receiver<()>>>,
    /// Places for those who hold a list or answer as it came.
    reading: Semaphore,
    shared: Mutex<Shared>,
}

/// The large lists that were read lately, the last used at the end. Many mails wait at the same time; they hold each once.
#[derive(Debug, Default)]
struct Shared(Vec<List>);

#[derive(Debug)]
struct List {
    digest: Vec<u8>,
    octets: usize,
    evidence: Evidence,
}

impl Shared {
    fn known(&mut self, digest: &[u8]) -> Option<Evidence> {
        let place = self.0.iter().position(|list| list.digest == digest)?;
        let list = self.0.remove(place);
        let evidence = list.evidence.clone();
        self.0.push(list);
        Some(evidence)
    }

    fn keep(&mut self, list: List) {
        self.0.push(list);
        while self.0.iter().map(|list| list.octets).sum::<usize>() > EVIDENCE_SHARED {
            self.0.remove(0);
        }
    }
}

impl Revocation {
    /// With nothing on its way.
    pub fn new(fetcher: Fetcher) -> Self {
        Self {
            fetcher,
            flights: Mutex::default(),
            reading: Semaphore::new(EVIDENCE_READING),
            shared: Mutex::default(),
        }
    }

    /// What `body`, the answer to `question`, says.
    fn read(&self, question: &Question, body: &[u8]) -> Result<Evidence, String> {
        let mut evidence = Evidence::default();
        if body.len() < EVIDENCE_LARGE {
            return add(&mut evidence, question, body).map(|()| evidence);
        }
        let shared = || self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = Digest::of(DigestAlgorithm::Sha256, body);
        if let Some(known) = shared().known(&digest) {
            return Ok(known);
        }
        add(&mut evidence, question, body)?;
        shared().keep(List {
            digest,
            octets: body.len(),
            evidence: evidence.clone(),
        });
        Ok(evidence)
    }

    /// What something that is kept says: nothing if it cannot be read any more.
    fn kept(&self, question: &Question, body: &[u8]) -> Evidence {
        self.read(question, body).unwrap_or_else(|reason| {
            tracing::debug!(url = question.url(), reason, "kept, and not readable");
            Evidence::default()
        })
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Question, watch::Receiver<()>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The two rounds: an answer is small, a list may be large and is asked for only where no answer has come.
const ROUNDS: [fn(&Question) -> bool; 2] = [
    |question| matches!(question, Question::Ocsp { .. }),
    |question| matches!(question, Question::Crl { .. }),
];

/// What can be had about `paths` within `wait`. Whoever has once said that a certificate is revoked is heard again, even if
/// somebody else says now that it is good.
pub async fn ask(
    gateway: &Arc<Gateway>,
    paths: Vec<VerifiedPath>,
    wait: Duration,
) -> Result<Evidence, Failure> {
    let deadline = Instant::now() + wait;
    let paths = Arc::new(paths);
    let mut evidence = Evidence::default();
    let mut asked = Vec::new();
    for round in ROUNDS {
        let mut questions = open_questions(&paths, &evidence).await?;
        questions.retain(|question| round(question) && !asked.contains(question));
        questions.truncate(QUESTIONS_AT_ONCE);
        evidence.join(&answers(gateway, &paths, &questions, deadline).await?);
        asked.extend(questions);
    }
    let contradicting = contradicting(gateway, &paths, &asked, &evidence).await?;
    evidence.join(&answers(gateway, &paths, &contradicting, deadline).await?);
    for question in open_questions(&paths, &evidence).await? {
        if asked.contains(&question) {
            gateway
                .store
                .doubt_evidence(&question, EVIDENCE_DOUBTED)
                .await?;
        }
    }
    Ok(evidence)
}

/// The questions of those paths that `evidence` does not settle, each once.
async fn open_questions(
    paths: &Arc<Vec<VerifiedPath>>,
    evidence: &Evidence,
) -> Result<Vec<Question>, Failure> {
    let (paths, evidence) = (Arc::clone(paths), evidence.clone());
    let found = tokio::task::spawn_blocking(move || {
        let left = |path| revocation::questions_left(path, &evidence, now());
        each_once(paths.iter().flat_map(left))
    });
    Ok(found.await?)
}

fn each_once(all: impl Iterator<Item = Question>) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    for question in all {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    questions
}

/// Questions beyond those `asked`, if what is kept of them revokes a certificate that `evidence` does not.
async fn contradicting(
    gateway: &Arc<Gateway>,
    paths: &Arc<Vec<VerifiedPath>>,
    asked: &[Question],
    evidence: &Evidence,
) -> Result<Vec<Question>, Failure> {
    let mut others = each_once(paths.iter().flat_map(revocation::questions));
    others.retain(|question| !asked.contains(question));
    let mut all = evidence.clone();
    for question in &others {
        let reading = gateway.revocation.reading.acquire().await.ok();
        let kept = gateway.store.evidence(question).await?;
        if let Some(body) = kept.and_then(|kept| kept.body) {
            all.join(&read(gateway, question.clone(), body).await?);
        }
        drop(reading);
    }
    let (paths, evidence) = (Arc::clone(paths), evidence.clone());
    let contradicted = tokio::task::spawn_blocking(move || {
        let revoked = |path, by| revocation::judge(path, by, now()).is_revoked();
        let mut paths = paths.iter();
        paths.any(|path| revoked(path, &all) && !revoked(path, &evidence))
    });
    if contradicted.await? {
        Ok(others)
    } else {
        Ok(Vec::new())
    }
}

/// What is kept, or comes until `deadline`, for all of `questions`, which are about `paths`.
async fn answers(
    gateway: &Arc<Gateway>,
    paths: &Arc<Vec<VerifiedPath>>,
    questions: &[Question],
    deadline: Instant,
) -> Result<Evidence, Failure> {
    let mut asking = JoinSet::new();
    for question in questions.iter().cloned() {
        let (gateway, paths) = (Arc::clone(gateway), Arc::clone(paths));
        asking.spawn(async move { answer(&gateway, paths, question, deadline).await });
    }
    let mut evidence = Evidence::default();
    while let Some(answered) = asking.join_next().await {
        evidence.join(&answered??);
    }
    Ok(evidence)
}

async fn answer(
    gateway: &Arc<Gateway>,
    paths: Arc<Vec<VerifiedPath>>,
    question: Question,
    deadline: Instant,
) -> Result<Evidence, Failure> {
    // The semaphore is never closed, so that acquiring it cannot fail.
    let mut reading = gateway.revocation.reading.acquire().await.ok();
    let mut kept = gateway.store.evidence(&question).await?;
    if kept.as_ref().is_none_or(|kept| kept.ask_at <= now()) {
        let failures = kept.take().map_or(0, |kept| kept.failures);
        drop(reading.take());
        let mut flight = fly(gateway, paths, &question, failures);
        // An error is the end of the flight, whatever it brought.
        let _ = timeout_at(deadline, flight.changed()).await;
        reading = gateway.revocation.reading.acquire().await.ok();
        kept = gateway.store.evidence(&question).await?;
    }
    let Some(body) = kept.and_then(|kept| kept.body) else {
        return Ok(Evidence::default());
    };
    let read = read(gateway, question, body).await;
    drop(reading);
    read
}

async fn read(
    gateway: &Arc<Gateway>,
    question: Question,
    body: Vec<u8>,
) -> Result<Evidence, Failure> {
    let gateway = Arc::clone(gateway);
    let read = tokio::task::spawn_blocking(move || gateway.revocation.kept(&question, &body));
    Ok(read.await?)
}

/// Starts to fetch, unless that question is on its way already.
fn fly(
    gateway: &Arc<Gateway>,
    paths: Arc<Vec<VerifiedPath>>,
    question: &Question,
    failures: u32,
) -> watch::Receiver<()> {
    let mut flights = gateway.revocation.flights();
    let under_way = flights
        .get(question)
        .filter(|flight| flight.has_changed().is_ok());
    if let Some(flight) = under_way {
        return flight.clone();
    }
    let (landed, flight) = watch::channel(());
    flights.insert(question.clone(), flight.clone());
    let (gateway, question) = (Arc::clone(gateway), question.clone());
    tokio::spawn(async move {
        if let Err(failure) = fetch(&gateway, paths, &question, failures).await {
            tracing::error!(
                reason = failure.message,
                "what is known of revocation could not be kept"
            );
        }
        gateway.revocation.flights().remove(&question);
        drop(landed);
    });
    flight
}

/// Fetches and keeps what came, or that nothing usable came.
async fn fetch(
    gateway: &Arc<Gateway>,
    paths: Arc<Vec<VerifiedPath>>,
    question: &Question,
    failures: u32,
) -> Result<(), Failure> {
    let store = &gateway.store;
    let reason = match gateway.revocation.fetcher.fetch(question).await {
        // Nobody was asked, so there is nothing to remember.
        Err(FetchError::Busy | FetchError::Away) => return Ok(()),
        Err(error) => error.to_string(),
        Ok(body) => match usable(gateway, paths, question, body).await? {
            Ok((body, until)) => {
                let at = now();
                return Ok(store
                    .keep_evidence(question, body, (at, ask_at(at, until)))
                    .await?);
            }
            Err(reason) => reason,
        },
    };
    tracing::info!(url = question.url(), reason, "no answer about revocation");
    let at = now();
    let pause = EVIDENCE_PAUSE
        .saturating_mul(1_i64 << failures.min(16))
        .min(EVIDENCE_PAUSE_MOST);
    Ok(store.no_evidence(question, (at, at.plus(pause))).await?)
}

/// When something that counts until `until` is asked for again.
fn ask_at(at: Timestamp, until: Timestamp) -> Timestamp {
    until.clamp(at.plus(EVIDENCE_KEPT_LEAST), at.plus(EVIDENCE_KEPT))
}

/// The octets again and how long they count, if they may take the place of what is kept; else why not.
async fn usable(
    gateway: &Arc<Gateway>,
    paths: Arc<Vec<VerifiedPath>>,
    question: &Question,
    body: Vec<u8>,
) -> Result<Result<(Vec<u8>, Timestamp), String>, Failure> {
    let reading = gateway.revocation.reading.acquire().await.ok();
    let kept = gateway.store.evidence(question).await?;
    let kept = kept.and_then(|kept| kept.body);
    let (gateway, question) = (Arc::clone(gateway), question.clone());
    let judged = tokio::task::spawn_blocking(move || {
        let revocation = &gateway.revocation;
        let new = revocation.read(&question, &body)?;
        let kept = kept.map(|kept| revocation.kept(&question, &kept));
        let evidence = (&kept.unwrap_or_default(), &new);
        revocation::may_be_kept(&paths, &question, evidence, now())
            .map(|fresh| (body, fresh.until))
            .map_err(|error| error.to_string())
    });
    let judged = judged.await?;
    drop(reading);
    Ok(judged)
}

fn add(evidence: &mut Evidence, question: &Question, body: &[u8]) -> Result<(), String> {
    let added = match question {
        Question::Crl { .. } => evidence.add_crl(body),
        Question::Ocsp { .. } => evidence.add_ocsp(body),
    };
    added.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A list with so many entries; nobody signed it.
    fn list(entries: usize) -> Vec<u8> {
        use sealgate_smime::asn1::{self, tag};
        let time = asn1::tlv(tag::UTC_TIME, b"260101000000Z");
        let entry = asn1::sequence(&[&asn1::small(7), &time]);
        let algorithm = [6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
        let algorithm = asn1::sequence(&[&algorithm]);
        let entries = asn1::sequence(&[&entry.repeat(entries)]);
        let inside: [&[u8]; 6] = [
            &asn1::small(1),
            &algorithm,
            &asn1::sequence(&[]),
            &time,
            &time,
            &entries,
        ];
        let signed = asn1::sequence(&inside);
        asn1::sequence(&[&signed, &algorithm, &asn1::tlv(tag::BIT_STRING, &[0, 1])])
    }

    #[test]
    fn x8_mails_that_wait_share_a_large_list() {
        use sealgate_net::{dns, tls::ClientTls};
        let dns = dns::Dns::new(dns::DnsConfig::Off).unwrap();
        let tls = ClientTls::new(Vec::new()).unwrap().verified;
        let revocation = Revocation::new(Fetcher::new(dns, tls, Vec::new()));
        let url = "http://ca.example/list".to_owned();
        let anchor = [0; 32];
        let question = Question::Crl { url, anchor };
        let kept = || revocation.shared.lock().unwrap().0.len();
        for (entries, expected) in [(10, 0), (5_000, 1), (5_000, 1), (5_001, 2), (5_000, 2)] {
            let found = revocation.read(&question, &list(entries)).unwrap();
            assert!(!found.is_empty());
            assert_eq!(kept(), expected, "{entries}");
        }
        let shared = &mut revocation.shared.lock().unwrap();
        let last = shared.0.last().map(|list| list.octets);
        assert_eq!(last, Some(list(5_000).len()));
        shared.keep(List {
            digest: Vec::new(),
            octets: EVIDENCE_SHARED,
            evidence: Evidence::default(),
        });
        assert_eq!(shared.0.len(), 1);
        assert!(revocation.read(&question, b"no list").is_err());
    }

    #[test]
    fn x8_how_long_an_answer_is_kept() {
        let at = Timestamp(1_795_305_600);
        for (until, kept) in [
            (-1, EVIDENCE_KEPT_LEAST),
            (10, EVIDENCE_KEPT_LEAST),
            (7_200, 7_200),
            (30 * 86_400, EVIDENCE_KEPT),
        ] {
            assert_eq!(ask_at(at, at.plus(until)), at.plus(kept), "{until}");
        }
    }
}
