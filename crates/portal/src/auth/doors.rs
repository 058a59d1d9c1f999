//! What sign-ins share: places for hashing, failures that count, and where somebody is who comes in.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use ipnet::IpNet;
use sealgate_core::sign_in::Lock;
use sealgate_mail::Address;
use tokio::sync::Semaphore;

use super::oidc::Foreign;
use super::tries::{Tries, account};
use crate::Portal;
use crate::limits::{
    AGENT_CHARS, FOREIGN_BEGUN, FOREIGN_SECONDS, PASSWORDS_AT_ONCE, SECOND_TRIES,
    SECOND_TRIES_SECONDS, TRIES, TRIES_SECONDS,
};

/// What sign-ins share.
#[derive(Debug)]
pub struct Doors {
    /// Places for passwords being hashed.
    pub passwords: Arc<Semaphore>,
    /// Failed passwords.
    pub sign_ins: Tries,
    /// Wrong second factors.
    pub second_factors: Tries,
    /// Sign-ins with another server.
    pub foreign: Foreign,
    /// How many of these a network began and did not finish.
    pub foreign_begun: Tries,
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            passwords: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE)),
            sign_ins: Tries::new(TRIES, TRIES_SECONDS),
            second_factors: Tries::new(SECOND_TRIES, SECOND_TRIES_SECONDS).with_growing_waits(),
            foreign: Foreign::default(),
            foreign_begun: Tries::new(FOREIGN_BEGUN, FOREIGN_SECONDS),
        }
    }
}

/// Tells the organisations of the account `name` that it is locked, if this failure locked it. Nobody waits for that: the time
/// until the answer would tell whether there is such an account.
pub fn tell_lock(portal: &Portal, second_factor: bool, name: &str, visitor: &Visitor) {
    let tries = match second_factor {
        true => &portal.doors.second_factors,
        false => &portal.doors.sign_ins,
    };
    let Some(seconds) = tries.locked(&account(name), portal.now()) else {
        return;
    };
    let Ok(name) = Address::parse(name) else {
        return;
    };
    let lock = Lock {
        second_factor,
        address: visitor.address.to_string(),
        seconds,
    };
    let office = Arc::clone(&portal.office);
    tokio::spawn(async move {
        if let Err(problem) = office.told_locked(&name, lock).await {
            tracing::error!(code = problem.code, "a locked account was not told of");
        }
    });
}

/// Where a request comes from.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The address at the other end of the connection, or behind the proxies there that are trusted.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
}

impl Visitor {
    /// Whoever sent these.
    pub fn of(portal: &Portal, parts: &Parts) -> Self {
        let peer = parts.extensions.get::<SocketAddr>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| {
            peer.ip().to_canonical()
        });
        let agent = parts.headers.get(header::USER_AGENT);
        let agent = agent
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        Self {
            address: behind(&portal.settings.trusted_proxies, peer, &parts.headers),
            agent: agent.chars().take(AGENT_CHARS).collect(),
        }
    }
}

impl FromRequestParts<Portal> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Infallible> {
        Ok(Self::of(portal, parts))
    }
}

/// Field in which proxies say whom they ask for; each adds the address that it saw at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who asks through `peer`: itself, unless it is a trusted proxy; then the last one that such a proxy saw and that is none itself.
/// What stands before that anybody could have written. Where a proxy wrote no address, it is the proxy itself.
fn behind(trusted: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(peer) {
        return peer;
    }
    // Proxies add to what they are sent, which need not be text.
    let fields = headers.get_all(FORWARDED_FOR).iter().rev();
    let hops = fields.flat_map(|field| field.as_bytes().rsplit(|octet| *octet == b','));
    hops.map(hop)
        .find(|address| address.is_none_or(|address| !is_trusted(address)))
        .flatten()
        .unwrap_or(peer)
}

/// The address of one hop; some proxies write the port, too.
fn hop(octets: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(octets).ok()?.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|own| own.ip());
    Some(address.or_else(with_port)?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_is_the_last_one_whom_no_trusted_proxy_is() {
        let trusted: Vec<IpNet> = ["127.0.0.1/32", "10.1.0.0/16", "2001:db8::/64"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let own = "127.0.0.1";
        for (peer, fields, expected) in [
            (own, &["203.0.113.9"][..], "203.0.113.9"),
            (own, &["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            (own, &["198.51.100.1", " 203.0.113.9 "], "203.0.113.9"),
            (own, &["203.0.113.9, 10.1.2.3"], "203.0.113.9"),
            (own, &["203.0.113.9, 2001:db8::7"], "203.0.113.9"),
            (own, &["nonsense, 203.0.113.9"], "203.0.113.9"),
            (own, &["[2001:db8:1::5]"], "2001:db8:1::5"),
            (own, &["[2001:db8:1::5]:4711"], "2001:db8:1::5"),
            (own, &["203.0.113.9:4711"], "203.0.113.9"),
            (own, &["::ffff:203.0.113.9"], "203.0.113.9"),
            ("10.1.2.3", &["203.0.113.9"], "203.0.113.9"),
            // What stands before is not ours to read, whatever octets it has.
            (own, &["\u{e4}, 203.0.113.9"], "203.0.113.9"),
            (own, &["\u{e4}", "203.0.113.9"], "203.0.113.9"),
            // Garbage, nothing, and proxies only.
            (own, &["203.0.113.9, nonsense"], own),
            (own, &["203.0.113.9,"], own),
            (own, &["\u{e4}"], own),
            (own, &[""], own),
            (own, &[], own),
            (own, &["10.1.2.3"], own),
            // Whoever is no proxy is not believed.
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("127.0.0.2", &["198.51.100.1"], "127.0.0.2"),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                let value = axum::http::HeaderValue::from_bytes(field.as_bytes()).unwrap();
                headers.append(FORWARDED_FOR, value);
            }
            let found = behind(&trusted, peer.parse().unwrap(), &headers);
            assert_eq!(found.to_string(), expected, "{peer} {fields:?}");
        }
        let mut headers = HeaderMap::new();
        headers.append(
            FORWARDED_FOR,
            axum::http::HeaderValue::from_static("198.51.100.1"),
        );
        let peer = "127.0.0.1".parse().unwrap();
        assert_eq!(behind(&[], peer, &headers), peer, "nobody is trusted");
    }
}
