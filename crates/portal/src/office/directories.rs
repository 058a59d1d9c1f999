//! Directories that correspondents' keys are looked for in, and DNS as such a source (spec.md section 5).

use async_trait::async_trait;
use sealgate_core::directory::{Protection, Word};
use sealgate_core::tenant::Smimea;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Applied, Asked};
use crate::auth::{Admin, Permitted};

/// A directory, without its password.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyDirectory {
    /// Its name.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `none`, `tls` or `start-tls`.
    #[schema(value_type = String)]
    pub protection: Protection,
    /// Who asks; nobody in particular if absent.
    pub bind: Option<String>,
    /// The entry below which is searched.
    pub base: String,
    /// The domains it is asked for; all if there is none.
    pub domains: Vec<String>,
    /// The attributes that hold certificates.
    pub attributes: Vec<String>,
    /// Roots trusted for its own TLS certificate beside the public ones, in PEM.
    pub roots: Option<String>,
}

impl KeyDirectory {
    /// Its address.
    pub fn url(&self) -> String {
        let scheme = match self.protection {
            Protection::Tls => "ldaps",
            Protection::None | Protection::StartTls => "ldap",
        };
        match self.host.contains(':') {
            true => format!("{scheme}://[{}]:{}", self.host, self.port),
            false => format!("{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// A directory as it is to be.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct DirectoryBody {
    /// `ldap://host:port` or `ldaps://host:port`, perhaps with the base behind it.
    pub url: String,
    /// Whether TLS begins by StartTLS.
    pub starttls: bool,
    /// The entry below which is searched, such as `dc=example,dc=com`.
    pub base: Option<String>,
    /// Who asks, as a distinguished name; absent: nobody in particular.
    pub bind: Option<String>,
    /// The password of whoever asks; absent: as before.
    pub password: Option<String>,
    /// The domains it is asked for; all if there is none.
    pub domains: Vec<String>,
    /// The attributes that hold certificates; the usual ones if there is none.
    pub attributes: Vec<String>,
    /// Roots for its own TLS certificate, in PEM.
    pub roots: Option<String>,
}

/// All sources of keys.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeySources {
    /// The directories by name.
    pub directories: Vec<KeyDirectory>,
    /// DNS (RFC 8162): `off`, `with-path` or `dnssec-alone`.
    #[schema(value_type = String)]
    pub smimea: Smimea,
}

/// The switch for DNS.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub struct SmimeaSwitch {
    /// `off`, `with-path` or `dnssec-alone`.
    #[schema(value_type = String)]
    pub smimea: Smimea,
}

/// The address that sources are tried with.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct SourceTrial {
    /// An external address.
    pub address: String,
}

/// What one source says.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceSaid {
    /// Which, and what, in one plain line.
    pub text: String,
    /// Whether it has a key that may be used.
    pub has_key: bool,
    /// What it says, as the journal writes it.
    #[schema(value_type = Object)]
    pub word: Word,
}

/// Questions and orders about sources of keys.
#[async_trait]
pub trait Directories {
    /// All sources.
    async fn key_sources(&self, who: &Permitted<Admin>) -> Asked<KeySources>;

    /// Adds a directory, or replaces the one of that name, whose former answers are forgotten.
    async fn put_directory(
        &self,
        who: &Permitted<Admin>,
        name: &str,
        body: &DirectoryBody,
    ) -> Asked<()>;

    /// Removes a directory, and the keys that came from it and nobody has pinned or blocked.
    async fn remove_directory(&self, who: &Permitted<Admin>, name: &str) -> Asked<()>;

    /// Sets whether DNS is asked.
    async fn set_smimea(&self, who: &Permitted<Admin>, smimea: Smimea) -> Asked<Applied>;

    /// What every source says of an address now; nothing is kept.
    async fn try_sources(&self, who: &Permitted<Admin>, address: &str) -> Asked<Vec<SourceSaid>>;
}
