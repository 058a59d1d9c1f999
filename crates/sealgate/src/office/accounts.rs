//! The portal's questions about accounts: who is signed in, and how they come to be.

use async_trait::async_trait;
use sealgate_core::permission::Whose;
use sealgate_portal::limits::{
    HALF_SESSION_SECONDS, SEEN_SECONDS, SESSION_IDLE_SECONDS, SESSION_SECONDS,
};
use sealgate_portal::office::Asked;
use sealgate_portal::office::accounts::{Accounts, Session, Token};
use sealgate_portal::problem::Problem;
use sealgate_portal::view::Notice;
use sealgate_store::SessionEnds;

use super::{PortalOffice, problem};
use crate::gateway::now;

/// When sessions end by themselves.
pub const ENDS: SessionEnds = SessionEnds {
    idle: SESSION_IDLE_SECONDS,
    whole: SESSION_SECONDS,
    incomplete: HALF_SESSION_SECONDS,
};

#[async_trait]
impl Accounts for PortalOffice {
    async fn session(&self, sha256: &[u8; 32]) -> Asked<Option<Session>> {
        let (store, now) = (&self.0.store, now());
        let found = store.session(sha256, ENDS, now).await.map_err(problem)?;
        let Some(found) = found.filter(|session| session.complete) else {
            return Ok(None);
        };
        if now.since(found.seen) >= SEEN_SECONDS {
            store.session_seen(*sha256, now).await.map_err(problem)?;
        }
        Ok(Some(Session {
            user: found.user.id,
            name: found.user.name,
            grants: found.grants,
            language: found.user.language,
        }))
    }

    async fn token(&self, sha256: &[u8; 32]) -> Asked<Option<Token>> {
        let (store, now) = (&self.0.store, now());
        let Some(found) = store.api_token(sha256, now).await.map_err(problem)? else {
            return Ok(None);
        };
        let used = found.used;
        if used.is_none_or(|used| now.since(used) >= SEEN_SECONDS) {
            store.api_token_used(*sha256, now).await.map_err(problem)?;
        }
        Ok(Some(Token {
            name: format!("token {}", found.name),
            grants: found.grants,
        }))
    }

    async fn whose(&self, organisation: &str) -> Asked<Option<Whose>> {
        self.0.store.whose(organisation).await.map_err(problem)
    }

    async fn leave_notice(&self, sha256: &[u8; 32], path: &str, notice: Notice) -> Asked<()> {
        let text = serde_json::to_string(&notice).map_err(Problem::internal)?;
        let left = self.0.store.leave_notice(*sha256, path.to_owned(), text);
        left.await.map_err(problem)
    }

    async fn take_notice(&self, sha256: &[u8; 32], path: &str) -> Asked<Option<Notice>> {
        let taken = self.0.store.take_notice(*sha256, path.to_owned());
        let text = taken.await.map_err(problem)?;
        let read = |text: String| serde_json::from_str(&text).map_err(Problem::internal);
        text.map(read).transpose()
    }
}
