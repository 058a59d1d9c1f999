//! The Wycheproof vectors through our wrapper: `valid` must pass, `invalid` must fail (rows C11 and C14).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::algorithms::{
    ContentEncryption, DigestAlgorithm, KeyTransport, SignatureAlgorithm, TransportParameters,
};
use crate::asn1;
use crate::aws::{self, CbcDecryptor, CbcEncryptor, GcmDecryptor, GcmEncryptor, Pkey, Signed};
use crate::corpus::{self, hex};
use crate::key::{PrivateKey, PublicKey};

fn octets(value: &Value, name: &str) -> Vec<u8> {
    hex(value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} is missing")))
}

/// What our wrapper made of a test.
enum Outcome {
    /// Taken, with the right result.
    Taken,
    /// Refused, or another result.
    Refused,
    /// Not for us, for this reason.
    Skipped(&'static str),
}

use Outcome::{Refused, Skipped, Taken};

impl From<bool> for Outcome {
    fn from(taken: bool) -> Self {
        if taken { Taken } else { Refused }
    }
}

/// What is known beforehand of a file.
#[derive(Default)]
struct Known<'a> {
    /// How many tests are skipped, by reason.
    skipped: &'a [(&'static str, usize)],
    /// Of those called acceptable, the flags with which we take one; the others are refused.
    taken: &'a [&'static str],
}

/// Runs `judge` over all tests of a file: every `valid` one is taken, every `invalid` one refused, and just those skipped and
/// taken that are known.
fn run(file: &str, known: &Known<'_>, judge: &dyn Fn(&Value, &Value) -> Outcome) {
    let Some(vectors) = corpus::json("wycheproof", file) else {
        return;
    };
    let (mut wrong, mut skipped) = (Vec::new(), BTreeMap::new());
    let groups = vectors["testGroups"].as_array().unwrap();
    let tests = groups.iter().flat_map(|group| {
        let tests = group["tests"].as_array().unwrap();
        tests.iter().map(move |test| (group, test))
    });
    for (group, test) in tests {
        let taken = match judge(group, test) {
            Skipped(reason) => {
                *skipped.entry(reason).or_insert(0) += 1;
                continue;
            }
            outcome => matches!(outcome, Taken),
        };
        let flags = test["flags"].as_array().unwrap();
        let expected = match test["result"].as_str().unwrap() {
            "valid" => true,
            "invalid" => false,
            _ => flags
                .iter()
                .any(|flag| known.taken.iter().any(|one| flag == one)),
        };
        if taken != expected {
            wrong.push(format!("{}: {test}", test["result"]));
        }
    }
    assert!(
        wrong.is_empty(),
        "{file}: {} differ: {wrong:#?}",
        wrong.len()
    );
    let known: BTreeMap<_, _> = known.skipped.iter().copied().collect();
    assert_eq!(skipped, known, "{file}: skipped");
}

