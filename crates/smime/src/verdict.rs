//! What is said about a message's signature and encryption: exactly the words of the verdict lists, and how several
//! signers and several layers are combined into one.

use serde::{Deserialize, Serialize};

/// The judgement on a message's signature. Only [`SignatureVerdict::Valid`] may set a good tag or header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureVerdict {
    /// There is no S/MIME signature.
    None,
    /// Signature and path are good and an address of the certificate equals From.
    Valid,
    /// Signature and path are good, no address of the certificate equals From.
    ValidOtherAddress,
    /// Signature and path are good, the certificate carries no address.
    ValidNoAddress,
    /// Signature good, revocation could not be asked.
    RevocationUnknown,
    /// Signature good, but the certificate was not valid at the time of receipt.
    Expired,
    /// Signature good, certificate revoked.
    Revoked,
    /// Signature good, but no path to a trust anchor that allows signing mail.
    Untrusted,
    /// Signature good, but by a hash or key that proves nothing.
    Weak,
    /// A signed part inside an unsigned tree.
    Partial,
    /// An algorithm or form that is not read.
    Unsupported,
    /// The signature does not fit the content, or its structure breaks the standard.
    Broken,
}

impl SignatureVerdict {
    /// The word for headers, journal and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Valid => "valid",
            Self::ValidOtherAddress => "valid-other-address",
            Self::ValidNoAddress => "valid-no-address",
            Self::RevocationUnknown => "revocation-unknown",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Untrusted => "untrusted",
            Self::Weak => "weak",
            Self::Partial => "partial",
            Self::Unsupported => "unsupported",
            Self::Broken => "broken",
        }
    }

    /// Signature and path are good, whosoever address it is.
    pub const fn is_good(self) -> bool {
        matches!(
            self,
            Self::Valid | Self::ValidOtherAddress | Self::ValidNoAddress
        )
    }

    /// One verdict for several signers of one signature (`None` does not count).
    ///
    /// All must be good, and one of them must be `valid` (security.md row C5); else the worst is the verdict.
    pub fn combine(verdicts: impl IntoIterator<Item = Self>) -> Self {
        let mut verdicts = verdicts
            .into_iter()
            .filter(|verdict| *verdict != Self::None);
        let Some(first) = verdicts.next() else {
            return Self::None;
        };
        verdicts.fold(first, |so_far, next| {
            match (so_far.is_good(), next.is_good()) {
                (true, true) => {
                    if so_far.badness() <= next.badness() {
                        so_far
                    } else {
                        next
                    }
                }
                _ => {
                    if so_far.badness() >= next.badness() {
                        so_far
                    } else {
                        next
                    }
                }
            }
        })
    }

    /// The same of several signers together, once it is known whether all answers about their revocation that are due are
    /// there: a signer of another address must verify like the sender (row C5).
    pub const fn answered(self, all: bool) -> Self {
        match self {
            Self::Valid if !all => Self::RevocationUnknown,
            other => other,
        }
    }

    /// The order in which one verdict outweighs another.
    pub(crate) const fn badness(self) -> u8 {
        match self {
            Self::None | Self::Valid => 0,
            Self::ValidOtherAddress => 1,
            Self::ValidNoAddress => 2,
            Self::RevocationUnknown => 3,
            Self::Expired => 4,
            Self::Untrusted => 5,
            Self::Weak => 6,
            Self::Revoked => 7,
            Self::Unsupported => 8,
            Self::Partial => 9,
            Self::Broken => 10,
        }
    }
}

/// The judgement on a message's encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncryptionVerdict {
    /// The message was not encrypted.
    None,
    /// Decrypted; anybody may have changed the content on the way.
    Decrypted,
    /// Decrypted, and the content is as it was encrypted (AEAD) or validly signed inside.
    DecryptedAuthenticated,
    /// No key of ours is named.
    NoKey,
    /// Could not be decrypted. There is no finer reason, on purpose (security.md row C10).
    Failed,
    /// More than the limits allow.
    Refused,
}

impl EncryptionVerdict {
    /// The word for headers, journal and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Decrypted => "decrypted",
            Self::DecryptedAuthenticated => "decrypted-authenticated",
            Self::NoKey => "no-key",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }

    /// The verdict once the signature inside is known: a valid one shows that nothing was changed.
    pub const fn with_inner_signature(self, inner: SignatureVerdict) -> Self {
        match (self, inner) {
            (Self::Decrypted, SignatureVerdict::Valid) => Self::DecryptedAuthenticated,
            _ => self,
        }
    }

    /// One verdict for several layers of encryption (`None` layers do not count): a layer that did not open outweighs
    /// those that did, and one authenticated layer vouches for what lies in it, which includes the content shown.
    pub fn combine(layers: impl IntoIterator<Item = Self>) -> Self {
        layers.into_iter().fold(Self::None, |so_far, next| {
            if so_far.weight() >= next.weight() {
                so_far
            } else {
                next
            }
        })
    }

    const fn weight(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Decrypted => 1,
            Self::DecryptedAuthenticated => 2,
            Self::NoKey => 3,
            Self::Failed => 4,
            Self::Refused => 5,
        }
    }
}

impl std::fmt::Display for SignatureVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for EncryptionVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{EncryptionVerdict as E, SignatureVerdict as S};

    #[test]
    fn signers_and_layers_combine() {
        for (verdicts, expected) in [
            (&[][..], S::None),
            (&[S::None, S::None], S::None),
            (&[S::Valid], S::Valid),
            (&[S::None, S::Valid], S::Valid),
            (&[S::ValidOtherAddress, S::Valid], S::Valid),
            (&[S::Valid, S::ValidOtherAddress], S::Valid),
            (
                &[S::ValidNoAddress, S::ValidOtherAddress],
                S::ValidOtherAddress,
            ),
            (&[S::Valid, S::Untrusted], S::Untrusted),
            (&[S::Broken, S::Valid], S::Broken),
            (
                &[S::Valid, S::Valid, S::RevocationUnknown],
                S::RevocationUnknown,
            ),
            (&[S::Weak, S::Expired], S::Weak),
        ] {
            assert_eq!(
                S::combine(verdicts.iter().copied()),
                expected,
                "{verdicts:?}"
            );
        }
    }

    #[test]
    fn encryption_layers_combine() {
        for (verdicts, expected) in [
            (&[][..], E::None),
            (&[E::Decrypted, E::None], E::Decrypted),
            (
                &[E::Decrypted, E::DecryptedAuthenticated],
                E::DecryptedAuthenticated,
            ),
            (&[E::DecryptedAuthenticated, E::NoKey], E::NoKey),
            (&[E::Failed, E::Decrypted], E::Failed),
        ] {
            assert_eq!(
                E::combine(verdicts.iter().copied()),
                expected,
                "{verdicts:?}"
            );
        }
    }

    #[test]
    fn only_a_valid_inner_signature_authenticates() {
        assert_eq!(
            E::Decrypted.with_inner_signature(S::Valid),
            E::DecryptedAuthenticated
        );
        assert_eq!(
            E::Decrypted.with_inner_signature(S::ValidOtherAddress),
            E::Decrypted
        );
        assert_eq!(E::Failed.with_inner_signature(S::Valid), E::Failed);
    }
}
