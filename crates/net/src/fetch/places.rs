//! Which places may be called: public addresses on the ports of the web, and what the operator allowed (row X7).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use sealgate_core::queue::Reach;

/// The ports of http and https.
const WEB_PORTS: [u16; 2] = [80, 443];

/// A network that the operator allows beside public addresses, on one port or on all: `127.0.0.0/8:8080`, `127.0.0.0/8`,
/// `[::1/128]:8080`, `::1/128`. A lone address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    network: IpNet,
    port: Option<u16>,
}

/// Not the form of a network with a port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no network; write \"192.0.2.0/24\" (any port), \"192.0.2.0/24:8080\" or \"[2001:db8::/32]:8080\""
)]
pub struct NotANetwork(String);

impl FromStr for Allowed {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        if let Some(network) = network(text) {
            return Ok(Self {
                network,
                port: None,
            });
        }
        let (before, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port > 0);
        let is_v6 = before.starts_with('[');
        let inner = before
            .strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'));
        let network = network(inner.unwrap_or(before)).ok_or_else(wrong)?;
        // Without brackets the last group of an IPv6 address would pass for a port.
        match (network, port) {
            (IpNet::V4(_), Some(_)) if !is_v6 => Ok(Self { network, port }),
            (IpNet::V6(_), Some(_)) if is_v6 && inner.is_some() => Ok(Self { network, port }),
            _ => Err(wrong()),
        }
    }
}

fn network(text: &str) -> Option<IpNet> {
    let lone = |text: &str| text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(|| lone(text))
}

impl Allowed {
    fn covers(&self, place: SocketAddr) -> bool {
        self.network.contains(&place.ip()) && self.port.is_none_or(|port| port == place.port())
    }
}

/// Whether servers that somebody named who may reach so far may be at these places: one that may not be called is enough, the
/// name is not what it pretends to be. Told is the first that may not.
pub fn in_reach(
    reach: Reach,
    places: &[SocketAddr],
    allowed: &[Allowed],
) -> Result<(), SocketAddr> {
    match reach {
        Reach::Everywhere => Ok(()),
        Reach::Public => all_public(places, allowed, is_this_machine),
    }
}

/// A public address of this machine is none to whoever stands outside: from here it leads past the firewall.
fn all_public(
    places: &[SocketAddr],
    allowed: &[Allowed],
    is_ours: impl Fn(IpAddr) -> bool,
) -> Result<(), SocketAddr> {
    let may = |place: &SocketAddr| {
        let is_outside = || is_public(place.ip()) && !is_ours(place.ip());
        allowed.iter().any(|allowed| allowed.covers(*place)) || is_outside()
    };
    let refused = places.iter().find(|place| !may(place));
    refused.map_or(Ok(()), |place| Err(*place))
}

/// Whether `place` may be called for the web.
pub fn may_call(place: SocketAddr, allowed: &[Allowed]) -> bool {
    (WEB_PORTS.contains(&place.port()) && is_public(place.ip()))
        || allowed.iter().any(|allowed| allowed.covers(place))
}

/// Whether an address belongs to the public internet: none of the special purposes of RFC 6890 and the registries that
/// continue it. An IPv6 address that carries an IPv4 address is not, whatever it carries; only behind the well-known prefix
/// of NAT64, which leads to nothing but that address, the IPv4 address is judged: a machine without IPv4 reaches no other.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4
            .iter()
            .any(|(network, _)| network.contains(&address)),
        IpAddr::V6(address) if NAT64.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            UNICAST_V6.contains(&address)
                && !SPECIAL_V6
                    .iter()
                    .any(|(network, _)| network.contains(&address))
        }
    }
}

/// Loopback and unspecified addresses, also mapped ones.
pub(crate) fn names_this_machine(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback() || ip.is_unspecified()
}

/// Whether the address is one of this machine: what is sent there is sent from there. Nothing is sent.
pub(crate) fn is_this_machine(ip: IpAddr) -> bool {
    if names_this_machine(ip) {
        return true;
    }
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((ip, DISCARD))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == ip)
}

/// Any port does, since nothing is sent (RFC 863).
const DISCARD: u16 = 9;

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// With the first three groups.
const fn v6(first: u16, second: u16, third: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), prefix)
}

