//! The public trust anchors: Mozilla's roots with the e-mail trust bit.
//!
//! They come from the crate `certval_stores_mozilla`, which is made from the report of the Common CA Database that
//! Mozilla publishes; a new version of that crate brings new roots, nothing is fetched at run time.

use certval_stores_mozilla::{MozillaRoot, ROOTS};
use sealgate_mail::Timestamp;

use crate::certificate::Certificate;
use crate::path::{TrustAnchor, TrustAnchors};

/// Mozilla's roots that may vouch for mail, each with the date after which Mozilla distrusts certificates issued under it. Reading
/// them costs some milliseconds: keep the result, it is shared by cloning.
pub fn mozilla_email() -> TrustAnchors {
    ROOTS.iter().filter_map(anchor).collect()
}

/// A root that cannot be read, or that Mozilla trusts only within limits we cannot keep, is none of ours.
fn anchor(root: &MozillaRoot) -> Option<TrustAnchor> {
    let unlimited = root
        .mozilla_applied_constraints
        .is_none_or(|text| text == NO_CONSTRAINTS);
    if !root.email || !unlimited {
        return None;
    }
    let distrust_after = match root.distrust_for_smime_after {
        Some(day) => Some(end_of(day)?),
        None => None,
    };
    Some(TrustAnchor {
        certificate: Certificate::from_der(root.der).ok()?,
        distrust_after,
    })
}

/// How the report says that it could name constraints and names none.
const NO_CONSTRAINTS: &str = "No name constraints are to be applied";

/// The last second of a day such as `2026-11-22`.
fn end_of(day: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(&format!("{day}T23:59:59Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_with_the_mail_bit_is_an_anchor_and_no_other() {
        let anchors = mozilla_email();
        let wanted: Vec<&MozillaRoot> = ROOTS.iter().filter(|root| root.email).collect();
        assert!(wanted.len() > 40, "{}", wanted.len());
        assert_eq!(anchors.certificates().count(), wanted.len());
        for root in ROOTS {
            let found = anchors
                .certificates()
                .any(|certificate| certificate.der() == root.der);
            assert_eq!(found, root.email, "{}", root.common_name);
        }
    }

    #[test]
    fn an_unreadable_date_or_a_limit_drops_the_root() {
        let template = ROOTS.iter().find(|root| root.email).unwrap();
        let with = |after, constraints| MozillaRoot {
            der: template.der,
            email: true,
            distrust_for_smime_after: after,
            mozilla_applied_constraints: constraints,
            ..*template
        };
        let dated = anchor(&with(Some("2026-01-31"), None)).unwrap();
        assert_eq!(
            dated.distrust_after,
            Timestamp::parse_rfc3339("2026-01-31T23:59:59Z")
        );
        assert!(anchor(&with(Some("soon"), None)).is_none());
        assert!(anchor(&with(None, Some("*.tr"))).is_none());
        assert!(anchor(&with(None, Some(NO_CONSTRAINTS))).is_some());
    }
}
