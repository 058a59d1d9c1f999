//! PKCS #11 tokens: keys that sign, decrypt and wrap without ever leaving them.
//!
//! A token that is away is a passing failure: it is opened anew at the next use. Nothing here judges a padding; that is done
//! by `smime`, from the bare operation. Every call blocks, so none belongs on a thread that others wait for.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use sealgate_core::saying::Refusals;
use sealgate_smime::key::{KeyError, KeyKind, PrivateKey, TokenReference};
use sealgate_smime::pem;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::StoreError;

mod compute;
mod make;
mod module;
mod session;

use module::{Module, Modules};
use session::Desk;

/// What the configuration says of one token.
#[derive(Clone)]
pub struct TokenSettings {
    /// Its name here.
    pub name: String,
    /// The maker's PKCS #11 library.
    pub module: PathBuf,
    /// Which token of that library.
    pub place: TokenPlace,
    /// The user's PIN.
    pub pin: Zeroizing<String>,
}

/// Which token of a library is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// The one in the slot of that number.
    Slot(u64),
    /// The one of that label, in whatever slot.
    Label(String),
}

impl fmt::Display for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(number) => write!(f, "slot {number}"),
            Self::Label(label) => write!(f, "label {label}"),
        }
    }
}

/// Why a token did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It cannot be asked now.
    #[error("the token {token} is away: {reason}")]
    Away {
        /// Its name.
        token: String,
        /// What its library said.
        reason: String,
    },
    /// It was asked and will never do it.
    #[error("the token {token} refuses: {reason}")]
    Refused {
        /// Its name.
        token: String,
        /// What its library said.
        reason: String,
    },
    /// The configuration names no such token.
    #[error("there is no token {0} in the configuration: add a [[token]] of that name")]
    Unknown(String),
}

impl TokenError {
    /// What the user of a key is told; the reason goes to the log, that of a token that is away by its [`Desk`].
    fn of_key(self, token: &str) -> KeyError {
        if !matches!(self, Self::Away { .. }) {
            tracing::warn!(reason = %self, "a key on a token could not be used");
        }
        match self {
            Self::Away { .. } | Self::Unknown(_) => KeyError::TokenAway(token.to_owned()),
            Self::Refused { .. } => KeyError::TokenRefuses(token.to_owned()),
        }
    }
}

impl From<TokenError> for StoreError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Away { .. } => Self::TokenAway(error.to_string()),
            TokenError::Refused { token, reason: why } => {
                Self::refused(Refusals::TokenRefuses { token, why })
            }
            TokenError::Unknown(token) => Self::refused(Refusals::TokenUnknown { token }),
        }
    }
}

/// All tokens of the configuration. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tokens(Arc<BTreeMap<String, Arc<Desk>>>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// How a token is.
#[derive(Clone, Debug, Serialize)]
pub struct TokenState {
    /// Its name.
    pub name: String,
    /// The maker's library.
    pub module: PathBuf,
    /// Which token of it.
    pub place: String,
    /// Private keys on it that the PIN shows; none if it is away.
    pub keys: Option<usize>,
    /// Why it is away.
    pub problem: Option<String>,
}

impl Tokens {
    /// Nothing is opened yet: that is done at the first use.
    pub fn new(settings: Vec<TokenSettings>) -> Self {
        let mut modules = Modules::default();
        let desk = |settings: TokenSettings| {
            let module = modules.of(&settings.module);
            (settings.name.clone(), Arc::new(Desk::new(settings, module)))
        };
        Self(Arc::new(settings.into_iter().map(desk).collect()))
    }

    /// Asks every token how it is.
    pub fn states(&self) -> Vec<TokenState> {
        let private = [Attribute::Class(ObjectClass::PRIVATE_KEY)];
        let state = |desk: &Arc<Desk>| {
            let counted = desk.with(|session| session.find_objects(&private));
            TokenState {
                name: desk.settings.name.clone(),
                module: desk.settings.module.clone(),
                place: desk.settings.place.to_string(),
                keys: counted.as_ref().ok().map(Vec::len),
                problem: counted.err().map(|error| error.to_string()),
            }
        };
        self.0.values().map(state).collect()
    }

