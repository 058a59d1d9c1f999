//! Sessions with one token: few, shared, opened when needed, and opened once more where they were lost.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use super::{Module, TokenError, TokenSettings, only, private_key};
use crate::limits::{TOKEN_HANDLES, TOKEN_SESSIONS, TOKEN_WAIT};

/// Why an operation gave nothing.
pub(super) enum Refusal {
    /// The library says so.
    Library(Error),
    /// The object is not there.
    Missing,
    /// More than one object is meant.
    Several,
    /// The PIN was refused.
    WrongPin(String),
    /// All sessions are in use.
    Busy,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

pub(super) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// Whether asking again later may help. What a token answers to what it is asked for is final; whatever else goes wrong
    /// is taken for a token that is away, so that mail waits rather than being given up.
    pub fn passes(&self) -> bool {
        use RvError::{
            ArgumentsBad, AttributeTypeInvalid, AttributeValueInvalid, CurveNotSupported,
            DataInvalid, DataLenRange, DomainParamsInvalid, EncryptedDataInvalid,
            EncryptedDataLenRange, FunctionNotSupported, KeyFunctionNotPermitted, KeySizeRange,
            KeyTypeInconsistent, MechanismInvalid, MechanismParamInvalid, PublicKeyInvalid,
            SessionReadOnly, TemplateIncomplete, TemplateInconsistent, TokenWriteProtected,
        };
        match self {
            Self::Missing | Self::WrongPin(_) | Self::Busy => true,
            Self::Several => false,
            Self::Library(Error::Pkcs11(answer, _)) => !matches!(
                answer,
                ArgumentsBad
                    | AttributeTypeInvalid
                    | AttributeValueInvalid
                    | CurveNotSupported
                    | DataInvalid
                    | DataLenRange
                    | DomainParamsInvalid
                    | EncryptedDataInvalid
                    | EncryptedDataLenRange
                    | FunctionNotSupported
                    | KeyFunctionNotPermitted
                    | KeySizeRange
                    | KeyTypeInconsistent
                    | MechanismInvalid
                    | MechanismParamInvalid
                    | PublicKeyInvalid
                    | SessionReadOnly
                    | TemplateIncomplete
                    | TemplateInconsistent
                    | TokenWriteProtected
            ),
            Self::Library(error) => matches!(error, Error::LibraryLoading(_)),
        }
    }

    /// Whether a new session may help at once.
    fn may_be_lost_session(&self) -> bool {
        self.passes() && !matches!(self, Self::Busy | Self::WrongPin(_))
    }

    fn text(&self) -> String {
        match self {
            // The library's own names: what stands in its maker's manual.
            Self::Library(Error::Pkcs11(answer, function)) => format!("{function:?}: {answer:?}"),
            Self::Library(error) => error.to_string().replace(['\r', '\n'], " "),
            Self::Missing => "the key is not on it".to_owned(),
            Self::WrongPin(answer) => {
                format!("it refused its PIN ({answer}): correct it and start this program again")
            }
            Self::Busy => "all sessions are in use".to_owned(),
            Self::Several => "several keys on it have this label or number".to_owned(),
        }
    }
}

/// One token, and who waits for it.
pub(super) struct Desk {
    pub settings: TokenSettings,
    module: Arc<Module>,
    shared: Mutex<Shared>,
    free: Condvar,
    /// What the log heard last.
    is_away: AtomicBool,
}

#[derive(Default)]
struct Shared {
    idle: Vec<Session>,
    /// Sessions that there are, idle or in use.
    open: usize,
    /// Raised whenever all sessions are given up: those of before are not taken back.
    age: u64,
    /// Private keys found, which all sessions name alike.
    handles: HashMap<Vec<u8>, ObjectHandle>,
    /// The PIN was refused: it is not tried again, since tokens lock themselves after a few wrong ones.
    wrong_pin: Option<String>,
}

/// A session in use; its place is free again when dropped.
struct Lease<'d> {
    desk: &'d Desk,
    session: Option<Session>,
    age: u64,
}

impl Lease<'_> {
    /// Closing asks the library.
    fn close(&mut self) {
        if let Some(session) = self.session.take() {
            let _calling = self.desk.module.calling();
            drop(session);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut shared = self.desk.shared();
        if shared.age == self.age {
            match self.session.take() {
                Some(session) => shared.idle.push(session),
                None => shared.open = shared.open.saturating_sub(1),
            }
        }
        drop(shared);
        self.desk.free.notify_one();
        self.close();
    }
}

