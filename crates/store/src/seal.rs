//! Sealing: what is secret or mail is never written in clear. AES-256-GCM under keys derived from a data key, which the
//! master key wraps; the record's number and purpose are associated data, so that a moved row does not open.
//!
//! A sealed blob begins with the number of its data key: after a rotation of the master key what is new gets a new data
//! key, and mail that waits still opens with the former one.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use sealgate_smime::key::{PrivateKey, TokenReference};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::rows::{json, of_json};
use crate::token::Tokens;

mod master;

pub use master::{MasterKey, MasterKeySource};

/// Octets of a key.
const KEY_OCTETS: usize = 32;
/// Octets of a nonce, which stands before the sealed octets.
const NONCE_OCTETS: usize = 12;
/// Octets of a tag, which stands behind them.
const TAG_OCTETS: usize = 16;
/// Octets of the number of the data key, which stands before everything else.
const NUMBER_OCTETS: usize = 4;
/// What a sealed reference to a key on a token begins with; a PKCS#8 structure never does.
const REFERENCE: u8 = b'{';

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
    /// The DKIM keys of domains.
    DkimKey,
    /// The second factors of portal users.
    SecondFactor,
}

impl Purpose {
    /// All that a data key seals.
    const ALL: &[Self] = &[
        Self::Content,
        Self::Head,
        Self::ToOpen,
        Self::MailboxKey,
        Self::Authority,
        Self::Setting,
        Self::DkimKey,
        Self::SecondFactor,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::DataKey => "data key",
            Self::Content => "content",
            Self::Head => "head",
            Self::ToOpen => "to open",
            Self::MailboxKey => "mailbox key",
            Self::Authority => "authority",
            Self::Setting => "setting",
            Self::DkimKey => "dkim key",
            Self::SecondFactor => "second factor",
        }
    }
}

/// A data key as it lies in the database.
#[derive(Clone)]
pub(crate) struct WrappedKey {
    /// Its number.
    pub number: u32,
    /// Wrapped by the master key.
    pub wrapped: Vec<u8>,
    /// Wrapped by the former master key, while a rotation is under way.
    pub former: Option<Vec<u8>>,
}

impl WrappedKey {
    /// A new data key for `masters`: the master key, and the former one while a rotation is under way.
    pub fn new(
        number: u32,
        master: &MasterKey,
        former: Option<&MasterKey>,
    ) -> Result<Self, StoreError> {
        let key = random_key()?;
        Ok(Self {
            number,
            wrapped: master.wrap(number, key.as_slice())?,
            former: former
                .map(|former| former.wrap(number, key.as_slice()))
                .transpose()?,
        })
    }

    /// The same data key wrapped by `to` too; `None` if `from` is not the master key.
    pub fn rewrapped(&self, from: &MasterKey, to: &MasterKey) -> Result<Option<Self>, StoreError> {
        let Some(key) = from.unwrap(self.number, &self.wrapped)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            number: self.number,
            wrapped: to.wrap(self.number, &key)?,
            former: Some(self.wrapped.clone()),
        }))
    }

    /// The two wraps exchanged, for a rotation that goes back; `None` if `to` is not the former master key.
    pub fn turned_back(&self, to: &MasterKey) -> Result<Option<Self>, StoreError> {
        let Some(former) = &self.former else {
            return Ok(None);
        };
        let opened = to.unwrap(self.number, former)?;
        Ok(opened.map(|_| Self {
            number: self.number,
            wrapped: former.clone(),
            former: Some(self.wrapped.clone()),
        }))
    }

    /// Whether `master` is the one it is wrapped by, and not only the former one.
    pub fn is_of(&self, master: &MasterKey) -> Result<bool, StoreError> {
        Ok(master.unwrap(self.number, &self.wrapped)?.is_some())
    }

    /// The data key itself; `None` if `master` is another.
    pub fn clear(&self, master: &MasterKey) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match (master.unwrap(self.number, &self.wrapped)?, &self.former) {
            (None, Some(former)) => master.unwrap(self.number, former),
            (found, _) => Ok(found),
        }
    }
}

/// The keys derived from one data key.
struct Derived(Vec<(Purpose, RandomizedNonceKey)>);

