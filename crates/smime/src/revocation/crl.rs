//! One certificate revocation list (RFC 5280 section 5): read once, every entry looked at, kept as it came.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use sealgate_mail::Timestamp;

use super::point::{Name, Scope};
use super::{Freshness, RevocationError};
use crate::algorithms::{AlgorithmIdentifier, PublicKeyKind, SignatureAlgorithm, Switches};
use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::aws::Signed;
use crate::certificate::Certificate;
use crate::extensions::{GeneralName, key_usage, read_names};
use crate::name::DistinguishedName;
use crate::{limits, pem};

/// A list by one authority, about its own certificates unless it is an indirect one.
#[derive(Debug)]
pub(super) struct Crl {
    der: Vec<u8>,
    /// The signed part.
    tbs: Range<usize>,
    /// The entries, one after the other.
    entries: Range<usize>,
    issuer: Name,
    about: About,
    freshness: Freshness,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    /// Keys that were tried, each with whether it signed the list. One list is asked about many certificates: each key is
    /// tried once, so that lists nobody signed cost no more than others (row C19).
    tried: Mutex<Vec<(Vec<u8>, bool)>>,
    /// What was found about certificates lately, by fingerprint: all signers of a message are looked for in each list, and again
    /// when more is known, and a list may have a million entries (row C19).
    found: Mutex<HashMap<[u8; 32], Option<Listed>>>,
}

impl Crl {
    /// Reads a list in DER or PEM. Of a delta list, of one without a number, and of one with a critical extension that is not known,
    /// only the entries count, not what is missing (RFC 5280 sections 5.2 and 5.3).
    pub(super) fn read(octets: &[u8]) -> Result<Self, RevocationError> {
        if octets.len() > limits::CRL_OCTETS {
            return Err(RevocationError::TooLarge);
        }
        if !octets.starts_with(&[tag::SEQUENCE]) && pem::looks_like(octets) {
            let blocks = pem::read(octets).map_err(|_| RevocationError::Malformed("PEM"))?;
            let block = blocks.iter().find(|block| block.label == "X509 CRL");
            return Self::read_der(&block.ok_or(RevocationError::Malformed("PEM"))?.der);
        }
        Self::read_der(octets)
    }

    fn read_der(der: &[u8]) -> Result<Self, RevocationError> {
        let mut outer = asn1::read_only(der, tag::SEQUENCE)?.inside();
        let tbs = outer.expect(tag::SEQUENCE)?;
        let identifier = AlgorithmIdentifier::read(&mut outer)?;
        let signature = outer.expect(tag::BIT_STRING)?.bit_string()?.to_vec();
        outer.finish()?;
        let mut fields = tbs.inside();
        let version = fields.optional(tag::INTEGER)?;
        let version = version.map_or(Ok(0), |element| element.small())?;
        if AlgorithmIdentifier::read(&mut fields)? != identifier || version > 1 {
            return Err(RevocationError::Malformed("version or algorithm"));
        }
        let issuer = DistinguishedName::from_der(fields.expect(tag::SEQUENCE)?.raw)?.normal();
        let freshness = Freshness {
            from: fields.any()?.time()?,
            until: fields.any()?.time()?,
        };
        let entries = fields.optional(tag::SEQUENCE)?;
        let extensions = fields.optional(tag::context_constructed(0))?;
        fields.finish()?;
        let mut about = read_extensions(extensions, version)?;
        if let Some(entries) = &entries {
            about.complete &= check_entries(entries, version, about.scope.indirect)?;
        }
        Ok(Self {
            tbs: place(der, tbs.raw),
            entries: place(der, entries.map_or(&[], |entries| entries.content)),
            issuer,
            about,
            freshness,
            algorithm: algorithm(&identifier)?,
            signature,
            tried: Mutex::default(),
            found: Mutex::default(),
            der: der.to_vec(),
        })
    }

    pub(super) fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// Whose list it is, in comparison form.
    pub(super) fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// Whether this list speaks about `certificate`, by name and scope.
    pub(super) fn is_about(&self, certificate: &Certificate) -> bool {
        self.about.scope.reasons_for(certificate, &self.issuer) != 0
    }

