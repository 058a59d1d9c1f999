//! Names to servers: which hosts take mail for a domain, in which order, and their addresses (RFC 5321 section 5.1).

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use sealgate_core::saying::Servers as Said;
use sealgate_mail::Domain;

use crate::limits::{DNS_CACHE_ENTRIES, DNS_TRY, DNS_WAIT, HOST_ADDRESSES, MX_HOSTS};
use crate::words::reported;

/// Whom names are asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsConfig {
    /// Nobody: only IP addresses and `localhost` are known.
    Off,
    /// The name servers and the hosts file of the operating system.
    System,
    /// This name server, over UDP and TCP.
    Server(SocketAddr),
}

/// Why a name gave no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsFailure {
    /// No answer, or an answer that says nothing: ask again later.
    #[error("no answer from DNS: {0}")]
    Temporary(Said),
    /// The name does not exist, or has no address.
    #[error("the name does not exist")]
    NoSuchDomain,
    /// The domain says that it takes no mail (RFC 7505).
    #[error("the domain takes no mail (null MX)")]
    NullMx,
}

impl From<&DnsFailure> for Said {
    fn from(failure: &DnsFailure) -> Self {
        match failure {
            DnsFailure::Temporary(why) => Self::NoDns {
                why: why.clone().into(),
            },
            DnsFailure::NoSuchDomain => Self::NoSuchName {},
            DnsFailure::NullMx => Self::NullMx {},
        }
    }
}

/// A host that takes mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailHost {
    /// Lower is tried first.
    pub preference: u16,
    /// Name without a trailing dot, in lower case, or an IP address.
    pub host: String,
}

/// Asks DNS. Answers are cached as long as they say.
#[derive(Clone)]
pub struct Dns(Option<TokioResolver>);

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "Dns(on)"
        } else {
            "Dns(off)"
        })
    }
}

impl Dns {
    /// Fails if the operating system's configuration cannot be read.
    pub fn new(config: DnsConfig) -> Result<Self, DnsFailure> {
        let Some(builder) = builder(config)? else {
            return Ok(Self(None));
        };
        Ok(Self(Some(builder.build().map_err(setup)?)))
    }

    /// Whether nobody is asked anything.
    pub fn is_off(&self) -> bool {
        self.0.is_none()
    }

    /// What asks, for SPF and DKIM.
    pub(crate) fn resolver(&self) -> Option<&TokioResolver> {
        self.0.as_ref()
    }

    /// The hosts that take mail for `domain`, best first; those of equal preference in random order, at most
    /// [`MX_HOSTS`]. Never empty.
    pub async fn mx(&self, domain: &Domain) -> Result<Vec<MailHost>, DnsFailure> {
        if let Some(address) = literal(domain) {
            return Ok(vec![MailHost {
                preference: 0,
                host: address.to_string(),
            }]);
        }
        let implicit = || MailHost {
            preference: 0,
            host: domain.as_str().to_owned(),
        };
        let Some(resolver) = &self.0 else {
            return Err(DnsFailure::Temporary(Said::DnsOff {}));
        };
        let found = ask(resolver.lookup(absolute(domain.as_str()), RecordType::MX)).await;
        let answers = match found {
            Ok(answers) => answers,
            // RFC 5321 section 5.1: a domain without MX records is its own mail host.
            Err(NoAnswer::NoRecords) => return Ok(vec![implicit()]),
            Err(other) => return Err(other.into()),
        };
        let hosts = answers
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::MX(mx) => Some(MailHost {
                    preference: mx.preference,
                    // Not `to_utf8`: that would write A-labels of internationalised names as U-labels.
                    host: host_name(&mx.exchange.to_ascii()),
                }),
                _ => None,
            });
        let hosts: Vec<MailHost> = hosts.collect();
        if hosts.is_empty() {
            return Ok(vec![implicit()]);
        }
        ordered(hosts, random)
    }

    /// The addresses of `host`, a name or an IP address; at most [`HOST_ADDRESSES`]. Never empty.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsFailure> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        // RFC 6761 section 6.3: never a question for DNS.
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let Some(resolver) = &self.0 else {
            return Err(DnsFailure::Temporary(Said::DnsOffFor {
                host: host.to_owned(),
            }));
        };
        let found = ask(resolver.lookup_ip(absolute(host))).await;
        let addresses: Vec<IpAddr> = found?.iter().take(HOST_ADDRESSES).collect();
        if addresses.is_empty() {
            Err(DnsFailure::NoSuchDomain)
        } else {
            Ok(addresses)
        }
    }
}

fn setup(error: NetError) -> DnsFailure {
    DnsFailure::Temporary(reported(format_args!("cannot set up: {error}")))
}

/// A resolver being put together.
type Builder = ResolverBuilder<TokioRuntimeProvider>;

