//! What we announce that we read, and what we choose from what a recipient announced (RFC 8551 sections 2.5.2 and 2.7.1).

use const_oid::ObjectIdentifier;
use serde::{Deserialize, Serialize};

use crate::algorithms::{
    ContentEncryption, DigestAlgorithm, KeyTransport, PublicKeyKind, Standing,
};
use crate::asn1::{self, Asn1Error, tag};

/// The scheme an RSA key signs with, and its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RsaSignature {
    /// RSASSA-PKCS1-v1_5: what every client reads.
    Pkcs1(DigestAlgorithm),
    /// RSASSA-PSS with a salt as long as the digest.
    Pss(DigestAlgorithm),
}

impl Default for RsaSignature {
    fn default() -> Self {
        Self::Pkcs1(DigestAlgorithm::Sha256)
    }
}

/// Algorithms agreed with a partner, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What the recipients announced, else what every client reads.
    #[default]
    Default,
    /// AES-GCM, RSAES-OAEP, RSASSA-PSS.
    Modern,
    /// What the German energy market prescribes: RSASSA-PSS and RSAES-OAEP only.
    EdiEnergy,
    /// For old clients: AES-128-CBC, RSA PKCS#1 v1.5.
    Legacy,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Default, Self::Modern, Self::EdiEnergy, Self::Legacy];

    /// Its name in configuration and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Modern => "modern",
            Self::EdiEnergy => "edi-energy",
            Self::Legacy => "legacy",
        }
    }

    /// The table of profiles.
    const fn row(self) -> Prescribed {
        use ContentEncryption::{Aes128Cbc, Aes128Gcm, Aes256Cbc, Aes256Gcm};
        match self {
            Self::Default => Prescribed {
                announced: &ContentEncryption::ALL,
                otherwise: Aes256Cbc,
                transport: None,
                rsa_signature: RsaSignature::Pkcs1(DigestAlgorithm::Sha256),
            },
            Self::Modern => Prescribed {
                announced: &[],
                otherwise: Aes256Gcm,
                transport: Some(OAEP_SHA256),
                rsa_signature: RsaSignature::Pss(DigestAlgorithm::Sha256),
            },
            // BDEW, EDI@Energy "Regelungen zum Uebertragungsweg", section "Algorithmen und Schluessellaengen fuer S/MIME":
            // RSASSA-PSS and RSAES-OAEP with SHA-256 or SHA-512 (since 2018). Content: AES-128-CBC or AES-256-CBC;
            // AES-128-GCM as the only one was put off to 1 October 2025, so it is used as soon as the partner announces it.
            Self::EdiEnergy => Prescribed {
                announced: &[Aes128Gcm],
                otherwise: Aes128Cbc,
                transport: Some(OAEP_SHA256),
                rsa_signature: RsaSignature::Pss(DigestAlgorithm::Sha256),
            },
            Self::Legacy => Prescribed {
                announced: &[],
                otherwise: Aes128Cbc,
                transport: Some(KeyTransport::RsaPkcs1),
                rsa_signature: RsaSignature::Pkcs1(DigestAlgorithm::Sha256),
            },
        }
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
        found.ok_or(UnknownProfile)
    }
}

/// No profile has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profiles are: default, modern, edi-energy, legacy")]
pub struct UnknownProfile;

/// What a profile asks for.
struct Prescribed {
    /// Content ciphers that are used where every recipient announced them, the preferred first.
    announced: &'static [ContentEncryption],
    /// The content cipher else.
    otherwise: ContentEncryption,
    /// How the content key reaches RSA keys; `None`: as all recipients announced, else PKCS#1 v1.5.
    transport: Option<KeyTransport>,
    /// How an RSA key signs. What recipients announce does not change it: signed mail is passed on to others.
    rsa_signature: RsaSignature,
}

const OAEP_SHA256: KeyTransport = KeyTransport::RsaOaep {
    digest: DigestAlgorithm::Sha256,
    mgf: DigestAlgorithm::Sha256,
};