impl Desk {
    pub fn new(settings: TokenSettings, module: Arc<Module>) -> Self {
        Self {
            settings,
            module,
            shared: Mutex::default(),
            free: Condvar::new(),
            is_away: AtomicBool::new(false),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` in a session. Where the session was lost, it is done once more in a new one.
    pub fn with<T, E: Into<Refusal>>(
        &self,
        work: impl Fn(&Session) -> Result<T, E>,
    ) -> Result<T, TokenError> {
        let done = match self.once(&work) {
            Err(refusal) if refusal.may_be_lost_session() => {
                self.give_up();
                self.once(&work)
            }
            other => other,
        };
        done.map_err(|refusal| self.error(&refusal))
    }

    /// The log hears once that the token is away, and once that it is back.
    fn tell(&self, error: Option<&TokenError>) {
        let away = error.filter(|error| matches!(error, TokenError::Away { .. }));
        let was_away = self.is_away.swap(away.is_some(), Ordering::Relaxed);
        match (was_away, away) {
            (false, Some(error)) => tracing::warn!(%error, "what needs this token waits"),
            (true, None) => tracing::info!(token = self.settings.name, "the token is back"),
            _ => {}
        }
    }

    /// Does `work` with the private key of that CKA_ID.
    pub fn with_key<T>(
        &self,
        id: &[u8],
        work: impl Fn(&Session, ObjectHandle) -> Answer<T>,
    ) -> Result<T, TokenError> {
        let done = self.with(|session| work(session, self.private_key(session, id)?));
        self.tell(done.as_ref().err());
        done
    }

    /// Does `work` in a session of its own that may write.
    pub fn writing<T>(&self, work: impl Fn(&Session) -> Answer<T>) -> Result<T, TokenError> {
        let session = self.open(true).map_err(|refusal| self.error(&refusal))?;
        let _calling = self.module.calling();
        let done = work(&session);
        drop(session);
        done.map_err(|refusal| self.error(&refusal))
    }

    fn error(&self, refusal: &Refusal) -> TokenError {
        let (token, reason) = (self.settings.name.clone(), refusal.text());
        match refusal.passes() {
            true => TokenError::Away { token, reason },
            false => TokenError::Refused { token, reason },
        }
    }

    fn once<T, E: Into<Refusal>>(
        &self,
        work: &impl Fn(&Session) -> Result<T, E>,
    ) -> Result<T, Refusal> {
        let mut lease = self.lease()?;
        let calling = self.module.calling();
        let done = match &lease.session {
            Some(session) => work(session).map_err(Into::into),
            None => Err(Refusal::Missing),
        };
        drop(calling);
        if done.is_err() {
            // An operation may be left begun in it.
            lease.close();
        }
        done
    }

    fn private_key(&self, session: &Session, id: &[u8]) -> Answer<ObjectHandle> {
        if let Some(handle) = self.shared().handles.get(id) {
            return Ok(*handle);
        }
        let handle = only(session, &private_key(id))?;
        let handles = &mut self.shared().handles;
        if handles.len() >= TOKEN_HANDLES {
            handles.clear();
        }
        handles.insert(id.to_vec(), handle);
        Ok(handle)
    }

    fn lease(&self) -> Answer<Lease<'_>> {
        let end = Instant::now() + TOKEN_WAIT;
        let mut shared = self.shared();
        loop {
            let age = shared.age;
            if let Some(session) = shared.idle.pop() {
                return Ok(Lease {
                    desk: self,
                    session: Some(session),
                    age,
                });
            }
            if shared.open < TOKEN_SESSIONS {
                shared.open += 1;
                drop(shared);
                let mut lease = Lease {
                    desk: self,
                    session: None,
                    age,
                };
                lease.session = Some(self.open(false)?);
                return Ok(lease);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Refusal::Busy);
            }
            let waited = self.free.wait_timeout(shared, left);
            shared = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Forgets all sessions and what was found in them.
    fn give_up(&self) {
        let mut shared = self.shared();
        shared.age += 1;
        shared.open = 0;
        shared.handles.clear();
        let ended = std::mem::take(&mut shared.idle);
        drop(shared);
        self.free.notify_all();
        let _calling = self.module.calling();
        drop(ended);
    }

    fn open(&self, writes: bool) -> Answer<Session> {
        if let Some(refused) = &self.shared().wrong_pin {
            return Err(Refusal::WrongPin(refused.clone()));
        }
        let (library, slot) = self.module.slot(&self.settings.place)?;
        let _calling = self.module.calling();
        let session = match writes {
            true => library.open_rw_session(slot)?,
            false => library.open_ro_session(slot)?,
        };
        let pin = AuthPin::from(self.settings.pin.as_str());
        match session.login(UserType::User, Some(&pin)) {
            // The login of one session is that of all.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(Error::Pkcs11(
                answer @ (RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired
                | RvError::PinLocked),
                _,
            )) => {
                tracing::error!(
                    token = self.settings.name,
                    "the token refuses its PIN; it is not tried again before a restart"
                );
                let answer = format!("{answer:?}");
                self.shared().wrong_pin = Some(answer.clone());
                Err(Refusal::WrongPin(answer))
            }
            Err(error) => Err(error.into()),
        }
    }
}
