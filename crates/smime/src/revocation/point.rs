//! Where a revocation list lies and what it is about: cRLDistributionPoints in certificates (RFC 5280 section 4.2.1.13) and
//! issuingDistributionPoint in lists (section 5.2.5).

use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::certificate::Certificate;
use crate::extensions::{GeneralName, read_bits, read_names};
use crate::limits;
use crate::name::DistinguishedName;

/// All reasons of RFC 5280 section 4.2.1.13, keyCompromise to aACompromise, as bits.
pub(super) const ALL_REASONS: u16 = 0b1_1111_1110;

/// A name in the form in which names are compared.
pub(crate) type Name = Vec<Vec<u8>>;

/// DistributionPointName.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointName {
    /// fullName: names for one and the same list.
    pub full: Vec<GeneralName>,
    /// nameRelativeToCRLIssuer: a whole SET element.
    pub relative: Option<Vec<u8>>,
}

/// One distribution point of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributionPoint {
    /// Its names.
    pub name: PointName,
    /// For which reasons its list speaks, as bits: all where it is not said.
    pub reasons: u16,
    /// Who signs the list (cRLIssuer); the certificate's issuer where it is not said.
    pub issuers: Vec<GeneralName>,
}

impl DistributionPoint {
    /// Who signs the list, in comparison form, where that is said.
    pub(crate) fn issuer_names(&self) -> Vec<Name> {
        let name = |name: &GeneralName| match name {
            GeneralName::Directory(der) => DistinguishedName::from_der(der).ok(),
            _ => None,
        };
        let names = self.issuers.iter().filter_map(name);
        names.map(|name| name.normal()).collect()
    }

    /// The list's addresses.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.name.full.iter().filter_map(|name| match name {
            GeneralName::Uri(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

/// Reads the value of cRLDistributionPoints.
pub(crate) fn read_points(value: &[u8]) -> Result<Vec<DistributionPoint>, Asn1Error> {
    let elements = asn1::read_only(value, tag::SEQUENCE)?.inside().all()?;
    if elements.len() > limits::DISTRIBUTION_POINTS {
        return Err(Asn1Error("too many distribution points"));
    }
    elements.iter().map(read_point).collect()
}

fn read_point(element: &Element<'_>) -> Result<DistributionPoint, Asn1Error> {
    let mut inside = element.inside();
    let name = read_point_name(inside.optional(tag::context_constructed(0))?)?;
    let reasons = inside.optional(tag::context(1))?;
    let reasons = reasons.map_or(Ok(ALL_REASONS), |e| read_bits(e.content))?;
    let issuers = match inside.optional(tag::context_constructed(2))? {
        None => Vec::new(),
        Some(names) if names.content.is_empty() => return Err(Asn1Error("a list by nobody")),
        Some(names) => read_names(names.inside())?,
    };
    inside.finish()?;
    Ok(DistributionPoint {
        name,
        reasons,
        issuers,
    })
}

fn read_point_name(element: Option<Element<'_>>) -> Result<PointName, Asn1Error> {
    let Some(element) = element else {
        return Ok(PointName::default());
    };
    let mut inside = element.inside();
    let choice = inside.any()?;
    inside.finish()?;
    if choice.tag == tag::context_constructed(0) {
        Ok(PointName {
            full: read_names(choice.inside())?,
            relative: None,
        })
    } else if choice.tag == tag::context_constructed(1) {
        Ok(PointName {
            full: Vec::new(),
            relative: Some(asn1::tlv(tag::SET, choice.content)),
        })
    } else {
        Err(Asn1Error("a distribution point without name"))
    }
}

/// What a list is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    name: Option<PointName>,
    only_users: bool,
    only_authorities: bool,
    only_attributes: bool,
    only_reasons: Option<u16>,
    pub(super) indirect: bool,
}

impl Scope {
    /// Reads the value of issuingDistributionPoint.
    pub(super) fn read(value: &[u8]) -> Result<Self, Asn1Error> {
        let mut inside = asn1::read_only(value, tag::SEQUENCE)?.inside();
        let name = inside.optional(tag::context_constructed(0))?;
        let name = name.map(|name| read_point_name(Some(name))).transpose()?;
        let (only_users, only_authorities) = (flag(&mut inside, 1)?, flag(&mut inside, 2)?);
        let only_reasons = inside.optional(tag::context(3))?;
        let only_reasons = only_reasons.map(|e| read_bits(e.content)).transpose()?;
        let (indirect, only_attributes) = (flag(&mut inside, 4)?, flag(&mut inside, 5)?);
        inside.finish()?;
        Ok(Self {
            name,
            only_users,
            only_authorities,
            only_attributes,
            only_reasons,
            indirect,
        })
    }

