//! Who takes part in the matrix: one mailbox certificate for each kind of key, all of one authority.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::keys::{self, Identity, KeyKind};
use crate::place::Directory;

/// Every kind of key in the matrix.
pub const KINDS: [KeyKind; 10] = [
    KeyKind::Rsa(2048),
    KeyKind::Rsa(3072),
    KeyKind::RsaPss(2048),
    KeyKind::P256,
    KeyKind::P384,
    KeyKind::P521,
    KeyKind::BrainpoolP256,
    KeyKind::BrainpoolP384,
    KeyKind::Ed25519,
    KeyKind::X25519,
];

/// The short name of a kind of key: its nickname in every key store, and the local part of its address.
pub fn name(kind: KeyKind) -> String {
    match kind {
        KeyKind::Rsa(bits) => format!("rsa{bits}"),
        KeyKind::RsaPss(bits) => format!("psskey{bits}"),
        KeyKind::BrainpoolP256 => "bp256".to_owned(),
        KeyKind::BrainpoolP384 => "bp384".to_owned(),
        other => format!("{other:?}").to_ascii_lowercase(),
    }
}

/// The mail address of the mailbox with this kind of key.
pub fn address(kind: KeyKind) -> String {
    format!("{}@peer.example", name(kind))
}

/// All keys of the matrix.
#[derive(Debug)]
pub struct People {
    /// The authority of all of them.
    pub root: Identity,
    identities: Vec<(KeyKind, Identity)>,
    directory: Directory,
}

impl People {
    /// The people, made at the first call and kept for the process.
    pub fn all() -> &'static Self {
        static ALL: OnceLock<People> = OnceLock::new();
        ALL.get_or_init(|| Self::make("people"))
    }

    /// The same names and addresses under another authority, which no peer trusts.
    pub fn strangers() -> &'static Self {
        static STRANGERS: OnceLock<People> = OnceLock::new();
        STRANGERS.get_or_init(|| Self::make("strangers"))
    }

    fn make(name_of_directory: &str) -> Self {
        let directory = Directory::new(name_of_directory);
        let root = keys::authority(directory.path(), "Matrix-CA");
        let identities = KINDS.map(|kind| {
            let made = keys::mailbox(directory.path(), &root, &address(kind), kind);
            (kind, renamed(directory.path(), &name(kind), &made))
        });
        let root = renamed(directory.path(), "ca", &root);
        Self {
            root,
            identities: identities.into(),
            directory,
        }
    }

    /// Certificate and key of one kind.
    pub fn of(&self, kind: KeyKind) -> &Identity {
        let found = self.identities.iter().find(|(known, _)| *known == kind);
        &found.expect("a kind of the matrix").1
    }

    /// Where `ca.pem`, and `NAME.pem` and `NAME.key` of each kind lie.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

fn renamed(directory: &Path, name: &str, identity: &Identity) -> Identity {
    let moved = |from: &PathBuf, extension: &str| {
        let to = directory.join(format!("{name}.{extension}"));
        std::fs::rename(from, &to).unwrap();
        to
    };
    Identity {
        certificate: moved(&identity.certificate, "pem"),
        key: moved(&identity.key, "key"),
    }
}
