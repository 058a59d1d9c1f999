//! What the built-in CA publishes: lists kept until something is revoked or they grow old, and answers made on the spot by a
//! responder that the issuing CA puts in charge for a few days and whose key is nowhere but in memory.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Bytes;
use sealgate_core::ports::{Register, RegisterFailure};
use sealgate_mail::Timestamp;
use sealgate_smime::algorithms::DigestAlgorithm;
use sealgate_smime::aws::Digest;
use sealgate_smime::key::{KeyKind, PrivateKey};
use tokio::sync::Semaphore;

use super::ocsp::{self, Asked, NoAnswer, Request, Signer, Status, Window};
use super::{Ca, CaError, list, profile};
use crate::limits::{
    ANSWER_VALIDITY, LIST_KEEPS_EXPIRED, LIST_LOOKED_AFTER, LIST_REMADE, LIST_VALIDITY,
    REGISTER_READS, RESPONDER_RENEWED,
};

/// Whose list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOf {
    /// The root's, about issuing CAs.
    Root,
    /// The issuing CA's, about mailboxes.
    Issuing,
}

/// Something to hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// DER.
    pub octets: Bytes,
    /// SHA-256 of it in hexadecimal: one edition is told from another by it.
    pub tag: String,
    /// From when it counts.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Published {
    /// These octets of DER, and when they count.
    pub fn new(octets: impl Into<Bytes>, from: Timestamp, until: Timestamp) -> Self {
        let octets = octets.into();
        let digest = Digest::of(DigestAlgorithm::Sha256, &octets);
        let tag = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        Self {
            octets,
            tag,
            from,
            until,
        }
    }
}

/// An answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// A signed one; `reusable` by whoever asks the same: it has no nonce.
    Signed {
        /// The answer.
        answer: Published,
        /// Whether a cache may keep it.
        reusable: bool,
    },
    /// An OCSPResponse that says why there is none.
    Error(Vec<u8>),
}

