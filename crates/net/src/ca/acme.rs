//! ACME with the challenge email-reply-00 (RFC 8555, RFC 8823).
//!
//! The order's state lies at the server; our notes hold only where. Each question begins by asking the server how far it
//! is and then does the one next step, so that a crash between two steps is no more than a repeated question. An order is
//! finalized only while the server calls it ready, which it does once: there is never a second certificate.
//!
//! The challenge mail comes in, and its answer goes out, as mail; `core::challenge` knows what they look like. Here the
//! challenge is only said to be ready, once the answer has been delivered.

mod http;
mod jws;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::pki_types::CertificateDer;
use sealgate_core::authority::{
    AcmeSettings, AuthorityFailure, Progress, RevocationReason, Revoked, ToRevoke, Wanted,
};
use sealgate_core::challenge::{Expected, base64url, is_token};
use sealgate_core::saying::{Authorities as Said, Certificates, Inputs};
use sealgate_mail::address_list::parse_mailboxes;
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::{Certificate, CertificateError};
use sealgate_smime::pem;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::timeout;

use self::http::{Answer, Ask, Http, Verb};
use self::jws::{AccountKey, Signer};
use self::wire::{
    Authorization, Challenge, Directory, Order, Problem, Status, StepError, one_line,
};
use super::{Answering, Authority};
use crate::call::Caller;
use crate::dns::Dns;
use crate::fetch::Allowed;
use crate::limits::{
    ACME_CHAIN, ACME_MAIL_POLL, ACME_NONCES, ACME_POLL, ACME_VALID_POLL, ACME_VERB_WAIT,
};
use crate::tls::{Verification, client_connector};

pub use jws::{AccountKeyError, new_account_key};

/// The challenge we answer (RFC 8823 section 3).
const CHALLENGE: &str = "email-reply-00";
const JSON: &str = "application/json";
const CHAIN: &str = "application/pem-certificate-chain";

/// What is kept of an order between two questions. `core::challenge` reads `expected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Notes {
    account: String,
    order: String,
    authorization: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<Expected>,
}

/// One ACME server with our account there.
pub struct Acme {
    settings: AcmeSettings,
    key: AccountKey,
    http: Http,
    directory: Mutex<Option<Directory>>,
    nonce: Mutex<Option<String>>,
    account: Mutex<Option<String>>,
}

