//! A gateway between two sinks, ready for mail: what most tests start from.

use std::time::Duration;

use crate::case::Mailbox;
use crate::cast::{ALICE, CAROL, Cast};
use crate::client::{Reply, Session};
use crate::gateway::{self, Gateway, Options};
use crate::place::PATIENCE;
use crate::sink::{Received, Sink};

/// How long a delivery may take; all of it is on loopback.
pub const DELIVERY: Duration = PATIENCE;

/// A running gateway, the organisation's mail server behind it, and the internet.
#[derive(Debug)]
pub struct Scene {
    /// The gateway.
    pub gateway: Gateway,
    /// Where mail for the organisation arrives.
    pub office: Sink,
    /// Where all other mail arrives.
    pub internet: Sink,
}

impl Scene {
    /// With alice active, and `more` in the words of `docs/apply.md` behind the mailboxes: rules, correspondents.
    pub fn new(name: &str, options: &Options, cast: &Cast, more: &str) -> Option<Self> {
        let (office, internet) = (Sink::start(), Sink::start());
        let description = Self::description(cast, more, &office, &internet);
        let gateway = Gateway::running(name, options, cast, &description)?;
        Some(Self {
            gateway,
            office,
            internet,
        })
    }

    /// What [`Scene::new`] applies.
    pub fn description(cast: &Cast, more: &str, office: &Sink, internet: &Sink) -> String {
        [
            gateway::head(office.address),
            gateway::mailbox(ALICE, Mailbox::Active, cast),
            more.to_owned(),
            gateway::tail(cast, internet.address),
        ]
        .concat()
    }

    /// Hands a mail for alice in from outside.
    pub fn mail_in(&self, message: &[u8]) -> Reply {
        send(self.gateway.inbound, CAROL, &[ALICE], message)
    }

    /// Hands a mail of alice to carol in.
    pub fn mail_out(&self, message: &[u8]) -> Reply {
        send(self.gateway.outbound, ALICE, &[CAROL], message)
    }

    /// The only mail that arrived at the organisation's server.
    pub fn at_office(&self) -> Received {
        only(self.office.wait_for(1, DELIVERY))
    }

    /// The only mail that arrived at the internet's server.
    pub fn at_internet(&self) -> Received {
        only(self.internet.wait_for(1, DELIVERY))
    }
}

fn only(mut mails: Vec<Received>) -> Received {
    assert_eq!(mails.len(), 1, "{mails:?}");
    mails.remove(0)
}

/// One mail in a session of its own; gives the first bad reply or the one at the end of data.
pub fn send(server: std::net::SocketAddr, from: &str, to: &[&str], message: &[u8]) -> Reply {
    let mut session = Session::connect(server).unwrap();
    session.command("EHLO client.example").unwrap();
    let reply = session.mail(from, to, message).unwrap();
    let _ = session.command("QUIT");
    reply
}

/// One rule for all addresses, in the words of `docs/apply.md`.
pub fn rule(inbound: &str, outbound: &str) -> String {
    format!(
        "[[rules]]\nmanaged = \"all\"\nexternal = \"all\"\ninbound = {inbound:?}\noutbound = {outbound:?}\n"
    )
}

/// The imported certificate of an external address.
pub fn correspondent(cast: &Cast, address: &str) -> String {
    let file = crate::keys::shown(&cast.of(address).certificate);
    format!("[[correspondents]]\ncertificate = {file:?}\n")
}
