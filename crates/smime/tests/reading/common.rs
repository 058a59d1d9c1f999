//! What the tests of this directory share: the vectors, what they are judged against, and taking messages apart.

pub use sealgate_mail::{Message, Timestamp};
pub use sealgate_smime::algorithms::{ContentEncryption, DigestAlgorithm, Switches};
pub use sealgate_smime::certificate::Certificate;
pub use sealgate_smime::decrypt::{Decryption, KeyPair, RecipientId, decrypt, recipients};
pub use sealgate_smime::error::{Fault, LimitReached, Malformed};
pub use sealgate_smime::key::PrivateKey;
pub use sealgate_smime::kind::{self, Kind, kind};
pub use sealgate_smime::path::TrustAnchors;
pub use sealgate_smime::verdict::SignatureVerdict as Verdict;
pub use sealgate_smime::verify::{
    Note, SignatureReport, VerifyInput, kind_under_signatures, signed_content, signed_entity,
    verify,
};

/// 2027-01-15, inside the validity of all test certificates.
pub const AT: Timestamp = Timestamp(1_800_000_000);

pub fn data(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
}

pub fn certificate(name: &str) -> Certificate {
    Certificate::read_all(&data(&format!("{name}.pem")))
        .unwrap()
        .remove(0)
}

pub fn pair(name: &str) -> KeyPair {
    let key = PrivateKey::read(&data(&format!("{name}.key"))).unwrap();
    KeyPair {
        certificate: certificate(name),
        key,
    }
}

pub struct Setting {
    pub anchors: TrustAnchors,
    pub at: Timestamp,
    pub known: Vec<Certificate>,
    pub switches: Switches,
}

impl Setting {
    pub fn usual() -> Self {
        Self {
            anchors: TrustAnchors::new(vec![certificate("root")]),
            at: AT,
            known: Vec::new(),
            switches: Switches::default(),
        }
    }

    pub fn verify(&self, raw: &[u8]) -> SignatureReport {
        let message = Message::read(&raw).unwrap();
        let from = message.single_from().map(|mailbox| mailbox.address);
        let input = VerifyInput {
            anchors: &self.anchors,
            at: self.at,
            from: from.as_ref(),
            date: message.date(),
            known: &self.known,
            switches: self.switches,
            exact_local_parts: false,
        };
        verify(&message, &input).unwrap()
    }
}

pub fn verdict(raw: &[u8]) -> Verdict {
    Setting::usual().verify(raw).verdict
}

/// Replaces the first occurrence of `from`, which must be there.
pub fn replaced(raw: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    text.replacen(from, to, 1).into_bytes()
}

pub const P7S: &str = "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n";

/// The DER of the CMS object of a message, and the message around it.
pub fn take_apart(raw: &[u8]) -> (String, Vec<u8>, String) {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let start = match text.find(P7S) {
        Some(at) => at + P7S.len(),
        None => text.find("\r\n\r\n").unwrap() + 4,
    };
    let end = text[start..]
        .find("\r\n\r\n")
        .map_or(text.len(), |at| start + at);
    let mut decoded = Vec::new();
    let reader =
        sealgate_mail::TransferEncoding::Base64.decoded(Box::new(&text.as_bytes()[start..end]));
    std::io::Read::read_to_end(&mut { reader }, &mut decoded).unwrap();
    (text[..start].to_owned(), decoded, text[end..].to_owned())
}

pub fn put_together(before: &str, cms: &[u8], after: &str) -> Vec<u8> {
    let mut writer = sealgate_mail::encoding::Base64Writer::new(Vec::new());
    std::io::Write::write_all(&mut writer, cms).unwrap();
    [
        before.as_bytes(),
        &writer.finish().unwrap(),
        after.as_bytes(),
    ]
    .concat()
}

/// `raw` with `change` applied to its CMS object.
pub fn changed(raw: &[u8], change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let (before, cms, after) = take_apart(raw);
    put_together(&before, &change(cms), &after)
}

pub fn find(haystack: &[u8], needle: &[u8]) -> usize {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
        .expect("needle")
}

pub fn replaced_in_cms(raw: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    changed(raw, |mut cms| {
        let at = find(&cms, from);
        cms[at..at + to.len()].copy_from_slice(to);
        cms
    })
}

/// The class and the hash only: what anybody outside can see.
pub fn failure(raw: &[u8], key: &KeyPair) -> Decryption {
    decrypt(
        &Message::read(&raw).unwrap(),
        &[key],
        Switches::default(),
        &mut Vec::new(),
    )
    .unwrap()
}

/// `content` in DER under the identifier octet `tag`.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    sealgate_smime::asn1::tlv(tag, content)
}

/// The elements inside the element `der`.
pub fn inside(der: &[u8]) -> Vec<Vec<u8>> {
    let content = sealgate_smime::asn1::Reader::new(der)
        .any()
        .unwrap()
        .inside();
    content
        .all()
        .unwrap()
        .iter()
        .map(|element| element.raw.to_vec())
        .collect()
}

/// ContentInfo, content type, and the fields of the content.
pub fn fields(cms: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let outer = inside(cms);
    (outer[0].clone(), inside(&inside(&outer[1])[0]))
}

pub fn rebuilt(content_type: &[u8], fields: &[Vec<u8>]) -> Vec<u8> {
    let content = tlv(0xA0, &tlv(0x30, &fields.concat()));
    tlv(0x30, &[content_type, &content].concat())
}

/// CPU time of this thread, which other programs on the machine do not lengthen; time of day where the system does not tell.
pub fn cpu_time(since: std::time::Instant) -> std::time::Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = text.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), std::time::Duration::from_nanos)
}

/// Does `work`, which must take less than a second.
pub fn quick<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let start = std::time::Instant::now();
    let before = cpu_time(start);
    let result = work();
    let taken = cpu_time(start) - before;
    assert!(taken.as_secs_f32() < 1.0, "{name}: {taken:?}");
    result
}
