//! Certificates of correspondents in DNS: SMIMEA records (RFC 8162), of which only those count whose DNSSEC proof is good.
//!
//! What is taken: records that hold a whole certificate (selector 0, matching type 0). Usages 1 and 3 name the certificate
//! of the mailbox, usages 0 and 2 one of its issuers, which is of use for the path and never a trust root. Records that
//! hold a key or a digest only name a certificate that must come from elsewhere, and count as nothing.

use std::path::Path;

use hickory_resolver::TokioResolver;
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use sealgate_mail::Address;
use sealgate_smime::algorithms::DigestAlgorithm;
use sealgate_smime::aws::Digest;

use crate::dns::{self, DnsConfig, DnsFailure};
use crate::limits::{DNS_WAIT, SMIMEA_ALIASES, SMIMEA_RECORDS};
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
        let owner = Name::from_utf8(owner_name(address)).map_err(NoAnswer::new)?;
        let question = resolver.lookup(owner.clone(), RecordType::SMIMEA);
        match tokio::time::timeout(DNS_WAIT, question).await {
            Err(_) => Err(NoAnswer::new("DNS takes too long")),
            Ok(Ok(answer)) => found(&answer, &owner),
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

/// What an answer holds for `asked`. The answer itself names the last alias as its question.
fn found(answer: &Lookup, asked: &Name) -> Result<Found, NoAnswer> {
    let of_type =
        |record: &&Record| matches!(record.record_type(), RecordType::SMIMEA | RecordType::CNAME);
    let records: Vec<&Record> = answer.answers().iter().filter(of_type).collect();
    // RFC 8162 section 5: without DNSSEC there is no record. A bogus one is an attack or a fault that may pass.
    if records.iter().any(|record| record.proof.is_bogus()) {
        return Err(NoAnswer::new("the DNSSEC signatures are not valid"));
    }
    // The resolver leaves aliases out whose target it had asked for before.
    if !records.iter().any(|record| record.name == *asked) {
        return Err(NoAnswer::new("the answer is not one to the question"));
    }
    let Some(way) = proven_way(&records, asked) else {
        return Ok(Found::default());
    };
    let certificates = way.iter().filter_map(|record| held(record));
    Ok(Found {
        certificates: certificates.collect(),
        keep: way.iter().map(|record| i64::from(record.ttl)).min(),
    })
}

/// The proven records of `asked`: its aliases, and the SMIMEA records of the last one. `None` where an alias is not proven:
/// whoever forges one would lead to a zone of his own, whose signatures are good (RFC 7671 section 7).
fn proven_way<'a>(records: &[&'a Record], asked: &'a Name) -> Option<Vec<&'a Record>> {
    let mut name = asked;
    let mut way = Vec::new();
    while let Some((alias, target)) = alias_of(records, name) {
        if !alias.proof.is_secure() || way.len() >= SMIMEA_ALIASES {
            return None;
        }
        way.push(alias);
        name = target;
    }
    let own = records.iter().filter(|record| {
        record.record_type() == RecordType::SMIMEA
            && record.name == *name
            && record.proof.is_secure()
    });
    way.extend(own.take(SMIMEA_RECORDS));
    Some(way)
}