/// The files, and the tests here that run them.
const FILES: [(&str, &str); 25] = [
    ("aes_cbc_pkcs5_test.json", "cbc_with_padding"),
    ("aes_gcm_test.json", "c12_gcm"),
    (
        "aes_kwp_test.json",
        "skipped: S/MIME has no key wrap with padding (RFC 5649)",
    ),
    ("aes_wrap_test.json", "c14_key_wrap"),
    ("ecdh_secp256r1_test.json", "c14_ecdh"),
    ("ecdh_secp384r1_test.json", "c14_ecdh"),
    ("ecdsa_secp256r1_sha256_test.json", "signatures"),
    ("ecdsa_secp384r1_sha384_test.json", "signatures"),
    ("ecdsa_secp521r1_sha512_test.json", "signatures"),
    ("ed25519_test.json", "signatures"),
    ("hkdf_sha256_test.json", "key_derivation"),
    ("pbes2_hmacsha256_aes_256_test.json", "password_encryption"),
    ("pbkdf2_hmacsha256_test.json", "password_derivation"),
    ("rsa_oaep_2048_sha1_mgf1sha1_test.json", "oaep_decryption"),
    ("rsa_oaep_2048_sha256_mgf1sha1_test.json", "oaep_decryption"),
    (
        "rsa_oaep_2048_sha256_mgf1sha256_test.json",
        "oaep_decryption",
    ),
    (
        "rsa_oaep_2048_sha512_mgf1sha512_test.json",
        "oaep_decryption",
    ),
    ("rsa_oaep_misc_test.json", "oaep_decryption"),
    (
        "rsa_pkcs1_2048_test.json",
        "c11_rsa_decryption_rejects_implicitly",
    ),
    (
        "rsa_pss_2048_sha256_mgf1_32_params_test.json",
        "pss_signatures",
    ),
    (
        "rsa_pss_4096_sha512_mgf1_64_params_test.json",
        "pss_signatures",
    ),
    ("rsa_signature_2048_sha256_test.json", "signatures"),
    ("rsa_signature_3072_sha384_test.json", "signatures"),
    ("rsa_signature_4096_sha512_test.json", "signatures"),
    ("x25519_test.json", "c14_x25519"),
];

#[test]
fn every_file_is_run() {
    let Some(directory) = corpus::directory("wycheproof") else {
        return;
    };
    let names = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".json"));
    names.sort();
    assert_eq!(names, FILES.map(|(file, _)| file));
    for (file, skipped) in FILES.iter().filter(|(_, test)| test.starts_with("skipped")) {
        eprintln!("{file}: {skipped}");
    }
}

fn digest(name: &Value) -> DigestAlgorithm {
    let name = name.as_str().unwrap().to_lowercase();
    let mut all = DigestAlgorithm::ALL.into_iter();
    all.find(|digest| digest.row().name == name).unwrap()
}

#[test]
fn signatures() {
    for (file, algorithm) in [
        (
            "rsa_signature_2048_sha256_test.json",
            SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256),
        ),
        (
            "rsa_signature_3072_sha384_test.json",
            SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha384),
        ),
        (
            "rsa_signature_4096_sha512_test.json",
            SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha512),
        ),
        (
            "ecdsa_secp256r1_sha256_test.json",
            SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
        ),
        (
            "ecdsa_secp384r1_sha384_test.json",
            SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha384),
        ),
        (
            "ecdsa_secp521r1_sha512_test.json",
            SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha512),
        ),
        ("ed25519_test.json", SignatureAlgorithm::Ed25519),
    ] {
        run(file, &Known::default(), &|group, test| {
            let key = PublicKey::from_spki(&octets(group, "publicKeyDer")).unwrap();
            let (message, signature) = (octets(test, "msg"), octets(test, "sig"));
            let taken = key
                .verify(algorithm, Signed::Message(&message), &signature)
                .is_ok();
            if algorithm != SignatureAlgorithm::Ed25519 {
                let digest = aws::Digest::of(algorithm.digest(), &message);
                assert_eq!(
                    key.verify(algorithm, Signed::Digest(&digest), &signature)
                        .is_ok(),
                    taken
                );
            }
            taken.into()
        });
    }
}

#[test]
fn pss_signatures() {
    for file in [
        "rsa_pss_2048_sha256_mgf1_32_params_test.json",
        "rsa_pss_4096_sha512_mgf1_64_params_test.json",
    ] {
        run(file, &Known::default(), &|group, test| {
            let salt = u16::try_from(group["sLen"].as_u64().unwrap()).unwrap();
            let (digest, mgf) = (digest(&group["sha"]), digest(&group["mgfSha"]));
            // The key is restricted to just these parameters.
            let key = PublicKey::from_spki(&octets(group, "publicKeyDer")).unwrap();
            let algorithm = SignatureAlgorithm::RsaPss { digest, mgf, salt };
            let message = octets(test, "msg");
            let verified = key.verify(algorithm, Signed::Message(&message), &octets(test, "sig"));
            verified.is_ok().into()
        });
    }
}

