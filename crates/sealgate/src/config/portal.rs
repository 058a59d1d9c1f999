//! The portal's part of the configuration.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use sealgate_portal::auth::oidc::Issuer;
use sealgate_portal::{Contact, Settings};
use serde::Deserialize;
use url::Url;

use super::secrets::secret_of_file;

/// Where the portal is, and what it says of its operator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Portal {
    /// Where its web server listens.
    pub listen: Vec<SocketAddr>,
    /// Where browsers find it.
    pub url: Url,
    /// Certificate chain in PEM; without it the server speaks plain HTTP, on addresses of this machine only.
    pub certificate: Option<PathBuf>,
    /// Private key of that certificate.
    pub key: Option<PathBuf>,
    /// Networks of proxies in front of it: if a connection comes from there, the visitor is the last address in its
    /// `X-Forwarded-For` that is no proxy itself.
    #[serde(default)]
    pub trusted_proxies: Vec<IpNet>,
    /// Zone in which pages write times, such as `Europe/Vienna`; the machine's if absent.
    pub time_zone: Option<String>,
    /// Networks where servers and directories may be that organisations name, beside public addresses.
    #[serde(default)]
    pub reachable: Vec<String>,
    /// Whom users turn to.
    #[serde(default)]
    pub contact: ContactPlace,
    /// A server that users may sign in with.
    pub oidc: Option<Oidc>,
}

/// A server that users may sign in with, by OpenID Connect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Oidc {
    /// Its identifier, as it writes it itself.
    pub issuer: String,
    /// The gateway's name there.
    pub client_id: String,
    /// File with the gateway's secret there, mode 0600.
    pub client_secret_file: PathBuf,
    /// What the button calls it.
    pub name: String,
}

impl Oidc {
    fn settings(&self) -> Result<Issuer, String> {
        let secret = secret_of_file("portal.oidc.client-secret-file", &self.client_secret_file)?;
        Ok(Issuer {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: secret,
            name: self.name.clone(),
        })
    }
}

/// Whom users turn to (S16).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ContactPlace {
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
    /// Where questions and answers are found.
    pub questions: Option<Url>,
    /// Where booking is explained.
    pub booking: Option<Url>,
}

impl Portal {
    /// What is wrong, in one line.
    pub fn judge(&self) -> Result<(), String> {
        let of_this_machine = self.listen.iter().all(|address| address.ip().is_loopback());
        let web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        let contact = &self.contact;
        let links = [&contact.remote_help, &contact.questions, &contact.booking];
        match () {
            () if self.certificate.is_some() != self.key.is_some() => {
                Err("portal: give certificate and key, or neither".to_owned())
            }
            () if self.certificate.is_none() && !of_this_machine => Err(
                "portal.listen: without certificate and key the portal listens on 127.0.0.1 or [::1] only; give both, or put a proxy that speaks TLS in front".to_owned(),
            ),
            () if !web(&self.url) || self.url.path() != "/" || self.url.query().is_some() => Err(
                format!("portal.url is \"{}\"; write scheme, host and port only, such as \"https://portal.example.com\"", self.url),
            ),
            () if self.certificate.is_some() && self.url.scheme() != "https" => {
                Err("portal.url: with a certificate browsers find the portal at https".to_owned())
            }
            () if links.into_iter().flatten().any(|url| !web(url)) => {
                Err("portal.contact: links are http or https addresses".to_owned())
            }
            () if self.oidc.iter().any(|own| Url::parse(&own.issuer).is_err()) => {
                Err("portal.oidc.issuer is no address; write it as the server does, such as \"https://login.example.com\"".to_owned())
            }
            () => self.zone().map(|_| ()),
        }
    }

    /// What is unsafe, one line each.
    pub fn warnings(&self) -> Vec<String> {
        let is_behind = self.url.scheme() == "https" && self.certificate.is_none();
        match is_behind && self.trusted_proxies.is_empty() {
            true => vec!["portal.url is https and the portal has no certificate, so a proxy stands in front, but portal.trusted-proxies names none: all visitors look like that proxy in the audit log, and failed sign-ins are not limited by network; write its address, such as [\"127.0.0.1/32\"]".to_owned()],
            false => Vec::new(),
        }
    }

    /// What handlers are told.
    pub fn settings(&self) -> Result<Settings, String> {
        let own = self.contact.clone();
        Ok(Settings {
            url: self.url.clone(),
            time_zone: self.zone()?,
            trusted_proxies: self.trusted_proxies.clone(),
            contact: Contact {
                name: own.name,
                mail: own.mail,
                phone: own.phone,
                hours: own.hours,
                remote_help: own.remote_help,
                questions: own.questions,
                booking: own.booking,
            },
            issuer: self.oidc.as_ref().map(Oidc::settings).transpose()?,
            now: crate::gateway::now,
        })
    }

    fn zone(&self) -> Result<TimeZone, String> {
        match &self.time_zone {
            None => Ok(TimeZone::system()),
            Some(name) => TimeZone::get(name).map_err(|error| {
                format!("portal.time-zone: {error}; write a name such as \"Europe/Vienna\"")
            }),
        }
    }

    /// Its files, relative to the configuration.
    pub fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let secret = self.oidc.iter_mut().map(|own| &mut own.client_secret_file);
        self.certificate
            .iter_mut()
            .chain(self.key.iter_mut())
            .chain(secret)
    }
}
