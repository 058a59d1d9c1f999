//! What we announce that we read, and what we choose from what a recipient announced (RFC 8551 sections 2.5.2 and 2.7.1).

use const_oid::ObjectIdentifier;

use crate::algorithms::{ContentEncryption, Standing};
use crate::asn1::{self, Asn1Error, tag};

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
