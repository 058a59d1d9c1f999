//! The process's own configuration: one commented TOML file. Organisations are configured in the store, not here.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use sealgate_core::limits::{DELAY_NOTICE, QUEUE_LIFETIME};
use sealgate_core::queue::RetryPolicy;
use sealgate_mail::Domain;
use sealgate_net::ca::builtin::Addresses;
use sealgate_net::dns::DnsConfig;
use sealgate_net::fetch::{Allowed, NotANetwork};
use sealgate_store::{TokenError, Tokens};
use serde::Deserialize;

use crate::limits::SIZE_LIMIT;

mod portal;
mod secrets;

pub use portal::Portal;
pub use secrets::{MasterKeyPlace, Token};

/// The commented example that `sealgate check --example` prints; parsed by a test, so that it stays true.
pub const EXAMPLE: &str = include_str!("../sealgate.example.toml");

/// Everything the process is told from outside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Data directory.
    pub data: PathBuf,
    /// Where the master key comes from; never from the data directory.
    pub master_key: MasterKeyPlace,
    /// Tokens that hold keys.
    #[serde(default, rename = "token")]
    pub tokens: Vec<Token>,
    /// Name of this gateway in SMTP greetings, Received and Authentication-Results fields.
    pub hostname: Domain,
    /// Names that MX records may have for this gateway, or for the gateways that share its work (S18); `hostname` if absent.
    #[serde(default)]
    pub gateway_names: Vec<Domain>,
    /// Largest mail in octets.
    #[serde(default = "default_size_limit")]
    pub size_limit: u64,
    /// Where to listen.
    pub listen: Listen,
    /// Certificate of the listeners.
    pub tls: Option<Tls>,
    /// Name server.
    #[serde(default)]
    pub dns: Dns,
    /// Delivery.
    #[serde(default)]
    pub delivery: Delivery,
    /// What may be fetched from other machines.
    #[serde(default)]
    pub fetch: Fetch,
    /// Where lists and answers of the built-in CA are published; its certificates name no place without it.
    pub publish: Option<Publish>,
    /// Pages and API for people and scripts; none without it.
    pub portal: Option<Portal>,
}

/// Where to listen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listen {
    /// Mail from anyone to managed addresses.
    pub inbound: Vec<SocketAddr>,
    /// Mail from sending clients to anyone.
    pub outbound: Vec<SocketAddr>,
}

/// Certificate chain and key of the listeners, in PEM files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// Chain, own certificate first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Which name server to ask.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dns {
    /// `system`, `off`, or address and port.
    #[serde(default = "default_dns_server")]
    pub server: String,
    /// File with the DNSSEC keys that are believed from the start; absent: those of the root zone.
    pub trust_anchor: Option<PathBuf>,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            server: default_dns_server(),
            trust_anchor: None,
        }
    }
}

/// How mail is delivered.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Delivery {
    /// Port of the servers that MX records name.
    pub smtp_port: u16,
    /// Seconds a mail is tried.
    pub queue_lifetime: i64,
    /// Seconds after which the sender is told of a delay.
    pub delay_notice: i64,
    /// Seconds before the first retry; each further wait doubles.
    pub retry_first: i64,
    /// Whether MX records may lead to this machine; unsafe, for tests: `check` says so.
    pub mx_loopback: bool,
    /// Whether MX records may lead to private addresses; absent: as long as there is one organisation.
    pub mx_private: Option<bool>,
    /// PEM file with roots for `tls = "verified"`; absent: Mozilla's roots.
    pub roots: Option<PathBuf>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            smtp_port: 25,
            queue_lifetime: QUEUE_LIFETIME,
            delay_notice: DELAY_NOTICE,
            retry_first: sealgate_core::limits::RETRY_FIRST,
            mx_loopback: false,
            mx_private: None,
            roots: None,
        }
    }
}

impl Delivery {
    /// The part that the queue decides by.
    pub fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy {
            lifetime: self.queue_lifetime,
            delay_notice: self.delay_notice,
            first: self.retry_first,
        }
    }
}

/// What may be fetched from other machines.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fetch {
    /// Networks and ports beside public ones; unsafe, for tests: `check` says so.
    pub allow: Vec<String>,
}

/// Publishing of the built-in CA.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Publish {
    /// Where its web server listens.
    #[serde(default)]
    pub listen: Vec<SocketAddr>,
    /// Base of all addresses in certificates.
    pub url: String,
}

/// Why the configuration was not understood; each message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("cannot read the configuration {path}: {error}; name the file with --config")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not what we expect.
    #[error("{path}: {message}; see `sealgate check --example` for a commented example")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
    /// A value cannot be.
    #[error("{path}: {message}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Which and why.
        message: String,
    },
}

