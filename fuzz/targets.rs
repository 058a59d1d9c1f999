//! What the fuzz targets do with one input, and what must hold for whatever comes. Both `cargo fuzz` and the smoke test
//! of `e2e` run these functions, so that a finding is replayed by every test run.

use std::io::{self, Read, Write};
use std::sync::OnceLock;

use sealgate_core::header_protection::{honoured, legacy_display, protected_fields};
use sealgate_core::ports::MemoryShelf;
use sealgate_core::process::{Layer, OpenInput, Opened, open};
use sealgate_core::subject::Cleaner;
use sealgate_mail::edit::{Edited, HeaderEdit};
use sealgate_mail::encoding::CrlfWriter;
use sealgate_mail::neutralise::neutralise;
use sealgate_mail::report::{cut_returned_content, read_report};
use sealgate_mail::{
    Address, Canonical, Carried, Content, Domain, HeaderBlock, Message, Part, Source, Timestamp,
    canonical, parse_address_list, words,
};
use sealgate_smime::algorithms::Switches;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::{KeyPair, decrypt, recipients};
use sealgate_smime::encrypt::{EncryptTo, encrypt};
use sealgate_smime::key::PrivateKey;
use sealgate_smime::kind::{Kind, check, kind};
use sealgate_smime::path::{self, Purpose, TrustAnchors, VerifiedPath};
use sealgate_smime::profile::Suite;
use sealgate_smime::revocation::{self, Evidence};
use sealgate_smime::verify::{VerifyInput, verify};
use sealgate_smime::{asn1, pem, pkcs12};

/// One target: its name, what it does, and the directories whose files it begins with, below the workspace.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is done with an input.
    pub run: fn(&[u8]),
    /// Directories of seeds, below the directory that holds the corpus.
    pub seeds: &'static [&'static str],
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "cms",
        run: cms,
        seeds: &[
            "openssl-fuzz-seeds/cms",
            "pyca-vectors/pkcs7",
            "rfc9216",
            "asn1crypto-fixtures",
        ],
    },
    Target {
        name: "certificate",
        run: certificate,
        seeds: &[
            "openssl-fuzz-seeds/x509",
            "openssl-smime-certs",
            "pyca-vectors/x509-custom",
            "pyca-vectors/x509-custom/ca",
            "pyca-vectors/pkcs7",
            "asn1crypto-fixtures",
        ],
    },
    Target {
        name: "revocation",
        run: revocation,
        seeds: &[
            "openssl-fuzz-seeds/crl",
            "pyca-vectors/ocsp",
            "pyca-vectors/x509-custom",
            "asn1crypto-fixtures",
        ],
    },
    Target {
        name: "pkcs12",
        run: pkcs12,
        seeds: &["mimekit-pkcs12", "pyca-vectors/pkcs12", "rfc9216"],
    },
    Target {
        name: "mime",
        run: mime,
        seeds: &["cpython-email", "mime4j-testmsgs"],
    },
    Target {
        name: "address",
        run: address,
        seeds: &["cpython-email", "mime4j-testmsgs"],
    },
    Target {
        name: "sanitiser",
        run: sanitiser,
        seeds: &["cpython-email", "mime4j-testmsgs"],
    },
];

/// 2027-01-01, when the test certificates are valid.
const NOW: Timestamp = Timestamp(1_798_761_600);

/// Everything that a switch can let in.
const ALL_IN: Switches = Switches {
    legacy: true,
    brainpool: true,
    at: NOW,
};

/// The root that issued the certificates of the held keys.
fn root() -> Certificate {
    let octets = include_bytes!("../crates/smime/testdata/root.pem");
    first_certificate(octets)
}

fn first_certificate(octets: &[u8]) -> Certificate {
    let mut all = Certificate::read_all(octets).expect("a test certificate");
    all.remove(0)
}

/// The key pairs that are held: RSA, P-256, P-384.
fn ring() -> &'static [KeyPair] {
    static RING: OnceLock<Vec<KeyPair>> = OnceLock::new();
    macro_rules! pair {
        ($name:literal) => {
            KeyPair {
                certificate: first_certificate(include_bytes!(concat!(
                    "../crates/smime/testdata/",
                    $name,
                    ".pem"
                ))),
                key: PrivateKey::read(include_bytes!(concat!(
                    "../crates/smime/testdata/",
                    $name,
                    ".key"
                )))
                .expect("a test key"),
            }
        };
    }
    RING.get_or_init(|| vec![pair!("bob"), pair!("alice"), pair!("carol")])
}

