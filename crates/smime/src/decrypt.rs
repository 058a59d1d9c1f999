//! Decryption of a message that is EnvelopedData or AuthEnvelopedData as a whole (RFC 5652 section 6, RFC 5083).
//!
//! One RecipientInfo is used: the first that names a certificate we hold a key for; others are never tried (security.md
//! row C10). Whatever goes wrong from then on is one and the same failure, and what was written must be thrown away. The
//! plain text counts only if it is a MIME entity: it begins with a header block.

use crate::algorithms::{
    self, AlgorithmIdentifier, ContentEncryption, ContentParameters, DigestAlgorithm,
    PublicKeyKind, Row, Switches, TransportParameters,
};
use crate::aws::{CbcDecryptor, CryptoError, Digest, GcmDecryptor};
use crate::ber::BerReader;
use crate::certificate::Certificate;
use crate::cms::{
    self, Authentication, CertificateId, ContentType, KeyAgreement, KeyTransport, RecipientInfo,
};
use crate::error::{Fault, LimitReached, Malformed, ReadError};
use crate::key::PrivateKey;
use crate::kind::Entity;
use crate::limits;
use sealgate_mail::Message;
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

/// How a recipient is named in a message.
pub type RecipientId = CertificateId;

/// A private key with its certificate.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// The certificate that messages name.
    pub certificate: Certificate,
    /// Its private key.
    pub key: PrivateKey,
}

/// What came of decrypting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decryption {
    /// The plain text is whole, and a MIME entity.
    Opened(Opened),
    /// Could not be decrypted. There is no finer reason, on purpose. With the SHA-256 of the encrypted content key that
    /// was used, as far as it came to one: the same value may not be reported twice.
    Failed(Option<[u8; 32]>),
    /// No key of the ring is named.
    NoKey,
    /// The message goes beyond a limit before a key of the ring is used.
    Refused(LimitReached),
}

/// A message that was decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Whether a tag shows that nothing was changed since encryption (AEAD).
    pub authenticated: bool,
    /// The content cipher.
    pub content: ContentEncryption,
    /// The name of a weak algorithm that was let in.
    pub weak: Option<&'static str>,
    /// Which key pair of the ring was used, by its place.
    pub key_pair: usize,
    /// SHA-256 of the encrypted content key that was used.
    pub encrypted_key_hash: [u8; 32],
    /// Octets of plain text written.
    pub octets: u64,
}

/// The recipients an encrypted message names, in order. Only its RecipientInfos are read, no key is used.
///
/// # Errors
/// The outer error is a failure to read; the inner one says what is wrong with the message.
pub fn recipients(message: &Message<'_>) -> io::Result<Result<Vec<RecipientId>, Malformed>> {
    let entity = Entity::of_message(message);
    match read_recipients(entity.cms()?) {
        Ok(recipients) => Ok(Ok(recipients)),
        Err(error) => error.blame_sender().map(|fault| match fault {
            Fault::Malformed(malformed) => Err(malformed),
            Fault::Limit(limit) => Err(Malformed(limit.0)),
        }),
    }
}

fn read_recipients(input: impl Read) -> Result<Vec<RecipientId>, ReadError> {
    let (mut reader, _) = open(input)?;
    let mut recipients = Vec::new();
    cms::recipient_infos(&mut reader, &mut |info| {
        recipients.extend(info.recipients())
    })?;
    Ok(recipients)
}

