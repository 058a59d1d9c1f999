//! Sealing: what is secret or mail is never written in clear. AES-256-GCM under keys derived from a data key, which the
//! master key wraps; the record's number and purpose are associated data, so that a moved row does not open.

use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use crate::error::StoreError;

/// Octets of a key.
const KEY_OCTETS: usize = 32;
/// Octets of a nonce, which stands before the sealed octets.
const NONCE_OCTETS: usize = 12;
/// Octets of a tag, which stands behind them.
const TAG_OCTETS: usize = 16;

/// The key that opens everything else; it lies outside the data directory and is wiped from memory when dropped.
pub struct MasterKey(Zeroizing<[u8; KEY_OCTETS]>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(...)")
    }
}

impl MasterKey {
    /// A new one by chance, for a gateway that does not outlive its process (`demo`) and for [`MasterKey::create_file`].
    pub fn generate() -> Result<Self, StoreError> {
        Ok(Self(random_key()?))
    }

    /// Reads it from `path`: 32 octets in a file that only its owner may read (mode 0600 or 0400).
    pub fn from_file(path: &Path) -> Result<Self, StoreError> {
        let problem = |problem: String| StoreError::MasterKey {
            path: path.to_owned(),
            problem,
        };
        let hint = "give the one this data was made with; only for new data make one with `sealgate check --make-master-key`";
        let file = fs::File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => problem(format!("{error}: {hint}")),
            _ => problem(error.to_string()),
        })?;
        let mode = file
            .metadata()
            .map_err(|error| problem(error.to_string()))?
            .permissions()
            .mode()
            & 0o7777;
        if !matches!(mode, 0o600 | 0o400) {
            return Err(problem(format!(
                "its mode is {mode:04o}, so others might read it: run chmod 0600 on it"
            )));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_OCTETS * 2));
        let cap = KEY_OCTETS as u64 + 1;
        (&file)
            .take(cap)
            .read_to_end(&mut bytes)
            .map_err(|error| problem(error.to_string()))?;
        let wrong = || problem(format!("it must hold exactly {KEY_OCTETS} octets: {hint}"));
        let key: [u8; KEY_OCTETS] = bytes.as_slice().try_into().map_err(|_| wrong())?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Makes a new one in a new file at `path`, mode 0600; never replaces a file.
    pub fn create_file(path: &Path) -> Result<Self, StoreError> {
        let problem = |error: std::io::Error| StoreError::MasterKey {
            path: path.to_owned(),
            problem: match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    "there is a file already; it is left as it is".to_owned()
                }
                _ => error.to_string(),
            },
        };
        let key = Self::generate()?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(problem)?;
        let written = file
            .write_all(key.0.as_slice())
            .and_then(|()| file.sync_all());
        if let Err(error) = written {
            let _ = fs::remove_file(path);
            return Err(problem(error));
        }
        Ok(key)
    }
}

/// What a sealed record is for; each purpose has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The data key, wrapped by the master key.
    DataKey,
    /// A chunk of mail content.
    Content,
    /// The header block of an outgoing copy.
    Head,
    /// The fields put before a mail that waits to be opened.
    ToOpen,
    /// The private key of a mailbox.
    MailboxKey,
    /// The private keys of the built-in CA.
    Authority,
    /// Settings that hold passwords.
    Setting,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::DataKey => "data key",
            Self::Content => "content",
            Self::Head => "head",
            Self::ToOpen => "to open",
            Self::MailboxKey => "mailbox key",
            Self::Authority => "authority",
            Self::Setting => "setting",
        }
    }
}

/// The derived keys, ready for use.
pub(crate) struct Sealer {
    content: RandomizedNonceKey,
    head: RandomizedNonceKey,
    to_open: RandomizedNonceKey,
    mailbox_key: RandomizedNonceKey,
    authority: RandomizedNonceKey,
    setting: RandomizedNonceKey,
    pub trace_key: Zeroizing<[u8; KEY_OCTETS]>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(...)")
    }
}

/// A new data key, wrapped for the database.
pub(crate) fn new_data_key(master: &MasterKey) -> Result<Vec<u8>, StoreError> {
    seal(
        &gcm(&master.0)?,
        Purpose::DataKey,
        b"1",
        random_key()?.to_vec(),
    )
}

/// Unwraps the data key; `None` if the master key is another.
pub(crate) fn open_data_key(
    master: &MasterKey,
    wrapped: &[u8],
) -> Result<Option<Sealer>, StoreError> {
    let Ok(key) = open(&gcm(&master.0)?, Purpose::DataKey, b"1", wrapped) else {
        return Ok(None);
    };
    let key = Zeroizing::new(key);
    let key: &[u8; KEY_OCTETS] = key
        .as_slice()
        .try_into()
        .map_err(|_| StoreError::damaged("the data key has a wrong length"))?;
    Sealer::new(key).map(Some)
}

impl Sealer {
    fn new(data_key: &[u8; KEY_OCTETS]) -> Result<Self, StoreError> {
        Ok(Self {
            content: derive(data_key, Purpose::Content)?,
            head: derive(data_key, Purpose::Head)?,
            to_open: derive(data_key, Purpose::ToOpen)?,
            mailbox_key: derive(data_key, Purpose::MailboxKey)?,
            authority: derive(data_key, Purpose::Authority)?,
            setting: derive(data_key, Purpose::Setting)?,
            trace_key: expand(data_key, "trace")?,
        })
    }