/// IANA IPv4 Special-Purpose Address Registry (RFC 6890 section 2.2.2), and multicast (RFC 5771).
const SPECIAL_V4: [(Ipv4Net, &str); 18] = [
    (v4([0, 0, 0, 0], 8), "this network, RFC 791"),
    (v4([10, 0, 0, 0], 8), "private, RFC 1918"),
    (v4([100, 64, 0, 0], 10), "shared by providers, RFC 6598"),
    (v4([127, 0, 0, 0], 8), "loopback, RFC 1122"),
    (
        v4([169, 254, 0, 0], 16),
        "link-local, RFC 3927; metadata of clouds",
    ),
    (v4([172, 16, 0, 0], 12), "private, RFC 1918"),
    (v4([192, 0, 0, 0], 24), "protocol assignments, RFC 6890"),
    (v4([192, 0, 2, 0], 24), "documentation, RFC 5737"),
    (v4([192, 31, 196, 0], 24), "AS112, RFC 7535"),
    (v4([192, 52, 193, 0], 24), "AMT, RFC 7450"),
    (v4([192, 88, 99, 0], 24), "6to4 relays, RFC 7526"),
    (v4([192, 168, 0, 0], 16), "private, RFC 1918"),
    (v4([192, 175, 48, 0], 24), "AS112, RFC 7534"),
    (v4([198, 18, 0, 0], 15), "benchmarks, RFC 2544"),
    (v4([198, 51, 100, 0], 24), "documentation, RFC 5737"),
    (v4([203, 0, 113, 0], 24), "documentation, RFC 5737"),
    (v4([224, 0, 0, 0], 4), "multicast, RFC 5771"),
    (
        v4([240, 0, 0, 0], 4),
        "reserved and broadcast, RFC 1112 and RFC 919",
    ),
];

/// The well-known prefix of NAT64 (RFC 6052 sections 2.1 and 3.1).
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