/// Decrypts `message` with the first key pair of `ring` that it names and streams the plain text to `out`. The caller
/// throws away what was written unless the result is [`Decryption::Opened`]. `switches` says which algorithms are let in
/// beyond the accepted ones.
///
/// # Errors
/// Only a failure to read the content or to write to `out`, or a token that is away: then the error is a
/// [`KeyError::TokenAway`] inside.
pub fn decrypt(
    message: &Message<'_>,
    ring: &[&KeyPair],
    switches: Switches,
    out: &mut dyn Write,
) -> io::Result<Decryption> {
    let entity = Entity::of_message(message);
    let mut hash = None;
    let keys = Keys { ring, switches };
    match open_entity(&entity, keys, &mut hash, out) {
        Ok(opened) => Ok(Decryption::Opened(opened)),
        Err(Failure::NoKey) => Ok(Decryption::NoKey),
        Err(Failure::Crypto) => Ok(Decryption::Failed(hash)),
        Err(Failure::Read(error)) => Ok(match error.blame_sender()? {
            Fault::Malformed(_) => Decryption::Failed(hash),
            // Row C10: once a key was chosen, nothing tells one failure from another.
            Fault::Limit(limit) if hash.is_none() => Decryption::Refused(limit),
            Fault::Limit(_) => Decryption::Failed(hash),
        }),
    }
}

enum Failure {
    NoKey,
    Crypto,
    Read(ReadError),
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Read(ReadError::Io(error))
    }
}

impl From<CryptoError> for Failure {
    fn from(_: CryptoError) -> Self {
        Self::Crypto
    }
}

impl From<algorithms::AlgorithmError> for Failure {
    fn from(_: algorithms::AlgorithmError) -> Self {
        Self::Crypto
    }
}

/// The RecipientInfo that is used, and whose key it needs.
enum Chosen {
    Transport(usize, KeyTransport),
    /// With the place of our entry in its list.
    Agreement(usize, KeyAgreement, usize),
}

impl Chosen {
    fn from(info: RecipientInfo, ring: &[&KeyPair]) -> Option<Self> {
        let place = |id: &RecipientId| ring.iter().position(|pair| id.names(&pair.certificate));
        match info {
            RecipientInfo::KeyTransport(transport) => {
                place(&transport.recipient).map(|pair| Self::Transport(pair, transport))
            }
            RecipientInfo::KeyAgreement(agreement) => {
                let mut entries = agreement.keys.iter().enumerate();
                let found =
                    entries.find_map(|(entry, (id, _))| place(id).map(|pair| (pair, entry)));
                found.map(|(pair, entry)| Self::Agreement(pair, agreement, entry))
            }
            RecipientInfo::Other => None,
        }
    }

    fn key_pair(&self) -> usize {
        match self {
            Self::Transport(pair, _) | Self::Agreement(pair, _, _) => *pair,
        }
    }

    fn encrypted_key(&self) -> &[u8] {
        match self {
            Self::Transport(_, transport) => &transport.encrypted_key,
            Self::Agreement(_, agreement, entry) => {
                agreement.keys.get(*entry).map_or(&[], |(_, key)| key)
            }
        }
    }

    /// How the content key is protected.
    fn management(&self) -> Result<Management, Failure> {
        let AlgorithmIdentifier { oid, parameters } = match self {
            Self::Transport(_, transport) => &transport.algorithm,
            Self::Agreement(_, agreement, _) => &agreement.algorithm,
        };
        let parameters = parameters.as_deref();
        Ok(match self {
            Self::Transport(..) => Management::Transport(
                algorithms::KeyTransport::from_algorithm_identifier(oid, parameters)?,
            ),
            Self::Agreement(..) => Management::Agreement(
                algorithms::KeyAgreement::from_algorithm_identifier(oid, parameters)?,
            ),
        })
    }

    /// The content key, of `length` octets. A wrong RSA padding gives a random key, see [`PrivateKey::decrypt_rsa`].
    fn content_key(
        &self,
        key: &PrivateKey,
        management: &Management,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let found = match (self, management) {
            (Self::Transport(_, transport), Management::Transport(algorithm)) => {
                key.decrypt_rsa(algorithm.clone(), &transport.encrypted_key, length)
            }
            (Self::Agreement(_, agreement, _), Management::Agreement(algorithm)) => {
                let originator = agreement.originator.as_ref().ok_or(Failure::Crypto)?;
                let (public, ukm) = (&originator.public_key, agreement.ukm.as_deref());
                key.unwrap_agreed(algorithm, public, ukm, self.encrypted_key())
            }
            _ => return Err(Failure::Crypto),
        };
        match found {
            Ok(content_key) if content_key.len() == length => Ok(content_key),
            // A fact about the token alone: the same mail is opened later.
            Err(away) if away.is_of_token() => Err(io::Error::other(away).into()),
            _ => Err(Failure::Crypto),
        }
    }
}

