//! Which addresses mail is handed over at: what whoever named the server may reach, never this gateway's own listeners for
//! sending clients, and this machine only where somebody named it by hand.

use std::net::SocketAddr;
use std::sync::OnceLock;

use sealgate_core::queue::{Problem, Reach};
use sealgate_core::saying::Servers as Said;
use sealgate_mail::{Domain, EnhancedStatus};

use super::attempt::problem;
use crate::fetch::{Allowed, in_reach, is_public, is_this_machine, names_this_machine};

/// The listeners of this gateway.
#[derive(Clone, Debug, Default)]
pub struct OwnListeners {
    /// For mail from anyone to managed addresses.
    pub inbound: Vec<SocketAddr>,
    /// For mail from sending clients.
    pub outbound: Vec<SocketAddr>,
    /// The names of this gateway, to which MX records of its organisations lead (S18).
    pub names: Vec<Domain>,
}

/// Who named a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NamedBy {
    /// Somebody who may reach so far.
    Hand(Reach),
    /// The owner of the recipients' domain, whoever that is, for mail of somebody who may reach so far.
    Mx(Reach),
}

/// What a mail or a question is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Away from the organisation, perhaps to another one of this gateway.
    Out,
    /// To the organisation's own mail server: the gateway itself would only pass it round.
    In,
}

/// What addresses are judged by.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Networks that organisations may name beside public addresses.
    pub(super) reachable: Vec<Allowed>,
    /// Whether MX records may lead to this machine.
    pub(super) mx_loopback: bool,
    pub(super) own: OnceLock<OwnListeners>,
}

impl Rules {
    /// Whether the host `name` may be called at all of `places`.
    pub(super) fn judge(
        &self,
        (name, by): (&str, NamedBy),
        way: Way,
        places: &[SocketAddr],
    ) -> Result<(), Problem> {
        if let NamedBy::Hand(reach) = by
            && let Err(place) = in_reach(reach, places, &self.reachable)
        {
            let host = inner(name, place);
            return Err(problem(
                EnhancedStatus(4, 4, 1),
                Said::InnerNetwork { host },
            ));
        }
        if let Some(place) = places.iter().find(|place| self.is_own(way, **place)) {
            // RFC 3463 section 3.5: X.4.6, routing loop detected. Who set it up can mend it before the mail fails.
            let place = format!("{name} [{place}]");
            return Err(problem(
                EnhancedStatus(4, 4, 6),
                Said::ThisGateway { place },
            ));
        }
        let NamedBy::Mx(reach) = by else {
            return Ok(());
        };
        let reach = match self.is_our_name(name) {
            true => Reach::Everywhere,
            false => reach,
        };
        let stray = places
            .iter()
            .find_map(|place| self.stray(reach, name, *place));
        stray.map_or(Ok(()), |said| Err(problem(EnhancedStatus(4, 4, 1), said)))
    }

    /// Why MX records may not lead to `place`. Our door for everybody they may lead to, wherever it is.
    fn stray(&self, reach: Reach, name: &str, place: SocketAddr) -> Option<Said> {
        let ip = place.ip();
        let is_here = names_this_machine(ip);
        let may = match (is_here, reach) {
            (true, _) => self.mx_loopback,
            (false, Reach::Everywhere) => true,
            (false, Reach::Public) => is_public(ip),
        };
        if may || self.listens(Listeners::Inbound, place) {
            return None;
        }
        Some(match is_here {
            true => Said::ThisMachine {
                place: format!("{name} [{ip}]"),
            },
            false => Said::InnerMx {
                host: inner(name, place),
            },
        })
    }

    /// Whether it is a name of this gateway. Behind a translation of addresses its own door may be at another address than it listens
    /// at, and the operator alone says where the name leads.
    fn is_our_name(&self, name: &str) -> bool {
        let own = self.own.get().map(|own| &own.names);
        let name = Domain::parse(name.trim_end_matches('.'));
        own.is_some_and(|own| name.is_ok_and(|name| own.contains(&name)))
    }

    /// Whether mail that goes this way would come back to us.
    fn is_own(&self, way: Way, place: SocketAddr) -> bool {
        self.listens(Listeners::Outbound, place)
            || way == Way::In && self.listens(Listeners::Inbound, place)
    }

    fn listens(&self, which: Listeners, place: SocketAddr) -> bool {
        let Some(own) = self.own.get() else {
            return false;
        };
        let listeners = match which {
            Listeners::Inbound => &own.inbound,
            Listeners::Outbound => &own.outbound,
        };
        let ip = place.ip().to_canonical();
        let mut at_port = listeners
            .iter()
            .filter(|listener| listener.port() == place.port());
        at_port.any(|listener| match listener.ip().to_canonical() {
            all if all.is_unspecified() => is_this_machine(ip),
            // Whoever calls the unspecified address is connected to this machine.
            one => one == ip || ip.is_unspecified(),
        })
    }
}

/// The name of a host inside the operator's network. Its address is for the log only: whoever sends mail could ask for every name.
fn inner(name: &str, place: SocketAddr) -> String {
    tracing::info!(host = name, address = %place.ip(), "not called: inside the operator's network");
    name.to_owned()
}