/// The only part of IPv6 that is handed out as global unicast (RFC 4291 section 2.4): unspecified, loopback, mapped
/// (`::ffff:0:0/96`), local NAT64 (`64:ff9b:1::/48`, RFC 8215), discard (`100::/64`, RFC 6666, and `100:0:0:1::/64`,
/// RFC 9780), segment routing (`5f00::/16`, RFC 9602), unique local, link-local, site-local and multicast addresses lie
/// outside.
const UNICAST_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// IANA IPv6 Special-Purpose Address Registry, as far as it lies within [`UNICAST_V6`].
const SPECIAL_V6: [(Ipv6Net, &str); 5] = [
    (
        v6(0x2001, 0, 0, 23),
        "protocol assignments with Teredo, AMT, AS112, ORCHID and drones: RFC 2928, RFC 4380, RFC 7450, RFC 7535, RFC 7343, RFC 9374",
    ),
    (v6(0x2001, 0x0db8, 0, 32), "documentation, RFC 3849"),
    (v6(0x2002, 0, 0, 16), "6to4, RFC 3056"),
    (v6(0x2620, 0x004f, 0x8000, 48), "AS112, RFC 7534"),
    (v6(0x3fff, 0, 0, 20), "documentation, RFC 9637"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x7_which_addresses_are_public() {
        let public = [
            "8.8.8.8",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "192.31.195.255",
            "192.31.197.0",
            "192.52.192.255",
            "192.52.194.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.175.47.255",
            "192.175.49.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "2000::1",
            "2600::1",
            "2a00:1450:4001::1",
            "2001:200::1",
            "2001:db7:ffff::1",
            "2001:db9::1",
            "2003::1",
            "2620:4f:7fff::1",
            "2620:4f:8001::1",
            "3fff:1000::1",
            "64:ff9b::808:808",
        ];
        let special = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.8",
            "192.0.0.9",
            "192.0.0.10",
            "192.0.0.170",
            "192.0.0.171",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.88.99.2",
            "192.168.1.1",
            "192.175.48.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::c0a8:1",
            "64:ff9b::1:808:808",
            "64:ff9b:1::1",
            "64:ff9b:1::808:808",
            "100::1",
            "100:0:0:1::1",
            "2001::1",
            "2001:0:808:808::1",
            "2001:1::1",
            "2001:1::3",
            "2001:2::1",
            "2001:3::1",
            "2001:4:112::1",
            "2001:10::1",
            "2001:20::1",
            "2001:30::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2620:4f:8000::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ];
        for text in public {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in special {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn x7_what_an_operator_allows() {
        let good = [
            ("127.0.0.0/8", "127.0.0.1:8080", true),
            ("127.0.0.0/8", "126.0.0.1:8080", false),
            ("127.0.0.0/8:8080", "127.0.0.1:8080", true),
            ("127.0.0.0/8:8080", "127.0.0.1:80", false),
            ("10.1.2.3", "10.1.2.3:80", true),
            ("10.1.2.3:80", "10.1.2.4:80", false),
            ("::1", "[::1]:9", true),
            ("::1/128", "[::1]:9", true),
            ("[::1/128]:9", "[::1]:9", true),
            ("[::1/128]:9", "[::1]:10", false),
            ("[::1]:9", "[::1]:9", true),
            // A mapped address is no IPv4 address.
            ("127.0.0.0/8", "[::ffff:127.0.0.1]:80", false),
        ];
        for (text, place, may) in good {
            let allowed = text.parse().unwrap();
            assert_eq!(
                may_call(place.parse().unwrap(), &[allowed]),
                may,
                "{text} {place}"
            );
        }
        for text in [
            "",
            "localhost",
            "127.0.0.0/33",
            "127.0.0.1:0",
            "127.0.0.1:65536",
            "127.0.0.1:x",
            "[127.0.0.1]:80",
            "[::1:80",
            "::1]:80",
            "http://127.0.0.1",
            "127.0.0.0/8 ",
            ":80",
        ] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
    }

    #[test]
    fn who_may_name_public_addresses_only() {
        let allowed = ["10.1.0.0/16".parse().unwrap()];
        let table = [
            (&["8.8.8.8:2525", "[2600::1]:25"][..], None),
            (&["10.1.2.3:25"], None),
            (&["8.8.8.8:25", "10.2.0.1:25"], Some("10.2.0.1:25")),
            (&["127.0.0.1:587"], Some("127.0.0.1:587")),
            (&["0.0.0.0:587"], Some("0.0.0.0:587")),
            (&["169.254.169.254:80"], Some("169.254.169.254:80")),
            (&["100.64.0.1:389"], Some("100.64.0.1:389")),
            (&["224.0.0.1:25"], Some("224.0.0.1:25")),
            (&["[::1]:25"], Some("[::1]:25")),
            (&["[fd00::1]:25"], Some("[fd00::1]:25")),
            (&["[fe80::1]:25"], Some("[fe80::1]:25")),
            (&["[::ffff:127.0.0.1]:25"], Some("[::ffff:127.0.0.1]:25")),
            (&["[64:ff9b::7f00:1]:25"], Some("[64:ff9b::7f00:1]:25")),
        ];
        for (places, refused) in table {
            let places: Vec<SocketAddr> =
                places.iter().map(|place| place.parse().unwrap()).collect();
            let refused: Option<SocketAddr> = refused.map(|place| place.parse().unwrap());
            let judged = in_reach(Reach::Public, &places, &allowed);
            assert_eq!(judged.err(), refused, "{places:?}");
            assert_eq!(in_reach(Reach::Everywhere, &places, &[]), Ok(()));
        }
    }

    /// What listens here for the inside alone may stand open at an address that the world sees.
    #[test]
    fn nobody_names_this_machine_by_its_public_address() {
        let own: IpAddr = "8.8.4.4".parse().unwrap();
        let place = |text: &str| [text.parse::<SocketAddr>().unwrap()];
        let judged = |places: &[SocketAddr], allowed: &[Allowed]| {
            all_public(places, allowed, |ip| ip == own)
        };
        let ours = place("8.8.4.4:5432");
        assert_eq!(judged(&ours, &[]), Err(ours[0]));
        assert_eq!(judged(&ours, &["8.8.4.4:5432".parse().unwrap()]), Ok(()));
        assert_eq!(judged(&place("8.8.8.8:5432"), &[]), Ok(()));
    }

    /// The addresses of this machine are known without asking anybody.
    #[test]
    fn which_addresses_are_of_this_machine() {
        for (ip, ours) in [
            ("127.9.9.9", true),
            ("0.0.0.0", true),
            ("::1", true),
            ("192.0.2.1", false),
            ("8.8.8.8", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_this_machine(ip.parse().unwrap()), ours, "{ip}");
        }
    }

    #[test]
    fn x7_public_addresses_on_the_ports_of_the_web_only() {
        for (place, may) in [
            ("8.8.8.8:80", true),
            ("8.8.8.8:443", true),
            ("8.8.8.8:8080", false),
            ("8.8.8.8:25", false),
            ("[2600::1]:80", true),
            ("127.0.0.1:80", false),
            ("169.254.169.254:80", false),
        ] {
            assert_eq!(may_call(place.parse().unwrap(), &[]), may, "{place}");
        }
    }
}