    fn key(&self, purpose: Purpose) -> Result<&RandomizedNonceKey, StoreError> {
        match purpose {
            Purpose::Content => Ok(&self.content),
            Purpose::Head => Ok(&self.head),
            Purpose::ToOpen => Ok(&self.to_open),
            Purpose::MailboxKey => Ok(&self.mailbox_key),
            Purpose::Authority => Ok(&self.authority),
            Purpose::Setting => Ok(&self.setting),
            Purpose::DataKey => Err(StoreError::damaged(
                "the data key is sealed by the master key only",
            )),
        }
    }

    /// Seals `clear` for the record named by `record`: nonce, sealed octets, tag.
    pub fn seal(
        &self,
        purpose: Purpose,
        record: &str,
        clear: Vec<u8>,
    ) -> Result<Vec<u8>, StoreError> {
        seal(self.key(purpose)?, purpose, record.as_bytes(), clear)
    }

    /// Opens what was sealed for just this record.
    pub fn open(
        &self,
        purpose: Purpose,
        record: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        open(self.key(purpose)?, purpose, record.as_bytes(), sealed)
            .map_err(|Unopened| StoreError::damaged(format!("{} {record}", purpose.as_str())))
    }
}

struct Unopened;

fn random_key() -> Result<Zeroizing<[u8; KEY_OCTETS]>, StoreError> {
    let mut key = Zeroizing::new([0; KEY_OCTETS]);
    aws_lc_rs::rand::fill(key.as_mut_slice())
        .map_err(|_| StoreError::Database("no random numbers".into()))?;
    Ok(key)
}

fn gcm(key: &[u8; KEY_OCTETS]) -> Result<RandomizedNonceKey, StoreError> {
    RandomizedNonceKey::new(&AES_256_GCM, key)
        .map_err(|_| StoreError::Database("no AES-256-GCM".into()))
}

/// The key of one purpose.
fn derive(data_key: &[u8; KEY_OCTETS], purpose: Purpose) -> Result<RandomizedNonceKey, StoreError> {
    gcm(&*expand(data_key, purpose.as_str())?)
}

/// HKDF-Expand with SHA-256 (RFC 5869 section 2.3); the data key is uniform, so nothing is extracted first.
fn expand(
    data_key: &[u8; KEY_OCTETS],
    purpose: &str,
) -> Result<Zeroizing<[u8; KEY_OCTETS]>, StoreError> {
    let broken = |_| StoreError::Database("no HKDF".into());
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, data_key);
    let info = [b"sealgate 1 ".as_slice(), purpose.as_bytes()];
    let mut key = Zeroizing::new([0; KEY_OCTETS]);
    prk.expand(&info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .map_err(broken)?;
    Ok(key)
}

fn associated(purpose: Purpose, record: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([purpose.as_str().as_bytes(), b"\0", record].concat())
}

fn seal(
    key: &RandomizedNonceKey,
    purpose: Purpose,
    record: &[u8],
    mut octets: Vec<u8>,
) -> Result<Vec<u8>, StoreError> {
    let (nonce, tag) = key
        .seal_in_place_separate_tag(associated(purpose, record), &mut octets)
        .map_err(|_| StoreError::Database("sealing failed".into()))?;
    Ok([nonce.as_ref().as_slice(), &octets, tag.as_ref()].concat())
}

fn open(
    key: &RandomizedNonceKey,
    purpose: Purpose,
    record: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, Unopened> {
    let (nonce, rest) = sealed.split_at_checked(NONCE_OCTETS).ok_or(Unopened)?;
    let length = rest.len().checked_sub(TAG_OCTETS).ok_or(Unopened)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unopened)?;
    let mut clear = rest.to_vec();
    key.open_in_place(nonce, associated(purpose, record), &mut clear)
        .map_err(|_| Unopened)?;
    clear.truncate(length);
    Ok(clear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_for_its_record_and_purpose() {
        let master = MasterKey::generate().unwrap();
        let wrapped = new_data_key(&master).unwrap();
        let sealer = open_data_key(&master, &wrapped).unwrap().unwrap();
        let sealed = sealer.seal(Purpose::Head, "7", b"secret".to_vec()).unwrap();
        let again = open_data_key(&master, &wrapped).unwrap().unwrap();
        assert_eq!(again.open(Purpose::Head, "7", &sealed).unwrap(), b"secret");
        assert!(again.open(Purpose::Head, "8", &sealed).is_err());
        assert!(again.open(Purpose::ToOpen, "7", &sealed).is_err());
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(
                again.open(Purpose::Head, "7", &changed).is_err(),
                "octet {position}"
            );
        }
        for length in 0..sealed.len() {
            assert!(
                again.open(Purpose::Head, "7", &sealed[..length]).is_err(),
                "length {length}"
            );
        }
    }

    #[test]
    fn another_master_key_opens_nothing() {
        let wrapped = new_data_key(&MasterKey::generate().unwrap()).unwrap();
        assert!(
            open_data_key(&MasterKey::generate().unwrap(), &wrapped)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn key_files_are_private_and_never_replaced() {
        let directory = crate::testing::directory();
        let path = directory.path().join("master.key");
        let made = MasterKey::create_file(&path).unwrap();
        assert_eq!(made.0, MasterKey::from_file(&path).unwrap().0);
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
}