/// How a content key is protected, with the parameters of one message.
enum Management {
    Transport(TransportParameters),
    Agreement(algorithms::KeyAgreement),
}

impl Management {
    fn rows(&self) -> Vec<Row> {
        match self {
            Self::Transport(parameters) => vec![parameters.algorithm.row()],
            Self::Agreement(agreement) => vec![agreement.derivation.row(), agreement.wrap.row()],
        }
    }
}

/// Opens a CMS object that is encrypted; true if it is AuthEnvelopedData.
fn open<R: Read>(input: R) -> Result<(BerReader<R>, bool), ReadError> {
    let (reader, content_type) = cms::open(input)?;
    match content_type {
        ContentType::EnvelopedData => Ok((reader, false)),
        ContentType::AuthEnvelopedData => Ok((reader, true)),
        _ => Err(ReadError::malformed("not encrypted")),
    }
}

/// What a message may be opened with.
#[derive(Clone, Copy)]
struct Keys<'k> {
    ring: &'k [&'k KeyPair],
    switches: Switches,
}

fn open_entity(
    entity: &Entity<'_>,
    Keys { ring, switches }: Keys<'_>,
    hash: &mut Option<[u8; 32]>,
    out: &mut dyn Write,
) -> Result<Opened, Failure> {
    let (mut reader, authenticated) = open(entity.cms()?)?;
    let mut chosen = None;
    cms::recipient_infos(&mut reader, &mut |info| {
        if chosen.is_none() {
            chosen = Chosen::from(info, ring);
        }
    })?;
    let chosen = chosen.ok_or(Failure::NoKey)?;
    let pair = ring.get(chosen.key_pair()).ok_or(Failure::NoKey)?;
    let encrypted_key_hash = sha256(chosen.encrypted_key());
    *hash = Some(encrypted_key_hash);

    let AlgorithmIdentifier { oid, parameters } = cms::encrypted_head(&mut reader)?;
    let parameters = ContentEncryption::from_algorithm_identifier(&oid, parameters.as_deref())?;
    let content = parameters.algorithm;
    // Row C12 and RFC 5084 section 1.4: an AEAD cipher there and only there.
    let management = chosen.management()?;
    let mut rows = management.rows();
    rows.push(content.row());
    if content.authenticated() != authenticated
        || !rows.iter().all(|row| switches.allow(row.reading))
        || !switches.allow(pair.key.kind().reading())
        || only_signs(&pair.certificate)
    {
        return Err(Failure::Crypto);
    }
    let content_key = chosen.content_key(&pair.key, &management, content.key_length())?;
    let mut plain = EntityWriter::new(out);
    if authenticated {
        let authentication = read_authentication(reader)?;
        let reader = reopen(entity)?;
        decrypt_authenticated(
            reader,
            &parameters,
            &content_key,
            &authentication,
            &mut plain,
        )?;
    } else {
        decrypt_cbc(reader, &parameters, &content_key, &mut plain)?;
    }
    let octets = plain.finish().ok_or(Failure::Crypto)?;
    Ok(Opened {
        authenticated,
        content,
        weak: rows
            .iter()
            .find(|row| row.reading.is_legacy())
            .map(|row| row.name),
        key_pair: chosen.key_pair(),
        encrypted_key_hash,
        octets,
    })
}

/// RFC 4055 section 1.2: a key whose certificate restricts it to RSASSA-PSS decrypts nothing, whatever its private half says.
fn only_signs(certificate: &Certificate) -> bool {
    matches!(certificate.key_kind(), Some(PublicKeyKind::RsaPss(_)))
}

