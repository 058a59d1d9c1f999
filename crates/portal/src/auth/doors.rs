//! What sign-ins share: places for hashing, and failures that count.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use tokio::sync::Semaphore;

use super::oidc::Foreign;
use super::tries::Tries;
use crate::limits::{
    AGENT_CHARS, PASSWORDS_AT_ONCE, SECOND_TRIES, SECOND_TRIES_SECONDS, TRIES, TRIES_SECONDS,
};

/// What sign-ins share.
#[derive(Debug)]
pub struct Doors {
    /// Places for passwords being hashed.
    pub passwords: Arc<Semaphore>,
    /// Failed passwords.
    pub sign_ins: Tries,
    /// Wrong second factors.
    pub second_factors: Tries,
    /// Sign-ins with another server.
    pub foreign: Foreign,
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            passwords: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE)),
            sign_ins: Tries::new(TRIES, TRIES_SECONDS),
            second_factors: Tries::new(SECOND_TRIES, SECOND_TRIES_SECONDS),
            foreign: Foreign::default(),
        }
    }
}

/// Where a request comes from.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The address at the other end of the connection.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
}

impl Visitor {
    /// Whoever sent these.
    pub fn of(parts: &Parts) -> Self {
        let peer = parts.extensions.get::<SocketAddr>();
        let agent = parts.headers.get(header::USER_AGENT);
        let agent = agent
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        Self {
            address: peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| {
                peer.ip().to_canonical()
            }),
            agent: agent.chars().take(AGENT_CHARS).collect(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}
