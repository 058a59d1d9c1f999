//! One certificate revocation list (RFC 5280 section 5): read once, every entry looked at, kept as it came.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use sealgate_mail::Timestamp;

use super::point::Scope;
use super::{Freshness, RevocationError};
use crate::algorithms::{AlgorithmIdentifier, SignatureAlgorithm, Standing};
use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::aws::Signed;
use crate::certificate::Certificate;
use crate::extensions::key_usage;
use crate::name::DistinguishedName;
use crate::{limits, pem};

/// A complete list by one authority about its own certificates.
#[derive(Debug)]
pub(super) struct Crl {
    der: Vec<u8>,
    /// The signed part.
    tbs: Range<usize>,
    /// The entries, one after the other.
    entries: Range<usize>,
    issuer: Vec<Vec<u8>>,
    scope: Scope,
    /// Whether it shows only who is revoked, and nothing by silence.
    incomplete: bool,
    freshness: Freshness,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    /// Keys that were tried, each with whether it signed the list. One list is asked about many certificates: each key is
    /// tried once, so that lists nobody signed cost no more than others (row C19).
    tried: Mutex<Vec<(Vec<u8>, bool)>>,
}

impl Crl {
    /// Reads a list in DER or PEM. Of a delta list, of one without a number, and of one with a critical extension that is not known,
    /// only the entries count, not what is missing (RFC 5280 sections 5.2 and 5.3). An indirect list is refused.
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
        let understood = match &entries {
            Some(entries) => check_entries(entries, version)?,
            None => true,
        };
        let (scope, complete) = read_extensions(extensions, version)?;
        Ok(Self {
            tbs: place(der, tbs.raw),
            entries: place(der, entries.map_or(&[], |entries| entries.content)),
            issuer,
            scope,
            incomplete: !(understood && complete),
            freshness,
            algorithm: algorithm(&identifier)?,
            signature,
            tried: Mutex::default(),
            der: der.to_vec(),
        })
    }

    pub(super) fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// Whether this list speaks about `certificate` at `at`, by name, scope and time.
    pub(super) fn is_about(&self, certificate: &Certificate, at: Timestamp) -> bool {
        self.freshness.includes(at)
            && self.issuer == certificate.issuer().normal()
            && self.scope.reasons_for(certificate) != 0
    }

    /// For which reasons `certificate`, which it is about, would stand in it.
    pub(super) fn reasons_for(&self, certificate: &Certificate) -> u16 {
        if self.incomplete {
            0
        } else {
            self.scope.reasons_for(certificate)
        }
    }

    /// Whether the key of `authority` signed it, and may (RFC 5280 section 6.3.3 (f) and (g)).
    pub(super) fn signed_by(&self, authority: &Certificate) -> bool {
        let usage = authority.extensions().key_usage;
        if usage.is_some_and(|bits| bits & key_usage::CRL_SIGN == 0) || authority.has_weak_key() {
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

    /// How many keys were tried.
    #[cfg(test)]
    pub(super) fn keys_tried(&self) -> usize {
        self.tried.lock().map_or(0, |tried| tried.len())
    }

    /// When the certificate with this serial number was revoked, if it was.
    pub(super) fn revoked(&self, serial: &[u8]) -> Option<Timestamp> {
        let mut entries = Reader::new(self.der.get(self.entries.clone()).unwrap_or_default());
        let wanted = number(serial);
        while let Ok(entry) = entries.any() {
            let mut fields = entry.inside();
            if fields
                .any()
                .is_ok_and(|found| number(found.content) == wanted)
            {
                let date = fields.any().and_then(|element| element.time()).ok()?;
                let reason = read_entry(&mut fields).ok()?.reason;
                if reason != Some(REMOVED) {
                    return Some(date);
                }
            }
        }
        None
    }
}

/// Where `part` lies in `whole`, which it was cut out of.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    if part.is_empty() {
        return 0..0;
    }
    start..start.saturating_add(part.len())
}

/// Content octets of an INTEGER without leading zeros: some writers add one, or leave it out.
fn number(content: &[u8]) -> &[u8] {
    let skip = content.iter().take_while(|octet| **octet == 0).count();
    content.get(skip..).unwrap_or_default()
}

pub(super) fn algorithm(
    identifier: &AlgorithmIdentifier,
) -> Result<SignatureAlgorithm, RevocationError> {
    let found = SignatureAlgorithm::from_algorithm_identifier(
        &identifier.oid,
        identifier.parameters.as_deref(),
    );
    match found {
        Ok(algorithm) if algorithm.row().reading == Standing::Accept => Ok(algorithm),
        Ok(_) | Err(_) => Err(RevocationError::Unsupported("a weak or unknown signature")),
    }
}

/// Every entry must be readable; gives whether all are understood.
fn check_entries(entries: &Element<'_>, version: u32) -> Result<bool, RevocationError> {
    let mut entries = entries.inside();
    let mut understood = true;
    while !entries.is_empty() {
        let mut fields = entries.expect(tag::SEQUENCE)?.inside();
        fields.expect(tag::INTEGER)?;
        fields.any()?.time()?;
        if version == 0 && !fields.is_empty() {
            return Err(RevocationError::Malformed("extensions without version 2"));
        }
        understood &= read_entry(&mut fields)?.understood;
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
    understood: bool,
}

/// Reads the extensions of an entry. One by another issuer belongs to an indirect list (RFC 5280 section 5.3.3).
fn read_entry(fields: &mut Reader<'_>) -> Result<Entry, RevocationError> {
    let mut entry = Entry {
        reason: None,
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
            CERTIFICATE_ISSUER => return Err(RevocationError::Unsupported("an indirect list")),
            _ => entry.understood &= !critical,
        }
    }
    Ok(entry)
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

/// crlExtensions (RFC 5280 section 5.2): the scope, and whether the list is a complete one that we understand. Lists of version 1
/// have none and are about all certificates of their issuer.
fn read_extensions(
    element: Option<Element<'_>>,
    version: u32,
) -> Result<(Scope, bool), RevocationError> {
    let Some(element) = element else {
        return Ok((Scope::default(), version == 0));
    };
    if version == 0 {
        return Err(RevocationError::Malformed("extensions without version 2"));
    }
    let (mut scope, mut complete) = (Scope::default(), true);
    let (mut seen, mut numbered) = (Vec::new(), false);
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
            // cRLNumber (section 5.2.3): there and not critical.
            "2.5.29.20" => numbered = !critical,
            // deltaCRLIndicator (section 5.2.4).
            "2.5.29.27" => complete = false,
            "2.5.29.28" => scope = Scope::read(value)?,
            _ => complete &= !critical,
        }
    }
    if scope.indirect {
        return Err(RevocationError::Unsupported("an indirect list"));
    }
    Ok((scope, complete && numbered))
}
