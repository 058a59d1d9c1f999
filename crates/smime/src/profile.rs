//! What we announce that we read, and what we choose from what a recipient announced (RFC 8551 sections 2.5.2 and 2.7.1).

use const_oid::ObjectIdentifier;
use serde::{Deserialize, Serialize};

use crate::algorithms::{ContentEncryption, KeyTransport, Standing};
use crate::asn1::{self, Asn1Error, tag};

/// The scheme an RSA key signs with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RsaSignature {
    /// RSASSA-PKCS1-v1_5: what every client reads.
    #[default]
    Pkcs1,
    /// RSASSA-PSS.
    Pss,
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

/// The algorithms of one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The content cipher.
    pub content: ContentEncryption,
    /// How the content key reaches RSA keys.
    pub transport: KeyTransport,
    /// How an RSA key signs.
    pub rsa_signature: RsaSignature,
}

impl Default for Suite {
    fn default() -> Self {
        Self {
            content: ContentEncryption::default(),
            transport: KeyTransport::RsaPkcs1,
            rsa_signature: RsaSignature::default(),
        }
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

/// The SMIMECapabilities we put into signatures: algorithms without parameters.
pub fn announced_capabilities() -> Vec<u8> {
    let entries: Vec<Vec<u8>> = ANNOUNCED
        .iter()
        .map(|one| asn1::sequence(&[&asn1::oid(&one.row().oid)]))
        .collect();
    asn1::tlv(tag::SEQUENCE, &entries.concat())
}

/// The content ciphers a correspondent announced, the preferred first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    ciphers: Vec<ContentEncryption>,
}

impl Capabilities {
    /// Reads the value of an smimeCapabilities attribute (RFC 8551 section 2.5.2).
    pub fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        let mut found = Self::default();
        for entry in asn1::read_only(der, tag::SEQUENCE)?.inside().all()? {
            let oid: ObjectIdentifier = entry.inside().expect(tag::OID)?.oid()?;
            let cipher = ContentEncryption::ALL
                .into_iter()
                .find(|cipher| cipher.row().oid == oid);
            found.ciphers.extend(cipher);
        }
        Ok(found)
    }

    /// Whether the correspondent announced ciphers, but none that we make: then it counts as having no key (row C23).
    pub fn only_weak(&self) -> bool {
        !self.ciphers.is_empty() && !self.ciphers.iter().any(|cipher| made(*cipher))
    }

    fn names(&self, cipher: ContentEncryption) -> bool {
        self.ciphers.contains(&cipher)
    }
}

fn made(cipher: ContentEncryption) -> bool {
    cipher.row().making == Standing::Accept
}

/// The content cipher for a copy to these recipients, each with what it announced, if anything. AES-GCM only where every one
/// announced it; AES-256-CBC where nothing is known (RFC 8551 section 2.7.1.2).
pub fn choose_content(recipients: &[Option<&Capabilities>]) -> ContentEncryption {
    let every = |cipher: &ContentEncryption| {
        recipients
            .iter()
            .all(|known| known.is_some_and(|c| c.names(*cipher)))
    };
    let common = ContentEncryption::ALL
        .into_iter()
        .filter(|cipher| made(*cipher))
        .find(every);
    match common {
        Some(cipher) if !recipients.is_empty() => cipher,
        _ => ContentEncryption::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_from_what_all_announced() {
        let own = Capabilities::from_der(&announced_capabilities()).unwrap();
        let of = |ciphers: &[ContentEncryption]| Capabilities {
            ciphers: ciphers.to_vec(),
        };
        let cbc128 = of(&[
            ContentEncryption::Aes128Cbc,
            ContentEncryption::TripleDesCbc,
        ]);
        let old = of(&[ContentEncryption::TripleDesCbc]);
        for (recipients, chosen) in [
            (&[][..], ContentEncryption::Aes256Cbc),
            (&[None], ContentEncryption::Aes256Cbc),
            (&[Some(&own)], ContentEncryption::Aes256Gcm),
            (&[Some(&own), None], ContentEncryption::Aes256Cbc),
            (&[Some(&own), Some(&cbc128)], ContentEncryption::Aes128Cbc),
            (&[Some(&old)], ContentEncryption::Aes256Cbc),
        ] {
            assert_eq!(choose_content(recipients), chosen);
        }
        assert!(old.only_weak() && !own.only_weak() && !Capabilities::default().only_weak());
    }
}