    /// For which reasons `certificate`, which it is about, would stand in it.
    pub(super) fn reasons_for(&self, certificate: &Certificate) -> u16 {
        if self.about.complete && !self.is_delta() {
            self.about.scope.reasons_for(certificate, &self.issuer)
        } else {
            0
        }
    }

    /// Whether it names only what has changed since another list (RFC 5280 section 5.2.4).
    pub(super) fn is_delta(&self) -> bool {
        self.about.base.is_some()
    }

    /// Which of two lists of one issuer is the later edition: by number, then by date (section 5.2.3). Lists of different scope have
    /// different numbers, and an authority that was set up anew counts anew: then the date alone decides.
    pub(super) fn edition(&self, other: &Self) -> Ordering {
        let (own, others) = (self.freshness, other.freshness);
        let overlap = own.from <= others.until && others.from <= own.until;
        let by_date = own.from.cmp(&others.from);
        match (&self.about.number, &other.about.number) {
            (Some(own), Some(others)) if overlap && self.about.scope == other.about.scope => {
                magnitude(own).cmp(&magnitude(others)).then(by_date)
            }
            _ => by_date,
        }
    }

    /// Whether it shows that `certificate` is not revoked any more, though `older` names it: as a later list without it, or as a
    /// delta list that takes it off. Both are signed by one key: some authorities write a list of its own for each of their keys.
    pub(super) fn lifts(&self, older: &Self, certificate: &Certificate) -> bool {
        let same_scope = self.issuer == older.issuer && self.about.scope == older.about.scope;
        let same_line = same_scope && self.signing_key() == older.signing_key();
        if !same_line || !self.about.complete || self.edition(older) != Ordering::Greater {
            return false;
        }
        match (&self.about.base, &older.about.number) {
            (Some(base), Some(number)) if magnitude(base) <= magnitude(number) => {
                self.entry(certificate) == Some(Listed::Removed)
            }
            (Some(_), _) => false,
            (None, _) => self.entry(certificate).is_none(),
        }
    }

    /// Whether the key of `authority` signed it, and may (RFC 5280 section 6.3.3 (f) and (g)).
    pub(super) fn signed_by(&self, authority: &Certificate, switches: Switches) -> bool {
        let usage = authority.extensions().key_usage;
        if usage.is_some_and(|bits| bits & key_usage::CRL_SIGN == 0)
            || !may_prove(authority, self.algorithm, switches)
        {
            return false;
        }
        let key = authority.spki_der();
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, signed)) = tried.iter().find(|(known, _)| known == key) {
            return *signed;
        }
        let tbs = self.der.get(self.tbs.clone()).unwrap_or_default();
        let signed = authority.public_key().is_some_and(|key| {
            key.verify(self.algorithm, Signed::Message(tbs), &self.signature)
                .is_ok()
        });
        if tried.len() < limits::SIGNATURE_CHECKS {
            tried.push((key.to_vec(), signed));
        }
        signed
    }

    /// The key that was found to have signed it.
    fn signing_key(&self) -> Option<Vec<u8>> {
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let found = tried.iter().find(|(_, signed)| *signed);
        found.map(|(key, _)| key.clone())
    }

    /// How many keys were tried.
    #[cfg(test)]
    pub(super) fn keys_tried(&self) -> usize {
        self.tried.lock().map_or(0, |tried| tried.len())
    }

    /// What it says of `certificate`, which it is about, if it names it.
    pub(super) fn entry(&self, certificate: &Certificate) -> Option<Listed> {
        let known = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(&certificate.fingerprint()) {
            return *found;
        }
        let found = self.look_up(certificate);
        let mut known = known();
        if known.len() >= limits::CERTIFICATES_LOOKED_UP {
            known.clear();
        }
        known.insert(certificate.fingerprint(), found);
        found
    }

    fn look_up(&self, certificate: &Certificate) -> Option<Listed> {
        let mut entries = Reader::new(self.der.get(self.entries.clone()).unwrap_or_default());
        let (serial, issuer) = (number(certificate.serial()), certificate.issuer().normal());
        let indirect = self.about.scope.indirect;
        // RFC 5280 section 5.3.3: an entry is about the issuer that the last one before it names.
        let mut of_issuer = self.issuer == issuer;
        let mut found = None;
        while let Ok(entry) = entries.any() {
            let mut fields = entry.inside();
            let named = fields.any().is_ok_and(|one| number(one.content) == serial);
            if !named && !indirect {
                continue;
            }
            let date = fields.any().and_then(|element| element.time()).ok()?;
            let entry = read_entry(&mut fields, indirect).ok()?;
            if let Some(name) = &entry.issuer {
                of_issuer = *name == issuer;
            }
            if named && of_issuer {
                if entry.reason != Some(REMOVED) {
                    return Some(Listed::Revoked(date));
                }
                found = Some(Listed::Removed);
            }
        }
        found
    }
}

