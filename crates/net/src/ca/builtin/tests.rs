//! What we issue is read back, judged by `smime::path` and refused where it must be.

use rand_core::RngCore;
use sealgate_smime::path::{PathFinder, Purpose, TrustAnchors, judge};

use super::*;

/// The library's generator, as the caller's would be.
struct Random;

impl RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }
    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }
    fn fill_bytes(&mut self, octets: &mut [u8]) {
        aws_lc_rs::rand::fill(octets).unwrap();
    }
}

impl CryptoRng for Random {}

const NOW: Timestamp = Timestamp(1_800_000_000);
const DAY: i64 = 86_400;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

#[test]
fn mailbox_certificates_chain_to_the_root() {
    let authority = make_authority("Example GmbH", NOW, &mut Random).unwrap();
    let anchors = TrustAnchors::new(vec![authority.root_certificate.clone()]);
    let bag = [authority.issuing_certificate.clone()];
    assert!(authority.root_certificate.is_authority() && authority.root_certificate.self_issued());
    assert_eq!(
        authority
            .root_certificate
            .extensions()
            .basic
            .as_ref()
            .unwrap()
            .path_length,
        Some(1)
    );
    assert_eq!(
        authority
            .issuing_certificate
            .extensions()
            .basic
            .as_ref()
            .unwrap()
            .path_length,
        Some(0)
    );
    let long = format!("{}@example.com", "a".repeat(60));
    for (kind, who) in [
        (KeyKind::Rsa2048, "Alice@example.com"),
        (KeyKind::P256, "bob@example.com"),
        (KeyKind::P384, "o'hara+x@example.com"),
        (KeyKind::P256, "jürgen@example.com"),
        (KeyKind::P256, long.as_str()),
    ] {
        let key = PrivateKey::generate(kind).unwrap();
        let certificate =
            issue(&authority, &address(who), key.spki_der(), NOW, &mut Random).unwrap();
        assert!(key.matches(&certificate), "{who}");
        assert_eq!(certificate.addresses(), [address(who)]);
        assert_eq!(certificate.may_sign(), Ok(()));
        assert_eq!(certificate.may_encrypt(), Ok(()));
        assert_eq!(certificate.import_refusal(), None);
        assert!(!certificate.names_revocation());
        // Also by the rules that only authorities have to keep.
        let finder = PathFinder::new(&bag, &anchors, NOW).conforming();
        finder.judge(&certificate, Purpose::Sign).unwrap();
        assert_eq!(certificate.not_after(), NOW.plus(365 * DAY));
        for purpose in [Purpose::Sign, Purpose::Encrypt] {
            assert!(
                judge(&certificate, &bag, &anchors, purpose, NOW).is_ok(),
                "{who}"
            );
            assert!(judge(&certificate, &bag, &anchors, purpose, NOW.plus(366 * DAY)).is_err());
            let nobody = TrustAnchors::new(Vec::new());
            assert!(judge(&certificate, &bag, &nobody, purpose, NOW).is_err());
        }
        let serial = certificate.serial();
        assert_eq!((serial.len(), serial[0] & 0xc0), (SERIAL_OCTETS, 0x40));
    }
}

#[test]
fn no_certificate_outlives_its_issuer() {
    let authority = make_authority("Example", NOW, &mut Random).unwrap();
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let who = address("a@example.com");
    let end = authority.issuing_certificate.not_after();
    let late = issue(
        &authority,
        &who,
        key.spki_der(),
        end.plus(-10 * DAY),
        &mut Random,
    )
    .unwrap();
    assert_eq!(late.not_after(), end);
    for at in [end.plus(DAY), NOW.plus(-DAY)] {
        let refused = issue(&authority, &who, key.spki_der(), at, &mut Random);
        assert!(matches!(refused, Err(CaError::NotValid)));
    }
    let refused = issue(&authority, &who, b"0\x00", NOW, &mut Random);
    assert!(matches!(refused, Err(CaError::MailboxKey)));
    let refused = issue(
        &authority,
        &address("\"a b\"@example.com"),
        key.spki_der(),
        NOW,
        &mut Random,
    );
    assert!(matches!(refused, Err(CaError::Address)));
}

#[test]
fn names_are_clean_and_short() {
    for organisation in ["", "\r\nBcc: x", "Ünternehmen", &"x".repeat(200)] {
        let name = authority_name(organisation, "S/MIME Issuing CA");
        let read = sealgate_smime::name::DistinguishedName::from_der(&name).unwrap();
        let common = read.common_name().unwrap();
        assert!(
            common.chars().count() <= COMMON_NAME_CHARS && !common.chars().any(char::is_control)
        );
    }
}