impl Derived {
    fn of(data_key: &[u8; KEY_OCTETS]) -> Result<Self, StoreError> {
        let one = |purpose: &Purpose| Ok((*purpose, derive(data_key, *purpose)?));
        Purpose::ALL
            .iter()
            .map(one)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn key(&self, purpose: Purpose) -> Result<&RandomizedNonceKey, StoreError> {
        let found = self.0.iter().find(|(one, _)| *one == purpose);
        found.map(|(_, key)| key).ok_or_else(|| {
            StoreError::damaged(format!("{} is not sealed by a data key", purpose.as_str()))
        })
    }
}

/// The derived keys of all data keys, ready for use, and the tokens that hold keys of their own.
pub(crate) struct Sealer {
    keys: BTreeMap<u32, Derived>,
    current: u32,
    tokens: Tokens,
    pub trace_key: Zeroizing<[u8; KEY_OCTETS]>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(...)")
    }
}

impl Sealer {
    /// Unwraps all data keys; `None` if the master key is another.
    pub fn load(
        wrapped: &[WrappedKey],
        master: &MasterKey,
        tokens: Tokens,
    ) -> Result<Option<Self>, StoreError> {
        let mut keys = BTreeMap::new();
        let mut newest = None;
        for one in wrapped {
            let Some(key) = one.clear(master)? else {
                return Ok(None);
            };
            let key: &[u8; KEY_OCTETS] = key
                .as_slice()
                .try_into()
                .map_err(|_| StoreError::damaged("the data key has a wrong length"))?;
            keys.insert(one.number, Derived::of(key)?);
            if newest
                .as_ref()
                .is_none_or(|(number, _)| *number < one.number)
            {
                newest = Some((one.number, expand(key, "trace")?));
            }
        }
        let (current, trace_key) = newest.ok_or_else(|| StoreError::damaged("data key"))?;
        Ok(Some(Self {
            keys,
            current,
            tokens,
            trace_key,
        }))
    }

    /// The number of the data key that new blobs get.
    pub const fn current(&self) -> u32 {
        self.current
    }

    /// The tokens that hold keys.
    pub const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Seals `clear` for the record named by `record`: number of the data key, nonce, sealed octets, tag.
    pub fn seal(
        &self,
        purpose: Purpose,
        record: &str,
        clear: Vec<u8>,
    ) -> Result<Vec<u8>, StoreError> {
        let derived = self.derived(self.current)?;
        seal(
            derived.key(purpose)?,
            (purpose, record.as_bytes()),
            &self.current.to_be_bytes(),
            clear,
        )
    }

    /// Opens what was sealed for just this record.
    pub fn open(
        &self,
        purpose: Purpose,
        record: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let damaged = || StoreError::damaged(format!("{} {record}", purpose.as_str()));
        let (number, rest) = sealed
            .split_first_chunk::<NUMBER_OCTETS>()
            .ok_or_else(damaged)?;
        let derived = self.derived(u32::from_be_bytes(*number))?;
        open(derived.key(purpose)?, (purpose, record.as_bytes()), rest)
            .map_err(|Unopened| damaged())
    }

    /// Seals a private key; one on a token stays there, and where it lies is sealed.
    pub fn seal_key(
        &self,
        purpose: Purpose,
        record: &str,
        key: &PrivateKey,
    ) -> Result<Vec<u8>, StoreError> {
        let clear = match key.token() {
            Some(reference) => json(reference)?.into_bytes(),
            None => {
                let pkcs8 = key.to_pkcs8();
                // Sealing happens in this very buffer.
                pkcs8
                    .map_err(|error| StoreError::damaged(error.to_string()))?
                    .to_vec()
            }
        };
        self.seal(purpose, record, clear)
    }

    /// Opens a private key. A token is not asked for that: it may be away.
    pub fn open_key(
        &self,
        purpose: Purpose,
        record: &str,
        sealed: &[u8],
    ) -> Result<PrivateKey, StoreError> {
        let clear = Zeroizing::new(self.open(purpose, record, sealed)?);
        let key = if clear.first() == Some(&REFERENCE) {
            self.tokens.key(of_json::<TokenReference>(&clear)?)
        } else {
            PrivateKey::from_pkcs8(&clear)
        };
        key.map_err(|error| StoreError::damaged(error.to_string()))
    }