/// Why nothing can be published now.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The register cannot be read.
    #[error("the register of the built-in CA cannot be read: {0}")]
    Register(#[from] RegisterFailure),
    /// Nothing can be signed.
    #[error(transparent)]
    Ca(#[from] CaError),
}

/// Makes what is published.
pub struct Publisher {
    ca: Ca,
    register: Arc<dyn Register>,
    clock: fn() -> Timestamp,
    root_list: tokio::sync::Mutex<Option<Kept>>,
    issuing_list: tokio::sync::Mutex<Option<Kept>>,
    signer: Mutex<Option<Arc<Signer>>>,
    reads: Semaphore,
}

/// A list, with what is known of it.
struct Kept {
    list: Published,
    revocations: u64,
    looked: Timestamp,
}

impl Publisher {
    /// Publishes for `ca` what `register` holds, by the time of `clock`.
    pub fn new(ca: Ca, register: Arc<dyn Register>, clock: fn() -> Timestamp) -> Self {
        Self {
            ca,
            register,
            clock,
            root_list: tokio::sync::Mutex::default(),
            issuing_list: tokio::sync::Mutex::default(),
            signer: Mutex::default(),
            reads: Semaphore::new(REGISTER_READS),
        }
    }

    /// The CA.
    pub fn ca(&self) -> &Ca {
        &self.ca
    }

    /// The current list. What was revoked a second ago stands on it.
    pub async fn list(&self, of: ListOf) -> Result<Published, PublishError> {
        let kept = match of {
            ListOf::Root => &self.root_list,
            ListOf::Issuing => &self.issuing_list,
        };
        let mut kept = kept.lock().await;
        let now = (self.clock)();
        let looked = kept.as_ref().map(|kept| now.since(kept.looked));
        if let Some(kept) = kept.as_ref()
            && looked.is_some_and(|ago| (0..LIST_LOOKED_AFTER).contains(&ago))
        {
            return Ok(kept.list.clone());
        }
        // Counted before the entries are read: what comes between stands on this list, and makes the next one.
        let revocations = match of {
            ListOf::Root => 0,
            ListOf::Issuing => self.register.revocation_count().await?,
        };
        if let Some(kept) = kept.as_mut()
            && kept.revocations == revocations
            && (0..LIST_REMADE).contains(&now.since(kept.list.from))
        {
            kept.looked = now;
            return Ok(kept.list.clone());
        }
        let list = self.make_list(of).await?;
        *kept = Some(Kept {
            list: list.clone(),
            revocations,
            looked: now,
        });
        Ok(list)
    }

    async fn make_list(&self, of: ListOf) -> Result<Published, PublishError> {
        let ca = &self.ca;
        let now = (self.clock)();
        let (certificate, key) = match of {
            ListOf::Root => (&ca.root_certificate, &ca.root_key),
            ListOf::Issuing => (&ca.issuing_certificate, &ca.issuing_key),
        };
        let (number, revoked) = match of {
            // The root signs the issuing CA only, which nobody revokes: whoever makes a new CA has a new root.
            ListOf::Root => (self.register.next_list_number().await?, Vec::new()),
            ListOf::Issuing => {
                let beyond = now.plus(-LIST_KEEPS_EXPIRED);
                self.register.begin_list(beyond, now).await?
            }
        };
        let publisher = list::Publisher { certificate, key };
        let octets = list::make(&publisher, &revoked, number, now)?;
        Ok(Published::new(octets, now, now.plus(LIST_VALIDITY)))
    }

    /// Answers an OCSPRequest (RFC 6960 section 2).
    pub async fn answer(&self, request: &[u8]) -> Answered {
        match self.signed_answer(request).await {
            Ok(answered) => answered,
            Err(no_answer) => Answered::Error(no_answer.to_der()),
        }
    }

    async fn signed_answer(&self, request: &[u8]) -> Result<Answered, NoAnswer> {
        let request = Request::read(request).map_err(|_| NoAnswer::Malformed)?;
        let issuer = &self.ca.issuing_certificate;
        // RFC 6960 section 2.3: no answer about certificates of others.
        if !request.asked.iter().any(|asked| asked.is_of(issuer)) {
            return Err(NoAnswer::Unauthorized);
        }
        let later = |error: &dyn std::fmt::Display| {
            tracing::warn!(%error, "an OCSP request cannot be answered now");
            NoAnswer::TryLater
        };
        let mut statuses = Vec::new();
        for asked in &request.asked {
            statuses.push(self.status(asked).await.map_err(|error| later(&error))?);
        }
        let now = (self.clock)();
        let signer = self.signer(now).map_err(|error| later(&error))?;
        let window = Window {
            from: now,
            until: now
                .plus(ANSWER_VALIDITY)
                .min(signer.certificate.not_after()),
        };
        let octets = ocsp::answer(&request, &statuses, window, &signer);
        let octets = octets.map_err(|error| later(&error))?;
        Ok(Answered::Signed {
            answer: Published::new(octets, window.from, window.until),
            reusable: request.nonce.is_none(),
        })
    }

    async fn status(&self, asked: &Asked) -> Result<Status, RegisterFailure> {
        if !asked.is_of(&self.ca.issuing_certificate) {
            return Ok(Status::Unknown);
        }
        let busy = |_| RegisterFailure("no place".into());
        let _read = self.reads.acquire().await.map_err(busy)?;
        let found = self.register.find(&asked.serial).await?;
        Ok(match found.map(|found| found.revoked) {
            None => Status::Unknown,
            Some(None) => Status::Good,
            Some(Some((at, reason))) => Status::Revoked(at, reason),
        })
    }

    /// The responder in charge; a new one before the last one's time ends.
    fn signer(&self, now: Timestamp) -> Result<Arc<Signer>, CaError> {
        let mut signer = self.signer.lock().unwrap_or_else(PoisonError::into_inner);
        let lasts = |signer: &Arc<Signer>| {
            let certificate = &signer.certificate;
            certificate.valid_at(now) && now.since(certificate.not_before()) < RESPONDER_RENEWED
        };
        if let Some(signer) = signer.as_ref().filter(|signer| lasts(signer)) {
            return Ok(Arc::clone(signer));
        }
        // On a curve: made in a millisecond, and an answer costs little, however many ask.
        let key = PrivateKey::generate(KeyKind::P256)?;
        let made = Arc::new(Signer {
            certificate: profile::responder(&self.ca, key.spki_der(), now)?,
            key,
        });
        *signer = Some(Arc::clone(&made));
        Ok(made)
    }
}
