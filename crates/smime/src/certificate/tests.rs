//! What certificates say and bind.

use super::*;
use crate::corpus;
use crate::key::PrivateKey;
use crate::maker::{self, Wanted, key};

fn bound(certificate: &Certificate) -> Vec<String> {
    certificate
        .addresses()
        .iter()
        .map(Address::to_string)
        .collect()
}

fn with_names(key: &PrivateKey, names: &[&str]) -> Certificate {
    Wanted::new("Boss", "CA", key)
        .with(maker::addresses(names))
        .by(key)
}

#[test]
fn g6_strange_address_strings_bind_nothing() {
    let key = key();
    for strange in [
        " boss@x.example",
        "boss@x.example ",
        "boss@x.example\0.evil",
        "boss@x.example\0",
        "boss@x.example,evil@y.example",
        "boss@x.example;evil@y.example",
        "\"boss@x.example\"@evil.example",
        "boss @x.example",
        "boss@ x.example",
        "<boss@x.example>",
        "Boss <boss@x.example>",
        "boss@x.example\r\n",
        "bo\u{455}\u{455}@x.example",
        "boss@x.ex\u{430}mple",
        "boss@x.example.",
        "*@x.example",
        "@x.example",
        "x.example",
        "",
    ] {
        assert!(
            with_names(&key, &[strange]).addresses().is_empty(),
            "{strange:?}"
        );
    }
    assert_eq!(
        bound(&with_names(&key, &["boss@X.example", "b2@x.example"])),
        ["boss@x.example", "b2@x.example"]
    );
}

#[test]
fn g6_x5_the_subject_counts_only_without_an_alternative() {
    let key = key();
    let email = "1.2.840.113549.1.9.1";
    for (subject, alternative, expected) in [
        (&[("2.5.4.3", "boss@x.example")][..], None, &[][..]),
        (&[(email, "boss@x.example")], None, &["boss@x.example"]),
        (
            &[(email, "boss@x.example"), (email, "evil@y.example")],
            None,
            &[],
        ),
        (
            &[(email, "boss@x.example")],
            Some("other@x.example"),
            &["other@x.example"],
        ),
        (&[(email, "boss@x.example")], Some(" other@x.example"), &[]),
    ] {
        let mut wanted = Wanted::new("", "CA", &key);
        wanted.subject = maker::name(subject);
        wanted
            .extensions
            .extend(alternative.map(|text| maker::addresses(&[text])));
        assert_eq!(
            bound(&wanted.by(&key)),
            expected,
            "{subject:?} {alternative:?}"
        );
    }
}

/// rfc822Names, SmtpUTF8Mailboxes, the address looked for, and whether it is bound.
type AddressCase = (
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
    bool,
);

const ADDRESSES: &[AddressCase] = &[
    (&["alice@x.example"], &[], "alice@x.example", true),
    (&["alice@x.example"], &[], "Alice@X.Example", true),
    (&["ALICE@X.EXAMPLE"], &[], "alice@x.example", true),
    (&["alice@x.example"], &[], "alice@y.x.example", false),
    (&["alice@x.example"], &[], "alice+tag@x.example", false),
    (
        &["bob@x.example", "alice@x.example"],
        &[],
        "alice@x.example",
        true,
    ),
    (
        &["bob@x.example", "alice@x.example"],
        &[],
        "carol@x.example",
        false,
    ),
    // The domain in either form of its name (RFC 8550 section 3, RFC 9598 section 5).
    (
        &["alice@xn--bcher-kva.example"],
        &[],
        "alice@b\u{fc}cher.example",
        true,
    ),
    (
        &["alice@xn--bcher-kva.example"],
        &[],
        "alice@bucher.example",
        false,
    ),
    (&[], &["j\u{e4}ger@x.example"], "j\u{e4}ger@x.example", true),
    (
        &[],
        &["j\u{e4}ger@b\u{fc}cher.example"],
        "j\u{e4}ger@xn--bcher-kva.example",
        true,
    ),
    (&[], &["j\u{e4}ger@x.example"], "jager@x.example", false),
    (
        &["alice@x.example"],
        &["j\u{e4}ger@x.example"],
        "alice@x.example",
        true,
    ),
    (
        &["alice@x.example"],
        &["j\u{e4}ger@x.example"],
        "j\u{e4}ger@x.example",
        true,
    ),
    // The UTF-8 form is for local parts that need it (RFC 9598 section 3).
    (&[], &["alice@x.example"], "alice@x.example", false),
];

#[test]
fn x5_which_addresses_a_certificate_binds() {
    let key = key();
    for (names, utf8, wanted, expected) in ADDRESSES {
        let certificate = Wanted::new("Boss", "CA", &key)
            .with(maker::both_forms(names, utf8))
            .by(&key);
        let wanted = Address::parse(wanted).unwrap();
        let found = certificate.addresses().contains(&wanted);
        assert_eq!(found, *expected, "{names:?} {utf8:?} {wanted}");
    }
}