/// The algorithms of one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Suite {
    /// The content cipher.
    pub content: ContentEncryption,
    /// How the content key reaches RSA keys.
    pub transport: KeyTransport,
    /// How an RSA key signs; other keys have one way.
    pub rsa_signature: RsaSignature,
    /// The digest of key derivation in key agreement; `None`: the one that fits the curve (RFC 5753 section 8).
    pub agreement: Option<DigestAlgorithm>,
}

impl Default for Suite {
    fn default() -> Self {
        suite(Profile::Default, &[])
    }
}

/// The algorithms for a copy to these recipients, each with what it announced, if anything: what the partner's profile
/// fixes, else what every recipient announced, else what every client reads (RFC 8551 section 2.7.1).
pub fn suite(profile: Profile, recipients: &[Option<&Capabilities>]) -> Suite {
    let prescribed = profile.row();
    let every = |test: &dyn Fn(&Capabilities) -> bool| {
        !recipients.is_empty() && recipients.iter().all(|known| known.is_some_and(test))
    };
    let content = prescribed
        .announced
        .iter()
        .copied()
        .find(|cipher| made(*cipher) && every(&|known| known.ciphers.contains(cipher)));
    let announced = TRANSPORTS
        .into_iter()
        .find(|transport| every(&|known| known.transports.contains(transport)));
    Suite {
        content: content.unwrap_or(prescribed.otherwise),
        transport: prescribed
            .transport
            .or(announced)
            .unwrap_or(KeyTransport::RsaPkcs1),
        rsa_signature: prescribed.rsa_signature,
        agreement: None,
    }
}

/// What we announce, the preferred first.
const ANNOUNCED: [ContentEncryption; 5] = [
    ContentEncryption::Aes256Gcm,
    ContentEncryption::Aes128Gcm,
    ContentEncryption::Aes256Cbc,
    ContentEncryption::Aes192Cbc,
    ContentEncryption::Aes128Cbc,
];

/// Key transport that is used by itself where all recipients announced it, the preferred first.
const TRANSPORTS: [KeyTransport; 2] = [OAEP_SHA256, KeyTransport::RsaPkcs1];

/// The SMIMECapabilities we put into signatures (RFC 8551 section 2.5.2): content ciphers, then how a content key may reach
/// the key that mail is to be encrypted to.
pub fn announced_capabilities(encryption_key: Option<PublicKeyKind>) -> Vec<u8> {
    let mut entries: Vec<Vec<u8>> = ANNOUNCED
        .iter()
        .map(|one| asn1::sequence(&[&asn1::oid(&one.row().oid)]))
        .collect();
    if let Some(PublicKeyKind::Rsa(_)) = encryption_key {
        // RFC 3560 section 5: OAEP with its parameters; RFC 8551: rsaEncryption without.
        entries.push(OAEP_SHA256.identifier().to_der());
        let oid = asn1::oid(&KeyTransport::RsaPkcs1.row().oid);
        entries.push(asn1::sequence(&[&oid]));
    }
    asn1::tlv(tag::SEQUENCE, &entries.concat())
}

/// What a correspondent announced that it reads, the preferred first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    ciphers: Vec<ContentEncryption>,
    transports: Vec<KeyTransport>,
}

impl Capabilities {
    /// Reads the value of an smimeCapabilities attribute (RFC 8551 section 2.5.2). Entries we do not know are passed over.
    pub fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        let mut found = Self::default();
        for entry in asn1::read_only(der, tag::SEQUENCE)?.inside().all()? {
            let mut inside = entry.inside();
            let oid: ObjectIdentifier = inside.expect(tag::OID)?.oid()?;
            let parameters = if inside.is_empty() {
                None
            } else {
                Some(inside.any()?.raw)
            };
            let cipher = ContentEncryption::ALL
                .into_iter()
                .find(|cipher| cipher.row().oid == oid);
            found.ciphers.extend(cipher);
            let transport = KeyTransport::from_algorithm_identifier(&oid, parameters);
            found
                .transports
                .extend(transport.map(|found| found.algorithm));
        }
        Ok(found)
    }

    /// The names of what was announced, the preferred first.
    pub fn names(&self) -> Vec<&'static str> {
        let ciphers = self.ciphers.iter().map(|cipher| cipher.row().name);
        let transports = self.transports.iter().map(|transport| transport.row().name);
        ciphers.chain(transports).collect()
    }

    /// Whether the correspondent announced ciphers, but none that we make: then it counts as having no key (row C23).
    pub fn only_weak(&self) -> bool {
        !self.ciphers.is_empty() && !self.ciphers.iter().any(|cipher| made(*cipher))
    }
}