const EMPTY: &str = "an empty content key: the wrapper has no length to ask for";

#[test]
fn c11_rsa_decryption_rejects_implicitly() {
    let known = Known {
        skipped: &[(EMPTY, 1)],
        ..Known::default()
    };
    run("rsa_pkcs1_2048_test.json", &known, &|group, test| {
        let pkcs8 = octets(group, "privateKeyPkcs8");
        let (message, encrypted) = (octets(test, "msg"), octets(test, "ct"));
        if test["result"] == "valid" && message.is_empty() {
            return Skipped(EMPTY);
        }
        if test["result"] == "valid" && message.len() > crate::limits::CONTENT_KEY_OCTETS {
            // Longer than what the wrapper is asked for: its two halves.
            let block = Pkey::from_pkcs8(&pkcs8)
                .unwrap()
                .rsa_private(&encrypted)
                .unwrap();
            let mut key = vec![0x55; message.len()];
            crate::key::take_if_padded(&block, &mut key);
            return (key == message).into();
        }
        let key = PrivateKey::from_pkcs8(&pkcs8).unwrap();
        let length = if test["result"] == "valid" {
            message.len()
        } else {
            32
        };
        let open = || {
            let transport = TransportParameters {
                algorithm: KeyTransport::RsaPkcs1,
                label: Vec::new(),
            };
            key.decrypt_rsa(transport, &encrypted, length).unwrap()
        };
        // With implicit rejection a key always comes back: the right one, or another one each time.
        let (first, second) = (open(), open());
        assert_eq!((first.len(), second.len()), (length, length));
        (*first == message || (length > 8 && first == second)).into()
    });
}

#[test]
fn oaep_decryption() {
    for file in [
        "rsa_oaep_2048_sha1_mgf1sha1_test.json",
        "rsa_oaep_2048_sha256_mgf1sha1_test.json",
        "rsa_oaep_2048_sha256_mgf1sha256_test.json",
        "rsa_oaep_2048_sha512_mgf1sha512_test.json",
        "rsa_oaep_misc_test.json",
    ] {
        // The acceptable ones, ciphertexts that are a small number, are refused: nobody made them.
        run(file, &Known::default(), &|group, test| {
            let (digest, mgf) = (digest(&group["sha"]), digest(&group["mgfSha"]));
            let transport = TransportParameters {
                algorithm: KeyTransport::RsaOaep { digest, mgf },
                label: octets(test, "label"),
            };
            let pkcs8 = octets(group, "privateKeyPkcs8");
            let (message, encrypted) = (octets(test, "msg"), octets(test, "ct"));
            let opened = Pkey::from_pkcs8(&pkcs8)
                .unwrap()
                .decrypt_oaep(&transport, &encrypted);
            let taken = opened.is_ok_and(|opened| *opened == message);
            if (1..=crate::limits::CONTENT_KEY_OCTETS).contains(&message.len()) {
                let key = PrivateKey::from_pkcs8(&pkcs8).unwrap();
                let found = key
                    .decrypt_rsa(transport, &encrypted, message.len())
                    .unwrap();
                assert_eq!(*found == message, taken);
            }
            taken.into()
        });
    }
}

#[test]
fn c14_key_wrap() {
    // The acceptable ones wrap fewer than 16 octets, which RFC 3394 does not know.
    run("aes_wrap_test.json", &Known::default(), &|_, test| {
        let (wrapping, key, wrapped) =
            (octets(test, "key"), octets(test, "msg"), octets(test, "ct"));
        if test["result"] == "valid" {
            assert_eq!(aws::wrap_key(&wrapping, &key).unwrap(), wrapped);
        }
        let unwrapped = aws::unwrap_key(&wrapping, &wrapped);
        unwrapped.is_ok_and(|found| *found == key).into()
    });
}

