//! Which algorithms one recipient's copy is made with: the profile of its partner, else what its owner announced, else what
//! every client reads (RFC 8551 section 2.7.1).
//!
//! Each recipient is decided alone, so that a weak or special one never lowers the others (row C23).

use sealgate_mail::Address;
use sealgate_smime::algorithms::{KeyTransport, PublicKeyKind};
use sealgate_smime::profile::{Capabilities, Profile, RsaSignature, Suite, suite};
use serde::{Deserialize, Serialize};

use crate::outcome::{ClientContent, OutboundOutcome};
use crate::rules::Entry;
use crate::tenant::{CorrespondentKey, Organisation};

/// The algorithms for one recipient, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The algorithms.
    pub suite: Suite,
    /// Whether a key of the recipient is RSA: only then the key transport counts.
    pub rsa: bool,
    /// Why.
    pub by: ChosenBy,
}

/// Where a choice of algorithms comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChosenBy {
    /// A profile is agreed with the partner.
    Partner {
        /// Its address or domain.
        external: Entry,
        /// The profile.
        profile: Profile,
    },
    /// The owner of the recipient's key announced that it reads them.
    Announced,
    /// What every client reads.
    Default,
}

/// The algorithms of a copy as journal and `explain` show them: those that its outcome uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Algorithms {
    /// The content cipher, if we encrypt.
    pub content: Option<String>,
    /// How the content key reaches the recipient, if we encrypt to an RSA key.
    pub transport: Option<String>,
    /// How we sign if our key is RSA; other keys have one way.
    pub signature: Option<String>,
    /// Why.
    pub by: ChosenBy,
}

/// The algorithms for `recipient`, to whose `keys` it is encrypted.
pub fn choose(
    organisation: &Organisation,
    recipient: &Address,
    keys: &[CorrespondentKey],
) -> Chosen {
    let partner = organisation.partner(recipient);
    let profile = organisation.profile(recipient);
    let announced: Vec<Option<Capabilities>> =
        keys.iter().map(CorrespondentKey::capabilities).collect();
    let announced: Vec<Option<&Capabilities>> = announced.iter().map(Option::as_ref).collect();
    let suite = suite(profile, &announced);
    let by = match partner {
        Some(partner) if profile != Profile::Default => ChosenBy::Partner {
            external: partner.external.clone(),
            profile,
        },
        _ if suite != Suite::default() => ChosenBy::Announced,
        _ => ChosenBy::Default,
    };
    let is_rsa =
        |key: &CorrespondentKey| matches!(key.certificate.key_kind(), Some(PublicKeyKind::Rsa(_)));
    Chosen {
        suite,
        rsa: keys.iter().any(is_rsa),
        by,
    }
}

impl Chosen {
    /// What journal and `explain` show, where `outcome` makes use of algorithms.
    pub fn shown(&self, outcome: OutboundOutcome, content: ClientContent) -> Option<Algorithms> {
        let (signs, encrypts) = match (outcome, content) {
            (OutboundOutcome::AsIs(_) | OutboundOutcome::Refuse(_), _) => return None,
            (OutboundOutcome::Sign(_), _) => (true, false),
            (OutboundOutcome::SignAndEncrypt, ClientContent::Signed) => (false, true),
            (OutboundOutcome::SignAndEncrypt, _) => (true, true),
        };
        Some(Algorithms {
            content: encrypts.then(|| self.suite.content.row().name.to_owned()),
            transport: (encrypts && self.rsa).then(|| transport(self.suite.transport)),
            signature: signs.then(|| signature(self.suite.rsa_signature)),
            by: self.by.clone(),
        })
    }
}

fn transport(transport: KeyTransport) -> String {
    match transport {
        KeyTransport::RsaPkcs1 => "rsaes-pkcs1".to_owned(),
        KeyTransport::RsaOaep { digest, .. } => format!("rsaes-oaep {}", digest.row().name),
    }
}