fn anchors() -> &'static TrustAnchors {
    static ANCHORS: OnceLock<TrustAnchors> = OnceLock::new();
    ANCHORS.get_or_init(|| TrustAnchors::new(vec![root()]))
}

/// Chance that is none: the same input makes the same run.
struct Counter(u64);

impl rand_core::RngCore for Counter {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 7
    }
    fn fill_bytes(&mut self, out: &mut [u8]) {
        out.fill_with(|| self.next_u64() as u8);
    }
}

impl rand_core::CryptoRng for Counter {}

/// What `source` writes; its length is what it said.
fn written(source: &dyn Source) -> Vec<u8> {
    let mut out = Vec::new();
    source.write_to(&mut out).expect("nothing fails in memory");
    let said = source.length().expect("nothing fails in memory");
    assert_eq!(said, out.len() as u64, "length");
    out
}

/// A message made of a media type and a body in binary.
fn wrapped(media: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "From: alice@example.com\r\nContent-Type: {media}\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Messages, and CMS objects in DER, BER or PEM: everything that reads one, with keys at hand; then the input as the
/// content of an encryption to a held key.
pub fn cms(data: &[u8]) {
    let der = pem::read(data).ok().and_then(|blocks| {
        let first = blocks.into_iter().next()?;
        Some(first.der.to_vec())
    });
    let mail = match &der {
        Some(der) => wrapped("application/pkcs7-mime; name=smime.p7m", der),
        None if data.first() == Some(&0x30) => {
            wrapped("application/pkcs7-mime; name=smime.p7m", data)
        }
        None => data.to_vec(),
    };
    open_all(&mail);
    let to = [EncryptTo::new(&ring()[0].certificate)];
    let rng = &mut Counter(1);
    if let Ok(enveloped) = encrypt(&mail, &to, Suite::default(), rng) {
        let mut around = b"From: alice@example.com\r\n".to_vec();
        around.extend(written(&enveloped));
        let opened = open_with_ring(&around);
        let unfolded = |opened: &Opened| {
            let mut layers = opened.verdicts.layers.iter();
            layers.any(|layer| matches!(layer, Layer::Compressed(_)))
        };
        let kept = opened.filter(|opened| !unfolded(opened));
        if let Some(entity) = kept.and_then(|opened| opened.entity) {
            // Each small part of binary octets gets a field that names its encoding.
            assert!(
                entity.content.len() <= 8 * mail.len() as u64 + 64,
                "content grew"
            );
        }
    }
}

fn open_all(mail: &[u8]) {
    let mail = &mail;
    let Ok(message) = Message::read(mail) else {
        return;
    };
    let found = kind(&message).expect("nothing fails in memory");
    let checked = check(&message).expect("nothing fails in memory");
    let named = recipients(&message).expect("nothing fails in memory");
    let ring: Vec<&KeyPair> = ring().iter().collect();
    let mut out = Vec::new();
    let decrypted = decrypt(&message, &ring, ALL_IN, &mut out).expect("nothing fails in memory");
    if let sealgate_smime::decrypt::Decryption::Opened(opened) = decrypted {
        assert!(named.is_ok(), "opened, but its recipients cannot be read");
        assert_eq!(opened.octets, out.len() as u64);
    }
    let verified = verify(
        &message,
        &VerifyInput {
            anchors: anchors(),
            at: NOW,
            from: None,
            date: message.date(),
            known: &[],
            switches: ALL_IN,
            exact_local_parts: false,
        },
    )
    .expect("nothing fails in memory");
    if matches!(found, Kind::Plain) {
        assert!(verified.signers.is_empty(), "a plain message with signers");
    }
    let _ = checked;
    open_with_ring(mail);
}

fn open_with_ring(mail: &dyn Content) -> Option<Opened> {
    let ring: Vec<&KeyPair> = ring().iter().collect();
    let input = OpenInput {
        content: mail,
        ring: &ring,
        anchors: anchors(),
        known: &[],
        at: NOW,
        switches: ALL_IN,
        exact_local_parts: false,
        size_limit: u64::MAX,
    };
    let mut opened = open(&input, &MemoryShelf::default()).ok()?;
    let _ = opened.questions();
    opened.judge_revocation(&Evidence::default(), NOW, true);
    Some(opened)
}

/// Certificates in PEM, or DER one after the other.
fn certificates_of(data: &[u8]) -> Vec<Certificate> {
    if pem::looks_like(data) {
        return Certificate::read_all(data).unwrap_or_default();
    }
    let mut reader = asn1::Reader::new(data);
    let mut found = Vec::new();
    while let Ok(element) = reader.any() {
        found.extend(Certificate::from_der(element.raw).ok());
    }
    found
}

/// Certificates: all that is asked of one, then paths between all of the input, each of them trusted in turn.
pub fn certificate(data: &[u8]) {
    let all = certificates_of(data);
    for one in all.iter().take(8) {
        assert_eq!(
            Certificate::from_der(one.der())
                .as_ref()
                .map(Certificate::der),
            Ok(one.der())
        );
        let _ = (one.issuer_name(), one.subject_name(), one.serial_hex());
        let _ = (one.may_sign(), one.may_encrypt(), one.names_revocation());
        let _ = (one.public_key().is_some(), one.key_octets());
        for address in one.addresses() {
            assert_eq!(Address::parse(&address.to_string()).as_ref(), Ok(address));
        }
        let anchors = TrustAnchors::new(vec![root(), one.clone()]);
        for leaf in all.iter().take(4) {
            for purpose in [Purpose::Sign, Purpose::Encrypt] {
                if let Ok(path) = path::judge(leaf, &all, &anchors, purpose, NOW) {
                    assert_eq!(path.leaf().der(), leaf.der());
                    let _ = revocation::questions(&path);
                }
            }
        }
    }
}

/// Lists and answers: read, and used to judge a path.
pub fn revocation(data: &[u8]) {
    let blocks = match pem::looks_like(data) {
        true => pem::read(data).unwrap_or_default(),
        false => Vec::new(),
    };
    let octets = blocks.first().map_or(data, |block| &block.der);
    let mut evidence = Evidence::default();
    let list = evidence.add_crl(octets).is_ok();
    let answer = evidence.add_ocsp(octets).is_ok();
    assert!(!(list && answer), "a list and an answer at once");
    assert_eq!(evidence.is_empty(), !(list || answer));
    let status = revocation::judge(judged_path(), &evidence, NOW);
    let nobody = revocation::judge(judged_path(), &Evidence::default(), NOW);
    assert_eq!(status, nobody, "no such evidence is signed by our root");
}

/// A path to a certificate that names a list.
fn judged_path() -> &'static VerifiedPath {
    static PATH: OnceLock<VerifiedPath> = OnceLock::new();
    PATH.get_or_init(|| {
        let leaf = include_bytes!("../crates/smime/testdata/revocable.pem");
        let leaf = first_certificate(leaf);
        path::judge(&leaf, &[], anchors(), Purpose::Sign, NOW).expect("a good path")
    })
}