/// What a list says of a certificate that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// Revoked, or on hold.
    Revoked(Timestamp),
    /// removeFromCRL: it was on hold in the list before.
    Removed,
}

/// What the extensions of a list say.
#[derive(Debug, Default)]
struct About {
    scope: Scope,
    /// cRLNumber, content octets.
    number: Option<Vec<u8>>,
    /// deltaCRLIndicator: the number of the list to which it is the change, content octets.
    base: Option<Vec<u8>>,
    /// Whether it is numbered as it should be, and holds nothing critical that is not known: else it shows only who is revoked,
    /// and nothing by silence.
    complete: bool,
}

/// Where `part` lies in `whole`, which it was cut out of.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    if part.is_empty() {
        return 0..0;
    }
    start..start.saturating_add(part.len())
}

/// Content octets of an INTEGER in the shortest form: -1 and 255 differ by a leading zero, and some writers add another one.
fn number(content: &[u8]) -> &[u8] {
    let mut rest = content;
    while let [first @ (0 | 0xff), tail @ ..] = rest
        && tail
            .first()
            .is_some_and(|next| (*first == 0) == (*next < 0x80))
    {
        rest = tail;
    }
    rest
}

/// The number of a list so that it compares; such numbers are never negative (RFC 5280 section 5.2.3).
fn magnitude(content: &[u8]) -> (usize, &[u8]) {
    let skip = content.iter().take_while(|octet| **octet == 0).count();
    let octets = content.get(skip..).unwrap_or_default();
    (octets.len(), octets)
}

pub(super) fn algorithm(
    identifier: &AlgorithmIdentifier,
) -> Result<SignatureAlgorithm, RevocationError> {
    SignatureAlgorithm::from_algorithm_identifier(&identifier.oid, identifier.parameters.as_deref())
        .map_err(|_| RevocationError::Unsupported("a weak or unknown signature"))
}

/// Whether a signature by `signer` proves anything: the table that certificates are judged by.
pub(super) fn may_prove(
    signer: &Certificate,
    algorithm: SignatureAlgorithm,
    switches: Switches,
) -> bool {
    let curve = match signer.key_kind() {
        Some(PublicKeyKind::Ec(curve)) => switches.allow(curve.row().reading),
        _ => true,
    };
    curve && !signer.has_weak_key() && switches.allow(algorithm.row().reading)
}

/// Every entry must be readable; gives whether all are understood.
fn check_entries(
    entries: &Element<'_>,
    version: u32,
    indirect: bool,
) -> Result<bool, RevocationError> {
    let mut entries = entries.inside();
    let mut understood = true;
    while !entries.is_empty() {
        let mut fields = entries.expect(tag::SEQUENCE)?.inside();
        fields.expect(tag::INTEGER)?;
        fields.any()?.time()?;
        if version == 0 && !fields.is_empty() {
            return Err(RevocationError::Malformed("extensions without version 2"));
        }
        understood &= read_entry(&mut fields, indirect)?.understood;
    }
    Ok(understood)
}

/// reasonCode removeFromCRL (RFC 5280 section 5.3.1).
const REMOVED: u8 = 8;
/// Object identifiers of entry extensions, content octets: reasonCode, invalidityDate and certificateIssuer (sections 5.3.1 to 5.3.3).
const REASON_CODE: &[u8] = &[0x55, 0x1d, 0x15];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 0x18];