#[derive(Clone, Copy)]
enum Listeners {
    Inbound,
    Outbound,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let own = OwnListeners {
            inbound: vec![
                "0.0.0.0:25".parse().unwrap(),
                "192.168.7.7:2525".parse().unwrap(),
            ],
            outbound: vec![
                "0.0.0.0:587".parse().unwrap(),
                "127.0.0.3:465".parse().unwrap(),
            ],
            names: vec![Domain::parse("gateway.example").unwrap()],
        };
        Rules {
            reachable: vec!["10.1.0.0/16".parse().unwrap()],
            mx_loopback: false,
            own: OnceLock::from(own),
        }
    }

    #[test]
    fn who_may_send_mail_where() {
        use NamedBy::Hand;
        let (alone, shared) = (NamedBy::Mx(Reach::Everywhere), NamedBy::Mx(Reach::Public));
        let (operator, tenant) = (Hand(Reach::Everywhere), Hand(Reach::Public));
        let table = [
            (tenant, Way::Out, "8.8.8.8:25", None),
            (tenant, Way::Out, "10.1.2.3:25", None),
            (tenant, Way::Out, "10.2.0.1:25", Some("4.4.1")),
            (tenant, Way::In, "127.0.0.1:2525", Some("4.4.1")),
            (operator, Way::Out, "10.2.0.1:25", None),
            (operator, Way::In, "127.0.0.1:2525", None),
            // Our listener for sending clients, whoever named it.
            (operator, Way::Out, "127.0.0.1:587", Some("4.4.6")),
            (operator, Way::Out, "127.1.2.3:587", Some("4.4.6")),
            (operator, Way::In, "0.0.0.0:587", Some("4.4.6")),
            (operator, Way::Out, "[::ffff:127.0.0.1]:587", Some("4.4.6")),
            (operator, Way::Out, "127.0.0.3:465", Some("4.4.6")),
            (operator, Way::Out, "0.0.0.0:465", Some("4.4.6")),
            (operator, Way::Out, "127.0.0.4:465", None),
            (alone, Way::Out, "127.0.0.1:587", Some("4.4.6")),
            // Our door for everybody leads to the other organisations, not to its own.
            (operator, Way::Out, "127.0.0.1:25", None),
            (operator, Way::In, "127.0.0.1:25", Some("4.4.6")),
            (alone, Way::Out, "127.0.0.1:25", None),
            // MX records of others.
            (alone, Way::Out, "127.0.0.1:26", Some("4.4.1")),
            (alone, Way::Out, "0.0.0.0:26", Some("4.4.1")),
            (alone, Way::Out, "[::1]:26", Some("4.4.1")),
            (alone, Way::Out, "[::ffff:127.0.0.1]:26", Some("4.4.1")),
            (alone, Way::Out, "8.8.8.8:26", None),
            (alone, Way::Out, "10.2.0.1:26", None),
            // Where organisations share the installation, its network is not for the owners of foreign domains to name, and what
            // organisations may name by hand is not either.
            (shared, Way::Out, "8.8.8.8:26", None),
            (shared, Way::Out, "10.2.0.1:26", Some("4.4.1")),
            (shared, Way::Out, "10.1.2.3:26", Some("4.4.1")),
            (shared, Way::Out, "[fd00::1]:26", Some("4.4.1")),
            (shared, Way::Out, "169.254.169.254:26", Some("4.4.1")),
            (shared, Way::Out, "127.0.0.1:26", Some("4.4.1")),
            // Our own door for everybody, also behind a translation of addresses.
            (shared, Way::Out, "127.0.0.1:25", None),
            (shared, Way::Out, "192.168.7.7:2525", None),
        ];
        for (by, way, place, refused) in table {
            let judged = rules().judge(("mx.example", by), way, &[place.parse().unwrap()]);
            let status = judged.err().map(|problem| problem.status.to_string());
            assert_eq!(status.as_deref(), refused, "{by:?} {way:?} {place}");
        }
        let tests = Rules {
            mx_loopback: true,
            ..rules()
        };
        let place = ["127.0.0.1:26".parse().unwrap()];
        assert!(tests.judge(("mx.example", alone), Way::Out, &place).is_ok());
        // The gateway's own name, at the address where its router has it; not on this machine, where others may listen.
        let ours = |place: &str| {
            let place = [place.parse().unwrap()];
            rules().judge(("Gateway.Example.", shared), Way::Out, &place)
        };
        assert!(ours("10.2.0.1:25").is_ok());
        assert!(ours("127.0.0.1:26").is_err());
        // What is told to whoever sends the mail names no address inside.
        let place = ["10.2.0.1:25".parse().unwrap()];
        for by in [tenant, shared] {
            let told = rules().judge(("mx.example", by), Way::Out, &place);
            let told = told.unwrap_err().said.to_string();
            assert!(
                told.contains("mx.example") && !told.contains("10.2"),
                "{told}"
            );
        }
        // One bad address is enough.
        let places = [
            "8.8.8.8:25".parse().unwrap(),
            "10.2.0.1:25".parse().unwrap(),
        ];
        assert!(
            rules()
                .judge(("x.example", tenant), Way::Out, &places)
                .is_err()
        );
    }
}
