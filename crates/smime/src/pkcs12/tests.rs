//! Every PKCS#12 file of the corpus with its result, and files made to cost or to crash.

use super::*;
use crate::corpus;

/// What a file gives: pairs and other certificates, or the failure.
fn summary(path: &std::path::Path, password: &str) -> Result<(usize, usize)> {
    let contents = import(&std::fs::read(path).unwrap(), password)?;
    Ok((contents.pairs.len(), contents.chain.len()))
}

fn files(directory: &std::path::Path, ending: &str) -> Vec<std::path::PathBuf> {
    let all = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = all
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect();
    found.sort();
    found
}

/// Each file with its pairs and other certificates, as OpenSSL counts them, or the failure.
type Table = &'static [(&'static str, Result<(usize, usize)>)];

fn check(directory: &std::path::Path, ending: &str, table: Table, password: fn(&str) -> &str) {
    let found = files(directory, ending);
    let names = |path: &std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut found_names: Vec<String> = found.iter().map(names).collect();
    found_names.sort();
    let mut listed: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    listed.sort_unstable();
    assert_eq!(found_names, listed);
    for (name, expected) in table {
        let path = directory.join(format!("{name}.{ending}"));
        assert_eq!(summary(&path, password(name)), *expected, "{name}");
        assert_eq!(
            summary(&path, "not the password").unwrap_err(),
            Pkcs12Error::WrongPassword,
            "{name}"
        );
    }
}

const MIMEKIT: Table = &[
    ("certificate-authority", Ok((1, 0))),
    ("dnsnames", Ok((1, 3))),
    // DSA keys are of no use here.
    ("dsa", Err(Pkcs12Error::KeyKind)),
    ("ec", Ok((1, 3))),
    ("intermediate1", Ok((1, 1))),
    ("intermediate2", Ok((1, 2))),
    ("nochain", Ok((1, 0))),
    ("revoked", Ok((1, 3))),
    ("revoked-intermediate", Ok((1, 1))),
    ("revokednochain", Ok((1, 0))),
    ("revokedsubca", Ok((1, 2))),
    ("rsa", Ok((1, 3))),
];

#[test]
fn w5_mimekit_files_import() {
    if let Some(directory) = corpus::directory("mimekit-pkcs12") {
        check(&directory, "pfx", MIMEKIT, |_| "no.secret");
    }
}

/// The corpus says which password belongs to which name.
fn pyca_password(name: &str) -> &str {
    match name {
        "no-password" | "java-truststore" => "",
        _ if name.ends_with("no-pwd") => "",
        _ if name.ends_with("-pwd") => "password",
        _ => "cryptography",
    }
}

const NO_PAIR: Result<(usize, usize)> = Err(Pkcs12Error::NoKeyPair);

const PYCA: Table = &[
    ("cert-aes256cbc-no-key", NO_PAIR),
    ("cert-key-aes256cbc", Ok((1, 0))),
    ("cert-none-key-none", Ok((1, 0))),
    ("cert-rc2-key-3des", Ok((1, 0))),
    ("java-truststore", NO_PAIR),
    ("name-1-no-pwd", Ok((1, 2))),
    ("name-1-pwd", Ok((1, 2))),
    ("name-2-3-no-pwd", Ok((1, 2))),
    ("name-2-3-pwd", Ok((1, 2))),
    ("name-2-no-pwd", Ok((1, 2))),
    ("name-2-pwd", Ok((1, 2))),
    ("name-3-no-pwd", Ok((1, 2))),
    ("name-3-pwd", Ok((1, 2))),
    ("name-all-no-pwd", Ok((1, 2))),
    ("name-all-pwd", Ok((1, 2))),
    ("name-unicode-no-pwd", Ok((1, 2))),
    ("name-unicode-pwd", Ok((1, 2))),
    ("no-cert-key-aes256cbc", NO_PAIR),
    ("no-cert-name-2-no-pwd", NO_PAIR),
    ("no-cert-name-2-pwd", NO_PAIR),
    ("no-cert-name-3-no-pwd", NO_PAIR),
    ("no-cert-name-3-pwd", NO_PAIR),
    ("no-cert-name-all-no-pwd", NO_PAIR),
    ("no-cert-name-all-pwd", NO_PAIR),
    ("no-cert-name-unicode-no-pwd", NO_PAIR),
    ("no-cert-name-unicode-pwd", NO_PAIR),
    ("no-cert-no-name-no-pwd", NO_PAIR),
    ("no-cert-no-name-pwd", NO_PAIR),
    ("no-name-no-pwd", Ok((1, 2))),
    ("no-name-pwd", Ok((1, 2))),
    ("no-password", Ok((1, 0))),
];

