//! Where a revocation list lies and what it is about: cRLDistributionPoints in certificates (RFC 5280 section 4.2.1.13) and
//! issuingDistributionPoint in lists (section 5.2.5).

use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::certificate::Certificate;
use crate::extensions::{GeneralName, read_bits, read_names};
use crate::limits;
use crate::name::DistinguishedName;

/// All reasons of RFC 5280 section 4.2.1.13, keyCompromise to aACompromise, as bits.
pub(super) const ALL_REASONS: u16 = 0b1_1111_1110;

/// DistributionPointName.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointName {
    /// fullName: names for one and the same list.
    pub full: Vec<GeneralName>,
    /// nameRelativeToCRLIssuer: a whole SET element.
    pub relative: Option<Vec<u8>>,
}

/// One distribution point of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistributionPoint {
    /// Its names.
    pub name: PointName,
    /// Whether somebody else than the certificate's issuer signs the list (cRLIssuer).
    pub indirect: bool,
}

impl DistributionPoint {
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
    inside.optional(tag::context(1))?;
    let indirect = inside.optional(tag::context_constructed(2))?.is_some();
    inside.finish()?;
    Ok(DistributionPoint { name, indirect })
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

    /// For which reasons the list speaks about `certificate`, none if it does not (RFC 5280 section 6.3.3 (b) (2) and (d)).
    pub(super) fn reasons_for(&self, certificate: &Certificate) -> u16 {
        let authority = certificate.is_authority();
        let other_kind = self.only_attributes
            || self.only_users && authority
            || self.only_authorities && !authority;
        if other_kind || !self.is_named_by(certificate) {
            return 0;
        }
        self.only_reasons.unwrap_or(ALL_REASONS) & ALL_REASONS
    }

    /// A list that lies at a point of its own speaks only about certificates that name this point: an authority may spread its
    /// certificates over many lists.
    fn is_named_by(&self, certificate: &Certificate) -> bool {
        let Some(own) = &self.name else { return true };
        let own = comparable(own, certificate.issuer_der());
        let points = certificate.extensions().distribution_points.iter();
        points
            .filter(|point| !point.indirect)
            .flat_map(|point| comparable(&point.name, certificate.issuer_der()))
            .any(|name| own.contains(&name))
    }
}

/// A name of a list in the form in which names are compared.
#[derive(PartialEq, Eq)]
enum Comparable {
    Name(Vec<Vec<u8>>),
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

fn comparable(name: &PointName, issuer: &[u8]) -> Vec<Comparable> {
    let mut all: Vec<Comparable> = name
        .full
        .iter()
        .map(|name| match name {
            GeneralName::Directory(der) => DistinguishedName::from_der(der).map_or_else(
                |_| Comparable::Other(name.clone()),
                |name| Comparable::Name(name.normal()),
            ),
            other => Comparable::Other(other.clone()),
        })
        .collect();
    if let Some(set) = &name.relative
        && let Ok(issuer) = asn1::read_only(issuer, tag::SEQUENCE)
        && let Ok(whole) = DistinguishedName::from_der(&asn1::sequence(&[issuer.content, set]))
    {
        all.push(Comparable::Name(whole.normal()));
    }
    all
}