fn sha256(octets: &[u8]) -> [u8; 32] {
    let digest = Digest::of(DigestAlgorithm::Sha256, octets);
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(digest) {
        *to = from;
    }
    hash
}

fn decrypt_cbc<R: Read>(
    mut reader: BerReader<R>,
    parameters: &ContentParameters,
    key: &[u8],
    plain: &mut EntityWriter<'_>,
) -> Result<(), Failure> {
    let mut cipher = CbcDecryptor::new(parameters.algorithm, key, &parameters.iv)?;
    stream(&mut reader, plain, &mut |octets, out| {
        cipher.update(octets, out)
    })?;
    cms::enveloped_tail(&mut reader)?;
    let mut last = Zeroizing::new(Vec::new());
    cipher.finish(&mut last)?;
    Ok(plain.write_all(&last)?)
}

/// The authenticated attributes stand behind the content but are needed before it, so that the object is read twice.
fn read_authentication<R: Read>(mut reader: BerReader<R>) -> Result<Authentication, Failure> {
    reader.string_to(&mut |_| Ok(()))?;
    Ok(cms::auth_enveloped_tail(&mut reader)?)
}

fn reopen<'r>(entity: &'r Entity<'_>) -> Result<BerReader<Box<dyn Read + Send + 'r>>, Failure> {
    let (mut reader, _) = open(entity.cms()?)?;
    cms::recipient_infos(&mut reader, &mut |_| ())?;
    cms::encrypted_head(&mut reader)?;
    Ok(reader)
}

fn decrypt_authenticated<R: Read>(
    mut reader: BerReader<R>,
    parameters: &ContentParameters,
    key: &[u8],
    authentication: &Authentication,
    plain: &mut EntityWriter<'_>,
) -> Result<(), Failure> {
    // RFC 5084 section 3.2: the tag has the length the parameters say.
    if authentication.tag.len() != parameters.tag_length
        || !limits::TAG_OCTETS.contains(&parameters.tag_length)
    {
        return Err(Failure::Crypto);
    }
    let mut cipher = GcmDecryptor::new(
        parameters.algorithm,
        key,
        &parameters.iv,
        &authentication.attributes,
    )?;
    stream(&mut reader, plain, &mut |octets, out| {
        cipher.update(octets, out)
    })?;
    let mut last = Zeroizing::new(Vec::new());
    cipher.finish(&authentication.tag, &mut last)?;
    Ok(plain.write_all(&last)?)
}

/// Appends the plain text of the next octets.
type Update<'u> = dyn FnMut(&[u8], &mut Vec<u8>) -> Result<(), CryptoError> + 'u;

/// Passes the encrypted content through `update` to `plain`.
fn stream<R: Read>(
    reader: &mut BerReader<R>,
    plain: &mut EntityWriter<'_>,
    update: &mut Update<'_>,
) -> Result<(), Failure> {
    let mut buffer = Zeroizing::new(Vec::with_capacity(limits::BUFFER_OCTETS));
    reader.string_to(&mut |octets| {
        buffer.clear();
        update(octets, &mut buffer).map_err(|_| ReadError::malformed("encrypted content"))?;
        plain.write_all(&buffer).map_err(ReadError::Io)
    })?;
    Ok(())
}

/// Passes plain text on and watches whether it begins with a header block, as a MIME entity does.
struct EntityWriter<'o> {
    out: &'o mut dyn Write,
    octets: u64,
    place: Place,
}

/// Where in the header block the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the very start.
    Start,
    /// At the start of a further line.
    Line,
    /// In a field name.
    Name,
    /// In blanks between name and colon.
    NameEnd,
    /// In a value.
    Value,
    /// After the CR of what may be the blank line.
    BlankLine,
    /// In the body.
    Body,
    /// This is no header block.
    Wrong,
}

