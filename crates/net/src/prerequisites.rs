//! What DNS says about a domain before certificates are requested for it: its MX records, the CAA records that count for it,
//! and the record of its DKIM key. What it means is decided in `core::prerequisite`.

use std::net::IpAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use sealgate_core::dkim::{DkimKey, Published};
use sealgate_core::prerequisite::{Answer, Caa, CaaProperty, Exchanger, MxAnswer};
use sealgate_mail::Domain;

use crate::dns::{Dns, NoAnswer, absolute, ask, host_name};
use crate::limits::{CAA_LABELS, COMPARED_HOSTS, MX_HOSTS};

/// The MX records of `domain`, those of the lowest preference first, at most [`MX_HOSTS`]. Hosts other than `ours` are
/// compared with the addresses of ours.
pub async fn exchangers(dns: &Dns, domain: &Domain, ours: &[Domain]) -> Answer<MxAnswer> {
    let Some(resolver) = dns.resolver() else {
        return Answer::Off;
    };
    let records = match records(resolver, domain.as_str(), RecordType::MX).await {
        Ok(records) => records,
        Err(NoAnswer::NoRecords) => return Answer::Known(MxAnswer::NoRecords),
        Err(NoAnswer::NoSuchName) => return Answer::Known(MxAnswer::NoSuchDomain),
        Err(NoAnswer::Temporary(why)) => return Answer::Missing(why.into()),
    };
    match ordered(records.iter().filter_map(exchanger).collect()) {
        MxAnswer::Hosts(mut hosts) => {
            compare(dns, &mut hosts, ours).await;
            Answer::Known(MxAnswer::Hosts(hosts))
        }
        none => Answer::Known(none),
    }
}

/// Sorts MX records. Records without a name refuse mail (RFC 7505 section 3); beside others they are passed over, as where
/// mail is delivered.
fn ordered(mut hosts: Vec<Exchanger>) -> MxAnswer {
    if hosts.is_empty() {
        return MxAnswer::NoRecords;
    }
    hosts.retain(|host| !host.host.is_empty());
    if hosts.is_empty() {
        return MxAnswer::NullMx;
    }
    hosts.sort_by(|a, b| (a.preference, &a.host).cmp(&(b.preference, &b.host)));
    hosts.truncate(MX_HOSTS);
    MxAnswer::Hosts(hosts)
}

fn exchanger(data: &RData) -> Option<Exchanger> {
    let RData::MX(mx) = data else { return None };
    Some(Exchanger {
        preference: mx.preference,
        host: host_name(&mx.exchange.to_ascii()),
        same_address_as: None,
    })
}

/// Finds hosts that are ours under another name. What gives no address now is compared with nothing.
async fn compare(dns: &Dns, hosts: &mut [Exchanger], ours: &[Domain]) {
    let is_ours = |host: &str| ours.iter().any(|name| name.as_str() == host);
    let foreign = hosts.iter_mut().filter(|host| !is_ours(&host.host));
    let mut own: Option<Vec<(&Domain, Vec<IpAddr>)>> = None;
    for host in foreign.take(COMPARED_HOSTS) {
        let Ok(addresses) = dns.addresses(&host.host).await else {
            continue;
        };
        if own.is_none() {
            let mut found = Vec::new();
            for name in ours {
                found.push((name, dns.addresses(name.as_str()).await.unwrap_or_default()));
            }
            own = Some(found);
        }
        let twin = own
            .iter()
            .flatten()
            .find(|(_, own)| own.iter().any(|one| addresses.contains(one)));
        host.same_address_as = twin.map(|(name, _)| (*name).clone());
    }
}

