//! What people and scripts use: pages and the REST API.
//!
//! The portal knows neither the store nor the network: what it needs of the gateway stands in [`office`]. Who asks is found out
//! in [`auth`]; without its [`auth::Permitted`] nothing of an organisation can be asked for.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod address;
pub mod api;
pub mod auth;
pub mod export;
#[cfg(test)]
mod keys;
pub mod lang;
pub mod limits;
pub mod menu;
pub mod office;
pub mod pages;
pub mod problem;
pub mod routes;
pub mod shapes;
pub mod streaming;
pub use sealgate_core::terms;
pub mod trace;
pub mod view;

use std::sync::Arc;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use sealgate_mail::Timestamp;
use url::Url;

use limits::{DOWNLOADS, LIVE_STREAMS};
use office::Office;
use streaming::Streams;

/// What every handler has at hand. Cheap to clone.
#[derive(Clone)]
pub struct Portal {
    /// The gateway.
    pub office: Arc<dyn Office>,
    /// What the operator set.
    pub settings: Arc<Settings>,
    /// Sign-ins under way.
    pub doors: Arc<auth::Doors>,
    /// Live views that are open.
    pub streams: Arc<Streams>,
    /// Downloads of mails and tables under way.
    pub downloads: Arc<Streams>,
}

/// What the operator set for the portal.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where browsers find the portal: scheme, host and port; the path is `/`.
    pub url: Url,
    /// The zone in which pages write times.
    pub time_zone: TimeZone,
    /// Proxies in front of the portal: what they say of where a request comes from is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whom users turn to (S16).
    pub contact: Contact,
    /// The server that users may sign in with.
    pub issuer: Option<auth::oidc::Issuer>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Whom users turn to (S16), as the operator wrote it; what is empty is not shown.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    /// Name of the support.
    pub name: String,
    /// Its address for mail.
    pub mail: String,
    /// Its telephone number.
    pub phone: String,
    /// When it is there.
    pub hours: String,
    /// Where help from afar is found.
    pub remote_help: Option<Url>,
    /// Where questions and answers are found (S17).
    pub questions: Option<Url>,
    /// Where booking is explained (S4).
    pub booking: Option<Url>,
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Portal({})", self.settings.url)
    }
}

impl Portal {
    /// For `office`.
    pub fn new(office: Arc<dyn Office>, settings: Settings) -> Self {
        Self {
            office,
            settings: Arc::new(settings),
            doors: Arc::default(),
            streams: Arc::new(Streams::new(LIVE_STREAMS)),
            downloads: Arc::new(Streams::new(DOWNLOADS)),
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.settings.now)()
    }
}