#[test]
fn w5_pyca_files_import_or_say_why() {
    if let Some(directory) = corpus::directory("pyca-vectors") {
        check(&directory.join("pkcs12"), "p12", PYCA, pyca_password);
    }
}

#[test]
fn w5_asn1crypto_file_imports() {
    const TABLE: Table = &[("test-tripledes", Ok((1, 0)))];
    if let Some(directory) = corpus::directory("asn1crypto-fixtures") {
        check(&directory, "p12", TABLE, |_| "password123");
    }
}

#[test]
fn w5_rfc9216_files_hold_two_pairs() {
    let Some(directory) = corpus::directory("rfc9216") else {
        return;
    };
    for name in ["alice", "bob", "carlos", "dana"] {
        let path = directory.join(format!("{name}.p12"));
        let contents = import(&std::fs::read(&path).unwrap(), name).unwrap();
        let uses: Vec<_> = contents
            .pairs
            .iter()
            .map(|(c, _)| (c.may_sign().is_ok(), c.may_encrypt().is_ok()))
            .collect();
        assert_eq!(uses.len(), 2, "{name}");
        assert!(
            uses.contains(&(true, false)) && uses.contains(&(false, true)),
            "{name}: {uses:?}"
        );
        assert_eq!(
            summary(&path, "wrong").unwrap_err(),
            Pkcs12Error::WrongPassword
        );
    }
}

/// A file of this shape around one encrypted part.
fn file(encryption: &[u8]) -> Vec<u8> {
    let data = asn1::oid(&DATA.parse().unwrap());
    let explicit = |content: &[u8]| asn1::tlv(tag::context_constructed(0), content);
    let info = asn1::sequence(&[&data, encryption, &asn1::tlv(tag::context(0), &[0; 32])]);
    let encrypted = asn1::sequence(&[
        &asn1::oid(&ENCRYPTED_DATA.parse().unwrap()),
        &explicit(&asn1::sequence(&[&asn1::small(0), &info])),
    ]);
    let safe = asn1::sequence(&[&encrypted]);
    let outer = asn1::sequence(&[&data, &explicit(&asn1::octet_string(&safe))]);
    asn1::sequence(&[&asn1::small(3), &outer])
}

#[test]
fn w5_bombs_are_refused_before_they_cost() {
    let salt = asn1::octet_string(&[1; 8]);
    let bombs = [u32::MAX >> 1, 10_000_001].map(|iterations| {
        let kdf = AlgorithmIdentifier {
            oid: "1.2.840.113549.1.5.12".parse().unwrap(),
            parameters: Some(asn1::sequence(&[&salt, &asn1::small(iterations)])),
        };
        let cipher = crate::algorithms::ContentParameters {
            algorithm: crate::algorithms::ContentEncryption::Aes256Cbc,
            iv: vec![0; 16],
            tag_length: 0,
        };
        let parameters = Some(asn1::sequence(&[
            &kdf.to_der(),
            &cipher.identifier().to_der(),
        ]));
        AlgorithmIdentifier {
            oid: "1.2.840.113549.1.5.13".parse().unwrap(),
            parameters,
        }
        .to_der()
    });
    let old = AlgorithmIdentifier {
        oid: "1.2.840.113549.1.12.1.3".parse().unwrap(),
        parameters: Some(asn1::sequence(&[&salt, &asn1::small(9_000_000)])),
    };
    for encryption in bombs.iter().chain([&old.to_der()]) {
        let start = std::time::Instant::now();
        assert_eq!(
            import(&file(encryption), "x").unwrap_err(),
            Pkcs12Error::TooMuchWork
        );
        assert!(start.elapsed().as_millis() < 100);
    }
    assert_eq!(
        import(&vec![0x30; limits::PKCS12_OCTETS + 1], "x").unwrap_err(),
        Pkcs12Error::TooLarge
    );
    assert_eq!(import(b"hello", "x").unwrap_err(), Pkcs12Error::Malformed);
}