fn signature(scheme: RsaSignature) -> String {
    match scheme {
        RsaSignature::Pkcs1(digest) => format!("rsassa-pkcs1 {}", digest.row().name),
        RsaSignature::Pss(digest) => format!("rsassa-pss {}", digest.row().name),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use sealgate_mail::Timestamp;
    use sealgate_smime::algorithms::ContentEncryption;
    use sealgate_smime::path::TrustAnchors;
    use sealgate_smime::profile::announced_capabilities;

    use super::*;
    use crate::outcome::{AsIs, NotEncrypted};
    use crate::tenant::{Announced, CorrespondentState, OrganisationId, Origin, Partner, Settings};
    use crate::testdata::certificate;

    fn organisation(partners: &[(&str, Profile)]) -> Organisation {
        let partner = |(external, profile): &(&str, Profile)| Partner {
            external: external.parse().unwrap(),
            profile: *profile,
        };
        Organisation {
            id: OrganisationId(1),
            name: "we".into(),
            settings: Settings::default(),
            routes: vec![],
            mailboxes: HashMap::new(),
            rules: vec![],
            clients: vec![],
            destinations: HashMap::new(),
            smarthost: None,
            anchors: Arc::new(TrustAnchors::default()),
            partners: partners.iter().map(partner).collect(),
        }
    }

    fn key(announced: Option<Vec<u8>>) -> CorrespondentKey {
        CorrespondentKey {
            id: 1,
            address: Address::parse("alice@partner.example").unwrap(),
            certificate: certificate("alice"),
            origin: Origin::Harvested,
            state: CorrespondentState::Preferred,
            pinned: false,
            added: Timestamp(0),
            announced: announced.map(|capabilities| Announced {
                capabilities,
                at: Timestamp(0),
            }),
        }
    }

    #[test]
    fn partner_before_announced_before_default() {
        use ContentEncryption::{Aes128Cbc, Aes256Cbc, Aes256Gcm};
        let ours = || Some(announced_capabilities(Some(PublicKeyKind::Rsa(2048))));
        let unreadable = || Some(vec![1, 2, 3]);
        let domain = ("partner.example", Profile::Modern);
        let address = ("alice@partner.example", Profile::Legacy);
        let nothing_agreed = ("partner.example", Profile::Default);
        let by = |(external, profile): (&str, Profile)| ChosenBy::Partner {
            external: external.parse().unwrap(),
            profile,
        };
        let table: [(&[(&str, Profile)], _, _, _); 8] = [
            (&[], vec![], Aes256Cbc, ChosenBy::Default),
            (&[], vec![None], Aes256Cbc, ChosenBy::Default),
            (&[], vec![unreadable()], Aes256Cbc, ChosenBy::Default),
            (&[], vec![ours()], Aes256Gcm, ChosenBy::Announced),
            // Two keys are used, and one of them announced nothing.
            (&[], vec![ours(), None], Aes256Cbc, ChosenBy::Default),
            (&[domain], vec![None], Aes256Gcm, by(domain)),
            (&[domain, address], vec![ours()], Aes128Cbc, by(address)),
            (
                &[nothing_agreed],
                vec![ours()],
                Aes256Gcm,
                ChosenBy::Announced,
            ),
        ];
        let recipient = Address::parse("alice@partner.example").unwrap();
        for (partners, keys, content, by) in table {
            let keys: Vec<CorrespondentKey> = keys.into_iter().map(key).collect();
            let chosen = choose(&organisation(partners), &recipient, &keys);
            assert_eq!((chosen.suite.content, chosen.by), (content, by));
        }
        let other = Address::parse("alice@sub.partner.example").unwrap();
        let chosen = choose(&organisation(&[domain]), &other, &[]);
        assert_eq!(chosen.by, ChosenBy::Default);
    }

    #[test]
    fn only_what_the_outcome_uses_is_shown() {
        let modern = Chosen {
            suite: suite(Profile::Modern, &[]),
            rsa: true,
            by: ChosenBy::Announced,
        };
        let shown = |outcome, content| {
            let shown = modern.shown(outcome, content)?;
            Some([shown.content, shown.transport, shown.signature].map(Option::unwrap_or_default))
        };
        let both = OutboundOutcome::SignAndEncrypt;
        let (gcm, oaep, pss) = ("aes256-gcm", "rsaes-oaep sha-256", "rsassa-pss sha-256");
        for (outcome, content, expected) in [
            (both, ClientContent::Plain, [gcm, oaep, pss]),
            (both, ClientContent::Signed, [gcm, oaep, ""]),
            (
                OutboundOutcome::Sign(NotEncrypted::NotAsked),
                ClientContent::Plain,
                ["", "", pss],
            ),
        ] {
            assert_eq!(shown(outcome, content), Some(expected.map(str::to_owned)));
        }
        let on_a_curve = Chosen {
            rsa: false,
            ..modern.clone()
        };
        let found = on_a_curve.shown(both, ClientContent::Plain).unwrap();
        assert_eq!(found.transport, None);
        let untouched = OutboundOutcome::AsIs(AsIs::NothingAsked);
        assert_eq!(shown(untouched, ClientContent::Plain), None);
    }
}
