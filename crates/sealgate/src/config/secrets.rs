//! Where secrets come from: the master key, and the tokens with their PINs.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sealgate_store::{MasterKeySource, TokenPlace, TokenSettings};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::limits::PIN_OCTETS;

/// Where the master key comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "master-key is a path, { environment = \"NAME\" } or { token = \"NAME\", label = \"LABEL\" }"
)]
pub enum MasterKeyPlace {
    /// A file, mode 0600, outside the data directory.
    File(PathBuf),
    /// A variable of the environment.
    Environment(EnvironmentKey),
    /// A key on a token.
    Token(TokenKey),
}

/// A variable of the environment that holds the master key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentKey {
    /// Its name.
    pub environment: String,
}

/// An AES-256 key on a token that is the master key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenKey {
    /// The name of the token, as a `[[token]]` gives it.
    pub token: String,
    /// The label of the key on it.
    pub label: String,
}

impl MasterKeyPlace {
    /// As the store wants it.
    pub fn source(&self) -> MasterKeySource {
        match self {
            Self::File(path) => MasterKeySource::File(path.clone()),
            Self::Environment(key) => MasterKeySource::Environment(key.environment.clone()),
            Self::Token(key) => MasterKeySource::Token {
                token: key.token.clone(),
                label: key.label.clone(),
            },
        }
    }
}

/// A PKCS #11 token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Token {
    /// Its name here.
    pub name: String,
    /// The maker's PKCS #11 library.
    pub module: PathBuf,
    /// Number of its slot.
    pub slot: Option<u64>,
    /// Its label.
    pub label: Option<String>,
    /// File with the user's PIN, mode 0600.
    pub pin_file: Option<PathBuf>,
    /// Variable of the environment with the PIN.
    pub pin_environment: Option<String>,
}

impl Token {
    /// Its paths.
    pub fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        std::iter::once(&mut self.module).chain(self.pin_file.as_mut())
    }

    /// Which token of the library it is.
    pub fn place(&self) -> Result<TokenPlace, String> {
        let name = &self.name;
        match (self.slot, &self.label) {
            (Some(slot), None) => Ok(TokenPlace::Slot(slot)),
            (None, Some(label)) => Ok(TokenPlace::Label(label.clone())),
            _ => Err(format!("token {name}: give either its label or its slot")),
        }
    }

    /// What can be said without reading secrets.
    pub fn judge(&self) -> Result<(), String> {
        let name = &self.name;
        if name.is_empty() || name.contains('/') {
            return Err(format!("token \"{name}\": a name is needed, without slash"));
        }
        self.place()?;
        match (&self.pin_file, &self.pin_environment) {
            (Some(_), None) | (None, Some(_)) => Ok(()),
            _ => Err(format!(
                "token {name}: give its PIN either by pin-file or by pin-environment"
            )),
        }
    }

    /// With its PIN, as the store wants it.
    pub fn settings(&self) -> Result<TokenSettings, String> {
        let pin = match (&self.pin_file, &self.pin_environment) {
            (Some(path), _) => pin_of_file(path),
            (None, Some(name)) => pin_of_environment(name),
            (None, None) => Err("it has no PIN".to_owned()),
        };
        let pin = pin.map_err(|problem| format!("token {}: {problem}", self.name))?;
        Ok(TokenSettings {
            name: self.name.clone(),
            module: self.module.clone(),
            place: self.place()?,
            pin,
        })
    }
}

/// A PIN in a variable; what is wrong is told without a word of it.
fn pin_of_environment(name: &str) -> Result<Zeroizing<String>, String> {
    let problem = match std::env::var(name) {
        Ok(pin) if !pin.is_empty() => return Ok(Zeroizing::new(pin)),
        Ok(_) => "it is empty",
        Err(std::env::VarError::NotPresent) => "it is not set",
        Err(std::env::VarError::NotUnicode(_)) => "it is no text",
    };
    Err(format!("environment variable {name}: {problem}"))
}

/// A PIN in a file that only its owner may read; a line end behind it is left out.
fn pin_of_file(path: &Path) -> Result<Zeroizing<String>, String> {
    secret_of_file("pin-file", path)
}

/// The secret in a file that the setting `setting` names.
pub fn secret_of_file(setting: &str, path: &Path) -> Result<Zeroizing<String>, String> {
    let named = |problem: String| format!("{setting} {}: {problem}", path.display());
    let failed = |error: std::io::Error| named(error.to_string());
    let file = std::fs::File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if !matches!(mode, 0o600 | 0o400) {
        return Err(named(format!(
            "its mode is {mode:04o}, so others might read it: run chmod 0600 on it"
        )));
    }
    let mut text = Zeroizing::new(String::with_capacity(PIN_OCTETS));
    let most = PIN_OCTETS as u64;
    file.take(most).read_to_string(&mut text).map_err(failed)?;
    let pin = text.trim_end_matches(['\r', '\n']);
    if pin.is_empty() {
        return Err(named("it is empty".to_owned()));
    }
    Ok(Zeroizing::new(pin.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(rename_all = "kebab-case")]
    struct Part {
        master_key: MasterKeyPlace,
    }

    #[test]
    fn master_keys_as_they_are_written() {
        for (text, expected) in [
            ("\"a.key\"", Some("file a.key")),
            (
                "{ environment = \"KEY\" }",
                Some("environment variable KEY"),
            ),
            ("{ token = \"hsm\", label = \"m\" }", Some("m on token hsm")),
            ("{ token = \"hsm\" }", None),
            ("{ environment = \"KEY\", label = \"m\" }", None),
            ("7", None),
        ] {
            let read = toml::from_str::<Part>(&format!("master-key = {text}"));
            match (read, expected) {
                (Ok(part), Some(expected)) => {
                    assert_eq!(part.master_key.source().to_string(), expected);
                }
                (Err(error), None) => {
                    assert!(error.message().contains("{ environment ="), "{error}");
                }
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }

    #[test]
    fn tokens_say_which_and_how() {
        let base = "name = \"hsm\"\nmodule = \"m.so\"\n";
        for (rest, problem) in [
            ("label = \"a\"\npin-file = \"p\"", None),
            ("slot = 3\npin-environment = \"PIN\"", None),
            ("pin-file = \"p\"", Some("label or its slot")),
            (
                "slot = 3\nlabel = \"a\"\npin-file = \"p\"",
                Some("label or its slot"),
            ),
            ("label = \"a\"", Some("pin-file or by pin-environment")),
            (
                "label = \"a\"\npin-file = \"p\"\npin-environment = \"PIN\"",
                Some("pin-file or by pin-environment"),
            ),
        ] {
            let token: Token = toml::from_str(&format!("{base}{rest}")).unwrap();
            let judged = token.judge();
            match problem {
                None => assert_eq!(judged, Ok(()), "{rest}"),
                Some(problem) => assert!(judged.unwrap_err().contains(problem), "{rest}"),
            }
        }
    }
}
