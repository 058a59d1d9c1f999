//! The built-in CA as an authority: it issues at once, once for each order, and revokes at once. What it issued stands in a
//! [`Register`], which the store keeps; nothing is stored here.

use std::sync::Arc;

use sealgate_core::authority::{AuthorityFailure, OrderId, Progress, Revoked, ToRevoke, Wanted};
use sealgate_core::ports::{Register, RegisterFailure};
use sealgate_core::saying::{Authorities as Said, Inputs};
use sealgate_smime::asn1::Asn1Error;
use sealgate_smime::certificate::{Certificate, CertificateError};
use sealgate_smime::key::{KeyError, PrivateKey};

use super::Answering;

mod addresses;
mod list;
mod ocsp;
mod profile;
mod publisher;
mod request;
#[cfg(test)]
pub(crate) mod tests;

pub use addresses::{Addresses, NotABase, Resource};
pub use profile::{issue, make_ca};
pub use publisher::{Answered, ListOf, PublishError, Published, Publisher};

/// A root and the issuing CA below it, with their keys.
#[derive(Clone, Debug)]
pub struct Ca {
    /// What correspondents are asked to trust.
    pub root_certificate: Certificate,
    /// Signs issuing CAs only.
    pub root_key: PrivateKey,
    /// Goes along with every signature of a mailbox.
    pub issuing_certificate: Certificate,
    /// Signs mailbox certificates.
    pub issuing_key: PrivateKey,
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The key to certify is none, too short, known to be weak, or cannot sign.
    #[error(
        "the mailbox key cannot be certified: it must be RSA of at least 2,048 bits, an NIST curve or Ed25519"
    )]
    MailboxKey,
    /// Readers of certificates would not take the address from one.
    #[error(
        "the address cannot be certified: readers of certificates take no local part with quotes, with a star, or of more than 64 octets"
    )]
    Address,
    /// The issuing CA is not valid now.
    #[error("the built-in CA is not valid now; check the clock, or make a new one")]
    NotValid,
    /// A key could not be made or used.
    #[error("the built-in CA's key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The public key's DER does not hold what it should.
    #[error("the mailbox key cannot be read: {0}")]
    PublicKey(#[from] Asn1Error),
    /// What was made does not read back.
    #[error("the certificate made is not sound: {0}")]
    Unsound(#[from] CertificateError),
}

impl From<CaError> for AuthorityFailure {
    fn from(error: CaError) -> Self {
        match error {
            CaError::MailboxKey => Self::permanent(Said::KeyRefused {}),
            CaError::Address => Self::permanent(Said::AddressRefused {}),
            CaError::PublicKey(error) => {
                let why = error.to_string();
                Self::permanent(Said::KeyUnreadable { why })
            }
            CaError::NotValid => Self::passing(Said::NotValidNow {}),
            CaError::Key(error) => {
                let why = error.to_string();
                Self::passing(Said::OwnKey { why })
            }
            CaError::Unsound(error) => {
                let why = Inputs::from(error).into();
                Self::passing(Said::Unsound { why })
            }
        }
    }
}

/// The connector.
pub struct BuiltIn {
    ca: Ca,
    register: Arc<dyn Register>,
    addresses: Option<Addresses>,
}

impl BuiltIn {
    /// Issues by `ca`, keeps to `register`, and names `addresses` in certificates, if anything is published.
    pub fn new(ca: Ca, register: Arc<dyn Register>, addresses: Option<Addresses>) -> Self {
        Self {
            ca,
            register,
            addresses,
        }
    }

    async fn find(&self, order: OrderId) -> Result<Option<Progress>, AuthorityFailure> {
        let found = self.register.issued_for(order).await.map_err(later)?;
        Ok(found.map(|certificate| self.issued(certificate)))
    }

    fn issued(&self, certificate: Certificate) -> Progress {
        Progress::Issued(vec![certificate, self.ca.issuing_certificate.clone()])
    }

    async fn certify(&self, wanted: &Wanted) -> Result<Progress, AuthorityFailure> {
        if let Some(progress) = self.find(wanted.order).await? {
            return Ok(progress);
        }
        let proven = request::proven_key(&wanted.csr);
        let Some(spki) = proven.filter(|spki| *spki == wanted.spki) else {
            return Err(AuthorityFailure::permanent(Said::RequestOfOther {}));
        };
        let addresses = self.addresses.as_ref();
        let certificate = issue(&self.ca, addresses, &wanted.address, spki, wanted.now)?;
        let counts = self
            .register
            .record(wanted.order, &certificate, wanted.now)
            .await
            .map_err(later)?;
        Ok(self.issued(counts))
    }

    async fn take_back(&self, what: &ToRevoke) -> Result<Revoked, AuthorityFailure> {
        let serial = what.certificate.serial();
        let known = self.register.find(serial).await.map_err(later)?;
        if known.is_none_or(|known| known.fingerprint != what.certificate.fingerprint()) {
            return Err(AuthorityFailure::permanent(Said::NotIssuedHere {
                serial: what.certificate.serial_hex().to_string(),
            }));
        }
        let revoked = self.register.revoke(serial, what.reason, what.now).await;
        revoked.map_err(later)?;
        Ok(Revoked::Confirmed)
    }
}

fn later(failure: RegisterFailure) -> AuthorityFailure {
    super::ours(failure)
}

impl super::Authority for BuiltIn {
    fn request<'a>(&'a self, wanted: &'a Wanted) -> Answering<'a, Progress> {
        Box::pin(self.certify(wanted))
    }

    fn collect<'a>(&'a self, wanted: &'a Wanted) -> Answering<'a, Progress> {
        Box::pin(async { Ok(self.find(wanted.order).await?.unwrap_or(Progress::Unknown)) })
    }

    fn revoke<'a>(&'a self, what: &'a ToRevoke) -> Answering<'a, Revoked> {
        Box::pin(self.take_back(what))
    }
}
