//! The makers' libraries: each is loaded and initialised once in this process, whatever number of its tokens is used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::Slot;

use super::TokenPlace;
use crate::limits::TOKEN_RESTART;

/// The libraries of all tokens, by path.
#[derive(Default)]
pub(super) struct Modules(BTreeMap<PathBuf, Arc<Module>>);

impl Modules {
    pub fn of(&mut self, path: &Path) -> Arc<Module> {
        let make = || {
            Arc::new(Module {
                path: path.to_owned(),
                state: Mutex::default(),
                calls: RwLock::default(),
            })
        };
        Arc::clone(self.0.entry(path.to_owned()).or_insert_with(make))
    }
}

/// One library.
pub(super) struct Module {
    path: PathBuf,
    state: Mutex<State>,
    /// Read while the library is called: it must not be ended under a call.
    calls: RwLock<()>,
}

#[derive(Default)]
struct State {
    /// It stays loaded to the end of the process: some do not survive being unloaded.
    library: Option<Pkcs11>,
    started: Option<Instant>,
}

impl Module {
    /// To be held while the library is called; never twice by one thread.
    pub fn calling(&self) -> RwLockReadGuard<'_, ()> {
        self.calls.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot where the token is, with the library that has it. A token that came after the library was started is seen
    /// by some only when they are started again, which ends the sessions of all its tokens.
    pub fn slot(&self, place: &TokenPlace) -> Result<(Pkcs11, Slot), Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(library), Some(started)) = (&state.library, state.started) {
            let found = self.find(library, place);
            if found.is_ok() || started.elapsed() < TOKEN_RESTART {
                return found.map(|slot| (library.clone(), slot));
            }
        }
        let library = self.start(&mut state)?;
        let slot = self.find(&library, place)?;
        Ok((library, slot))
    }

    fn start(&self, state: &mut State) -> Result<Pkcs11, Error> {
        // Where calls are under way now, this is left to a later one.
        let Ok(_alone) = self.calls.try_write() else {
            return Err(not_there());
        };
        let library = match &state.library {
            Some(library) => library.clone(),
            None => {
                let library = Pkcs11::new(&self.path)?;
                std::mem::forget(library.clone());
                state.library.insert(library).clone()
            }
        };
        if state.started.take().is_some() {
            let _ = library.clone().finalize();
        }
        match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {
                state.started = Some(Instant::now());
                Ok(library)
            }
            Err(error) => Err(error),
        }
    }

    fn find(&self, library: &Pkcs11, place: &TokenPlace) -> Result<Slot, Error> {
        let _calling = self.calling();
        for slot in library.get_slots_with_initialized_token()? {
            let same = match place {
                TokenPlace::Slot(number) => slot.id() == *number,
                TokenPlace::Label(label) => library.get_token_info(slot)?.label() == label,
            };
            if same {
                return Ok(slot);
            }
        }
        Err(not_there())
    }
}

fn not_there() -> Error {
    Error::Pkcs11(RvError::TokenNotPresent, Function::GetSlotList)
}
