//! Keys and certificates for tests, made with the `openssl` program: nothing of this is in the repository.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::program::must_run;

/// Password of every PKCS#12 file made here.
pub const PASSWORD: &str = "secret";

/// What kind of key pair to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with this many bits.
    Rsa(u16),
    /// RSA with this many bits, for RSASSA-PSS alone (RFC 4055 section 1.2).
    RsaPss(u16),
    /// ECDSA and ECDH on P-256.
    P256,
    /// ECDSA and ECDH on P-384.
    P384,
    /// ECDSA and ECDH on P-521.
    P521,
    /// ECDSA and ECDH on brainpoolP256r1.
    BrainpoolP256,
    /// ECDSA and ECDH on brainpoolP384r1.
    BrainpoolP384,
    /// Signatures with Ed25519.
    Ed25519,
    /// Key agreement with X25519.
    X25519,
}

impl KeyKind {
    /// The two kinds every case runs with.
    pub const BOTH: [Self; 2] = [Self::Rsa(2048), Self::P256];

    fn arguments(self) -> Vec<String> {
        let curve = |name| words(&format!("-newkey ec -pkeyopt ec_paramgen_curve:{name}"));
        match self {
            Self::Rsa(bits) => words(&format!("-newkey rsa:{bits}")),
            Self::RsaPss(bits) => {
                words(&format!("-newkey rsa-pss -pkeyopt rsa_keygen_bits:{bits}"))
            }
            Self::P256 => curve("P-256"),
            Self::P384 => curve("P-384"),
            Self::P521 => curve("P-521"),
            Self::BrainpoolP256 => curve("brainpoolP256r1"),
            Self::BrainpoolP384 => curve("brainpoolP384r1"),
            Self::Ed25519 => words("-newkey ed25519"),
            Self::X25519 => words("-newkey x25519"),
        }
    }

    fn usage(self) -> &'static str {
        match self {
            Self::Rsa(_) => "digitalSignature, keyEncipherment",
            Self::RsaPss(_) | Self::Ed25519 => "digitalSignature",
            Self::P256 | Self::P384 | Self::P521 | Self::BrainpoolP256 | Self::BrainpoolP384 => {
                "digitalSignature, keyAgreement"
            }
            Self::X25519 => "keyAgreement",
        }
    }
}

/// A certificate with its private key, as files.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Certificate, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM without password.
    pub key: PathBuf,
}

impl Identity {
    /// Writes certificate, key and the issuer's certificate into one PKCS#12 file under [`PASSWORD`].
    pub fn pkcs12(&self, issuer: &Identity) -> PathBuf {
        self.pkcs12_named(issuer, "own")
    }

    /// The same, with this name inside for the key.
    pub fn pkcs12_named(&self, issuer: &Identity, name: &str) -> PathBuf {
        // Tests of one process share an identity: none may write a file that another reads.
        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let path = self.certificate.with_extension(format!("{number}.p12"));
        let mut arguments = words("pkcs12 -export -passout");
        arguments.extend([format!("pass:{PASSWORD}"), "-name".into(), name.into()]);
        for (option, file) in [
            ("-in", &self.certificate),
            ("-inkey", &self.key),
            ("-certfile", &issuer.certificate),
            ("-out", &path),
        ] {
            arguments.extend([option.to_owned(), shown(file)]);
        }
        must_run("openssl", &arguments, b"");
        path
    }
}

/// A self-signed certification authority called `name`, below `directory`.
pub fn authority(directory: &Path, name: &str) -> Identity {
    let extensions = "basicConstraints = critical, CA:true\n\
        keyUsage = critical, keyCertSign, cRLSign\n\
        subjectKeyIdentifier = hash\n";
    make(directory, name, KeyKind::P256, extensions, &[])
}

/// A mailbox certificate for `address`, issued by `issuer`.
pub fn mailbox(directory: &Path, issuer: &Identity, address: &str, kind: KeyKind) -> Identity {
    let mut extensions = String::from(
        "basicConstraints = critical, CA:false\n\
         extendedKeyUsage = emailProtection\n\
         subjectKeyIdentifier = hash\n\
         authorityKeyIdentifier = keyid\n",
    );
    writeln!(extensions, "keyUsage = critical, {}", kind.usage()).unwrap();
    writeln!(extensions, "subjectAltName = email:{address}").unwrap();
    let name = address.replace('@', "_at_");
    make(directory, &name, kind, &extensions, &signed_by(issuer))
}

/// A P-256 certificate of `issuer` with exactly these extensions, in the words of an OpenSSL settings file.
pub fn with_extensions(
    directory: &Path,
    issuer: &Identity,
    name: &str,
    extensions: &str,
) -> Identity {
    make(
        directory,
        name,
        KeyKind::P256,
        extensions,
        &signed_by(issuer),
    )
}

/// A certificate for a TLS server on loopback.
pub fn server(directory: &Path, issuer: &Identity, host: &str) -> Identity {
    let extensions = format!(
        "basicConstraints = critical, CA:false\n\
         keyUsage = critical, digitalSignature\n\
         extendedKeyUsage = serverAuth\n\
         subjectKeyIdentifier = hash\n\
         authorityKeyIdentifier = keyid\n\
         subjectAltName = DNS:{host}, IP:127.0.0.1\n"
    );
    make(
        directory,
        host,
        KeyKind::P256,
        &extensions,
        &signed_by(issuer),
    )
}

fn signed_by(issuer: &Identity) -> Vec<String> {
    let files = [("-CA", &issuer.certificate), ("-CAkey", &issuer.key)];
    files
        .into_iter()
        .flat_map(|(option, file)| [option.to_owned(), shown(file)])
        .collect()
}

fn make(
    directory: &Path,
    name: &str,
    kind: KeyKind,
    extensions: &str,
    issuer: &[String],
) -> Identity {
    let stem = format!("{name}-{kind:?}").replace(['(', ')'], "");
    let identity = Identity {
        certificate: directory.join(format!("{stem}.pem")),
        key: directory.join(format!("{stem}.key")),
    };
    let settings = directory.join(format!("{stem}.cnf"));
    let text = format!(
        "[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = extensions\n\
         [name]\nO = Test\nCN = {name}\n[extensions]\n{extensions}"
    );
    std::fs::write(&settings, text).unwrap();
    let mut arguments = words("req -x509 -noenc -sha256 -days 90");
    for (option, file) in [
        ("-config", &settings),
        ("-keyout", &identity.key),
        ("-out", &identity.certificate),
    ] {
        arguments.extend([option.to_owned(), shown(file)]);
    }
    arguments.extend(kind.arguments());
    arguments.extend_from_slice(issuer);
    must_run("openssl", &arguments, b"");
    identity
}

/// Splits a command line without quotes into its words.
pub fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// A path as an argument.
pub fn shown(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