/// The passwords of the seeds.
const PASSWORDS: [&str; 4] = ["", "password", "no.secret", "cryptography"];

/// PKCS#12 files as they are; and the input as what lies below the MAC, which no mutation would get past.
pub fn pkcs12(data: &[u8]) {
    for password in PASSWORDS {
        let outcome = pkcs12::import(data, password);
        if !matches!(outcome, Err(pkcs12::Pkcs12Error::WrongPassword)) {
            break;
        }
    }
    let safe = asn1::sequence(&[&asn1_data(data)]);
    for unprotected in [data, &safe] {
        let file = asn1::sequence(&[&asn1::small(3), &asn1_data(unprotected)]);
        let _ = pkcs12::import(&file, PASSWORDS[1]);
    }
}

/// A ContentInfo of type `data`.
fn asn1_data(content: &[u8]) -> Vec<u8> {
    const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
    let content = asn1::tlv(0xa0, &asn1::octet_string(content));
    asn1::sequence(&[&asn1::tlv(asn1::tag::OID, DATA), &content])
}

/// Messages: the structure nests, edits change nothing else, the canonical form is one and stays one.
pub fn mime(data: &[u8]) {
    let data = &data;
    let Ok(message) = Message::read(data) else {
        return;
    };
    let _ = (
        message.froms(),
        message.header_recipients(),
        message.blind_recipients(),
    );
    let _ = (message.message_id(), message.date(), message.subject());
    let split = [message.outer_fields(), message.entity_fields()].concat();
    assert!(
        split.len() >= message.header().raw().len(),
        "fields are lost"
    );
    let Ok(part) = message.structure() else {
        return;
    };
    assert_nested(&part, data.len());
    for leaf in part.all() {
        let decoded = leaf
            .decoded(data)
            .and_then(|mut reader| io::copy(&mut reader, &mut io::sink()));
        decoded.expect("nothing fails in memory");
    }
    let same = HeaderEdit::new(message.header()).finish();
    let mut edited = Edited::new(message.content());
    edited.replace(0, message.body_start(), same);
    let edited = written(&edited);
    assert!(
        edited.ends_with(&written(&message.body())),
        "the body changed"
    );
    let _ = read_report(&message).map(|report| report.is_some());
    if let Ok(Some(cut)) = cut_returned_content(&message) {
        written(&cut);
    }
    canonical_form(data);
    let carried = written(&Carried::new(data).expect("nothing fails in memory"));
    let mut lines = CrlfWriter::new(Vec::new());
    lines.write_all(&carried).expect("nothing fails in memory");
    let lines = lines.finish().expect("nothing fails in memory");
    assert!(lines == carried, "a bare line end is left");
    written(&message.entity());
    let protected = protected_fields(&message).expect("nothing fails in memory");
    if let Some(protected) = protected {
        honoured(message.header(), &protected);
    }
    let ranges = legacy_display(data, &part).expect("nothing fails in memory");
    assert!(ranges.is_sorted(), "legacy display out of order");
}