    /// The key that lies there. The token is not asked; a token that is not in the configuration counts as away.
    pub fn key(&self, reference: TokenReference) -> Result<PrivateKey, KeyError> {
        PrivateKey::on_token(Arc::new(OnToken {
            desk: self.0.get(&reference.token).cloned(),
            id: unhex(&reference.id).ok_or(KeyError::Unreadable)?,
            reference,
        }))
    }

    /// The key of that CKA_ID (in hexadecimal) whose public half is `spki`. Whether it is on the token shows when it is used.
    pub fn reference(&self, token: &str, id: &str, spki: &[u8]) -> Result<PrivateKey, KeyError> {
        self.key(TokenReference {
            token: token.to_owned(),
            id: id.to_ascii_lowercase(),
            public: pem::write("PUBLIC KEY", spki),
        })
    }

    /// Makes a key pair on the token: sensitive and not extractable.
    ///
    /// # Errors
    /// The token is away or makes no such keys.
    pub fn generate(&self, token: &str, kind: KeyKind) -> Result<PrivateKey, TokenError> {
        let (id, spki) = make::key_pair(self.desk(token)?, kind)?;
        let unreadable = |error: KeyError| TokenError::Refused {
            token: token.to_owned(),
            reason: error.to_string(),
        };
        self.reference(token, &id, &spki).map_err(unreadable)
    }

    /// Makes an AES-256 key on the token that can be a master key.
    pub fn generate_secret(&self, token: &str, label: &str) -> Result<(), TokenError> {
        make::secret(self.desk(token)?, label)
    }

    /// The AES-256 key of that label on the token, after it was tried out.
    pub(crate) fn secret(&self, token: &str, label: &str) -> Result<TokenSecret, TokenError> {
        let secret = TokenSecret {
            desk: Arc::clone(self.desk(token)?),
            label: label.to_owned(),
        };
        secret.try_out()?;
        Ok(secret)
    }

    fn desk(&self, token: &str) -> Result<&Arc<Desk>, TokenError> {
        self.0
            .get(token)
            .ok_or_else(|| TokenError::Unknown(token.to_owned()))
    }
}

/// One private key.
struct OnToken {
    desk: Option<Arc<Desk>>,
    id: Vec<u8>,
    reference: TokenReference,
}

/// A key that wraps other keys on the token.
pub(crate) struct TokenSecret {
    desk: Arc<Desk>,
    label: String,
}

/// The one object that a template describes.
fn only(session: &Session, template: &[Attribute]) -> session::Answer<ObjectHandle> {
    let found = session.find_objects(template)?;
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(session::Refusal::Missing),
        _ => Err(session::Refusal::Several),
    }
}

fn private_key(id: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Id(id.to_vec()),
    ]
}

fn secret_key(label: &str) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(label.as_bytes().to_vec()),
    ]
}

/// One attribute's octets.
fn octets(
    session: &Session,
    object: ObjectHandle,
    wanted: AttributeType,
) -> session::Answer<Vec<u8>> {
    let found = session
        .get_attributes(object, &[wanted])?
        .into_iter()
        .next();
    match found {
        Some(
            Attribute::Modulus(octets)
            | Attribute::PublicExponent(octets)
            | Attribute::EcPoint(octets)
            | Attribute::Value(octets),
        ) => Ok(octets),
        _ => Err(session::Refusal::Missing),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Octets written in hexadecimal; none of nothing.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| {
        let digits = pair.iter().all(u8::is_ascii_hexdigit) && pair.len() == 2;
        let text = std::str::from_utf8(pair).ok().filter(|_| digits)?;
        u8::from_str_radix(text, 16).ok()
    };
    let octets: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    octets.filter(|octets| !octets.is_empty())
}

#[cfg(test)]
mod tests;