    /// For which reasons a list by `issuer` speaks about `certificate`, none if it does not (RFC 5280 section 6.3.3 (b) and (d)).
    pub(super) fn reasons_for(&self, certificate: &Certificate, issuer: &Name) -> u16 {
        let authority = certificate.is_authority();
        let other_kind = self.only_attributes
            || self.only_users && authority
            || self.only_authorities && !authority;
        if other_kind {
            return 0;
        }
        let points = certificate.extensions().distribution_points.iter();
        let own = certificate.issuer().normal() == *issuer;
        let named = points
            .filter(|point| self.lies_at(point, own, issuer))
            .fold(0, |all, point| all | point.reasons);
        let general = if own && self.is_general(issuer) {
            ALL_REASONS
        } else {
            0
        };
        (named | general) & self.only_reasons.unwrap_or(ALL_REASONS) & ALL_REASONS
    }

    /// A list of its own name speaks only about certificates that name it: an authority may spread its certificates over many
    /// lists. `own` says whether `issuer`, whose list it is, made the certificate.
    fn lies_at(&self, point: &DistributionPoint, own: bool, issuer: &Name) -> bool {
        let by_the_right_one = match point.issuers.as_slice() {
            [] => own,
            _ => self.indirect && point.issuer_names().contains(issuer),
        };
        let Some(name) = &self.name else {
            return by_the_right_one;
        };
        let named = if point.name == PointName::default() {
            comparable_names(&point.issuers)
        } else {
            comparable(&point.name, issuer)
        };
        let own_names = comparable(name, issuer);
        by_the_right_one && named.iter().any(|name| own_names.contains(name))
    }

    /// The end of section 6.3.3: whatever points a certificate names, a list without a name, or of the issuer's name, is about it.
    fn is_general(&self, issuer: &Name) -> bool {
        let names = self.name.as_ref().map(|name| comparable(name, issuer));
        names.is_none_or(|names| names.contains(&Comparable::Name(issuer.clone())))
    }
}

/// A name of a list in the form in which names are compared.
#[derive(PartialEq, Eq)]
enum Comparable {
    Name(Name),
    Other(GeneralName),
}

/// The `[n]` IMPLICIT BOOLEAN that stands next, false where absent.
fn flag(reader: &mut Reader<'_>, n: u8) -> Result<bool, Asn1Error> {
    let element = reader.optional(tag::context(n))?;
    element.map_or(Ok(false), |e| {
        Element {
            tag: tag::BOOLEAN,
            ..e
        }
        .boolean()
    })
}

/// The names of a point; one that is relative lies below the name of the list's `issuer`.
fn comparable(name: &PointName, issuer: &Name) -> Vec<Comparable> {
    let mut all = comparable_names(&name.full);
    if let Some(set) = &name.relative
        && let Ok(part) = DistinguishedName::from_der(&asn1::sequence(&[set]))
    {
        all.push(Comparable::Name([issuer.clone(), part.normal()].concat()));
    }
    all
}

fn comparable_names(names: &[GeneralName]) -> Vec<Comparable> {
    let comparable = |name: &GeneralName| match name {
        GeneralName::Directory(der) => DistinguishedName::from_der(der).map_or_else(
            |_| Comparable::Other(name.clone()),
            |name| Comparable::Name(name.normal()),
        ),
        other => Comparable::Other(other.clone()),
    };
    names.iter().map(comparable).collect()
}