/// What is bound, what is looked for, and whether it is bound in any case and in its case.
const SPELLINGS: &[(&str, &str, bool, bool)] = &[
    ("alice@x.example", "alice@x.example", true, true),
    ("alice@x.example", "Alice@x.example", true, false),
    ("Alice@x.example", "Alice@X.Example", true, true),
    (
        "a@xn--bcher-kva.example",
        "a@b\u{fc}cher.example",
        true,
        true,
    ),
    (
        "a@xn--bcher-kva.example",
        "A@B\u{fc}cher.example",
        true,
        false,
    ),
    ("j\u{e4}ger@x.example", "j\u{e4}ger@x.example", true, true),
    ("j\u{e4}ger@x.example", "J\u{e4}ger@x.example", true, false),
    // Only ASCII letters are the same in both cases: what folds differently in other scripts is left to its owner.
    ("j\u{e4}ger@x.example", "j\u{c4}ger@x.example", false, false),
    ("alice@x.example", "bob@x.example", false, false),
];

#[test]
fn x5_local_parts_in_any_case_and_in_their_case() {
    let key = key();
    for (bound, wanted, any_case, in_its_case) in SPELLINGS {
        let names = if bound.is_ascii() {
            maker::both_forms(&["other@x.example", bound], &[])
        } else {
            maker::both_forms(&["other@x.example"], &[bound])
        };
        let certificate = Wanted::new("Boss", "CA", &key).with(names).by(&key);
        let wanted = Address::parse(wanted).unwrap();
        let found = [false, true].map(|exact| certificate.names(&wanted, exact));
        assert_eq!(found, [*any_case, *in_its_case], "{bound} {wanted}");
    }
}

#[test]
fn x5_an_address_only_in_the_subject_matches() {
    let key = key();
    let mut wanted = Wanted::new("", "CA", &key);
    wanted.subject = maker::name(&[
        ("2.5.4.3", "Alice"),
        ("1.2.840.113549.1.9.1", "alice@example.com"),
    ]);
    // An alternative name that is no address leaves the subject's in force.
    let dns = asn1::sequence(&[&asn1::tlv(tag::context(2), b"example.com")]);
    for extensions in [vec![], vec![maker::extension("2.5.29.17", false, &dns)]] {
        wanted.extensions = extensions;
        let from = Address::parse("Alice@example.com").unwrap();
        assert!(wanted.by(&key).addresses().contains(&from));
    }
}

const SERVER: &str = "1.3.6.1.5.5.7.3.1";
const MAIL: &str = "1.3.6.1.5.5.7.3.4";
const ANY: &str = "2.5.29.37.0";

type Use = Result<(), UsageRefusal>;

/// Extensions, and whether such a certificate may sign and may be encrypted to, by an EC and by an RSA key.
type UsageCase = (Vec<Vec<u8>>, [(Use, Use); 2]);

fn usages() -> Vec<UsageCase> {
    use UsageRefusal::{Authority, KeyUsage, Purpose};
    let both = |sign, encrypt| [(sign, encrypt); 2];
    vec![
        (vec![], both(Ok(()), Ok(()))),
        (vec![maker::purpose(MAIL)], both(Ok(()), Ok(()))),
        (vec![maker::purpose(ANY)], both(Ok(()), Ok(()))),
        (
            vec![maker::purpose(SERVER)],
            both(Err(Purpose), Err(Purpose)),
        ),
        (
            vec![maker::authority()],
            both(Err(Authority), Err(Authority)),
        ),
        // digitalSignature; contentCommitment; all others than those of mail.
        (
            vec![maker::key_usage(0b1000_0000)],
            both(Ok(()), Err(KeyUsage)),
        ),
        (
            vec![maker::key_usage(0b0100_0000)],
            both(Ok(()), Err(KeyUsage)),
        ),
        (
            vec![maker::key_usage(0b0001_0010)],
            both(Err(KeyUsage), Err(KeyUsage)),
        ),
        // keyEncipherment is for RSA, keyAgreement for EC.
        (
            vec![maker::key_usage(0b0010_0000)],
            [(Err(KeyUsage), Err(KeyUsage)), (Err(KeyUsage), Ok(()))],
        ),
        (
            vec![maker::key_usage(0b0000_1000)],
            [(Err(KeyUsage), Ok(())), (Err(KeyUsage), Err(KeyUsage))],
        ),
        (
            vec![maker::purpose(MAIL), maker::key_usage(0b1010_1000)],
            both(Ok(()), Ok(())),
        ),
    ]
}

/// A SubjectPublicKeyInfo of this kind around a modulus nobody has to factor.
fn rsa(kind: &str) -> Vec<u8> {
    let modulus = asn1::unsigned(&[&[0xc1; 255][..], &[1]].concat());
    let key = asn1::sequence(&[&modulus, &asn1::unsigned(&[1, 0, 1])]);
    let identifier = asn1::sequence(&[&asn1::oid(&kind.parse().unwrap())]);
    asn1::sequence(&[&identifier, &asn1::bit_string(&key)])
}