fn alias_of<'a>(records: &[&'a Record], name: &Name) -> Option<(&'a Record, &'a Name)> {
    records.iter().find_map(|record| match &record.data {
        RData::CNAME(target) if record.name == *name => Some((*record, &target.0)),
        _ => None,
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
        NetError::Dns(DnsError::NoRecordsFound(none)) if is_definite(none) => {
            let of_zone = none.soa.as_ref().map(|soa| soa.ttl);
            definite(none.negative_ttl.or(of_zone))
        }
        NetError::Dns(DnsError::Nsec { .. } | DnsError::DnssecBogus) => {
            Err(NoAnswer::new("the DNSSEC signatures are not valid"))
        }
        other => Err(NoAnswer::new(format_args!("no answer from DNS: {other}"))),
    }
}

/// Whether the zone that the name is in says that there is none (RFC 2308 section 2). The resolver asks for no proof where all
/// that comes with an empty answer is of zones proven to be unsigned, even if those are other zones: such an answer can be forged.
fn is_definite(none: &NoRecords) -> bool {
    let code = none.response_code;
    let soa = none.soa.as_ref();
    matches!(code, ResponseCode::NXDomain | ResponseCode::NoError)
        && soa.is_some_and(|soa| soa.name.zone_of(none.query.name()))
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::dnssec::Proof;
    use hickory_resolver::proto::op::Query;
    use hickory_resolver::proto::rr::rdata::{CNAME, SMIMEA, SOA};

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

    /// Whoever stands between can forge what is not signed, and has signed zones of his own: every step from the name that was
    /// asked for must be proven, and nothing else in the answer counts.
    #[test]
    fn only_what_is_proven_from_the_name_on_counts() {
        use Proof::{Bogus, Indeterminate, Insecure, Secure};
        let name = |text: &str| Name::from_ascii(text).unwrap();
        let smimea = |owner: &str, proof: Proof| {
            let data = SMIMEA::new(
                CertUsage::DaneEe,
                Selector::Full,
                Matching::Raw,
                owner.as_bytes().to_vec(),
            );
            let mut record = Record::from_rdata(name(owner), 60, RData::SMIMEA(data));
            record.proof = proof;
            record
        };
        let alias = |owner: &str, target: &str, proof: Proof| {
            let data = RData::CNAME(CNAME(name(target)));
            let mut record = Record::from_rdata(name(owner), 30, data);
            record.proof = proof;
            record
        };
        let none = || Ok(Vec::new());
        for (what, records, expected) in [
            ("signed", vec![smimea("a.", Secure)], Ok(vec!["a."])),
            ("in any case", vec![smimea("A.", Secure)], Ok(vec!["A."])),
            ("unsigned", vec![smimea("a.", Insecure)], none()),
            ("undecided", vec![smimea("a.", Indeterminate)], none()),
            (
                "bogus",
                vec![smimea("a.", Secure), smimea("a.", Bogus)],
                Err(()),
            ),
            ("another's", vec![smimea("evil.", Secure)], Err(())),
            (
                "another's beside an unsigned one",
                vec![smimea("a.", Insecure), smimea("evil.", Secure)],
                none(),
            ),
            (
                "a signed alias",
                vec![alias("a.", "b.", Secure), smimea("b.", Secure)],
                Ok(vec!["b."]),
            ),
            (
                "an unsigned alias to a signed zone",
                vec![alias("a.", "evil.", Insecure), smimea("evil.", Secure)],
                none(),
            ),
            (
                "an unsigned alias beside a record",
                vec![alias("a.", "evil.", Insecure), smimea("a.", Secure)],
                none(),
            ),
            (
                "an unsigned alias on the way",
                vec![
                    alias("a.", "b.", Secure),
                    alias("b.", "evil.", Insecure),
                    smimea("evil.", Secure),
                ],
                none(),
            ),
            (
                "a bogus alias",
                vec![alias("a.", "b.", Bogus), smimea("b.", Secure)],
                Err(()),
            ),
            (
                "a circle",
                vec![alias("a.", "b.", Secure), alias("b.", "a.", Secure)],
                none(),
            ),
        ] {
            // The resolver gives the last alias as the question.
            let query = Query::query(name("evil."), RecordType::SMIMEA);
            let found = found(&Lookup::new_with_max_ttl(query, records), &name("a."));
            let found = found.map_err(|_| ()).map(|found| {
                let owners = found.certificates.into_iter();
                let owners = owners.map(|held| String::from_utf8(held.der).unwrap());
                owners.collect::<Vec<_>>()
            });
            let expected = expected.map(|owners| {
                let owners = owners.into_iter();
                owners.map(str::to_owned).collect::<Vec<_>>()
            });
            assert_eq!(found, expected, "{what}");
        }
    }

    #[test]
    fn only_the_zone_itself_says_that_there_is_nothing() {
        let name = |text: &str| Name::from_ascii(text).unwrap();
        let soa = |zone: &str| {
            let soa = SOA::new(name("ns."), name("admin."), 1, 2, 3, 4, 5);
            Box::new(Record::from_rdata(name(zone), 60, soa))
        };
        for (zone, code, expected) in [
            (Some("x.example."), ResponseCode::NXDomain, true),
            (Some("x.example."), ResponseCode::NoError, true),
            (Some("."), ResponseCode::NXDomain, true),
            (Some("x.example."), ResponseCode::ServFail, false),
            (Some("unsigned.example."), ResponseCode::NXDomain, false),
            (Some("x.unsigned."), ResponseCode::NoError, false),
            (None, ResponseCode::NXDomain, false),
        ] {
            let query = Query::query(name("1._smimecert.x.example."), RecordType::SMIMEA);
            let mut none = NoRecords::new(query, code);
            none.soa = zone.map(soa);
            let said = nothing(&NetError::Dns(DnsError::NoRecordsFound(none)));
            assert_eq!(said.is_ok(), expected, "{zone:?} {code}");
        }
    }
}