fn assert_nested(part: &Part, end: u64) {
    assert!(part.range.0 <= part.body.0 && part.body.0 <= part.body.1 && part.body.1 <= end);
    let mut at = part.body.0;
    for child in &part.children {
        assert!(
            at <= child.range.0 && child.range.1 <= part.body.1,
            "parts overlap"
        );
        at = child.range.1;
        assert_nested(child, child.range.1);
    }
}

/// What is signed has CRLF lines when it comes to be: the gateway's edges see to that.
fn canonical_form(data: &[u8]) {
    let mut lines = CrlfWriter::new(Vec::new());
    lines.write_all(data).expect("nothing fails in memory");
    let data = lines.finish().expect("nothing fails in memory");
    let Ok(message) = Message::read(&data) else {
        return;
    };
    let Ok(form) = Canonical::new(&message) else {
        return;
    };
    let out = written(&form);
    if form.must_be_opaque() {
        return;
    }
    assert!(out.is_ascii(), "the canonical form is not 7-bit");
    let bare = |pair: &[u8]| (pair[0] == b'\r') != (pair[1] == b'\n');
    let found = out.windows(2).any(bare);
    assert!(!found, "a bare CR or LF in the canonical form");
    let long = out.split(|b| *b == b'\n').any(|line| line.len() > 999);
    assert!(!long, "a line of the canonical form is too long");
    let again = Message::read(&out).expect("the canonical form is a message");
    if let Ok(canonical) = canonical::is_canonical(&again) {
        assert!(canonical, "the canonical form is not canonical");
    }
}

/// Addresses, address lists, encoded words and headers: what was read and written reads the same.
pub fn address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(address) = Address::parse(&text) {
        assert_eq!(Address::parse(&address.to_string()).as_ref(), Ok(&address));
        let _ = (address.key(), address.to_unicode());
    }
    if let Ok(domain) = Domain::parse(&text) {
        assert_eq!(Domain::parse(domain.as_str()).as_ref(), Ok(&domain));
        let _ = domain.to_unicode();
    }
    list(data);
    let header = HeaderBlock::parse(data);
    assert!(data.starts_with(header.raw()) || header.has_malformed());
    for field in header.fields() {
        let _ = (field.name(), field.loose_name(), field.decoded());
        list(&field.value());
    }
    let folded = words::fold(&words::encode_unstructured("Subject", &words::decode(data)));
    for line in folded.lines() {
        assert!(line.len() <= 998, "a line of {} octets", line.len());
    }
}

fn list(value: &[u8]) {
    let Ok(list) = parse_address_list(value) else {
        return;
    };
    for mailbox in list.mailboxes {
        let text = words::encode_mailbox(&mailbox);
        let again = parse_address_list(text.as_bytes()).map(|list| list.mailboxes);
        let again = again.unwrap_or_else(|error| panic!("{text:?} of {mailbox:?}: {error}"));
        assert_eq!(again.len(), 1, "{text:?}");
        assert_eq!(again[0].address, mailbox.address, "{text:?}");
    }
}

