//! What makes a chain of certificates a good path: RFC 5280 section 6.1, and the rules for the single certificate.

use const_oid::ObjectIdentifier;
use sealgate_mail::Timestamp;

use super::{PathFailure, constraints, policy};
use crate::algorithms::{PublicKeyKind, SignatureAlgorithm, Switches};
use crate::certificate::Certificate;
use crate::extensions::key_usage;
use crate::limits;

/// What a path is judged under.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) at: Timestamp,
    /// What every authority below the anchor must be allowed to vouch for.
    pub(super) purpose: Option<ObjectIdentifier>,
    /// Whether the duties of authorities count too, see [`super::PathFinder::conforming`].
    pub(super) conforming: bool,
    /// What is let in beyond the accepted algorithms.
    pub(super) switches: Switches,
}

/// RFC 5280 section 6.1, from the anchor down. `chain` begins with the leaf and ends with the anchor; `comparisons` counts what
/// name constraints cost.
pub(super) fn judge_chain(
    chain: &[&Certificate],
    terms: &Terms,
    comparisons: &mut usize,
) -> Result<(), PathFailure> {
    let mut names = constraints::Checker::new(comparisons);
    let mut policies = policy::State::new(chain.len());
    let mut path_length: Option<u32> = None;
    for (below, certificate) in chain.iter().enumerate().rev() {
        let is_anchor = below.saturating_add(1) == chain.len();
        let (is_leaf, self_issued) = (below == 0, certificate.self_issued());
        judge_curve(certificate, terms.switches)?;
        if !is_anchor {
            judge_signature(certificate, terms.switches)?;
            if !self_issued || is_leaf {
                names.check(certificate).map_err(PathFailure::Rule)?;
            }
            policies
                .take(certificate, is_leaf)
                .map_err(PathFailure::Rule)?;
        }
        judge_form(certificate)?;
        if terms.conforming {
            judge_duties(certificate, is_anchor)?;
        }
        if is_leaf {
            continue;
        }
        judge_authority(certificate, is_anchor, terms)?;
        if !is_anchor && !self_issued {
            path_length = one_less(path_length)?;
        }
        let own = certificate
            .extensions()
            .basic
            .and_then(|basic| basic.path_length);
        path_length = [path_length, own].into_iter().flatten().min();
        if let Some(constraints) = &certificate.extensions().name_constraints {
            names.add(constraints);
        }
        if !is_anchor {
            policies
                .prepare_next(certificate)
                .map_err(PathFailure::Rule)?;
        }
    }
    policies
        .wrap_up(chain.first().copied())
        .map_err(PathFailure::Rule)?;
    // Time last: an expired chain is one that was good.
    judge_time(chain, terms.at)
}

/// RFC 5280 section 6.1.4 (l).
fn one_less(path_length: Option<u32>) -> Result<Option<u32>, PathFailure> {
    match path_length {
        Some(0) => Err(PathFailure::Rule(
            "the path is longer than an authority allows",
        )),
        Some(left) => Ok(left.checked_sub(1)),
        None => Ok(None),
    }
}

fn judge_time(chain: &[&Certificate], at: Timestamp) -> Result<(), PathFailure> {
    if chain
        .iter()
        .any(|certificate| at < certificate.not_before())
    {
        return Err(PathFailure::NotYetValid);
    }
    if chain.iter().any(|certificate| at > certificate.not_after()) {
        return Err(PathFailure::Expired);
    }
    Ok(())
}

/// How the certificate is signed.
fn judge_signature(certificate: &Certificate, switches: Switches) -> Result<(), PathFailure> {
    let (_, algorithm, _) = certificate.signed_parts();
    let found = SignatureAlgorithm::from_algorithm_identifier(
        &algorithm.oid,
        algorithm.parameters.as_deref(),
    );
    match found {
        Ok(algorithm) if switches.allow(algorithm.row().reading) => Ok(()),
        Ok(_) | Err(_) => Err(PathFailure::Weak),
    }
}