#[test]
fn damaged_files_are_refused() {
    let Some(directory) = corpus::directory("mimekit-pkcs12") else {
        return;
    };
    let whole = std::fs::read(directory.join("ec.pfx")).unwrap();
    for length in (0..whole.len()).step_by(3) {
        assert!(import(&whole[..length], "no.secret").is_err(), "{length}");
    }
    for at in (0..whole.len()).step_by(61) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let _ = import(&damaged, "no.secret");
    }
}

/// A file without MAC or encryption around these bags.
fn open_file(bags: &[Vec<u8>]) -> Vec<u8> {
    let data = asn1::oid(&DATA.parse().unwrap());
    let explicit = |content: &[u8]| asn1::tlv(tag::context_constructed(0), content);
    let bags = asn1::tlv(tag::SEQUENCE, &bags.concat());
    let part = asn1::sequence(&[&data, &explicit(&asn1::octet_string(&bags))]);
    let safe = asn1::sequence(&[&part]);
    let outer = asn1::sequence(&[&data, &explicit(&asn1::octet_string(&safe))]);
    asn1::sequence(&[&asn1::small(3), &outer])
}

fn bag(kind: u8, value: &[u8], attributes: &[u8]) -> Vec<u8> {
    let oid = format!("1.2.840.113549.1.12.10.1.{kind}");
    asn1::sequence(&[
        &asn1::oid(&oid.parse().unwrap()),
        &asn1::tlv(tag::context_constructed(0), value),
        attributes,
    ])
}

fn certificate_bag(certificate: &Certificate, attributes: &[u8]) -> Vec<u8> {
    let value = asn1::sequence(&[
        &asn1::oid(&"1.2.840.113549.1.9.22.1".parse().unwrap()),
        &asn1::tlv(
            tag::context_constructed(0),
            &asn1::octet_string(certificate.der()),
        ),
    ]);
    bag(3, &value, attributes)
}

/// friendlyName with these octets as BMPString.
fn friendly_name(octets: &[u8]) -> Vec<u8> {
    let values = asn1::tlv(tag::SET, &asn1::tlv(tag::BMP_STRING, octets));
    let name = asn1::oid(&"1.2.840.113549.1.9.20".parse().unwrap());
    asn1::tlv(tag::SET, &asn1::sequence(&[&name, &values]))
}

fn pair() -> (Certificate, crate::key::PrivateKey) {
    let key = crate::maker::key();
    let wanted = crate::maker::Wanted::new("a", "a", &key);
    (wanted.by(&key), key)
}

#[test]
fn w5_names_of_any_form_do_no_harm() {
    let (certificate, key) = pair();
    let key_bag = bag(1, &key.to_pkcs8().unwrap(), &[]);
    for name in [
        &[][..],
        &[0],
        &[0, b'a'],
        &[0xd8],
        &[0xd8, 0],
        &[0, b'a', 0],
        &[0xff; 7],
    ] {
        let bags = [
            certificate_bag(&certificate, &friendly_name(name)),
            key_bag.clone(),
        ];
        let contents = import(&open_file(&bags), "").unwrap();
        assert_eq!(contents.pairs.len(), 1, "{name:x?}");
    }
}

#[test]
fn w5_more_bags_than_anybody_has_are_refused() {
    let (certificate, key) = pair();
    let one = certificate_bag(&certificate, &[]);
    let key_bag = bag(1, &key.to_pkcs8().unwrap(), &[]);
    let filled = |count: usize| {
        let mut bags = vec![key_bag.clone()];
        bags.resize(count, one.clone());
        open_file(&bags)
    };
    let pairs = |file: &[u8]| import(file, "").map(|contents| contents.pairs.len());
    assert_eq!(pairs(&filled(limits::PKCS12_BAGS)), Ok(1));
    for count in [limits::PKCS12_BAGS + 1, 10_000] {
        let file = filled(count);
        let start = std::time::Instant::now();
        assert_eq!(pairs(&file), Err(Pkcs12Error::TooManyBags));
        assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    }
    let mut nested = key_bag;
    for _ in 0..=limits::PKCS12_DEPTH {
        nested = bag(6, &asn1::sequence(&[&nested]), &[]);
    }
    let result = import(&open_file(&[nested]), "").map(|_| ());
    assert_eq!(result, Err(Pkcs12Error::TooManyBags));
}

