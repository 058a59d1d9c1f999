//! The portal's questions about accounts.

use async_trait::async_trait;
use sealgate_core::permission::Whose;
use sealgate_portal::office::Asked;
use sealgate_portal::office::accounts::{Accounts, Session, Token};
use sealgate_portal::view::Notice;

use super::PortalOffice;

#[async_trait]
impl Accounts for PortalOffice {
    async fn session(&self, _sha256: &[u8; 32]) -> Asked<Option<Session>> {
        Ok(None)
    }
    async fn token(&self, _sha256: &[u8; 32]) -> Asked<Option<Token>> {
        Ok(None)
    }
    async fn whose(&self, _organisation: &str) -> Asked<Option<Whose>> {
        Ok(None)
    }
    async fn leave_notice(&self, _sha256: &[u8; 32], _notice: Notice) -> Asked<()> {
        Ok(())
    }
    async fn take_notice(&self, _sha256: &[u8; 32]) -> Asked<Option<Notice>> {
        Ok(None)
    }
}