/// The curve of its key; an anchor's key signs what is below it, so that it counts there too.
fn judge_curve(certificate: &Certificate, switches: Switches) -> Result<(), PathFailure> {
    match certificate.key_kind() {
        Some(PublicKeyKind::Ec(curve)) if !switches.allow(curve.row().reading) => {
            Err(PathFailure::Rule("a key on a curve that is not allowed"))
        }
        _ => Ok(()),
    }
}

/// The first rule of a table that is broken.
fn first_broken<const N: usize>(rules: [(bool, &'static str); N]) -> Result<(), PathFailure> {
    match rules.into_iter().find(|(broken, _)| *broken) {
        Some((_, rule)) => Err(PathFailure::Rule(rule)),
        None => Ok(()),
    }
}

/// The rules for single certificates whose breach makes a certificate suspect (RFC 5280 sections 4.1.2 and 4.2).
fn judge_form(certificate: &Certificate) -> Result<(), PathFailure> {
    let extensions = certificate.extensions();
    let authority = certificate.is_authority();
    let signs = extensions
        .key_usage
        .is_some_and(|bits| bits & key_usage::CERT_SIGN != 0);
    let nameless = certificate.subject().is_empty();
    first_broken([
        (
            !extensions.unknown_critical.is_empty(),
            "a critical extension is not known",
        ),
        (
            extensions.wrongly_marked,
            "an extension is wrongly marked critical or not critical",
        ),
        (
            !authority && extensions.name_constraints.is_some(),
            "name constraints outside an authority's certificate",
        ),
        (
            !authority && signs,
            "a certificate that is no authority's may sign certificates",
        ),
        (
            certificate.issuer().is_empty() || authority && nameless,
            "an authority without a name",
        ),
        (
            nameless && !extensions.critical_alt_names,
            "no subject, and subjectAltName is not critical",
        ),
        (
            serial_octets(certificate.serial()) > limits::SERIAL_OCTETS,
            "the serial number is too long",
        ),
    ])
}

/// Octets of the number itself: one whose first bit is set has a zero octet before it on the wire.
fn serial_octets(content: &[u8]) -> usize {
    match content {
        [0, rest @ ..] => rest.len(),
        all => all.len(),
    }
}

/// What RFC 5280 asks of authorities when they write certificates, and what users can do without (sections 4.2.1.1, 4.2.1.2, 4.2.1.9,
/// 4.2.1.10 and 4.1.2.2).
fn judge_duties(certificate: &Certificate, is_anchor: bool) -> Result<(), PathFailure> {
    let extensions = certificate.extensions();
    let authority = certificate.is_authority();
    first_broken([
        (
            extensions.authority_key_id.is_none() && !is_anchor,
            "no authority key identifier",
        ),
        (
            authority && extensions.subject_key_id.is_none(),
            "no subject key identifier",
        ),
        (
            authority && !extensions.critical_basic,
            "basic constraints are not critical",
        ),
        (
            extensions.name_constraints.is_some() && !extensions.critical_name_constraints,
            "name constraints are not critical",
        ),
        (
            certificate.serial().iter().all(|octet| *octet == 0),
            "the serial number is zero",
        ),
    ])
}

/// RFC 5280 section 6.1.4 (k) and (n), and that the authority may vouch for mail at all.
fn judge_authority(
    certificate: &Certificate,
    is_anchor: bool,
    terms: &Terms,
) -> Result<(), PathFailure> {
    let extensions = certificate.extensions();
    // RFC 5280 section 6.1.4 (k): versions without extensions are authorities only by other means, as an anchor is.
    let by_agreement = is_anchor && certificate.version() < 3;
    if !certificate.is_authority() && !by_agreement {
        return Err(PathFailure::Rule(
            "a certificate of the chain is no authority's",
        ));
    }
    if extensions
        .key_usage
        .is_some_and(|bits| bits & key_usage::CERT_SIGN == 0)
    {
        return Err(PathFailure::Rule("an authority may not sign certificates"));
    }
    if terms
        .purpose
        .is_some_and(|purpose| !certificate.allows(&purpose))
    {
        return Err(PathFailure::Rule("an authority may not vouch for this use"));
    }
    if certificate.has_weak_key() {
        Err(PathFailure::Weak)
    } else {
        Ok(())
    }
}