    fn derived(&self, number: u32) -> Result<&Derived, StoreError> {
        self.keys.get(&number).ok_or_else(|| {
            StoreError::damaged(format!(
                "it names data key {number}, which was not there when this process started"
            ))
        })
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

/// What a record is for, and its name.
type For<'a> = (Purpose, &'a [u8]);

fn associated((purpose, record): For<'_>) -> Vec<u8> {
    [purpose.as_str().as_bytes(), b"\0", record].concat()
}

/// `before`, nonce, sealed octets, tag.
fn seal(
    key: &RandomizedNonceKey,
    what: For<'_>,
    before: &[u8],
    mut octets: Vec<u8>,
) -> Result<Vec<u8>, StoreError> {
    let (nonce, tag) = key
        .seal_in_place_separate_tag(Aad::from(associated(what)), &mut octets)
        .map_err(|_| StoreError::Database("sealing failed".into()))?;
    Ok([before, nonce.as_ref().as_slice(), &octets, tag.as_ref()].concat())
}

fn open(key: &RandomizedNonceKey, what: For<'_>, sealed: &[u8]) -> Result<Vec<u8>, Unopened> {
    let (nonce, rest) = sealed.split_at_checked(NONCE_OCTETS).ok_or(Unopened)?;
    let length = rest.len().checked_sub(TAG_OCTETS).ok_or(Unopened)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unopened)?;
    let mut clear = rest.to_vec();
    key.open_in_place(nonce, Aad::from(associated(what)), &mut clear)
        .map_err(|_| Unopened)?;
    clear.truncate(length);
    Ok(clear)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(wrapped: &[WrappedKey], master: &MasterKey) -> Option<Sealer> {
        Sealer::load(wrapped, master, Tokens::default()).unwrap()
    }

    #[test]
    fn opens_only_for_its_record_and_purpose() {
        let master = MasterKey::generate().unwrap();
        let wrapped = [WrappedKey::new(1, &master, None).unwrap()];
        let sealed = sealer(&wrapped, &master)
            .unwrap()
            .seal(Purpose::Head, "7", b"secret".to_vec())
            .unwrap();
        let again = sealer(&wrapped, &master).unwrap();
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
        let wrapped = WrappedKey::new(1, &MasterKey::generate().unwrap(), None).unwrap();
        assert!(sealer(&[wrapped], &MasterKey::generate().unwrap()).is_none());
    }

    /// While a rotation is under way both master keys open all; a data key is bound to its number.
    #[test]
    fn a_rotation_keeps_both_ways_open_until_its_end() {
        let [old, new, other] = [0; 3].map(|_| MasterKey::generate().unwrap());
        let first = WrappedKey::new(1, &old, None).unwrap();
        let sealed = sealer(std::slice::from_ref(&first), &old)
            .unwrap()
            .seal(Purpose::Setting, "a", b"before".to_vec())
            .unwrap();
        assert!(first.rewrapped(&other, &new).unwrap().is_none());
        let both = [
            first.rewrapped(&old, &new).unwrap().unwrap(),
            WrappedKey::new(2, &new, Some(&old)).unwrap(),
        ];
        for master in [&old, &new] {
            let sealer = sealer(&both, master).unwrap();
            assert_eq!(sealer.current(), 2);
            assert_eq!(
                sealer.open(Purpose::Setting, "a", &sealed).unwrap(),
                b"before"
            );
        }
        assert!(sealer(&both, &other).is_none());
        let ended = both.clone().map(|key| WrappedKey {
            former: None,
            ..key
        });
        assert!(sealer(&ended, &old).is_none());
        let after = sealer(&ended, &new)
            .unwrap()
            .seal(Purpose::Setting, "b", b"after".to_vec())
            .unwrap();
        assert_eq!(after[..NUMBER_OCTETS], [0, 0, 0, 2]);
        assert!(
            sealer(&[first], &old)
                .unwrap()
                .open(Purpose::Setting, "b", &after)
                .is_err()
        );
        let [one, two] = ended;
        let swapped = [
            WrappedKey { number: 2, ..one },
            WrappedKey { number: 1, ..two },
        ];
        assert!(sealer(&swapped, &new).is_none(), "bound to their numbers");
    }
}
