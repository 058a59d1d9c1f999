//! The master key: where it comes from, and what it wraps. It lies outside the data directory: in a file, in the
//! environment, or on a token, which it then never leaves.

use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use super::{KEY_OCTETS, Purpose, associated, gcm, open, random_key, seal};
use crate::error::StoreError;
use crate::token::{TokenSecret, Tokens};

/// What to do about a master key that is not there or not whole.
const HINT: &str = "give the one this data was made with; only for new data make one with `sealgate check --make-master-key`";

/// Where a master key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKeySource {
    /// A file of 32 octets that only its owner may read (mode 0600 or 0400).
    File(PathBuf),
    /// The environment variable of that name: 64 hexadecimal digits, or base64 of 32 octets.
    Environment(String),
    /// An AES-256 key on a token.
    Token {
        /// The name that the configuration gives the token.
        token: String,
        /// CKA_LABEL of the key.
        label: String,
    },
}

impl fmt::Display for MasterKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Token { token, label } => write!(f, "{label} on token {token}"),
        }
    }
}

impl FromStr for MasterKeySource {
    type Err = String;

    /// `environment:NAME`, `token:NAME/LABEL`, or else the path of a file.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("environment:") {
            return Ok(Self::Environment(name.to_owned()));
        }
        let Some(place) = text.strip_prefix("token:") else {
            return Ok(Self::File(PathBuf::from(text)));
        };
        let (token, label) = place
            .split_once('/')
            .ok_or("write token:NAME/LABEL, with the label of the key on the token")?;
        Ok(Self::Token {
            token: token.to_owned(),
            label: label.to_owned(),
        })
    }
}

/// The key that opens everything else; it lies outside the data directory and is wiped from memory when dropped.
pub struct MasterKey(Kind);

enum Kind {
    Octets(Zeroizing<[u8; KEY_OCTETS]>),
    Token(TokenSecret),
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(...)")
    }
}

impl MasterKey {
    /// A new one by chance, for a gateway that does not outlive its process (`demo`) and for [`MasterKey::create_file`].
    pub fn generate() -> Result<Self, StoreError> {
        Ok(Self(Kind::Octets(random_key()?)))
    }

    /// Has it from `source`. May wait for a token.
    ///
    /// # Errors
    /// It is not there, not whole, or others may read it; the token is away.
    pub fn from_source(source: &MasterKeySource, tokens: &Tokens) -> Result<Self, StoreError> {
        match source {
            MasterKeySource::File(path) => Self::from_file(path),
            MasterKeySource::Environment(name) => Self::from_environment(name),
            MasterKeySource::Token { token, label } => {
                let found = tokens.secret(token, label);
                found
                    .map(|secret| Self(Kind::Token(secret)))
                    .map_err(|error| problem(source, error.to_string()))
            }
        }
    }

    /// Reads it from `path`: 32 octets in a file that only its owner may read (mode 0600 or 0400).
    pub fn from_file(path: &Path) -> Result<Self, StoreError> {
        let source = MasterKeySource::File(path.to_owned());
        let failed = |error: std::io::Error| problem(&source, error.to_string());
        let file = fs::File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => problem(&source, format!("{error}: {HINT}")),
            _ => failed(error),
        })?;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if !matches!(mode, 0o600 | 0o400) {
            return Err(problem(
                &source,
                format!("its mode is {mode:04o}, so others might read it: run chmod 0600 on it"),
            ));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_OCTETS * 2));
        let cap = KEY_OCTETS as u64 + 1;
        (&file).take(cap).read_to_end(&mut bytes).map_err(failed)?;
        let wrong = format!("it must hold exactly {KEY_OCTETS} octets: {HINT}");
        Self::of(&bytes).ok_or_else(|| problem(&source, wrong))
    }

    /// Reads it from the environment. The variable stays in the environment of this process, which its user and the system's
    /// administrator can read: a file or a token is safer.
    pub fn from_environment(name: &str) -> Result<Self, StoreError> {
        let source = MasterKeySource::Environment(name.to_owned());
        let text = match std::env::var(name) {
            Ok(text) => Zeroizing::new(text),
            Err(std::env::VarError::NotPresent) => {
                return Err(problem(&source, format!("it is not set: {HINT}")));
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(problem(&source, "it is no text".to_owned()));
            }
        };
        let found = of_text(text.trim().as_bytes()).and_then(|octets| Self::of(&octets));
        found.ok_or_else(|| {
            let wrong = format!(
                "it must be {} hexadecimal digits, or base64 of {KEY_OCTETS} octets: {HINT}",
                KEY_OCTETS * 2
            );
            problem(&source, wrong)
        })
    }

    fn of(octets: &[u8]) -> Option<Self> {
        let key: [u8; KEY_OCTETS] = octets.try_into().ok()?;
        Some(Self(Kind::Octets(Zeroizing::new(key))))
    }

    /// Makes a new one in a new file at `path`, mode 0600; never replaces a file.
    pub fn create_file(path: &Path) -> Result<Self, StoreError> {
        let source = MasterKeySource::File(path.to_owned());
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => problem(
                &source,
                "there is a file already; it is left as it is".to_owned(),
            ),
            _ => problem(&source, error.to_string()),
        };
        let key = random_key()?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        let written = file
            .write_all(key.as_slice())
            .and_then(|()| file.sync_all());
        if let Err(error) = written {
            let _ = fs::remove_file(path);
            return Err(failed(error));
        }
        Ok(Self(Kind::Octets(key)))
    }

    /// The data key of that number, wrapped for the database: nonce, sealed octets, tag.
    pub(super) fn wrap(&self, number: u32, key: &[u8]) -> Result<Vec<u8>, StoreError> {
        let number = number.to_string();
        let what = (Purpose::DataKey, number.as_bytes());
        match &self.0 {
            Kind::Octets(own) => seal(&gcm(own)?, what, &[], key.to_vec()),
            Kind::Token(own) => own.seal(&associated(what), key),
        }
    }

    /// Unwraps the data key of that number; `None` if this is not its master key.
    pub(super) fn unwrap(
        &self,
        number: u32,
        wrapped: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let number = number.to_string();
        let what = (Purpose::DataKey, number.as_bytes());
        let opened = match &self.0 {
            Kind::Octets(own) => open(&gcm(own)?, what, wrapped).ok(),
            Kind::Token(own) => own.open(&associated(what), wrapped)?,
        };
        Ok(opened.map(Zeroizing::new))
    }
}