impl Config {
    /// Reads and judges the file at `path`; relative paths in it are relative to it.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text, path)
    }

    /// The same for what is to be written to `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            message: one_line(&error, text),
        })?;
        config.resolve(path.parent().unwrap_or(Path::new(".")));
        config.judge().map_err(|message| ConfigError::Value {
            path: path.to_owned(),
            message,
        })?;
        Ok(config)
    }

    fn resolve(&mut self, directory: &Path) {
        let master_key = match &mut self.master_key {
            MasterKeyPlace::File(path) => Some(path),
            MasterKeyPlace::Environment(_) | MasterKeyPlace::Token(_) => None,
        };
        let paths = std::iter::once(&mut self.data).chain(master_key);
        let tls = self
            .tls
            .iter_mut()
            .flat_map(|tls| [&mut tls.certificate, &mut tls.key]);
        for path in paths
            .chain(tls)
            .chain(self.tokens.iter_mut().flat_map(Token::paths))
            .chain(self.portal.iter_mut().flat_map(Portal::paths))
            .chain(self.delivery.roots.as_mut())
            .chain(self.dns.trust_anchor.as_mut())
        {
            *path = directory.join(&*path);
        }
    }

    fn judge(&self) -> Result<(), String> {
        self.dns_config()?;
        self.fetch_allowed()?;
        self.reachable()?;
        self.tokens.iter().try_for_each(Token::judge)?;
        self.published_at()?;
        self.portal.iter().try_for_each(Portal::judge)?;
        match () {
            () if matches!(&self.master_key, MasterKeyPlace::File(path) if path.starts_with(&self.data)) => {
                Err("master-key lies inside the data directory; a copy of one would then hold both: move it elsewhere".to_owned())
            }
            () if self.listen.inbound.is_empty() && self.listen.outbound.is_empty() => {
                Err("listen names no address; give at least one under inbound or outbound".to_owned())
            }
            () if self.size_limit < 64 * 1024 => Err("size-limit is below 65536 octets; RFC 5321 asks for at least that".to_owned()),
            () if [self.delivery.queue_lifetime, self.delivery.delay_notice, self.delivery.retry_first].iter().any(|&seconds| seconds < 1) => {
                Err("queue-lifetime, delay-notice and retry-first are seconds: give at least 1".to_owned())
            }
            () => Ok(()),
        }
    }

    /// The names that MX records may have for this gateway; never empty.
    pub fn gateway_names(&self) -> Vec<Domain> {
        match self.gateway_names.as_slice() {
            [] => vec![self.hostname.clone()],
            names => names.to_vec(),
        }
    }

    /// Where the built-in CA is published.
    pub fn published_at(&self) -> Result<Option<Addresses>, String> {
        let base = self.publish.as_ref().map(|publish| &publish.url);
        base.map(|base| Addresses::parse(base))
            .transpose()
            .map_err(|error| format!("publish.url: {error}"))
    }

    /// Whether there is a token of that name; the error says what to do.
    pub fn must_have_token(&self, name: &str) -> Result<(), String> {
        match self.tokens.iter().any(|token| token.name == name) {
            true => Ok(()),
            false => Err(TokenError::Unknown(name.to_owned()).to_string()),
        }
    }

    /// The tokens with their PINs; nothing is asked of them yet.
    pub fn opened_tokens(&self) -> Result<Tokens, String> {
        let settings = self.tokens.iter().map(Token::settings);
        Ok(Tokens::new(settings.collect::<Result<_, _>>()?))
    }

    /// What may be called beside public addresses.
    pub fn fetch_allowed(&self) -> Result<Vec<Allowed>, String> {
        allowed(&self.fetch.allow).map_err(|error| format!("fetch.allow: {error}"))
    }

    /// Where servers and directories may be that organisations name, beside public addresses.
    pub fn reachable(&self) -> Result<Vec<Allowed>, String> {
        let named = self.portal.as_ref().map(|portal| &portal.reachable);
        allowed(named.map_or(&[], Vec::as_slice))
            .map_err(|error| format!("portal.reachable: {error}"))
    }

    /// Where webhooks may lead, beside public addresses.
    pub fn webhooks_allowed(&self) -> Result<Vec<Allowed>, String> {
        Ok([self.fetch_allowed()?, self.reachable()?].concat())
    }

    /// The name server to ask.
    pub fn dns_config(&self) -> Result<DnsConfig, String> {
        match self.dns.server.as_str() {
            "system" => Ok(DnsConfig::System),
            "off" => Ok(DnsConfig::Off),
            address => address
                .parse()
                .map(DnsConfig::Server)
                .map_err(|_| format!("dns.server is \"{address}\"; write \"system\", \"off\" or an address with port such as \"127.0.0.1:53\"")),
        }
    }
}

fn allowed(texts: &[String]) -> Result<Vec<Allowed>, NotANetwork> {
    texts.iter().map(|text| text.parse()).collect()
}

fn default_dns_server() -> String {
    "system".to_owned()
}

fn default_size_limit() -> u64 {
    SIZE_LIMIT
}

/// `line 3: ...` without the excerpt that the parser adds.
pub fn one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    let message = error.message().replace('\n', " ");
    line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever wants webhooks in the own network need not let strangers' certificates call there.
    #[test]
    fn webhooks_lead_where_servers_of_organisations_may_be() {
        let text = EXAMPLE
            .replace("allow = []", "allow = [\"10.9.0.1/32\"]")
            .replace("# [portal] ", "[portal] ")
            .replace(
                "# listen = [\"127.0.0.1:8443\"]",
                "listen = [\"127.0.0.1:8443\"]",
            )
            .replace("# url = \"https://portal", "url = \"https://portal")
            .replace("# reachable", "reachable");
        let config: Config = toml::from_str(&text).unwrap();
        let network = |text: &str| text.parse::<Allowed>().unwrap();
        let (fetch, named) = (network("10.9.0.1/32"), network("10.1.0.0/16"));
        assert_eq!(config.webhooks_allowed().unwrap(), [fetch, named]);
        assert_eq!(config.fetch_allowed().unwrap(), [fetch]);
        assert_eq!(config.delivery.mx_private, None);
    }
}