/// Whom to ask, within the limits; none if nobody is asked.
fn builder(config: DnsConfig) -> Result<Option<Builder>, DnsFailure> {
    let mut builder = match config {
        DnsConfig::Off => return Ok(None),
        DnsConfig::System => TokioResolver::builder_tokio().map_err(setup)?,
        DnsConfig::Server(server) => {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            connections
                .iter_mut()
                .for_each(|connection| connection.port = server.port());
            let server = NameServerConfig::new(server.ip(), true, connections);
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    limit(builder.options_mut());
    Ok(Some(builder))
}

/// A resolver that checks DNSSEC itself (RFC 4035), from the public keys in the file `anchors` on (DNSKEY records as a zone
/// file has them); absent: those of the root zone.
pub(crate) fn validating(
    config: DnsConfig,
    anchors: Option<&Path>,
) -> Result<Option<TokioResolver>, DnsFailure> {
    let Some(mut builder) = builder(config)? else {
        return Ok(None);
    };
    let options = builder.options_mut();
    options.validate = true;
    options.edns0 = true;
    if let Some(path) = anchors {
        let unusable = |error: &dyn std::fmt::Display| {
            DnsFailure::Temporary(reported(format_args!(
                "{} holds no usable DNSSEC keys: {error}",
                path.display()
            )))
        };
        let text = std::fs::read_to_string(path).map_err(|error| unusable(&error))?;
        let anchors: TrustAnchors = text.parse().map_err(|error| unusable(&error))?;
        if anchors.is_empty() {
            return Err(unusable(&"there is none"));
        }
        builder = builder.with_trust_anchor(Arc::new(anchors));
    }
    builder.build().map(Some).map_err(setup)
}

/// Sizes and waits of every question.
fn limit(options: &mut ResolverOpts) {
    options.timeout = DNS_TRY;
    options.cache_size = DNS_CACHE_ENTRIES;
    options.try_tcp_on_error = true;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
}

/// Why there are no records.
pub(crate) enum NoAnswer {
    /// The name exists and has none of this type.
    NoRecords,
    /// There is no such name.
    NoSuchName,
    /// Nothing is known now.
    Temporary(Said),
}

impl From<NoAnswer> for DnsFailure {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::NoRecords | NoAnswer::NoSuchName => Self::NoSuchDomain,
            NoAnswer::Temporary(text) => Self::Temporary(text),
        }
    }
}

/// The answer to one question, within its time.
pub(crate) async fn ask<T>(
    question: impl Future<Output = Result<T, NetError>>,
) -> Result<T, NoAnswer> {
    match tokio::time::timeout(DNS_WAIT, question).await {
        Err(_) => Err(NoAnswer::Temporary(Said::TakesTooLong {})),
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(NetError::Dns(DnsError::NoRecordsFound(none)))) => Err(match none.response_code {
            ResponseCode::NXDomain => NoAnswer::NoSuchName,
            ResponseCode::NoError => NoAnswer::NoRecords,
            other => NoAnswer::Temporary(reported(other)),
        }),
        Ok(Err(error)) => Err(NoAnswer::Temporary(reported(error))),
    }
}

/// The name with the dot that keeps search lists away.
pub(crate) fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

/// A name of DNS as it is compared: without the dot at its end, in lower case.
pub(crate) fn host_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The address of a domain written as `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3).
fn literal(domain: &Domain) -> Option<IpAddr> {
    let inner = domain.as_str().strip_prefix('[')?.strip_suffix(']')?;
    let is_v6 = inner
        .get(..5)
        .is_some_and(|tag| tag.eq_ignore_ascii_case("ipv6:"));
    let text = if is_v6 { inner.get(5..)? } else { inner };
    text.parse().ok()
}

/// Sorts MX records. A lone record without a name is a refusal (RFC 7505 section 3); beside others it is passed over.
fn ordered(
    hosts: Vec<MailHost>,
    mut random: impl FnMut() -> u64,
) -> Result<Vec<MailHost>, DnsFailure> {
    let named = hosts.into_iter().filter(|host| !host.host.is_empty());
    // RFC 5321 section 5.1: equal preference is tried in random order.
    let mut keyed: Vec<(u16, u64, MailHost)> = named
        .map(|host| (host.preference, random(), host))
        .collect();
    keyed.sort_by_key(|(preference, key, _)| (*preference, *key));
    keyed.truncate(MX_HOSTS);
    if keyed.is_empty() {
        return Err(DnsFailure::NullMx);
    }
    Ok(keyed.into_iter().map(|(_, _, host)| host).collect())
}

/// A random number; where none is to be had the order of the answer is kept.
fn random() -> u64 {
    let mut octets = [0; 8];
    match aws_lc_rs::rand::fill(&mut octets) {
        Ok(()) => u64::from_ne_bytes(octets),
        Err(_) => 0,
    }
}

#[cfg(test)]
pub(crate) mod tests;
