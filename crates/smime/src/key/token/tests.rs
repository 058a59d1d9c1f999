//! A token in memory: every operation of a key on it gives what the key itself gives.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::aws::Generate;
use crate::pem;

/// What the tests sign.
const TEXT: &[u8] = b"text";

struct Fake {
    reference: TokenReference,
    pkey: Pkey,
    away: AtomicBool,
    asked: AtomicUsize,
}

impl Fake {
    fn make(what: Generate) -> Arc<Self> {
        let pkey = Pkey::generate(what).unwrap();
        Arc::new(Self {
            reference: TokenReference {
                token: "hsm".into(),
                id: "0a".into(),
                public: pem::write("PUBLIC KEY", &pkey.to_spki().unwrap()),
            },
            pkey,
            away: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
        })
    }

    fn ask(&self) -> Result<(), KeyError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.away.load(Ordering::Relaxed) {
            true => Err(KeyError::TokenAway("hsm".into())),
            false => Ok(()),
        }
    }
}

impl TokenKey for Fake {
    fn reference(&self) -> &TokenReference {
        &self.reference
    }

    fn sign(&self, algorithm: SignatureAlgorithm, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.ask()?;
        match algorithm {
            SignatureAlgorithm::RsaPkcs1(_) => {
                let filler = vec![0xff; 256 - 3 - input.len()];
                let block = [&[0, 1][..], &filler, &[0], input].concat();
                Ok(self.pkey.rsa_private(&block)?.to_vec())
            }
            SignatureAlgorithm::Ecdsa(hash) => {
                assert_eq!(input, Digest::of(hash, TEXT));
                let der = self.pkey.sign(algorithm, TEXT)?;
                let numbers = asn1::read_only(&der, tag::SEQUENCE).unwrap().inside();
                let mut halves = Vec::new();
                for number in numbers.all().unwrap() {
                    let digits = number.content.strip_prefix(&[0]).unwrap_or(number.content);
                    halves.extend(std::iter::repeat_n(0, 32 - digits.len()));
                    halves.extend_from_slice(digits);
                }
                Ok(halves)
            }
            _ => Ok(self.pkey.sign(algorithm, TEXT)?),
        }
    }

    fn rsa_private(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.ask()?;
        // A token that holds another key may find the number too large for it.
        self.pkey.rsa_private(block).map_err(|_| refuses())
    }

    fn agree(&self, point: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.ask()?;
        assert_eq!(point[0], 4);
        let peer = form::spki(&form::on_curve(Curve::P256), point);
        Ok(self.pkey.agree(&Pkey::from_spki(&peer)?)?)
    }
}

fn on_token(fake: &Arc<Fake>) -> (PrivateKey, PublicKey) {
    let key = PrivateKey::on_token(Arc::clone(fake) as Arc<dyn TokenKey>).unwrap();
    let public = PublicKey::from_spki(key.spki_der()).unwrap();
    (key, public)
}

#[test]
fn signatures_of_a_token_verify() {
    use DigestAlgorithm::{Sha256, Sha512};
    for (what, schemes) in [
        (
            Generate::Rsa(2048),
            vec![
                RsaSignature::Pkcs1(Sha256),
                RsaSignature::Pkcs1(Sha512),
                RsaSignature::Pss(Sha256),
            ],
        ),
        (Generate::Ec(Curve::P256), vec![RsaSignature::default(); 20]),
    ] {
        let (key, public) = on_token(&Fake::make(what));
        assert!(key.to_pkcs8().is_err(), "nothing to export");
        for scheme in schemes {
            let algorithm = key.signature_algorithm(scheme).unwrap();
            let signature = key.sign(algorithm, TEXT).unwrap();
            let verified = public.verify(algorithm, Signed::Message(TEXT), &signature);
            assert!(verified.is_ok(), "{algorithm:?}");
        }
    }
}

fn refuses() -> KeyError {
    KeyError::TokenRefuses("hsm".into())
}

/// Another key where the one of that reference was.
fn replaced(what: Generate) -> Arc<Fake> {
    Arc::new(Fake {
        reference: Fake::make(what).reference.clone(),
        pkey: Pkey::generate(what).unwrap(),
        away: AtomicBool::new(false),
        asked: AtomicUsize::new(0),
    })
}

/// Whose token holds another key now must not lose mail: it is no fault of the mail.
#[test]
fn what_another_key_decrypts_is_no_fault_of_the_mail() {
    for what in [Generate::Rsa(2048), Generate::Ec(Curve::P256)] {
        let (key, public) = on_token(&replaced(what));
        assert_eq!(decrypted_trial(&key, &public), Err(refuses()), "{what:?}");
        let (key, public) = on_token(&Fake::make(what));
        assert_eq!(*decrypted_trial(&key, &public).unwrap(), TRIAL, "{what:?}");
    }
    // The mail is broken, the key the right one.
    let (key, public) = on_token(&Fake::make(Generate::Ec(Curve::P256)));
    let scheme = KeyAgreement::new(KeyDerivation::HkdfSha256, KeyWrap::Aes256);
    let mut agreed = public.wrap_agreed(&scheme, TRIAL).unwrap();
    agreed.wrapped[0] ^= 1;
    let (_, point) = form::read_spki(&agreed.originator_spki).unwrap();
    let opened = key.unwrap_agreed(&scheme, point, None, &agreed.wrapped);
    assert!(matches!(opened, Err(KeyError::Crypto(_))), "{opened:?}");
}