#[test]
fn w5_a_mac_may_not_cost_too_much_either() {
    let (certificate, key) = pair();
    let bags = [
        certificate_bag(&certificate, &[]),
        bag(1, &key.to_pkcs8().unwrap(), &[]),
    ];
    let file = open_file(&bags);
    let fields = asn1::read_only(&file, tag::SEQUENCE).unwrap().content;
    for iterations in [10_000_001, u32::MAX >> 1] {
        let digest = asn1::sequence(&[
            &DigestAlgorithm::Sha256.identifier().to_der(),
            &asn1::octet_string(&[0; 32]),
        ]);
        let salt = asn1::octet_string(&[1; 8]);
        let mac = asn1::sequence(&[&digest, &salt, &asn1::small(iterations)]);
        let start = std::time::Instant::now();
        let result = import(&asn1::sequence(&[fields, &mac]), "x").map(|_| ());
        assert_eq!(result, Err(Pkcs12Error::TooMuchWork));
        assert!(start.elapsed().as_millis() < 100);
    }
}

/// All variants of an element in which one element inside is left out, or is NULL.
fn variants(der: &[u8], out: &mut Vec<Vec<u8>>) {
    let Ok(element) = Reader::new(der).any() else {
        return;
    };
    let wraps = element.tag & 0x20 != 0 || element.tag == tag::OCTET_STRING;
    let Ok(parts) = element.inside().all() else {
        return;
    };
    if !wraps || parts.is_empty() {
        return;
    }
    for at in 0..parts.len() {
        let mut inner = vec![Vec::new(), asn1::null()];
        variants(parts[at].raw, &mut inner);
        for changed in inner {
            let mut all: Vec<Vec<u8>> = parts.iter().map(|part| part.raw.to_vec()).collect();
            all[at] = changed;
            out.push(asn1::tlv(element.tag, &all.concat()));
        }
    }
}

#[test]
fn w5_fields_that_are_missing_do_no_harm() {
    let (certificate, key) = pair();
    let bags = [
        certificate_bag(&certificate, &friendly_name(&[0, b'a'])),
        bag(1, &key.to_pkcs8().unwrap(), &[]),
    ];
    let mut all = Vec::new();
    variants(&open_file(&bags), &mut all);
    assert!(all.len() > 100, "{}", all.len());
    for file in all {
        let _ = import(&file, "");
    }
    let Some(directory) = corpus::directory("pyca-vectors") else {
        return;
    };
    let mut all = Vec::new();
    let file = std::fs::read(directory.join("pkcs12/cert-key-aes256cbc.p12")).unwrap();
    variants(&file, &mut all);
    for file in all {
        let _ = import(&file, "cryptography");
    }
}

/// The same in PEM, in any order, with text between; what is not for us is passed over.
#[test]
fn pem_files_of_keys_and_certificates() {
    use crate::maker::{self, Wanted};
    let key = maker::key();
    let own = Wanted::new("A", "Root", &key).by(&key).pem();
    let other = Wanted::new("B", "Root", &maker::key()).by(&key).pem();
    let secret = pem::write("PRIVATE KEY", &key.to_pkcs8().unwrap());
    let counts = |parts: &[&str]| {
        let contents = import(parts.join("Bag Attributes: x\n").as_bytes(), "")?;
        Ok((contents.pairs.len(), contents.chain.len()))
    };
    let parameters = pem::write("EC PARAMETERS", &[5, 0]);
    assert_eq!(counts(&[&secret, &own]), Ok((1, 0)));
    assert_eq!(counts(&[&other, &own, &parameters, &secret]), Ok((1, 1)));
    assert_eq!(counts(&[&own, &other]), Err(Pkcs12Error::NoKeyPair));
    assert_eq!(counts(&[&other, &secret]), Err(Pkcs12Error::NoKeyPair));
    let unknown = pem::write("DSA PRIVATE KEY", &[5, 0]);
    assert_eq!(counts(&[&own, &unknown]), Err(Pkcs12Error::KeyKind));
    assert_eq!(counts(&[&own, &secret[10..]]), Err(Pkcs12Error::Malformed));
    // Row W5.
    let many = vec![own.as_str(); limits::PKCS12_BAGS];
    assert_eq!(counts(&many), Err(Pkcs12Error::NoKeyPair));
    assert_eq!(
        counts(&[&many[..], &[secret.as_str()]].concat()),
        Err(Pkcs12Error::TooManyBags)
    );
}