/// The CAA records of `domain`, or else of the nearest name above it that has some (RFC 8659 section 3).
pub async fn caa(dns: &Dns, domain: &Domain) -> Answer<Option<Caa>> {
    let Some(resolver) = dns.resolver() else {
        return Answer::Off;
    };
    let mut name = domain.as_str();
    for _ in 0..CAA_LABELS {
        match records(resolver, name, RecordType::CAA).await {
            Ok(records) => {
                let properties: Vec<_> = records.iter().filter_map(property).collect();
                if !properties.is_empty() {
                    let at = name.to_owned();
                    return Answer::Known(Some(Caa { at, properties }));
                }
            }
            Err(NoAnswer::NoRecords | NoAnswer::NoSuchName) => {}
            Err(NoAnswer::Temporary(why)) => return Answer::Missing(why.into()),
        }
        match name.split_once('.') {
            Some((_, above)) => name = above,
            None => break,
        }
    }
    Answer::Known(None)
}

fn property(data: &RData) -> Option<CaaProperty> {
    let RData::CAA(caa) = data else { return None };
    Some(CaaProperty {
        critical: caa.issuer_critical,
        tag: caa.tag.clone(),
        value: String::from_utf8_lossy(&caa.value).into_owned(),
    })
}

/// The TXT records of `name`.
pub async fn texts(dns: &Dns, name: &str) -> Answer<Vec<String>> {
    let Some(resolver) = dns.resolver() else {
        return Answer::Off;
    };
    match records(resolver, name, RecordType::TXT).await {
        Ok(records) => Answer::Known(records.iter().filter_map(text).collect()),
        Err(NoAnswer::NoRecords | NoAnswer::NoSuchName) => Answer::Known(Vec::new()),
        Err(NoAnswer::Temporary(why)) => Answer::Missing(why.into()),
    }
}

/// What DNS says of a DKIM key.
pub async fn published(dns: &Dns, key: &DkimKey) -> Answer<Published> {
    let Some(resolver) = dns.resolver() else {
        return Answer::Off;
    };
    match records(resolver, &key.record_name(), RecordType::TXT).await {
        Ok(records) => {
            let texts: Vec<String> = records.iter().filter_map(text).collect();
            Answer::Known(key.published(&texts))
        }
        Err(NoAnswer::NoRecords | NoAnswer::NoSuchName) => Answer::Known(Published::Missing),
        Err(NoAnswer::Temporary(why)) => Answer::Missing(why.into()),
    }
}

/// The strings of a TXT record, joined (RFC 6376 section 3.6.2.2).
fn text(data: &RData) -> Option<String> {
    let RData::TXT(text) = data else { return None };
    Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned())
}

async fn records(
    resolver: &TokioResolver,
    name: &str,
    kind: RecordType,
) -> Result<Vec<RData>, NoAnswer> {
    let found = ask(resolver.lookup(absolute(name), kind)).await?;
    let answers = found.answers().iter();
    Ok(answers.map(|record| record.data.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::DnsConfig;
    use crate::dns::tests::name_server;

    fn host(preference: u16, host: &str) -> Exchanger {
        Exchanger {
            preference,
            host: host.into(),
            same_address_as: None,
        }
    }

    #[test]
    fn records_without_a_name() {
        let null = || host(0, "");
        assert_eq!(ordered(Vec::new()), MxAnswer::NoRecords);
        assert_eq!(ordered(vec![null()]), MxAnswer::NullMx);
        assert_eq!(ordered(vec![null(), null()]), MxAnswer::NullMx);
        assert_eq!(
            ordered(vec![host(20, "b"), null(), host(10, "a")]),
            MxAnswer::Hosts(vec![host(10, "a"), host(20, "b")])
        );
    }

    /// Our own names are compared in A-labels.
    #[tokio::test]
    async fn internationalised_names_of_hosts() {
        let dns = Dns::new(DnsConfig::Server(name_server().await)).unwrap();
        let domain = Domain::parse("idn.example").unwrap();
        let ours = [Domain::parse("mx.b\u{fc}cher.example").unwrap()];
        let found = exchangers(&dns, &domain, &ours).await;
        let expected = vec![host(10, ours[0].as_str())];
        assert_eq!(found, Answer::Known(MxAnswer::Hosts(expected)));
    }
}