/// A PKCS#8 key from a bare scalar.
fn private(curve_oid: &str, scalar: &[u8], length: usize) -> Option<PrivateKey> {
    let skip = scalar.len().checked_sub(length);
    let digits = match skip {
        Some(skip) => scalar[skip..].to_vec(),
        None => [vec![0; length - scalar.len()], scalar.to_vec()].concat(),
    };
    let sec1 = asn1::sequence(&[&asn1::small(1), &asn1::octet_string(&digits)]);
    let algorithm = asn1::sequence(&[
        &asn1::oid(&"1.2.840.10045.2.1".parse().unwrap()),
        &asn1::oid(&curve_oid.parse().unwrap()),
    ]);
    PrivateKey::from_pkcs8(&asn1::sequence(&[
        &asn1::small(0),
        &algorithm,
        &asn1::octet_string(&sec1),
    ]))
    .ok()
}

#[test]
fn c14_ecdh() {
    for (file, oid, length) in [
        ("ecdh_secp256r1_test.json", "1.2.840.10045.3.1.7", 32),
        ("ecdh_secp384r1_test.json", "1.3.132.0.34", 48),
    ] {
        // A point may be compressed (SEC 1 section 2.3.3); a curve may be written out if all its parameters are right.
        let known = Known {
            taken: &["CompressedPublic", "CompressedPoint"],
            ..Known::default()
        };
        run(file, &known, &|_, test| {
            let own = private(oid, &octets(test, "private"), length).unwrap();
            let own = Pkey::from_pkcs8(&own.to_pkcs8().unwrap()).unwrap();
            let public = octets(test, "public");
            if PublicKey::from_spki(&public).is_err() {
                return Refused;
            }
            let peer = Pkey::from_spki(&public);
            let shared = peer.and_then(|peer| own.agree(&peer));
            shared
                .is_ok_and(|shared| *shared == octets(test, "shared"))
                .into()
        });
    }
}

#[test]
fn c14_x25519() {
    // All special points give their result, but for those whose secret would be zero.
    let zero = "an all-zero secret is refused (RFC 7748 section 6.1)";
    let known = Known {
        skipped: &[(zero, 31)],
        taken: &[
            "Twist",
            "SpecialPublicKey",
            "NonCanonicalPublic",
            "Ktv",
            "EdgeCaseShared",
            "EdgeCaseMultiplication",
        ],
    };
    run("x25519_test.json", &known, &|_, test| {
        let algorithm = asn1::sequence(&[&asn1::oid(&"1.3.101.110".parse().unwrap())]);
        let scalar = asn1::octet_string(&asn1::octet_string(&octets(test, "private")));
        let own =
            Pkey::from_pkcs8(&asn1::sequence(&[&asn1::small(0), &algorithm, &scalar])).unwrap();
        let peer = Pkey::from_spki(&asn1::sequence(&[
            &algorithm,
            &asn1::bit_string(&octets(test, "public")),
        ]))
        .unwrap();
        let shared = own.agree(&peer);
        if octets(test, "shared").iter().all(|octet| *octet == 0) {
            assert_eq!(test["result"], "acceptable");
            assert!(shared.is_err(), "an all-zero secret must be refused");
            return Skipped(zero);
        }
        shared
            .is_ok_and(|shared| *shared == octets(test, "shared"))
            .into()
    });
}

#[test]
fn c12_gcm() {
    let skipped = "a nonce of another length than 12 octets is refused (row C12)";
    let known = Known {
        skipped: &[(skipped, 119)],
        ..Known::default()
    };
    run("aes_gcm_test.json", &known, &|group, test| {
        let algorithm = match group["keySize"].as_u64().unwrap() {
            128 => ContentEncryption::Aes128Gcm,
            192 => ContentEncryption::Aes192Gcm,
            _ => ContentEncryption::Aes256Gcm,
        };
        let (key, nonce, associated) =
            (octets(test, "key"), octets(test, "iv"), octets(test, "aad"));
        let opener = GcmDecryptor::new(algorithm, &key, &nonce, &associated);
        if group["ivSize"] != 96 {
            assert!(opener.is_err(), "a nonce of another length must be refused");
            return Skipped(skipped);
        }
        let (mut opener, mut plain) = (opener.unwrap(), Vec::new());
        octets(test, "ct")
            .chunks(5)
            .for_each(|part| opener.update(part, &mut plain).unwrap());
        let taken =
            opener.finish(&octets(test, "tag"), &mut plain).is_ok() && plain == octets(test, "msg");
        if taken {
            let (mut sealer, mut sealed) = (
                GcmEncryptor::new(algorithm, &key, &nonce, &associated).unwrap(),
                Vec::new(),
            );
            sealer.update(&plain, &mut sealed).unwrap();
            assert_eq!(
                sealer.finish(&mut sealed).unwrap().to_vec(),
                octets(test, "tag")
            );
            assert_eq!(sealed, octets(test, "ct"));
        }
        taken.into()
    });
}

