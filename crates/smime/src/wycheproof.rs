//! The Wycheproof vectors through our wrapper: `valid` must pass, `invalid` must fail (rows C11 and C14).

use serde_json::Value;

use crate::algorithms::{ContentEncryption, DigestAlgorithm, KeyTransport, SignatureAlgorithm};
use crate::asn1;
use crate::aws::{self, CbcDecryptor, CbcEncryptor, GcmDecryptor, GcmEncryptor, Pkey, Signed};
use crate::corpus::{self, hex};
use crate::key::{PrivateKey, PublicKey};

fn octets(value: &Value, name: &str) -> Vec<u8> {
    hex(value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} is missing")))
}

/// Runs `judge` over all tests of a file; `None` skips one, `Some` says whether our wrapper took it with the right outcome.
fn run(file: &str, judge: &dyn Fn(&Value, &Value) -> Option<bool>) {
    let Some(vectors) = corpus::json("wycheproof", file) else {
        return;
    };
    let mut wrong = Vec::new();
    let mut judged = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let Some(taken) = judge(group, test) else {
                continue;
            };
            judged += 1;
            let agrees = match test["result"].as_str().unwrap() {
                "valid" => taken,
                "invalid" => !taken,
                _ => true,
            };
            if !agrees {
                wrong.push(format!(
                    "{} {} {}",
                    test["tcId"], test["comment"], test["result"]
                ));
            }
        }
    }
    assert!(judged > 0, "{file}: nothing judged");
    assert!(
        wrong.is_empty(),
        "{file}: {} differ: {wrong:#?}",
        wrong.len()
    );
}

fn digest(name: &Value) -> Option<DigestAlgorithm> {
    match name.as_str()? {
        "SHA-1" => Some(DigestAlgorithm::Sha1),
        "SHA-256" => Some(DigestAlgorithm::Sha256),
        "SHA-384" => Some(DigestAlgorithm::Sha384),
        "SHA-512" => Some(DigestAlgorithm::Sha512),
        _ => None,
    }
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
        run(file, &|group, test| {
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
            Some(taken)
        });
    }
}

#[test]
fn pss_signatures() {
    for file in [
        "rsa_pss_2048_sha256_mgf1_32_params_test.json",
        "rsa_pss_4096_sha512_mgf1_64_params_test.json",
    ] {
        run(file, &|group, test| {
            let salt = u16::try_from(group["sLen"].as_u64()?).ok()?;
            let (digest, mgf) = (digest(&group["sha"])?, digest(&group["mgfSha"])?);
            let key = PublicKey::from_spki(&octets(group, "publicKeyDer")).ok()?;
            let algorithm = SignatureAlgorithm::RsaPss { digest, mgf, salt };
            Some(
                key.verify(
                    algorithm,
                    Signed::Message(&octets(test, "msg")),
                    &octets(test, "sig"),
                )
                .is_ok(),
            )
        });
    }
}

/// With implicit rejection a key always comes back: the right one, or another one each time.
fn opens(key: &PrivateKey, transport: KeyTransport, test: &Value) -> Option<bool> {
    let (message, encrypted) = (octets(test, "msg"), octets(test, "ct"));
    let length = if message.is_empty() {
        32
    } else {
        message.len()
    };
    if length > crate::limits::CONTENT_KEY_OCTETS {
        return None;
    }
    let first = key.decrypt_rsa(transport, &encrypted, length).unwrap();
    let second = key.decrypt_rsa(transport, &encrypted, length).unwrap();
    assert_eq!(first.len(), length);
    Some(*first == message || (length > 8 && first == second))
}

#[test]
fn c11_rsa_decryption_rejects_implicitly() {
    run("rsa_pkcs1_2048_test.json", &|group, test| {
        let key = PrivateKey::from_pkcs8(&octets(group, "privateKeyPkcs8")).unwrap();
        // An empty message is no content key: the wrapper has no length to ask for.
        if octets(test, "msg").is_empty() && test["result"] == "valid" {
            return None;
        }
        opens(&key, KeyTransport::RsaPkcs1, test)
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
        run(file, &|group, test| {
            // Only the empty label is used in S/MIME.
            if !octets(test, "label").is_empty()
                || (octets(test, "msg").is_empty() && test["result"] == "valid")
            {
                return None;
            }
            let transport = KeyTransport::RsaOaep {
                digest: digest(&group["sha"])?,
                mgf: digest(&group["mgfSha"])?,
            };
            opens(
                &PrivateKey::from_pkcs8(&octets(group, "privateKeyPkcs8")).ok()?,
                transport,
                test,
            )
        });
    }
}

#[test]
fn c14_key_wrap() {
    run("aes_wrap_test.json", &|_, test| {
        let (wrapping, key, wrapped) =
            (octets(test, "key"), octets(test, "msg"), octets(test, "ct"));
        if test["result"] == "valid" && key.len() > 64 {
            return None;
        }
        let unwrapped = aws::unwrap_key(&wrapping, &wrapped);
        if test["result"] == "valid" {
            assert_eq!(aws::wrap_key(&wrapping, &key).unwrap(), wrapped);
        }
        Some(unwrapped.is_ok_and(|found| *found == key))
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
        run(file, &|_, test| {
            // Explicit parameters without cofactor: we make this SubjectPublicKeyInfo ourselves, and never so.
            if test["comment"] == "no cofactor" {
                return None;
            }
            let own = private(oid, &octets(test, "private"), length)?;
            let own = Pkey::from_pkcs8(&own.to_pkcs8().unwrap()).unwrap();
            let peer = Pkey::from_spki(&octets(test, "public"));
            let shared = peer.and_then(|peer| own.agree(&peer));
            Some(shared.is_ok_and(|shared| *shared == octets(test, "shared")))
        });
    }
}

#[test]
fn c14_x25519() {
    run("x25519_test.json", &|_, test| {
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
            assert!(shared.is_err(), "an all-zero secret must be refused");
            return None;
        }
        Some(shared.is_ok_and(|shared| *shared == octets(test, "shared")))
    });
}

#[test]
fn c12_gcm() {
    run("aes_gcm_test.json", &|group, test| {
        let algorithm = match group["keySize"].as_u64()? {
            128 => ContentEncryption::Aes128Gcm,
            192 => ContentEncryption::Aes192Gcm,
            _ => ContentEncryption::Aes256Gcm,
        };
        let (key, nonce, associated) =
            (octets(test, "key"), octets(test, "iv"), octets(test, "aad"));
        let opener = GcmDecryptor::new(algorithm, &key, &nonce, &associated);
        if group["ivSize"] != 96 {
            assert!(opener.is_err(), "a nonce of another length must be refused");
            return None;
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
        Some(taken)
    });
}

#[test]
fn cbc_with_padding() {
    run("aes_cbc_pkcs5_test.json", &|group, test| {
        let algorithm = match group["keySize"].as_u64()? {
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
        Some(taken)
    });
}

#[test]
fn password_derivation() {
    run("pbkdf2_hmacsha256_test.json", &|_, test| {
        let length = usize::try_from(test["dkLen"].as_u64()?).ok()?;
        if length > crate::limits::DERIVED_KEY_OCTETS {
            return None;
        }
        let iterations = u32::try_from(test["iterationCount"].as_u64()?).ok()?;
        let (password, salt) = (octets(test, "password"), octets(test, "salt"));
        let key = aws::pbkdf2(
            DigestAlgorithm::Sha256,
            &password,
            &salt,
            iterations,
            length,
        );
        Some(key.is_ok_and(|key| *key == octets(test, "dk")))
    });
}
