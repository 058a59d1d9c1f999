//! Certificates of correspondents in DNS: SMIMEA records (RFC 8162), of which only those count whose DNSSEC proof is good.
//!
//! What is taken: records that hold a whole certificate (selector 0, matching type 0). Usages 1 and 3 name the certificate
//! of the mailbox, usages 0 and 2 one of its issuers, which is of use for the path and never a trust root. Records that
//! hold a key or a digest only name a certificate that must come from elsewhere, and count as nothing.

use std::path::Path;

use hickory_resolver::TokioResolver;
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use sealgate_mail::Address;
use sealgate_smime::algorithms::DigestAlgorithm;
use sealgate_smime::aws::Digest;

use crate::dns::{self, DnsConfig, DnsFailure};
use crate::limits::{DNS_WAIT, SMIMEA_RECORDS};
use crate::source::{Asked, Found, FoundCertificate, NoAnswer, Source};

/// Octets of the digest in an owner name (RFC 8162 section 3).
const OWNER_OCTETS: usize = 28;

/// Asks DNS for SMIMEA records and checks DNSSEC itself, whatever the name server says.
#[derive(Clone)]
pub struct Smimea(Option<TokioResolver>);

impl std::fmt::Debug for Smimea {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Smimea")
    }
}

impl Smimea {
    /// Names are asked of `config`, and believed from the keys in the file `anchors` on; absent: those of the root zone.
    pub fn new(config: DnsConfig, anchors: Option<&Path>) -> Result<Self, DnsFailure> {
        Ok(Self(dns::validating(config, anchors)?))
    }

    async fn ask(&self, address: &Address) -> Result<Found, NoAnswer> {
        let Some(resolver) = &self.0 else {
            return Err(NoAnswer::new("DNS is switched off"));
        };
        // RFC 8162 names no owner for a domain that is an address.
        if address.domain().is_literal() {
            return Ok(Found::default());
        }
        let question = resolver.lookup(owner_name(address), RecordType::SMIMEA);
        match tokio::time::timeout(DNS_WAIT, question).await {
            Err(_) => Err(NoAnswer::new("DNS takes too long")),
            Ok(Ok(answer)) => found(&answer),
            Ok(Err(error)) => nothing(&error),
        }
    }
}

impl Source for Smimea {
    fn find<'a>(&'a self, address: &'a Address) -> Asked<'a> {
        Box::pin(self.ask(address))
    }
}

/// The name under which certificates of `address` are published (RFC 8162 section 3). The local part is taken as it is
/// written, without quotes, in UTF-8: its case is the publisher's matter (RFC 8162 section 4).
pub fn owner_name(address: &Address) -> String {
    let digest = Digest::of(DigestAlgorithm::Sha256, address.local().as_bytes());
    let label: String = digest
        .iter()
        .take(OWNER_OCTETS)
        .map(|octet| format!("{octet:02x}"))
        .collect();
    format!("{label}._smimecert.{}.", address.domain())
}

fn found(answer: &Lookup) -> Result<Found, NoAnswer> {
    let records = answer.answers().iter();
    let records: Vec<&Record> = records
        .filter(|record| record.record_type() == RecordType::SMIMEA)
        .collect();
    // RFC 8162 section 5: without DNSSEC there is no record. A bogus one is an attack or a fault that may pass.
    if records.iter().any(|record| record.proof.is_bogus()) {
        return Err(NoAnswer::new("the DNSSEC signatures are not valid"));
    }
    let secure = records
        .into_iter()
        .filter(|record| record.proof.is_secure());
    let secure: Vec<&Record> = secure.take(SMIMEA_RECORDS).collect();
    Ok(Found {
        certificates: secure.iter().filter_map(|record| held(record)).collect(),
        keep: secure.iter().map(|record| i64::from(record.ttl)).min(),
    })
}

/// The certificate that a record holds whole.
fn held(record: &Record) -> Option<FoundCertificate> {
    let RData::SMIMEA(smimea) = &record.data else {
        return None;
    };
    if (smimea.selector, smimea.matching) != (Selector::Full, Matching::Raw) {
        return None;
    }
    let is_vouched_for = match smimea.cert_usage {
        CertUsage::DaneEe => true,
        CertUsage::PkixEe | CertUsage::PkixTa | CertUsage::DaneTa => false,
        _ => return None,
    };
    Some(FoundCertificate {
        der: smimea.cert_data.clone(),
        is_vouched_for,
    })
}

/// A failed question that says for certain that there is nothing, or gave no answer.
fn nothing(error: &NetError) -> Result<Found, NoAnswer> {
    let definite = |keep: Option<u32>| {
        Ok(Found {
            certificates: Vec::new(),
            keep: keep.map(i64::from),
        })
    };
    match error {
        // A proof that there is none, or a zone that is proven to be unsigned, where no record would count either.
        NetError::Dns(DnsError::Nsec {
            proof, response, ..
        }) if proof.is_secure() || proof.is_insecure() => definite(response.negative_ttl()),
        NetError::Dns(DnsError::NoRecordsFound(none))
            if matches!(
                none.response_code,
                ResponseCode::NXDomain | ResponseCode::NoError
            ) =>
        {
            let of_zone = none.soa.as_ref().map(|soa| soa.ttl);
            definite(none.negative_ttl.or(of_zone))
        }
        NetError::Dns(DnsError::Nsec { .. } | DnsError::DnssecBogus) => {
            Err(NoAnswer::new("the DNSSEC signatures are not valid"))
        }
        other => Err(NoAnswer::new(format_args!("no answer from DNS: {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::rr::rdata::SMIMEA;

    use super::*;

    /// Computed by `printf %s LOCAL | openssl dgst -sha256`; the first is the example of RFC 8162 section 3.
    #[test]
    fn rfc8162_owner_names() {
        for (address, label) in [
            (
                "hugh@example.com",
                "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6",
            ),
            (
                "Alice@example.com",
                "3bc51062973c458d5a6f2d8d64a023246354ad7e064b1e4e009ec8a0",
            ),
            (
                "\"a b\"@example.com",
                "c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e",
            ),
            (
                "j\u{fc}rgen@example.com",
                "19b720a911fced55aecd96bf4ddcada1c69be5a96dc523d5be336b8e",
            ),
        ] {
            let address = Address::parse(address).unwrap();
            let expected = format!("{label}._smimecert.example.com.");
            assert_eq!(owner_name(&address), expected);
        }
    }

    #[test]
    fn only_whole_certificates_count() {
        let name = hickory_resolver::proto::rr::Name::root();
        for (usage, selector, matching, expected) in [
            (0, 0, 0, Some(false)),
            (1, 0, 0, Some(false)),
            (2, 0, 0, Some(false)),
            (3, 0, 0, Some(true)),
            (3, 1, 0, None),
            (3, 0, 1, None),
            (3, 0, 2, None),
            (3, 1, 1, None),
            (4, 0, 0, None),
            (255, 0, 0, None),
            (3, 255, 0, None),
            (3, 0, 255, None),
        ] {
            let data = SMIMEA::new(
                CertUsage::from(usage),
                Selector::from(selector),
                Matching::from(matching),
                vec![1, 2],
            );
            let record = Record::from_rdata(name.clone(), 60, RData::SMIMEA(data));
            let found = held(&record).map(|held| held.is_vouched_for);
            assert_eq!(found, expected, "{usage} {selector} {matching}");
        }
    }
}