#[test]
fn a_bad_signature_of_a_token_is_an_error() {
    let other = replaced(Generate::Rsa(2048));
    let (key, _) = on_token(&other);
    let algorithm = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);
    assert_eq!(key.sign(algorithm, TEXT), Err(refuses()));
}

fn transports() -> Vec<TransportParameters> {
    let oaep = |digest, mgf| TransportParameters {
        algorithm: KeyTransport::RsaOaep { digest, mgf },
        label: Vec::new(),
    };
    let mut all: Vec<_> = DigestAlgorithm::ALL
        .into_iter()
        .flat_map(|digest| DigestAlgorithm::ALL.map(|mgf| oaep(digest, mgf)))
        .collect();
    all.push(TransportParameters {
        algorithm: KeyTransport::RsaPkcs1,
        label: Vec::new(),
    });
    all
}

#[test]
fn c10_every_padding_is_judged_here() {
    let fake = Fake::make(Generate::Rsa(2048));
    let (key, public) = on_token(&fake);
    let open = |transport: &TransportParameters, block: &[u8]| {
        key.decrypt_rsa(transport.clone(), block, 32).unwrap()
    };
    for transport in transports() {
        let encrypt = |octets: &[u8]| public.encrypt(transport.algorithm, octets).unwrap();
        let good = encrypt(&[7; 32]);
        assert_eq!(*open(&transport, &good), [7; 32], "{transport:?}");
        let labelled = TransportParameters {
            label: b"another".to_vec(),
            ..transport.clone()
        };
        if transport.algorithm != KeyTransport::RsaPkcs1 {
            assert_ne!(*open(&labelled, &good), [7; 32]);
        }
        for length in [16, 31, 33] {
            let found = open(&transport, &encrypt(&vec![7; length]));
            assert!(found.iter().any(|octet| *octet != 7), "{length}");
        }
        let mut changed = good.clone();
        changed[100] ^= 1;
        assert_ne!(*open(&transport, &changed), [7; 32]);
    }
}

/// What is no ciphertext never reaches the token, and looks like a wrong key.
#[test]
fn c10_blocks_out_of_range_are_not_sent_to_the_token() {
    let fake = Fake::make(Generate::Rsa(2048));
    let (key, _) = on_token(&fake);
    let mut one = vec![0; 256];
    one[255] = 1;
    for block in [
        vec![0; 256],
        one,
        vec![0xff; 256],
        vec![7; 255],
        vec![7; 257],
        vec![],
    ] {
        for transport in transports() {
            assert_eq!(key.decrypt_rsa(transport, &block, 32).unwrap().len(), 32);
        }
    }
    assert_eq!(fake.asked.load(Ordering::Relaxed), 0);
}

#[test]
fn agreement_with_a_token() {
    let fake = Fake::make(Generate::Ec(Curve::P256));
    let (key, public) = on_token(&fake);
    let scheme = KeyAgreement::new(
        KeyDerivation::X963(DigestAlgorithm::Sha256),
        KeyWrap::Aes256,
    );
    let agreed = public.wrap_agreed(&scheme, &[7; 32]).unwrap();
    let (_, point) = form::read_spki(&agreed.originator_spki).unwrap();
    let open = |point: &[u8]| key.unwrap_agreed(&scheme, point, None, &agreed.wrapped);
    assert_eq!(*open(point).unwrap(), [7; 32]);
    let asked = fake.asked.load(Ordering::Relaxed);
    let mut off = point.to_vec();
    *off.last_mut().unwrap() ^= 1;
    assert!(open(&off).is_err() && open(&[]).is_err() && open(&[0]).is_err());
    assert_eq!(
        fake.asked.load(Ordering::Relaxed),
        asked,
        "C14: judged here"
    );
}

#[test]
fn a_token_that_is_away_is_told_apart() {
    let away = |error: KeyError| matches!(error, KeyError::TokenAway(_));
    let rsa = Fake::make(Generate::Rsa(2048));
    rsa.away.store(true, Ordering::Relaxed);
    let (key, public) = on_token(&rsa);
    let algorithm = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);
    assert!(away(key.sign(algorithm, TEXT).unwrap_err()));
    for transport in transports() {
        let block = public.encrypt(transport.algorithm, &[7; 32]).unwrap();
        assert!(away(key.decrypt_rsa(transport, &block, 32).unwrap_err()));
    }
}