fn made(cipher: ContentEncryption) -> bool {
    cipher.row().making == Standing::Accept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ciphers: &[ContentEncryption]) -> Capabilities {
        Capabilities {
            ciphers: ciphers.to_vec(),
            transports: Vec::new(),
        }
    }

    #[test]
    fn chosen_from_what_all_announced() {
        use ContentEncryption::{Aes128Cbc, Aes128Gcm, Aes256Cbc, Aes256Gcm, TripleDesCbc};
        let own = Capabilities::from_der(&announced_capabilities(Some(PublicKeyKind::Rsa(2048))))
            .unwrap();
        let (cbc128, old) = (of(&[Aes128Cbc, TripleDesCbc]), of(&[TripleDesCbc]));
        let (edi, modern, legacy) = (Profile::EdiEnergy, Profile::Modern, Profile::Legacy);
        let (all, v15) = (OAEP_SHA256, KeyTransport::RsaPkcs1);
        for (profile, recipients, content, transport) in [
            (Profile::Default, &[][..], Aes256Cbc, v15),
            (Profile::Default, &[None], Aes256Cbc, v15),
            (Profile::Default, &[Some(&own)], Aes256Gcm, all),
            (Profile::Default, &[Some(&own), None], Aes256Cbc, v15),
            (
                Profile::Default,
                &[Some(&own), Some(&cbc128)],
                Aes128Cbc,
                v15,
            ),
            (Profile::Default, &[Some(&old)], Aes256Cbc, v15),
            (modern, &[None], Aes256Gcm, all),
            (modern, &[Some(&cbc128)], Aes256Gcm, all),
            (edi, &[None], Aes128Cbc, all),
            (edi, &[Some(&own)], Aes128Gcm, all),
            (edi, &[Some(&own), None], Aes128Cbc, all),
            (legacy, &[Some(&own)], Aes128Cbc, v15),
        ] {
            let chosen = suite(profile, recipients);
            assert_eq!(
                (chosen.content, chosen.transport),
                (content, transport),
                "{profile}"
            );
        }
        assert!(old.only_weak() && !own.only_weak() && !Capabilities::default().only_weak());
    }

    #[test]
    fn signatures_by_profile() {
        for (profile, pss) in Profile::ALL.into_iter().zip([false, true, true, false]) {
            let chosen = suite(profile, &[]).rsa_signature;
            assert_eq!(matches!(chosen, RsaSignature::Pss(_)), pss, "{profile}");
            assert_eq!(profile.as_str().parse(), Ok(profile));
        }
        assert_eq!("other".parse::<Profile>(), Err(UnknownProfile));
    }

    /// What others write: parameters we do not know, algorithms we do not know, OAEP with the defaults of RFC 4055.
    #[test]
    fn foreign_announcements_are_read() {
        let entry = |oid: &str, rest: &[u8]| {
            asn1::sequence(&[&asn1::oid(&ObjectIdentifier::new_unwrap(oid)), rest])
        };
        let der = asn1::sequence(&[
            &entry("2.16.840.1.101.3.4.1.42", &[]),
            &entry("1.2.840.113549.3.2", &asn1::small(128)),
            &entry("1.2.840.113549.1.1.7", &[tag::SEQUENCE, 0]),
            &entry("1.2.840.113549.1.1.7", &[]),
            &entry("1.3.6.1.4.1.99999.1", &asn1::null()),
        ]);
        let sha1 = DigestAlgorithm::Sha1;
        let oaep = KeyTransport::RsaOaep {
            digest: sha1,
            mgf: sha1,
        };
        let found = Capabilities::from_der(&der).unwrap();
        assert_eq!(found.ciphers, [ContentEncryption::Aes256Cbc]);
        assert_eq!(found.transports, [oaep]);
        assert!(Capabilities::from_der(&[0x31, 0]).is_err());
    }
}
