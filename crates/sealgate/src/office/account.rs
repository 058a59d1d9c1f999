//! The portal's questions about one's own account.

use async_trait::async_trait;
use sealgate_core::permission::UserId;
use sealgate_core::tenant::Language;
use sealgate_portal::auth::{Oneself, Permitted, Signed};
use sealgate_portal::office::account::{Account, OwnAccount, OwnSession};
use sealgate_portal::office::{Asked, At};
use sealgate_portal::problem::Problem;
use sealgate_store::By;
use zeroize::Zeroizing;

use super::accounts::ENDS;
use super::{PortalOffice, problem};
use crate::gateway::now;

/// The user of a session, and the hash of its secret.
fn session(who: &Permitted<Oneself>) -> Asked<(UserId, [u8; 32])> {
    match &who.authenticated().signed {
        Signed::Session { user, sha256, .. } => Ok((*user, *sha256)),
        Signed::Token { .. } => Err(Problem::new("forbidden")),
    }
}

/// Who changes something, for the audit log.
pub fn by<P>(who: &Permitted<P>) -> By {
    By {
        who: who.who().to_owned(),
        at: now(),
    }
}

#[async_trait]
impl Account for PortalOffice {
    async fn own_account(&self, who: &Permitted<Oneself>) -> Asked<OwnAccount> {
        let grants = &who.authenticated().grants;
        let mut own = OwnAccount {
            name: who.who().to_owned(),
            is_token: true,
            operator: grants.operator,
            reseller: grants.reseller.is_some(),
            language: None,
            has_password: false,
            is_foreign: false,
            has_second_factor: false,
            recovery_codes: 0,
        };
        let Ok((id, _)) = session(who) else {
            return Ok(own);
        };
        let store = &self.0.store;
        let user = store.user(id).await.map_err(problem)?;
        let user = user.ok_or_else(Problem::not_found)?;
        own.is_token = false;
        own.language = Some(user.language);
        own.has_password = user.has_password;
        own.is_foreign = user.is_foreign;
        own.has_second_factor = user.has_second_factor;
        own.recovery_codes = store.recovery_codes(id).await.map_err(problem)?;
        Ok(own)
    }

    async fn own_password(&self, who: &Permitted<Oneself>) -> Asked<Option<String>> {
        let (user, _) = session(who)?;
        self.0.store.password_of(user).await.map_err(problem)
    }

    async fn set_own_password(&self, who: &Permitted<Oneself>, hash: String) -> Asked<()> {
        let (user, own) = session(who)?;
        let store = &self.0.store;
        let set = store.set_password(user, hash, Some(own), by(who)).await;
        set.map_err(problem)
    }

    async fn set_own_language(&self, who: &Permitted<Oneself>, language: Language) -> Asked<()> {
        let (user, _) = session(who)?;
        let set = self.0.store.set_language(user, language, by(who)).await;
        set.map_err(problem)
    }

    async fn begin_second_factor(&self, who: &Permitted<Oneself>, secret: &[u8]) -> Asked<()> {
        let (user, _) = session(who)?;
        let begun = self.0.store.begin_second_factor(user, secret).await;
        begun.map_err(problem)
    }

    async fn begun_second_factor(
        &self,
        who: &Permitted<Oneself>,
    ) -> Asked<Option<Zeroizing<Vec<u8>>>> {
        let (user, _) = session(who)?;
        let begun = self.0.store.begun_second_factor(user).await;
        begun.map_err(problem)
    }

    async fn confirm_second_factor(
        &self,
        who: &Permitted<Oneself>,
        secret: Zeroizing<Vec<u8>>,
        step: i64,
        codes: Vec<[u8; 32]>,
    ) -> Asked<()> {
        let (user, own) = session(who)?;
        let confirmed =
            self.0
                .store
                .confirm_second_factor(user, (secret, step), (codes, Some(own)), by(who));
        confirmed.await.map_err(problem)
    }

    async fn remove_own_second_factor(&self, who: &Permitted<Oneself>) -> Asked<()> {
        let (user, own) = session(who)?;
        let store = &self.0.store;
        let removed = store.remove_second_factor(user, Some(own), by(who)).await;
        removed.map_err(problem)
    }

    async fn replace_own_recovery_codes(
        &self,
        who: &Permitted<Oneself>,
        codes: Vec<[u8; 32]>,
    ) -> Asked<()> {
        let (user, _) = session(who)?;
        let store = &self.0.store;
        let replaced = store.replace_recovery_codes(user, codes, by(who)).await;
        replaced.map_err(problem)
    }

    async fn own_sessions(&self, who: &Permitted<Oneself>) -> Asked<Vec<OwnSession>> {
        let (user, own) = session(who)?;
        let lines = self.0.store.sessions(user, ENDS, now()).await;
        let lines = lines.map_err(problem)?.into_iter();
        let shown = lines.map(|line| OwnSession {
            id: line.id,
            created: At(line.created),
            seen: At(line.seen),
            agent: line.agent,
            address: line.address,
            is_this: line.sha256 == own,
        });
        Ok(shown.collect())
    }

    async fn end_own_session(&self, who: &Permitted<Oneself>, id: i64) -> Asked<()> {
        let (user, _) = session(who)?;
        let ended = self.0.store.end_session_of(user, id, by(who)).await;
        ended.map_err(problem)
    }

    async fn end_other_sessions(&self, who: &Permitted<Oneself>) -> Asked<()> {
        let (user, own) = session(who)?;
        let store = &self.0.store;
        let ended = store.end_other_sessions(user, Some(own), by(who)).await;
        ended.map_err(problem)
    }
}
