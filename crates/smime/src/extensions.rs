//! The extensions of a certificate that we obey (RFC 5280 section 4.2); unknown critical ones are remembered.

use const_oid::ObjectIdentifier;

use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::limits;
use crate::revocation::{DistributionPoint, read_points};

/// keyUsage bits (RFC 5280 section 4.2.1.3), the first bit lowest.
pub mod key_usage {
    /// Signatures on mail.
    pub const DIGITAL_SIGNATURE: u16 = 1;
    /// Signatures on mail, once called nonRepudiation.
    pub const CONTENT_COMMITMENT: u16 = 1 << 1;
    /// Encrypting content keys with RSA.
    pub const KEY_ENCIPHERMENT: u16 = 1 << 2;
    /// Encrypting content keys with Diffie-Hellman.
    pub const KEY_AGREEMENT: u16 = 1 << 4;
    /// Signing certificates.
    pub const CERT_SIGN: u16 = 1 << 5;
    /// Signing revocation lists.
    pub const CRL_SIGN: u16 = 1 << 6;
}

/// A GeneralName (RFC 5280 section 4.2.1.6) of a kind that occurs in mail and in constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GeneralName {
    /// rfc822Name.
    Mailbox(String),
    /// SmtpUTF8Mailbox (RFC 9598).
    SmtpUtf8(String),
    /// dNSName.
    Dns(String),
    /// directoryName: the whole Name element.
    Directory(Vec<u8>),
    /// uniformResourceIdentifier.
    Uri(String),
    /// iPAddress, with mask in constraints.
    Ip(Vec<u8>),
    /// Another kind, by its tag octet.
    Other(u8),
}

/// basicConstraints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether it may sign certificates.
    pub ca: bool,
    /// Most intermediate certificates that may follow.
    pub path_length: Option<u32>,
}

/// nameConstraints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// Names must lie in one of these, per kind.
    pub permitted: Vec<GeneralName>,
    /// Names must lie in none of these.
    pub excluded: Vec<GeneralName>,
}

/// policyConstraints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyConstraints {
    /// requireExplicitPolicy.
    pub require_explicit: Option<u32>,
    /// inhibitPolicyMapping.
    pub inhibit_mapping: Option<u32>,
}

/// What the extensions say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// keyUsage bits.
    pub key_usage: Option<u16>,
    /// extKeyUsage purposes.
    pub purposes: Option<Vec<ObjectIdentifier>>,
    /// basicConstraints.
    pub basic: Option<BasicConstraints>,
    /// subjectKeyIdentifier.
    pub subject_key_id: Option<Vec<u8>>,
    /// keyIdentifier of authorityKeyIdentifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// subjectAltName.
    pub subject_alt_names: Option<Vec<GeneralName>>,
    /// nameConstraints.
    pub name_constraints: Option<NameConstraints>,
    /// certificatePolicies, their identifiers.
    pub policies: Option<Vec<ObjectIdentifier>>,
    /// policyMappings: issuer's and subject's policy.
    pub policy_mappings: Vec<(ObjectIdentifier, ObjectIdentifier)>,
    /// policyConstraints.
    pub policy_constraints: PolicyConstraints,
    /// inhibitAnyPolicy.
    pub inhibit_any_policy: Option<u32>,
    /// Whether cRLDistributionPoints or an OCSP responder is named, readable or not.
    pub names_revocation: bool,
    /// cRLDistributionPoints.
    pub distribution_points: Vec<DistributionPoint>,
    /// Addresses of OCSP responders (authorityInfoAccess).
    pub responders: Vec<String>,
    /// Whether the revocation of this OCSP responder need not be asked (RFC 6960 section 4.2.2.2.1).
    pub ocsp_no_check: bool,
    /// Critical extensions we do not process: no path goes through them.
    pub unknown_critical: Vec<ObjectIdentifier>,
    /// Whether subjectAltName is critical.
    pub critical_alt_names: bool,
    /// Whether basicConstraints is critical.
    pub critical_basic: bool,
    /// Whether nameConstraints is critical.
    pub critical_name_constraints: bool,
    /// Whether an extension is marked critical that must not be, or the other way round.
    pub wrongly_marked: bool,
}

const SMTP_UTF8_MAILBOX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.9");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");