const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 0x1d];

/// What the extensions of an entry say.
struct Entry {
    reason: Option<u8>,
    /// Whose certificate it is, if it is said.
    issuer: Option<Name>,
    understood: bool,
}

/// Reads the extensions of an entry. One by another issuer belongs to an indirect list (RFC 5280 section 5.3.3).
fn read_entry(fields: &mut Reader<'_>, indirect: bool) -> Result<Entry, RevocationError> {
    let mut entry = Entry {
        reason: None,
        issuer: None,
        understood: true,
    };
    let Some(extensions) = fields.optional(tag::SEQUENCE)? else {
        return Ok(entry);
    };
    let mut extensions = extensions.inside();
    while !extensions.is_empty() {
        let mut inside = extensions.expect(tag::SEQUENCE)?.inside();
        let kind = inside.expect(tag::OID)?.content;
        let critical = is_critical(&mut inside)?;
        let value = inside.expect(tag::OCTET_STRING)?.content;
        match kind {
            REASON_CODE => entry.reason = Some(read_reason(value)?),
            INVALIDITY_DATE => {}
            CERTIFICATE_ISSUER if indirect => entry.issuer = Some(read_issuer(value)?),
            CERTIFICATE_ISSUER => return Err(RevocationError::Malformed("an indirect entry")),
            _ => entry.understood &= !critical,
        }
    }
    Ok(entry)
}

/// The name in a certificateIssuer; one of another kind is nobody's here.
fn read_issuer(value: &[u8]) -> Result<Name, Asn1Error> {
    let names = read_names(asn1::read_only(value, tag::SEQUENCE)?.inside())?;
    let directory = names.iter().find_map(|name| match name {
        GeneralName::Directory(der) => DistinguishedName::from_der(der).ok(),
        _ => None,
    });
    Ok(directory.map(|name| name.normal()).unwrap_or_default())
}

fn read_reason(value: &[u8]) -> Result<u8, Asn1Error> {
    match asn1::read_only(value, tag::ENUMERATED)?.content {
        [reason] => Ok(*reason),
        _ => Err(Asn1Error("a reason")),
    }
}

fn is_critical(extension: &mut Reader<'_>) -> Result<bool, Asn1Error> {
    let element = extension.optional(tag::BOOLEAN)?;
    element.map_or(Ok(false), |e| e.boolean())
}

/// crlExtensions (RFC 5280 section 5.2). Lists of version 1 have none and are about all certificates of their issuer.
fn read_extensions(element: Option<Element<'_>>, version: u32) -> Result<About, RevocationError> {
    let mut about = About {
        complete: true,
        ..About::default()
    };
    let Some(element) = element else {
        about.complete = version == 0;
        return Ok(about);
    };
    if version == 0 {
        return Err(RevocationError::Malformed("extensions without version 2"));
    }
    let mut seen = Vec::new();
    for extension in asn1::read_only(element.content, tag::SEQUENCE)?
        .inside()
        .all()?
    {
        let mut inside = extension.inside();
        let kind = inside.expect(tag::OID)?.oid()?;
        let critical = is_critical(&mut inside)?;
        let value = inside.expect(tag::OCTET_STRING)?.content;
        inside.finish()?;
        if seen.contains(&kind) || seen.len() >= limits::EXTENSIONS {
            return Err(RevocationError::Malformed("extensions"));
        }
        seen.push(kind);
        match kind.to_string().as_str() {
            // Section 5.2.3: never critical.
            "2.5.29.20" => {
                about.number = Some(asn1::read_only(value, tag::INTEGER)?.content.to_vec());
                about.complete &= !critical;
            }
            "2.5.29.27" => {
                about.base = Some(asn1::read_only(value, tag::INTEGER)?.content.to_vec());
            }
            "2.5.29.28" => about.scope = Scope::read(value)?,
            _ => about.complete &= !critical,
        }
    }
    about.complete &= about.number.is_some();
    Ok(about)
}
