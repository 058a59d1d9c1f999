//! Who takes part in the cases, with keys and certificates: made once for each kind of key in a test run.

use std::sync::OnceLock;

use crate::keys::{self, Identity, KeyKind};
use crate::place::Directory;

/// A managed address, a known mailbox of the organisation.
pub const ALICE: &str = "alice@example.com";
/// An external address in a partner's domain.
pub const CAROL: &str = "carol@partner.example";
/// An address that has nothing to do with a case: mail encrypted to it is unreadable for everybody else.
pub const STRANGER: &str = "stranger@elsewhere.example";

/// The certificates of all who take part.
#[derive(Debug)]
pub struct Cast {
    /// Issues for the organisation.
    pub own_authority: Identity,
    /// Issues for everybody else.
    pub partner_authority: Identity,
    /// [`ALICE`].
    pub alice: Identity,
    /// [`CAROL`].
    pub carol: Identity,
    /// [`STRANGER`].
    pub stranger: Identity,
    /// Serves TLS for the name `gateway.example` and 127.0.0.1.
    pub server: Identity,
}

impl Cast {
    /// The cast with keys of one kind.
    pub fn with(kind: KeyKind) -> &'static Self {
        static RSA: OnceLock<Cast> = OnceLock::new();
        static P256: OnceLock<Cast> = OnceLock::new();
        match kind {
            KeyKind::Rsa(_) => RSA.get_or_init(|| Self::make(kind)),
            KeyKind::P256 => P256.get_or_init(|| Self::make(kind)),
            _ => panic!("the cast has RSA or P-256 keys, not {kind:?}"),
        }
    }

    fn make(kind: KeyKind) -> Self {
        // Lives as long as the process: tests of one run share it.
        let directory = Box::leak(Box::new(Directory::new("keys"))).path();
        let own_authority = keys::authority(directory, "Example-CA");
        let partner_authority = keys::authority(directory, "Partner-CA");
        let own = |address| keys::mailbox(directory, &own_authority, address, kind);
        let theirs = |address| keys::mailbox(directory, &partner_authority, address, kind);
        Self {
            alice: own(ALICE),
            carol: theirs(CAROL),
            stranger: theirs(STRANGER),
            server: keys::server(directory, &own_authority, "gateway.example"),
            own_authority,
            partner_authority,
        }
    }

    /// The identity behind an address.
    pub fn of(&self, address: &str) -> &Identity {
        match address {
            ALICE => &self.alice,
            CAROL => &self.carol,
            STRANGER => &self.stranger,
            other => panic!("{other} has no certificate here"),
        }
    }

    /// The authority that issued for an address.
    pub fn issuer_of(&self, address: &str) -> &Identity {
        if address == ALICE {
            &self.own_authority
        } else {
            &self.partner_authority
        }
    }
}
