//! What is known without a token; the tests with one are in `e2e/tests/tokens.rs`.

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use sealgate_smime::algorithms::{DigestAlgorithm, SignatureAlgorithm};
use sealgate_smime::key::KeyError;

use super::session::Refusal;
use super::*;

fn settings(module: &str) -> TokenSettings {
    TokenSettings {
        name: "hsm".into(),
        module: module.into(),
        place: TokenPlace::Label("sealgate".into()),
        pin: Zeroizing::new("1234".into()),
    }
}

#[test]
fn numbers_of_keys_are_hexadecimal() {
    for (text, expected) in [
        ("0aFf", Some(vec![10, 255])),
        ("", None),
        ("a", None),
        ("0x", None),
        ("+1", None),
        ("é1", None),
    ] {
        assert_eq!(unhex(text), expected, "{text}");
    }
    assert_eq!(hex(&[10, 255]), "0aff");
}

/// A token that is not in the configuration, or whose library is not there, is away: mail waits for it.
#[test]
fn a_key_whose_token_is_not_there_is_away() {
    let software = PrivateKey::generate(KeyKind::P256).unwrap();
    let algorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
    for tokens in [
        Tokens::default(),
        Tokens::new(vec![settings("/nowhere/missing.so")]),
    ] {
        let key = tokens.reference("hsm", "A1", software.spki_der()).unwrap();
        assert_eq!(key.token().unwrap().id, "a1");
        assert_eq!(key.spki_der(), software.spki_der());
        assert_eq!(
            key.sign(algorithm, b"text"),
            Err(KeyError::TokenAway("hsm".into()))
        );
        assert!(tokens.generate("hsm", KeyKind::P256).is_err());
    }
    assert!(matches!(
        Tokens::default().generate("hsm", KeyKind::P256),
        Err(TokenError::Unknown(_))
    ));
    let states = Tokens::new(vec![settings("/nowhere/missing.so")]).states();
    assert!(states[0].keys.is_none() && states[0].problem.is_some());
}

/// What is asked for wrongly is refused for good; whatever else goes wrong may pass.
#[test]
fn answers_by_whether_they_may_pass() {
    for (answer, passes) in [
        (RvError::DeviceRemoved, true),
        (RvError::TokenNotPresent, true),
        (RvError::SessionHandleInvalid, true),
        (RvError::UserNotLoggedIn, true),
        (RvError::KeyHandleInvalid, true),
        (RvError::GeneralError, true),
        (RvError::VendorDefined(0x8000_0001), true),
        (RvError::MechanismInvalid, false),
        (RvError::KeyFunctionNotPermitted, false),
        (RvError::EncryptedDataInvalid, false),
    ] {
        let text = format!("{answer:?}");
        let refusal = Refusal::Library(Error::Pkcs11(answer, Function::Sign));
        assert_eq!(refusal.passes(), passes, "{text}");
    }
    assert!(Refusal::Missing.passes() && Refusal::Busy.passes());
    assert!(!Refusal::Several.passes());
}