impl Extensions {
    /// Reads an Extensions element. An extension that occurs twice is an error (RFC 5280 section 4.2, row X6).
    pub fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        let mut found = Self::default();
        let mut seen: Vec<ObjectIdentifier> = Vec::new();
        for element in asn1::read_only(der, tag::SEQUENCE)?.inside().all()? {
            let mut inside = element.inside();
            let kind = inside.expect(tag::OID)?.oid()?;
            let critical = inside
                .optional(tag::BOOLEAN)?
                .map_or(Ok(false), |e| e.boolean())?;
            let value = inside.expect(tag::OCTET_STRING)?.content;
            inside.finish()?;
            if seen.contains(&kind) {
                return Err(Asn1Error("an extension occurs twice"));
            }
            seen.push(kind);
            if seen.len() > limits::EXTENSIONS {
                return Err(Asn1Error("too many extensions"));
            }
            let known = found.take(&kind, value)?;
            found.critical_alt_names |= critical && kind == SUBJECT_ALT_NAME;
            found.critical_basic |= critical && kind == BASIC_CONSTRAINTS;
            found.critical_name_constraints |= critical && kind == NAME_CONSTRAINTS;
            found.wrongly_marked |= must_be_critical(&kind).is_some_and(|must| must != critical);
            if critical && !known {
                found.unknown_critical.push(kind);
            }
        }
        Ok(found)
    }

    /// Stores one extension; false if we do not process it.
    fn take(&mut self, kind: &ObjectIdentifier, value: &[u8]) -> Result<bool, Asn1Error> {
        match kind.to_string().as_str() {
            "2.5.29.14" => {
                self.subject_key_id =
                    Some(asn1::read_only(value, tag::OCTET_STRING)?.content.to_vec())
            }
            "2.5.29.15" => self.key_usage = Some(read_key_usage(value)?),
            "2.5.29.17" => {
                self.subject_alt_names =
                    Some(read_names(asn1::read_only(value, tag::SEQUENCE)?.inside())?)
            }
            "2.5.29.19" => self.basic = Some(read_basic(value)?),
            "2.5.29.30" => self.name_constraints = Some(read_constraints(value)?),
            "2.5.29.31" => {
                self.names_revocation = true;
                self.distribution_points = read_points(value).unwrap_or_default();
            }
            "2.5.29.32" => self.policies = Some(read_policies(value)?),
            "2.5.29.33" => self.policy_mappings = read_mappings(value)?,
            "2.5.29.35" => self.authority_key_id = read_authority_key_id(value)?,
            "2.5.29.36" => self.policy_constraints = read_policy_constraints(value)?,
            "2.5.29.37" => self.purposes = Some(read_purposes(value)?),
            "2.5.29.54" => {
                self.inhibit_any_policy = Some(asn1::read_only(value, tag::INTEGER)?.small()?)
            }
            "1.3.6.1.5.5.7.48.1.5" => self.ocsp_no_check = true,
            "1.3.6.1.5.5.7.1.1" => {
                self.responders = read_responders(value)?;
                self.names_revocation |= !self.responders.is_empty();
                return Ok(false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What RFC 5280 sections 4.2 and 5.2 say about the criticality of an extension, where we insist on it. Name constraints
/// may be marked either way: public authorities leave them non-critical for the sake of old clients.
fn must_be_critical(kind: &ObjectIdentifier) -> Option<bool> {
    match kind.to_string().as_str() {
        "2.5.29.14" | "2.5.29.35" | "1.3.6.1.5.5.7.1.1" => Some(false),
        "2.5.29.36" | "2.5.29.54" => Some(true),
        _ => None,
    }
}

fn read_key_usage(value: &[u8]) -> Result<u16, Asn1Error> {
    read_bits(asn1::read_only(value, tag::BIT_STRING)?.content)
}

/// Content octets of a BIT STRING with names for its bits, the first bit lowest. Some programs write zeros behind the last name.
pub(crate) fn read_bits(content: &[u8]) -> Result<u16, Asn1Error> {
    let octets = match content {
        [0..=7, octets @ ..] if octets.iter().skip(2).all(|octet| *octet == 0) => octets,
        _ => return Err(Asn1Error("a list of bits")),
    };
    let bits = octets
        .iter()
        .zip([0u32, 8])
        .map(|(octet, shift)| u16::from(octet.reverse_bits()) << shift);
    Ok(bits.fold(0, |all, some| all | some))
}

fn read_basic(value: &[u8]) -> Result<BasicConstraints, Asn1Error> {
    let mut inside = asn1::read_only(value, tag::SEQUENCE)?.inside();
    let ca = inside
        .optional(tag::BOOLEAN)?
        .map_or(Ok(false), |e| e.boolean())?;
    let path_length = inside
        .optional(tag::INTEGER)?
        .map(|e| e.small())
        .transpose()?;
    inside.finish()?;
    Ok(BasicConstraints { ca, path_length })
}

fn read_purposes(value: &[u8]) -> Result<Vec<ObjectIdentifier>, Asn1Error> {
    let purposes = asn1::read_only(value, tag::SEQUENCE)?.inside().all()?;
    if purposes.is_empty() {
        return Err(Asn1Error("an empty extended key usage"));
    }
    purposes.iter().map(Element::oid).collect()
}

fn read_authority_key_id(value: &[u8]) -> Result<Option<Vec<u8>>, Asn1Error> {
    let mut inside = asn1::read_only(value, tag::SEQUENCE)?.inside();
    Ok(inside
        .optional(tag::context(0))?
        .map(|element| element.content.to_vec()))
}

/// The OCSP responders of authorityInfoAccess (RFC 5280 section 4.2.2.1); one that is named otherwise than by URI counts too.
fn read_responders(value: &[u8]) -> Result<Vec<String>, Asn1Error> {
    let mut found = Vec::new();
    for access in asn1::read_only(value, tag::SEQUENCE)?.inside().all()? {
        let mut inside = access.inside();
        if inside.expect(tag::OID)?.oid()? == OCSP {
            found.push(match read_name(&inside.any()?)? {
                GeneralName::Uri(text) => text,
                _ => String::new(),
            });
        }
    }
    Ok(found)
}

fn read_policies(value: &[u8]) -> Result<Vec<ObjectIdentifier>, Asn1Error> {
    let mut policies = Vec::new();
    for element in asn1::read_only(value, tag::SEQUENCE)?.inside().all()? {
        let policy = element.inside().expect(tag::OID)?.oid()?;
        if policies.contains(&policy) || policies.len() >= limits::POLICIES {
            return Err(Asn1Error("policies"));
        }
        policies.push(policy);
    }
    // SIZE (1..MAX).
    if policies.is_empty() {
        return Err(Asn1Error("policies"));
    }
    Ok(policies)
}

fn read_mappings(value: &[u8]) -> Result<Vec<(ObjectIdentifier, ObjectIdentifier)>, Asn1Error> {
    let elements = asn1::read_only(value, tag::SEQUENCE)?.inside().all()?;
    if elements.len() > limits::POLICIES {
        return Err(Asn1Error("policy mappings"));
    }
    let pair = |element: &Element<'_>| {
        let mut inside = element.inside();
        Ok((
            inside.expect(tag::OID)?.oid()?,
            inside.expect(tag::OID)?.oid()?,
        ))
    };
    elements.iter().map(pair).collect()
}

fn read_policy_constraints(value: &[u8]) -> Result<PolicyConstraints, Asn1Error> {
    let mut inside = asn1::read_only(value, tag::SEQUENCE)?.inside();
    let mut number = |n: u8| -> Result<Option<u32>, Asn1Error> {
        let element = inside.optional(tag::context(n))?;
        element
            .map(|e| {
                Element {
                    tag: tag::INTEGER,
                    ..e
                }
                .small()
            })
            .transpose()
    };
    let found = PolicyConstraints {
        require_explicit: number(0)?,
        inhibit_mapping: number(1)?,
    };
    inside.finish()?;
    Ok(found)
}

fn read_constraints(value: &[u8]) -> Result<NameConstraints, Asn1Error> {
    let mut inside = asn1::read_only(value, tag::SEQUENCE)?.inside();
    let mut trees = |n: u8| -> Result<Vec<GeneralName>, Asn1Error> {
        let Some(list) = inside.optional(tag::context_constructed(n))? else {
            return Ok(Vec::new());
        };
        let subtree = |element: &Element<'_>| {
            let mut inside = element.inside();
            let base = read_name(&inside.any()?)?;
            // RFC 5280 section 4.2.1.10: minimum is zero (the default), maximum absent.
            inside.finish()?;
            Ok(base)
        };
        list.inside().all()?.iter().map(subtree).collect()
    };
    let found = NameConstraints {
        permitted: trees(0)?,
        excluded: trees(1)?,
    };
    inside.finish()?;
    Ok(found)
}

pub(crate) fn read_names(reader: Reader<'_>) -> Result<Vec<GeneralName>, Asn1Error> {
    let elements = reader.all()?;
    if elements.len() > limits::GENERAL_NAMES {
        return Err(Asn1Error("too many names"));
    }
    elements.iter().map(read_name).collect()
}

fn read_name(element: &Element<'_>) -> Result<GeneralName, Asn1Error> {
    // IA5String: octets above 127 are kept as replacement characters, so that they can equal nothing.
    let text = || String::from_utf8_lossy(element.content).into_owned();
    Ok(match element.tag {
        0x81 => GeneralName::Mailbox(if element.content.is_ascii() {
            text()
        } else {
            "\u{fffd}".into()
        }),
        0x82 => GeneralName::Dns(text()),
        0xa4 => GeneralName::Directory(element.content.to_vec()),
        0x86 => GeneralName::Uri(text()),
        0x87 => GeneralName::Ip(element.content.to_vec()),
        0xa0 => read_other_name(element)?,
        other => GeneralName::Other(other),
    })
}

fn read_other_name(element: &Element<'_>) -> Result<GeneralName, Asn1Error> {
    let mut inside = element.inside();
    let kind = inside.expect(tag::OID)?.oid()?;
    let value = inside.expect(tag::context_constructed(0))?.content;
    inside.finish()?;
    if kind != SMTP_UTF8_MAILBOX {
        return Ok(GeneralName::Other(element.tag));
    }
    let text = asn1::read_only(value, tag::UTF8_STRING)?.content.to_vec();
    String::from_utf8(text)
        .map(GeneralName::SmtpUtf8)
        .map_err(|_| Asn1Error("SmtpUTF8Mailbox"))
}