impl Place {
    /// RFC 5322 section 2.2, with bare LF as a line end and blanks before the colon (section 4.5.8). An entity without any
    /// field begins with the CRLF of the canonical form (RFC 8551 section 3.1.1): a first octet LF alone says too little,
    /// since one in 65,536 wrong keys gives it together with a sound padding.
    const fn next(self, octet: u8) -> Self {
        match (self, octet) {
            (Self::Body, _) => Self::Body,
            (Self::Start | Self::Line, b'\r') => Self::BlankLine,
            (Self::Line | Self::BlankLine, b'\n') => Self::Body,
            (Self::Value, b'\n') => Self::Line,
            (Self::Value, 1..) | (Self::Line, b' ' | b'\t') => Self::Value,
            (Self::Name | Self::NameEnd, b':') => Self::Value,
            (Self::Name | Self::NameEnd, b' ' | b'\t') => Self::NameEnd,
            (Self::Start | Self::Line | Self::Name, 33..=57 | 59..=126) => Self::Name,
            _ => Self::Wrong,
        }
    }
}

impl<'o> EntityWriter<'o> {
    fn new(out: &'o mut dyn Write) -> Self {
        Self {
            out,
            octets: 0,
            place: Place::Start,
        }
    }

    /// The number of octets written, if they were a MIME entity: a header block with at least a field or a blank line.
    fn finish(self) -> Option<u64> {
        matches!(self.place, Place::Body | Place::Line).then_some(self.octets)
    }

    fn watch(&mut self, octets: &[u8]) {
        if self.place == Place::Body || self.place == Place::Wrong {
            return;
        }
        self.place = octets
            .iter()
            .fold(self.place, |place, octet| place.next(*octet));
        if self.place != Place::Body && self.octets > limits::ENTITY_HEADER_OCTETS as u64 {
            self.place = Place::Wrong;
        }
    }
}

impl Write for EntityWriter<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.out.write_all(octets)?;
        self.watch(octets);
        self.octets = self.octets.saturating_add(octets.len() as u64);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_must_begin_with_a_header_block() {
        for (text, is_entity) in [
            ("Content-Type: text/plain\r\n\r\nhello", true),
            ("Content-Type: text/plain\n\nhello", true),
            ("A: b\r\n folded: c\r\n\td\r\n\r\n\0\x01", true),
            ("A : b\r\n\r\n", true),
            ("A:\r\n\r\n", true),
            ("\r\nno fields", true),
            ("\nno fields", false),
            ("A: b\r\n", true),
            ("A: b\n\nhello", true),
            ("Subject: Gr\u{fc}\u{df}e\r\n\r\n", true),
            ("", false),
            ("A", false),
            ("A: b", false),
            ("hello world\r\n\r\n", false),
            ("A: b\r\nhello\r\n\r\n", false),
            (" A: b\r\n\r\n", false),
            (": b\r\n\r\n", false),
            ("A: b\0\r\n\r\n", false),
            ("A b: c\r\n\r\n", false),
            ("\u{feff}A: b\r\n\r\n", false),
            ("\rA: b\r\n\r\n", false),
        ] {
            for size in [1, 3, 1000] {
                let mut out = Vec::new();
                let mut writer = EntityWriter::new(&mut out);
                text.as_bytes()
                    .chunks(size)
                    .for_each(|part| writer.write_all(part).unwrap());
                let expected = is_entity.then_some(text.len() as u64);
                assert_eq!(writer.finish(), expected, "{text:?} by {size}");
                assert_eq!(out, text.as_bytes());
            }
        }
    }

    #[test]
    fn a_header_block_without_end_is_none() {
        let mut out = Vec::new();
        let mut writer = EntityWriter::new(&mut out);
        for _ in 0..2 * limits::ENTITY_HEADER_OCTETS / 1024 {
            writer.write_all(&[b'a'; 1024]).unwrap();
        }
        writer.write_all(b": b\r\n\r\n").unwrap();
        assert_eq!(writer.finish(), None);
    }
}
