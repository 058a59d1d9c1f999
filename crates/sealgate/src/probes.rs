//! Whether a mailbox of a wildcard route exists: the next hop is asked, its answer remembered, both within limits.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sealgate_core::queue::NextHop;
use sealgate_mail::{Address, EnhancedStatus, Reply};
use sealgate_net::smtp_out::SmtpOut;
use tokio::sync::Semaphore;

use crate::limits::{RECIPIENT_CACHE, RECIPIENT_MEMORY, RECIPIENT_PROBES};

/// Answers of next hops about recipients.
pub struct Probes {
    known: Mutex<HashMap<Address, (Instant, bool)>>,
    places: Semaphore,
}

impl Default for Probes {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            places: Semaphore::new(RECIPIENT_PROBES),
        }
    }
}

impl Probes {
    /// `Ok` if the next hop takes mail for `address`; 550 5.1.1 if it does not; 451 if it cannot be asked now.
    pub async fn ask(
        &self,
        smtp_out: &SmtpOut,
        hop: &NextHop,
        address: &Address,
    ) -> Result<(), Reply> {
        if let Some(exists) = self.remembered(address) {
            return answer(exists);
        }
        let Ok(_place) = self.places.try_acquire() else {
            return Err(not_now());
        };
        let exists = match smtp_out.probe_recipient(hop, address).await {
            Ok(reply) if reply.is_success() => true,
            Ok(reply) if reply.is_permanent() => false,
            Ok(_) | Err(_) => return Err(not_now()),
        };
        self.remember(address, exists);
        answer(exists)
    }

    fn remembered(&self, address: &Address) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(address)
            .filter(|(at, _)| at.elapsed() < RECIPIENT_MEMORY)
            .map(|(_, exists)| *exists)
    }

    fn remember(&self, address: &Address, exists: bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= RECIPIENT_CACHE {
            known.clear();
        }
        known.insert(address.clone(), (Instant::now(), exists));
    }
}

fn answer(exists: bool) -> Result<(), Reply> {
    if exists {
        return Ok(());
    }
    Err(Reply::new(
        550,
        EnhancedStatus(5, 1, 1),
        "there is no such mailbox here",
    ))
}

fn not_now() -> Reply {
    Reply::new(
        451,
        EnhancedStatus(4, 4, 1),
        "the server of this mailbox cannot be asked now; try again later",
    )
}
