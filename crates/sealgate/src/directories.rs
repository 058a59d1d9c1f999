//! What a directory may be, as the command line and the portal describe it: what would be unsafe or cannot be is refused.

use sealgate_core::directory::{ATTRIBUTES, Bind, Directory, DirectoryUrl, Protection};
use sealgate_core::queue::Reach;
use sealgate_core::saying::Inputs;
use sealgate_mail::Domain;

use crate::limits::DIRECTORY_NAME_CHARS;

/// A directory as somebody describes it.
#[derive(Debug)]
pub struct Described {
    /// Its name in traces and events.
    pub name: String,
    /// Where it is.
    pub url: DirectoryUrl,
    /// How the connection is protected, as [`protection`] gave it.
    pub protection: Protection,
    /// Who asks.
    pub bind: Option<Bind>,
    /// The entry below which is searched, unless the URL names it.
    pub base: Option<String>,
    /// The domains whose addresses it is asked for; all if there is none.
    pub domains: Vec<Domain>,
    /// The attributes that hold certificates; the usual ones if there is none.
    pub attributes: Vec<String>,
    /// Roots for its TLS certificate, in PEM form.
    pub roots: Option<String>,
}

/// How a connection is protected.
pub fn protection(url: &DirectoryUrl, starttls: bool) -> Result<Protection, Inputs> {
    match (url.tls, starttls) {
        (true, true) => Err(Inputs::DirectoryTls {}),
        (true, false) => Ok(Protection::Tls),
        (false, true) => Ok(Protection::StartTls),
        (false, false) => Ok(Protection::None),
    }
}

/// RFC 4513 section 5.1.3: a password is for a protected connection.
pub fn may_bind(url: &DirectoryUrl, protection: Protection) -> Result<(), Inputs> {
    match protection == Protection::None && !url.place.is_loopback() {
        true => Err(Inputs::DirectoryClear {}),
        false => Ok(()),
    }
}

impl Described {
    /// The directory, wherever it is.
    pub fn directory(self) -> Result<Directory, Inputs> {
        let name = &self.name;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_step = matches!(name.as_str(), "" | "." | "..");
        if is_step || name.len() > DIRECTORY_NAME_CHARS || !name.chars().all(is_plain) {
            return Err(Inputs::DirectoryName {
                most: DIRECTORY_NAME_CHARS,
                name: name.clone(),
            });
        }
        if let Some(bind) = &self.bind {
            may_bind(&self.url, self.protection)?;
            if bind.password.is_empty() {
                return Err(Inputs::DirectoryPassword {});
            }
        }
        let attributes = match self.attributes.as_slice() {
            [] => ATTRIBUTES.map(str::to_owned).to_vec(),
            given => given.to_vec(),
        };
        Ok(Directory {
            name: self.name,
            place: self.url.place,
            protection: self.protection,
            bind: self.bind,
            base: self.base.or(self.url.base).unwrap_or_default(),
            domains: self.domains,
            attributes,
            roots: self.roots,
            reach: Reach::Everywhere,
        })
    }
}