fn problem(source: &MasterKeySource, problem: String) -> StoreError {
    StoreError::MasterKey {
        named: source.to_string(),
        problem,
    }
}

/// 64 hexadecimal digits, or base64.
fn of_text(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() == KEY_OCTETS * 2 && text.iter().all(u8::is_ascii_hexdigit) {
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        return text
            .chunks(2)
            .map(pair)
            .collect::<Option<_>>()
            .map(Zeroizing::new);
    }
    let decoded = base64_simd::STANDARD.decode_to_vec(text).ok()?;
    Some(Zeroizing::new(decoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(key: &MasterKey) -> [u8; KEY_OCTETS] {
        match &key.0 {
            Kind::Octets(octets) => **octets,
            Kind::Token(_) => panic!("not on a token"),
        }
    }

    #[test]
    fn key_files_are_private_and_never_replaced() {
        let directory = crate::testing::directory();
        let path = directory.path().join("master.key");
        let made = MasterKey::create_file(&path).unwrap();
        assert_eq!(octets(&made), octets(&MasterKey::from_file(&path).unwrap()));
        assert!(MasterKey::create_file(&path).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = MasterKey::from_file(&path).unwrap_err().to_string();
        assert!(
            error.contains("0644") && error.contains("chmod 0600"),
            "{error}"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(MasterKey::from_file(&path).is_ok());
        fs::remove_file(&path).unwrap();
        fs::write(&path, [1; 33]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(
            MasterKey::from_file(&path)
                .unwrap_err()
                .to_string()
                .contains("32 octets")
        );
    }

    #[test]
    fn keys_of_the_environment() {
        let hex = "0f".repeat(32);
        let base64 = base64_simd::STANDARD.encode_to_string([15; 32]);
        for (text, good) in [
            (hex.as_str(), true),
            (base64.as_str(), true),
            (&hex[..62], false),
            (&base64[..40], false),
            (&"xy".repeat(32), false),
            (&"+f".repeat(32), false),
            ("", false),
        ] {
            let found = of_text(text.as_bytes()).and_then(|octets| MasterKey::of(&octets));
            assert_eq!(
                found.map(|key| octets(&key)),
                good.then_some([15; 32]),
                "{text}"
            );
        }
        let error = MasterKey::from_environment("SEALGATE_NOT_SET").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("environment variable SEALGATE_NOT_SET")
        );
    }

    #[test]
    fn sources_as_they_are_written() {
        for (text, expected) in [
            ("/a/b", Ok(MasterKeySource::File("/a/b".into()))),
            (
                "environment:KEY",
                Ok(MasterKeySource::Environment("KEY".into())),
            ),
            (
                "token:hsm/master key",
                Ok(MasterKeySource::Token {
                    token: "hsm".into(),
                    label: "master key".into(),
                }),
            ),
            ("token:hsm", Err(())),
        ] {
            assert_eq!(text.parse().map_err(|_: String| ()), expected, "{text}");
        }
    }
}