impl std::fmt::Debug for Acme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Acme({:?})", self.settings)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Acme {
    /// Asks nobody yet. Names are asked of `dns`; beside public addresses on the ports of the web, `allowed` may be called.
    ///
    /// # Errors
    /// Settings that cannot be used, permanent.
    pub fn new(
        settings: AcmeSettings,
        dns: Dns,
        allowed: Vec<Allowed>,
    ) -> Result<Self, AuthorityFailure> {
        let key = AccountKey::read(&settings.account_key).map_err(unusable)?;
        let verification = match &settings.tls_roots {
            None => Verification::Verified(Vec::new()),
            Some(pem) => Verification::Only(roots(pem)?),
        };
        let tls = client_connector(&verification).map_err(unusable)?;
        let secure = !settings.directory.starts_with("http:");
        Ok(Self {
            settings,
            key,
            http: Http {
                caller: Caller { dns, allowed, tls },
                secure,
            },
            directory: Mutex::default(),
            nonce: Mutex::default(),
            account: Mutex::default(),
        })
    }

    async fn directory(&self, now: Timestamp) -> Result<Directory, StepError> {
        let known = locked(&self.directory).clone();
        if let Some(directory) = known {
            return Ok(directory);
        }
        let ask = Ask {
            method: Verb::Get,
            url: &self.settings.directory,
            accept: JSON,
            now,
        };
        let directory: Directory = read(&self.http.ask(ask, Vec::new()).await?)?;
        *locked(&self.directory) = Some(directory.clone());
        Ok(directory)
    }

    /// A nonce that was not used yet (RFC 8555 section 7.2).
    async fn nonce(&self, now: Timestamp) -> Result<String, StepError> {
        let kept = locked(&self.nonce).take();
        if let Some(nonce) = kept {
            return Ok(nonce);
        }
        let directory = self.directory(now).await?;
        let ask = Ask {
            method: Verb::Head,
            url: &directory.new_nonce,
            accept: JSON,
            now,
        };
        let answer = self.http.ask(ask, Vec::new()).await?;
        let missing = || AuthorityFailure::passing(Said::NoNonce {});
        Ok(answer.nonce.ok_or_else(missing)?)
    }

    /// A signed request; with another nonce where the server did not like the first (RFC 8555 section 6.5).
    async fn post(
        &self,
        (url, accept): (&str, &'static str),
        signer: Signer<'_>,
        payload: Option<&Value>,
        now: Timestamp,
    ) -> Result<Answer, StepError> {
        let mut tries = 1;
        loop {
            let nonce = self.nonce(now).await?;
            let body = self.key.sign(url, &nonce, signer, payload);
            let body = body.map_err(unusable)?;
            let ask = Ask {
                method: Verb::Post,
                url,
                accept,
                now,
            };
            let asked = self.http.ask(ask, body).await;
            match asked {
                Err(error) if error.is("badNonce") && tries < ACME_NONCES => tries += 1,
                Ok(mut answer) => {
                    *locked(&self.nonce) = answer.nonce.take();
                    return Ok(answer);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The account's URL; made if there is none with our key (RFC 8555 section 7.3.1).
    async fn account(&self, now: Timestamp) -> Result<String, StepError> {
        let known = locked(&self.account).clone();
        if let Some(account) = known {
            return Ok(account);
        }
        let url = self.directory(now).await?.new_account;
        let mut payload = json!({"termsOfServiceAgreed": true});
        if !self.settings.contact.is_empty() {
            let contact = self.settings.contact.iter();
            payload["contact"] = contact
                .map(|address| json!(format!("mailto:{address}")))
                .collect();
        }
        if let Some((kid, key)) = &self.settings.external_account {
            let bound = self.key.bound_to((kid, key), &url);
            payload["externalAccountBinding"] = bound.map_err(unusable)?;
        }
        let answer = self
            .post((&url, JSON), Signer::Key, Some(&payload), now)
            .await?;
        let missing = || AuthorityFailure::passing(Said::AccountNotNamed {});
        let account = answer.location.ok_or_else(missing)?;
        *locked(&self.account) = Some(account.clone());
        Ok(account)
    }

    /// POST-as-GET (RFC 8555 section 6.3).
    async fn get<T: DeserializeOwned>(
        &self,
        url: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<(T, Option<i64>), StepError> {
        let signer = Signer::Account(account);
        let answer = self.post((url, JSON), signer, None, now).await?;
        Ok((read(&answer)?, answer.retry_after))
    }

    /// RFC 8555 section 7.4, RFC 8823 section 3; the challenge is asked for at once, since that makes the server send it.
    async fn order(&self, wanted: &Wanted) -> Result<Progress, StepError> {
        let now = wanted.now;
        let account = self.account(now).await?;
        let url = self.directory(now).await?.new_order;
        let address = wanted.address.to_string();
        let payload = json!({"identifiers": [{"type": "email", "value": address}]});
        let signer = Signer::Account(&account);
        let answer = self.post((&url, JSON), signer, Some(&payload), now).await?;
        let order: Order = read(&answer)?;
        let missing = || AuthorityFailure::passing(Said::OrderNotNamed {});
        let mut notes = Notes {
            order: answer.location.ok_or_else(missing)?,
            authorization: order.authorizations.into_iter().next().unwrap_or_default(),
            account,
            expected: None,
        };
        if order.status != Status::Pending {
            return Ok(waiting(&notes, ACME_POLL));
        }
        // The order stands: what fails from here on is asked for again by `collect`.
        match self.authorization(&mut notes, now).await {
            Ok(_) => Ok(waiting(&notes, ACME_MAIL_POLL)),
            Err(error) => match error.told() {
                failure if failure.permanent => Err(failure.into()),
                failure => Ok(waiting(&notes, failure.retry_after.unwrap_or(ACME_POLL))),
            },
        }
    }

    /// The authorization with its challenge; what the challenge says is noted.
    async fn authorization(
        &self,
        notes: &mut Notes,
        now: Timestamp,
    ) -> Result<(Authorization, Option<Challenge>), StepError> {
        let asked = self.get(&notes.authorization, &notes.account, now).await?;
        let authorization: Authorization = asked.0;
        let ours = |challenge: &&Challenge| challenge.kind == CHALLENGE;
        let challenge = authorization.challenges.iter().find(ours).cloned();
        if authorization.status == Status::Pending {
            let challenge = challenge
                .as_ref()
                .ok_or_else(|| AuthorityFailure::permanent(Said::NoMailChallenge {}))?;
            notes.expected = Some(expected(challenge, &self.key)?);
        }
        Ok((authorization, challenge))
    }

    /// The next step of an order, by what the server says of it.
    async fn advance(&self, wanted: &Wanted, mut notes: Notes) -> Result<Progress, StepError> {
        let now = wanted.now;
        let asked = self.get(&notes.order, &notes.account, now).await;
        let (order, retry_after): (Order, _) = match asked {
            Err(error) if error.is_gone() => return Ok(Progress::Unknown),
            other => other?,
        };
        match order.status {
            Status::Pending => self.pending(wanted, &mut notes).await,
            Status::Ready => self.finalize(wanted, &notes, &order.finalize).await,
            Status::Processing => Ok(waiting(&notes, retry_after.unwrap_or(ACME_POLL))),
            Status::Valid => self.download(wanted, &notes, &order).await,
            Status::Invalid if order.error.is_none() && is_over(&order, now) => {
                Ok(Progress::Unknown)
            }
            Status::Invalid => Err(self.refused(order, notes, now).await),
            Status::Deactivated | Status::Expired | Status::Revoked => Ok(Progress::Unknown),
        }
    }

    /// RFC 8555 section 7.5.1: the challenge is said to be ready once its answer was delivered (RFC 8823 section 3).
    async fn pending(&self, wanted: &Wanted, notes: &mut Notes) -> Result<Progress, StepError> {
        let now = wanted.now;
        let (authorization, challenge) = match self.authorization(notes, now).await {
            Err(error) if error.is_gone() => return Ok(Progress::Unknown),
            other => other?,
        };
        let status = challenge.as_ref().map(|challenge| challenge.status);
        match (authorization.status, status, challenge) {
            (Status::Pending, Some(Status::Pending), Some(challenge)) => {
                if !wanted.answered {
                    return Ok(waiting(notes, ACME_MAIL_POLL));
                }
                let signer = Signer::Account(&notes.account);
                let url = (challenge.url.as_str(), JSON);
                let answer = self.post(url, signer, Some(&json!({})), now).await?;
                // Some servers judge it before they answer.
                let again_in = match read::<Challenge>(&answer) {
                    Ok(challenge) if challenge.status == Status::Valid => ACME_VALID_POLL,
                    _ => answer.retry_after.unwrap_or(ACME_POLL),
                };
                Ok(waiting(notes, again_in))
            }
            (Status::Invalid, _, challenge) | (_, Some(Status::Invalid), challenge) => {
                Err(challenge_refused(challenge))
            }
            (Status::Deactivated | Status::Expired | Status::Revoked, ..) => Ok(Progress::Unknown),
            _ => Ok(waiting(notes, ACME_POLL)),
        }
    }

    /// RFC 8555 section 7.4: our request, for an order that is ready.
    async fn finalize(
        &self,
        wanted: &Wanted,
        notes: &Notes,
        url: &str,
    ) -> Result<Progress, StepError> {
        let payload = json!({"csr": base64url(&wanted.csr)});
        let signer = Signer::Account(&notes.account);
        let answer = self
            .post((url, JSON), signer, Some(&payload), wanted.now)
            .await?;
        let order: Order = read(&answer)?;
        match order.status {
            Status::Valid => self.download(wanted, notes, &order).await,
            _ => Ok(waiting(notes, answer.retry_after.unwrap_or(ACME_POLL))),
        }
    }

    /// RFC 8555 section 7.4.2.
    async fn download(
        &self,
        wanted: &Wanted,
        notes: &Notes,
        order: &Order,
    ) -> Result<Progress, StepError> {
        let Some(url) = &order.certificate else {
            return Ok(waiting(notes, ACME_POLL));
        };
        let signer = Signer::Account(&notes.account);
        let answer = self.post((url, CHAIN), signer, None, wanted.now).await?;
        Ok(Progress::Issued(chain(&answer.body, &wanted.spki)?))
    }

    /// Why an order is invalid: it says so itself, or its challenge does.
    async fn refused(&self, order: Order, mut notes: Notes, now: Timestamp) -> StepError {
        if let Some(problem) = order.error.filter(|problem| *problem != Problem::default()) {
            return ended(&problem);
        }
        match self.authorization(&mut notes, now).await {
            Ok((_, challenge)) => challenge_refused(challenge),
            Err(error) => error,
        }
    }

    /// RFC 8555 section 7.6, signed by the account.
    async fn revocation(&self, what: &ToRevoke) -> Result<Revoked, StepError> {
        let now = what.now;
        let refused = || AuthorityFailure::permanent(Said::NoRevocation {});
        let url = self.directory(now).await?.revoke_cert.ok_or_else(refused)?;
        let account = match what.handle.as_deref().and_then(notes_of) {
            Some(notes) => notes.account,
            None => self.account(now).await?,
        };
        let mut payload = json!({"certificate": base64url(what.certificate.der())});
        if what.reason != RevocationReason::Unspecified {
            payload["reason"] = json!(what.reason.code());
        }
        loop {
            let signer = Signer::Account(&account);
            match self.post((&url, JSON), signer, Some(&payload), now).await {
                Ok(_) => return Ok(Revoked::Confirmed),
                Err(error) if error.is("alreadyRevoked") => return Ok(Revoked::Confirmed),
                // Some authorities take but a few reasons; without one is better than not at all.
                Err(error) if error.is("badRevocationReason") && !payload["reason"].is_null() => {
                    payload["reason"].take();
                    if let Some(payload) = payload.as_object_mut() {
                        payload.remove("reason");
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Authority for Acme {
    fn request<'a>(&'a self, wanted: &'a Wanted) -> Answering<'a, Progress> {
        Box::pin(within(self.order(wanted)))
    }

    fn collect<'a>(&'a self, wanted: &'a Wanted) -> Answering<'a, Progress> {
        Box::pin(async move {
            match wanted.handle.as_deref().and_then(notes_of) {
                Some(notes) => within(self.advance(wanted, notes)).await,
                None => Ok(Progress::Unknown),
            }
        })
    }

    fn revoke<'a>(&'a self, what: &'a ToRevoke) -> Answering<'a, Revoked> {
        Box::pin(within(self.revocation(what)))
    }
}

/// A verb within its time.
async fn within<T>(
    verb: impl Future<Output = Result<T, StepError>>,
) -> Result<T, AuthorityFailure> {
    match timeout(ACME_VERB_WAIT, verb).await {
        Ok(done) => done.map_err(StepError::told),
        Err(_) => Err(AuthorityFailure::passing(Said::TakesTooLong {})),
    }
}

fn notes_of(handle: &str) -> Option<Notes> {
    serde_json::from_str(handle).ok()
}

fn waiting(notes: &Notes, again_in: i64) -> Progress {
    Progress::Waiting {
        // Strings alone: they always have a JSON form.
        handle: json!(notes).to_string(),
        again_in,
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, StepError> {
    let wrong = |error: serde_json::Error| {
        let why = one_line(&error.to_string());
        AuthorityFailure::passing(Said::NotAcme { why })
    };
    Ok(serde_json::from_slice(&answer.body).map_err(wrong)?)
}

/// What a challenge object says (RFC 8823 section 3).
fn expected(challenge: &Challenge, key: &AccountKey) -> Result<Expected, AuthorityFailure> {
    let wrong = |what: &str| {
        let what = what.to_owned();
        AuthorityFailure::permanent(Said::ChallengeWithout { what })
    };
    let token = challenge.token.clone().filter(|token| is_token(token));
    let from = challenge.from.as_deref().and_then(address);
    Ok(Expected {
        from: from.ok_or_else(|| wrong("from"))?,
        token: token.ok_or_else(|| wrong("token"))?,
        thumbprint: key.thumbprint(),
    })
}

/// An address, alone or as a header field has it.
fn address(text: &str) -> Option<Address> {
    let mut mailboxes = parse_mailboxes(text.as_bytes()).ok()?;
    let only = mailboxes.pop()?;
    mailboxes.is_empty().then_some(only.address)
}

/// Whether the time of an order is over.
fn is_over(order: &Order, now: Timestamp) -> bool {
    let until = order.expires.as_deref().and_then(Timestamp::parse_rfc3339);
    until.is_some_and(|until| until <= now)
}

fn challenge_refused(challenge: Option<Challenge>) -> StepError {
    let problem = challenge.and_then(|challenge| challenge.error);
    ended(&problem.unwrap_or_default())
}

/// An order that came to its end without a certificate.
fn ended(problem: &Problem) -> StepError {
    let said = match problem.text() {
        words if words.is_empty() => Said::AnswerRefused {},
        words => Said::RefusedOrder { words },
    };
    AuthorityFailure::permanent(said).into()
}

/// The certificate for our key, then its issuers without the root.
fn chain(body: &[u8], spki: &[u8]) -> Result<Vec<Certificate>, AuthorityFailure> {
    let unreadable = |why: CertificateError| {
        let why = Inputs::from(why).into();
        AuthorityFailure::permanent(Said::ChainUnreadable { why })
    };
    let blocks = pem::read(body).map_err(|error| unreadable(error.into()))?;
    let mut certificates = Vec::new();
    for block in blocks
        .iter()
        .filter(|block| block.label == "CERTIFICATE")
        .take(ACME_CHAIN)
    {
        let certificate = Certificate::from_der(&block.der).map_err(unreadable)?;
        if certificates.is_empty() || !certificate.self_issued() {
            certificates.push(certificate);
        }
    }
    match certificates.first() {
        None => Err(unreadable(CertificateError::None)),
        Some(first) if first.spki_der() != spki => {
            Err(AuthorityFailure::permanent(Certificates::ForOtherKey {}))
        }
        Some(_) => Ok(certificates),
    }
}

/// What an administrator has to mend.
fn unusable(error: impl std::fmt::Display) -> AuthorityFailure {
    let why = one_line(&error.to_string());
    AuthorityFailure::permanent(Said::Settings { why })
}

fn roots(text: &str) -> Result<Vec<CertificateDer<'static>>, AuthorityFailure> {
    let wrong = || AuthorityFailure::permanent(Said::NoTlsRoot {});
    let blocks = pem::read(text.as_bytes()).map_err(|_| wrong())?;
    let roots: Vec<_> = blocks
        .iter()
        .filter(|block| block.label == "CERTIFICATE")
        .map(|block| CertificateDer::from(block.der.to_vec()))
        .collect();
    if roots.is_empty() {
        Err(wrong())
    } else {
        Ok(roots)
    }
}

#[cfg(test)]
mod tests;