#[test]
fn x4_what_a_certificate_may_be_used_for() {
    let key = key();
    let rsa = rsa("1.2.840.113549.1.1.1");
    for (extensions, expected) in usages() {
        for (spki, expected) in [key.spki_der(), &rsa].into_iter().zip(expected) {
            let mut wanted = Wanted::new("Boss", "CA", &key);
            wanted.spki = spki;
            wanted.extensions = extensions.clone();
            let certificate = wanted.by(&key);
            assert_eq!(
                (certificate.may_sign(), certificate.may_encrypt()),
                expected,
                "{extensions:x?} {:?}",
                certificate.key_kind()
            );
        }
    }
}

#[test]
fn x4_keys_for_pss_sign_and_never_encrypt() {
    let key = key();
    let spki = rsa("1.2.840.113549.1.1.10");
    let mut wanted = Wanted::new("Boss", "CA", &key);
    wanted.spki = &spki;
    for extensions in [vec![], vec![maker::key_usage(0b1010_0000)]] {
        wanted.extensions = extensions;
        let certificate = wanted.by(&key);
        assert_eq!(certificate.may_sign(), Ok(()));
        assert_eq!(certificate.may_encrypt(), Err(UsageRefusal::KeyKind));
    }
}

#[test]
fn a20_refusals_each_with_its_reason() {
    use ImportRefusal::{Domain, NoAddress, Usage};
    let key = key();
    for (names, more, expected) in [
        (&["a@x.example"][..], None, None),
        (&[], None, Some(NoAddress)),
        (&["*@x.example"], None, Some(Domain)),
        (&["x.example"], None, Some(Domain)),
        (&["@x.example"], None, Some(Domain)),
        (
            &["a@x.example", "Domain-Confidentiality-Authority@x.example"],
            None,
            Some(Domain),
        ),
        (&["a @x.example"], None, Some(NoAddress)),
        (
            &["a@x.example"],
            Some(maker::purpose(SERVER)),
            Some(Usage(UsageRefusal::Purpose)),
        ),
        (
            &["a@x.example"],
            Some(maker::key_usage(0b1000_0000)),
            Some(Usage(UsageRefusal::KeyUsage)),
        ),
        (
            &["a@x.example"],
            Some(maker::authority()),
            Some(Usage(UsageRefusal::Authority)),
        ),
    ] {
        let mut wanted = Wanted::new("a@x.example", "CA", &key).with(maker::addresses(names));
        if names.is_empty() {
            wanted.extensions.clear();
        }
        wanted.extensions.extend(more);
        assert_eq!(wanted.by(&key).import_refusal(), expected, "{names:?}");
    }
}

#[test]
fn x6_an_extension_twice_is_no_certificate() {
    let key = key();
    let wanted = Wanted::new("a", "CA", &key);
    let twice = wanted
        .with(maker::addresses(&["a@x.example"]))
        .with(maker::addresses(&["b@x.example"]));
    assert!(twice.try_by(&key).is_err());
}

#[test]
fn every_truncation_is_an_error() {
    let key = key();
    let certificate = with_names(&key, &["a@x.example"]);
    for length in 0..certificate.der().len() {
        assert!(
            Certificate::from_der(&certificate.der()[..length]).is_err(),
            "{length}"
        );
    }
    let pem = certificate.pem();
    assert_eq!(
        Certificate::read_all(pem.repeat(3).as_bytes()).unwrap(),
        vec![certificate; 3]
    );
    assert!(Certificate::read_all(&pem.as_bytes()[..pem.len() - 30]).is_err());
    assert_eq!(
        Certificate::read_all(b"").unwrap_err(),
        CertificateError::None
    );
}

/// All that is asked of a certificate from outside.
fn ask_everything(certificate: &Certificate) {
    let _ = (
        certificate.may_sign(),
        certificate.may_encrypt(),
        certificate.import_refusal(),
        certificate.subject_name(),
        certificate.issuer_name(),
        certificate.self_issued(),
    );
    let kind = certificate.public_key().and_then(|key| key.kind());
    assert!(kind.is_none() || kind == certificate.key_kind());
}

#[test]
fn corpus_certificates_are_read_or_refused() {
    let (mut read, mut seen) = (0, 0);
    let places = [
        "pyca-vectors/x509-custom",
        "pyca-vectors/x509-custom/ca",
        "pyca-vectors/ocsp",
        "asn1crypto-fixtures",
        "openssl-smime-certs",
        "openssl-fuzz-seeds/x509",
        "openssl-fuzz-seeds/crl",
        "rfc9216",
    ];
    for directory in places.iter().filter_map(|place| corpus::directory(place)) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let Ok(octets) = std::fs::read(&path) else {
                continue;
            };
            let start = std::time::Instant::now();
            for certificate in Certificate::read_all(&octets).unwrap_or_default() {
                ask_everything(&certificate);
                read += 1;
            }
            assert!(start.elapsed().as_secs() < 1, "{path:?}");
            seen += 1;
        }
    }
    assert!(seen == 0 || seen > 1_300 && read > 110, "{seen} {read}");
}