/// Subjects, and HTML in messages: a second pass finds nothing, and what is written fetches nothing.
pub fn sanitiser(data: &[u8]) {
    neutralised(data);
    for charset in ["utf-8", "utf-16", "utf-7", "iso-2022-jp"] {
        let page = wrapped(&format!("text/html; charset={charset}"), data);
        if let Some((out, html)) = neutralised(&page) {
            assert_harmless(&html);
            if let Some((again, _)) = neutralised(&out) {
                assert_eq!(again, out, "not settled");
            }
        }
    }
    let cleaner = Cleaner::default();
    let text = String::from_utf8_lossy(data);
    if let Some(cleaned) = cleaner.cleaned_text(&text) {
        assert_eq!(cleaner.cleaned_text(&cleaned), None, "a tag is left");
    }
    let line = data.split(|b| *b == b'\n').next().unwrap_or_default();
    if let Some(cleaned) = cleaner.cleaned_value(line) {
        let field = words::encode_unstructured("Subject", &cleaned);
        let value = field.get("Subject:".len()..).unwrap_or_default();
        assert_eq!(cleaner.cleaned_value(value.as_bytes()), None, "{field:?}");
    }
    cleaner.tagged(&HeaderBlock::parse(data), "[signed] ");
}

/// The neutralised message and its HTML, if it had to be changed.
fn neutralised(mail: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mail = &mail;
    let found = neutralise(mail).ok()??;
    let out = written(&found);
    if let Ok(Some(again)) = neutralise(&out) {
        assert!(again.removed() <= found.removed(), "more the second time");
    }
    let message = Message::read(&out).ok()?;
    let part = message.structure().ok()?;
    if !part.is_leaf() || !part.content_type.is("text", "html") {
        return None;
    }
    let mut body = Vec::new();
    let mut reader = part.decoded(&out).ok()?;
    reader.read_to_end(&mut body).ok()?;
    drop(reader);
    Some((out, body))
}

/// Elements that run, fetch or hide text from a tokenizer.
const NO_ELEMENTS: &[&str] = &[
    "script",
    "iframe",
    "frame",
    "object",
    "embed",
    "applet",
    "link",
    "meta",
    "base",
    "svg",
    "math",
    "form",
    "input",
    "video",
    "audio",
    "source",
    "noscript",
    "plaintext",
    "xmp",
    "title",
    "textarea",
    "template",
    "select",
    "isindex",
    "image",
];

/// Attributes whose value is fetched.
const FETCHED: &[&str] = &["src", "background", "poster", "srcset", "data", "action"];

/// Reads our own HTML tag by tag: no such element, no handler, nothing fetched from elsewhere.
fn assert_harmless(html: &[u8]) {
    let html = std::str::from_utf8(html).expect("written as UTF-8");
    let mut rest = html;
    while let Some((_, tag)) = rest.split_once('<') {
        let name_end = tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '/');
        let (name, mut inside) = tag.split_at(name_end.unwrap_or(tag.len()));
        let name = name.trim_matches('/').to_ascii_lowercase();
        assert!(
            !NO_ELEMENTS.contains(&name.as_str()),
            "<{name}> in {html:?}"
        );
        if name == "style" {
            let (sheet, _) = inside.split_once('<').unwrap_or((inside, ""));
            let odd = sheet.find(['@', '\\', '[', '&']);
            assert_eq!(odd, None, "{sheet} in {html:?}");
            assert_inside("style", sheet, html);
        }
        while let Some(at) = inside.find(['"', '>']) {
            let (before, behind) = inside.split_at(at);
            if behind.starts_with('>') {
                inside = behind;
                break;
            }
            let (value, next) = behind[1..].split_once('"').expect("a closing quote");
            let attribute = before.trim().trim_end_matches('=').to_ascii_lowercase();
            assert_inside(&attribute, value, html);
            inside = next;
        }
        rest = inside;
    }
}

fn assert_inside(attribute: &str, value: &str, html: &str) {
    let value: String = value
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .flat_map(char::to_lowercase)
        .collect();
    assert!(!attribute.starts_with("on"), "{attribute} in {html:?}");
    if FETCHED.contains(&attribute) {
        let own = ["cid:", "mid:", "data:image/"]
            .iter()
            .any(|s| value.starts_with(s));
        assert!(own || value.is_empty(), "{attribute}={value} in {html:?}");
    }
    if attribute == "style" {
        let fetches = ["url(", "@import", "expression(", "image-set(", "src("];
        let found = fetches.iter().find(|word| value.contains(**word));
        assert_eq!(found, None, "{value} in {html:?}");
    }
}