#[test]
fn cbc_with_padding() {
    run(
        "aes_cbc_pkcs5_test.json",
        &Known::default(),
        &|group, test| {
            let algorithm = match group["keySize"].as_u64().unwrap() {
                128 => ContentEncryption::Aes128Cbc,
                192 => ContentEncryption::Aes192Cbc,
                _ => ContentEncryption::Aes256Cbc,
            };
            let (key, iv) = (octets(test, "key"), octets(test, "iv"));
            let (mut opener, mut plain) =
                (CbcDecryptor::new(algorithm, &key, &iv).unwrap(), Vec::new());
            octets(test, "ct")
                .chunks(7)
                .for_each(|part| opener.update(part, &mut plain).unwrap());
            let taken = opener.finish(&mut plain).is_ok() && plain == octets(test, "msg");
            if taken {
                let (mut sealer, mut sealed) =
                    (CbcEncryptor::new(algorithm, &key, &iv).unwrap(), Vec::new());
                sealer.update(&plain, &mut sealed).unwrap();
                sealer.finish(&mut sealed).unwrap();
                assert_eq!(sealed, octets(test, "ct"));
            }
            taken.into()
        },
    );
}

#[test]
fn password_derivation() {
    run(
        "pbkdf2_hmacsha256_test.json",
        &Known::default(),
        &|_, test| {
            let length = usize::try_from(test["dkLen"].as_u64().unwrap()).unwrap();
            let iterations = u32::try_from(test["iterationCount"].as_u64().unwrap()).unwrap();
            let (password, salt) = (octets(test, "password"), octets(test, "salt"));
            let sha256 = DigestAlgorithm::Sha256;
            let key = aws::pbkdf2(sha256, &password, &salt, iterations, length);
            key.is_ok_and(|key| *key == octets(test, "dk")).into()
        },
    );
}

#[test]
fn password_encryption() {
    run(
        "pbes2_hmacsha256_aes_256_test.json",
        &Known::default(),
        &|_, test| {
            let iterations = u32::try_from(test["iterationCount"].as_u64().unwrap()).unwrap();
            let (password, salt) = (octets(test, "password"), octets(test, "salt"));
            let key =
                aws::pbkdf2(DigestAlgorithm::Sha256, &password, &salt, iterations, 32).unwrap();
            let cipher = ContentEncryption::Aes256Cbc;
            let mut opener = CbcDecryptor::new(cipher, &key, &octets(test, "iv")).unwrap();
            let mut plain = Vec::new();
            opener.update(&octets(test, "ct"), &mut plain).unwrap();
            (opener.finish(&mut plain).is_ok() && plain == octets(test, "msg")).into()
        },
    );
}

#[test]
fn key_derivation() {
    run("hkdf_sha256_test.json", &Known::default(), &|_, test| {
        let length = usize::try_from(test["size"].as_u64().unwrap()).unwrap();
        let (secret, salt, info) = (
            octets(test, "ikm"),
            octets(test, "salt"),
            octets(test, "info"),
        );
        let key = aws::hkdf(DigestAlgorithm::Sha256, &secret, &salt, &info, length);
        key.is_ok_and(|key| *key == octets(test, "okm")).into()
    });
}
