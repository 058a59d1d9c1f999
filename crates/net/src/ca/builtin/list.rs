//! Lists of revoked certificates (RFC 5280 section 5).

use sealgate_core::authority::RevocationReason;
use sealgate_core::ports::RevokedEntry;
use sealgate_mail::Timestamp;
use sealgate_smime::asn1::{self, tag};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::PrivateKey;

use super::CaError;
use super::profile::{authority_key_id, extension, signed};
use crate::limits::{LIST_BACKDATING, LIST_VALIDITY};

const LIST_NUMBER: &str = "2.5.29.20";
const REASON: &str = "2.5.29.21";

/// Who publishes a list.
pub(super) struct Publisher<'a> {
    /// The CA.
    pub certificate: &'a Certificate,
    /// Its key.
    pub key: &'a PrivateKey,
}

/// The list numbered `number` of what its publisher revoked, counting from `now` on; DER.
pub(super) fn make(
    publisher: &Publisher<'_>,
    revoked: &[RevokedEntry],
    number: u64,
    now: Timestamp,
) -> Result<Vec<u8>, CaError> {
    let number = extension(LIST_NUMBER, false, &asn1::unsigned(&number.to_be_bytes()));
    let extensions = asn1::sequence(&[&authority_key_id(publisher.key.spki_der())?, &number]);
    let entries: Vec<u8> = revoked.iter().flat_map(|one| entry(one, now)).collect();
    // RFC 5280 section 5.1.2.6: the list of none is absent.
    let entries = match entries.is_empty() {
        true => Vec::new(),
        false => asn1::tlv(tag::SEQUENCE, &entries),
    };
    let whole = signed(publisher.key, |identifier| {
        asn1::sequence(&[
            &asn1::small(1),
            identifier,
            publisher.certificate.subject_der(),
            &asn1::time(now.plus(-LIST_BACKDATING)),
            &asn1::time(now.plus(LIST_VALIDITY)),
            &entries,
            &asn1::tlv(tag::context_constructed(0), &extensions),
        ])
    })?;
    Ok(asn1::sequence(&[&whole]))
}

/// One of them. A time of revocation after `now` is of a clock that was wrong: nobody may take it as not revoked yet.
fn entry(entry: &RevokedEntry, now: Timestamp) -> Vec<u8> {
    let reason = match entry.reason {
        // RFC 5280 section 5.3.1: absent rather than unspecified.
        RevocationReason::Unspecified => Vec::new(),
        reason => {
            let code = asn1::tlv(tag::ENUMERATED, &[reason.code()]);
            asn1::sequence(&[&extension(REASON, false, &code)])
        }
    };
    asn1::sequence(&[
        &asn1::tlv(tag::INTEGER, &entry.serial),
        &asn1::time(entry.at.min(now)),
        &reason,
    ])
}
