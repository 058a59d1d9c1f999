//! A gateway with its portal and two organisations alike in all but name. Everything of one carries its marker: where the marker
//! of the other shows up, something leaked.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use crate::cast::Cast;
use crate::client::{Sending, smtplib};
use crate::dns::{Dns, Record};
use crate::gateway::{Gateway, Options, program};
use crate::keys::{self, Identity, KeyKind, PASSWORD, shown};
use crate::mime::{entity, with_entity};
use crate::openssl::{self, Writing};
use crate::place::{Directory, free_address};
use crate::portal::http::Request;
use crate::portal::people;
use crate::program::present;
use crate::scene::{DELIVERY, send};
use crate::sink::{Behaviour, Sink};

/// Password of the sending clients that sign in.
const CLIENT_PASSWORD: &str = "the client's own password";

/// An organisation of the world.
#[derive(Debug)]
pub struct Organisation {
    /// Its name, which is also its marker.
    pub name: &'static str,
    /// Its mailbox with a certificate of its own.
    pub anna: Identity,
    /// A mailbox that is deactivated with an uploaded certificate: to be confirmed by hand.
    pub gustav: Identity,
    /// A correspondent whose key is imported.
    pub carol: Identity,
    /// A correspondent whose key is learned from a mail.
    pub dan: Identity,
    authority: Identity,
    /// Issues for its partners, and is trusted.
    pub partner: Identity,
}

/// The first organisation.
pub const ALPHA: &str = "zqalpha";
/// The second one.
pub const BETA: &str = "zqbeta";
/// One that has nothing yet.
pub const EMPTY: &str = "zqempty";

impl Organisation {
    fn new(name: &'static str, directory: &Path) -> Self {
        let kind = KeyKind::P256;
        let authority = keys::authority(directory, &format!("{name}-CA"));
        let partner = keys::authority(directory, &format!("{name}-partner-CA"));
        let theirs =
            |local| keys::mailbox(directory, &partner, &partner_address(name, local), kind);
        Self {
            name,
            anna: keys::mailbox(directory, &authority, &own_address(name, "anna"), kind),
            gustav: keys::mailbox(directory, &authority, &own_address(name, "gustav"), kind),
            carol: theirs("carol"),
            dan: theirs("dan"),
            authority,
            partner,
        }
    }

    /// An address of it.
    pub fn own(&self, local: &str) -> String {
        own_address(self.name, local)
    }

    /// An address of its partner.
    pub fn theirs(&self, local: &str) -> String {
        partner_address(self.name, local)
    }

    /// What it is, in the words of `docs/apply.md`.
    fn description(&self, office: SocketAddr, internet: SocketAddr) -> String {
        let name = self.name;
        let mut text = format!(
            "organisation = \"{name}\"\n[settings]\nlanguage = \"en\"\nsubject-tags = true\n\
             [[routes]]\nname = \"{name}-office\"\ndomains = [\"{name}.example\", \"{name}-second.example\"]\n\
             target = {{ host = \"127.0.0.1\", port = {} }}\n",
            office.port()
        );
        for (local, identity) in [("anna", &self.anna), ("gustav", &self.gustav)] {
            let file = shown(&identity.pkcs12(&self.authority));
            write!(
                text,
                "[[routes.mailboxes]]\naddress = \"{local}@{name}.example\"\nstate = \"active\"\npkcs12 = {file:?}\n\
                 password = {PASSWORD:?}\n"
            )
            .unwrap();
        }
        for local in ["boris", "dora", "emil"] {
            writeln!(
                text,
                "[[routes.mailboxes]]\naddress = \"{local}@{name}.example\""
            )
            .unwrap();
        }
        writeln!(
            text,
            "[[routes.mailboxes]]\naddress = \"frida@{name}.example\"\nstate = \"active\"\nkey = \"p-256\""
        )
        .unwrap();
        for (managed, external, inbound, outbound) in [
            (
                self.own("anna"),
                self.theirs("stranger"),
                "optional",
                "enforce",
            ),
            (
                self.own("anna"),
                format!("{name}-partner.example"),
                "always",
                "optional",
            ),
            ("all".to_owned(), "all".to_owned(), "optional", "sign-only"),
        ] {
            writeln!(
                text,
                "[[rules]]\nmanaged = \"{managed}\"\nexternal = \"{external}\"\ninbound = \"{inbound}\"\noutbound = \"{outbound}\""
            )
            .unwrap();
        }
        writeln!(
            text,
            "[[correspondents]]\ncertificate = {:?}\n[[trust-roots]]\ncertificate = {:?}\n[[blocked]]\nsha256 = \"{:0>64}\"\n\
             [[partners]]\nexternal = \"{name}-partner.example\"\nprofile = \"modern\"\n\
             [[destinations]]\ndomain = \"{name}-far.example\"\nhost = \"mx.{name}-far.example\"\nport = 25\ntls = \"required\"\n\
             [smarthost]\nhost = \"127.0.0.1\"\nport = {}\n\
             [[clients]]\nname = \"{name}-mail\"\nuser = \"{name}-mail\"\npassword = {CLIENT_PASSWORD:?}\n\
             [[clients]]\nname = \"{name}-network\"\nnetworks = [\"192.0.2.0/25\"]\nconnector-secret = \"{name}-q7Kc2vYp9sXe4mTz8uWb\"",
            shown(&self.carol.certificate),
            shown(&self.partner.certificate),
            name.len(),
            internet.port()
        )
        .unwrap();
        text
    }
}

/// What the description does not say: an order that waits for somebody's hand, a batch, a mailbox in deactivation, a key for DKIM,
/// a directory, licences.
fn beside(name: &str) -> Vec<String> {
    [
        "authority add NAME-hand --kind by-hand",
        "mailbox activate emil@NAME.example --authority NAME-hand",
        "mailbox deactivate gustav@NAME.example",
        "reissue frida@NAME.example --key p-256 --authority NAME-hand",
        "dkim create NAME.example",
        "dkim create NAME-second.example",
        "directory add NAME-directory --url ldap://127.0.0.1:1 --domain NAME-nowhere.example --base dc=NAME",
        "user create invited@NAME.example --role read",
        "licence book --base 20 --smime 10 --until 2027-12-31",
    ]
    .into_iter()
    .map(|line| line.replace("NAME", name) + " -o " + name)
    .collect()
}

fn own_address(name: &str, local: &str) -> String {
    format!("{local}@{name}.example")
}

fn partner_address(name: &str, local: &str) -> String {
    format!("{local}@{name}-partner.example")
}

/// Everything that runs.
#[derive(Debug)]
pub struct World {
    /// The gateway.
    pub gateway: Gateway,
    /// Where its portal listens.
    pub portal: SocketAddr,
    /// The mail server of both organisations.
    pub office: Sink,
    /// Everybody else's.
    pub internet: Sink,
    /// The first organisation, whose data the second must never see.
    pub alpha: Organisation,
    /// The second one.
    pub beta: Organisation,
    _keys: Directory,
    /// The DNS that the gateway asks.
    pub dns: Dns,
}

/// A plain mail.
pub fn plain(from: &str, to: &str, subject: &str, text: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{}.{to}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain\r\n\r\n{text}\r\n",
        subject.replace(|char: char| !char.is_ascii_alphanumeric(), ".")
    )
    .into_bytes()
}

impl World {
    /// Configured and described, not yet running. `None` if a program is missing.
    pub fn configured(name: &str) -> Option<Self> {
        if program().is_none() || !present(&["openssl", "python3"]) {
            return None;
        }
        let (office, internet) = (Sink::start(), Sink::start());
        let portal = free_address();
        let dns = Dns::start();
        for name in [ALPHA, BETA] {
            for domain in [format!("{name}.example"), format!("{name}-second.example")] {
                dns.add(&domain, Record::Mx(10, "gateway.example".to_owned()));
            }
        }
        let options = Options {
            dns: dns.address.to_string(),
            more: format!(
                "[portal]\nlisten = [\"{portal}\"]\nurl = \"http://{portal}\"\ntime-zone = \"Europe/Vienna\"\n\
                 reachable = [\"127.0.0.0/8\"]\n\
                 [portal.contact]\nname = \"Support\"\nmail = \"support@operator.example\"\nphone = \"+43 1 2345\"\n\
                 hours = \"8 to 17\"\nquestions = \"https://operator.example/faq\"\nbooking = \"https://operator.example/booking\"\n"
            ),
            ..Options::default()
        };
        let gateway = Gateway::configured(name, &options, Cast::with(KeyKind::P256))?;
        let keys = Directory::new(&format!("{name}-keys"));
        let [alpha, beta] = [ALPHA, BETA].map(|name| Organisation::new(name, keys.path()));
        for organisation in [&alpha, &beta] {
            gateway.apply(&organisation.description(office.address, internet.address));
        }
        let lines = [ALPHA, BETA].map(beside).concat();
        let more = [
            format!("organisation create {EMPTY}"),
            "user create invited@operator.example --operator".to_owned(),
        ];
        for line in [lines, more.into()].concat() {
            let made = gateway.command(&line.split(' ').collect::<Vec<_>>());
            assert!(made.good, "{line}: {}", made.err);
        }
        Some(Self {
            gateway,
            portal,
            office,
            internet,
            alpha,
            beta,
            _keys: keys,
            dns,
        })
    }

    /// Running, with mail of every kind behind it.
    pub fn running(name: &str) -> Option<Self> {
        let mut world = Self::configured(name)?;
        people::settle(&world);
        world.gateway.start();
        for organisation in [&world.alpha, &world.beta] {
            world.mail(organisation);
            world.webhook(organisation);
        }
        world.gateway.drained();
        Some(world)
    }

    /// One mail of every kind for an organisation.
    fn mail(&self, of: &Organisation) {
        let name = of.name;
        let (anna, boris) = (of.own("anna"), of.own("boris"));
        let (carol, dan) = (of.theirs("carol"), of.theirs("dan"));
        self.office.behave(Behaviour {
            recipients: vec![(boris.clone(), "550 5.7.1 not today".to_owned())],
            ..Behaviour::default()
        });
        let subject = |what: &str| format!("{name} {what}");
        let text = format!("{name} text of a mail");
        let mail = |from: &str, to: &str, what: &str| plain(from, to, &subject(what), &text);
        let of_dan = mail(&dan, &anna, "signed");
        let signed = openssl::sign(&entity(&of_dan), &of.dan, None, false, Writing::Der);
        let of_carol = mail(&carol, &anna, "encrypted");
        let certificate = of.anna.certificate.as_path();
        let encrypted = openssl::encrypt(
            &entity(&of_carol),
            &[certificate],
            "aes-256-cbc",
            Writing::Der,
        );
        let foreign = openssl::encrypt(
            &entity(&of_carol),
            &[of.carol.certificate.as_path()],
            "aes-256-cbc",
            Writing::Der,
        );
        for (from, to, content, code) in [
            (&dan, &anna, with_entity(&of_dan, &signed), 250),
            (&carol, &anna, with_entity(&of_carol, &encrypted), 250),
            (&carol, &anna, with_entity(&of_carol, &foreign), 550),
            (&carol, &boris, mail(&carol, &boris, "held"), 250),
            (&carol, &boris, mail(&carol, &boris, "held too"), 250),
            (&carol, &boris, mail(&carol, &boris, "held as well"), 250),
        ] {
            let reply = send(self.gateway.inbound, from, &[to], &content);
            assert_eq!(reply.code, code, "{reply:?}");
        }
        // The partner's directory is asked over and over: wait until the signed mail has taught us its key.
        self.gateway.drained();
        for (to, what, code) in [
            (carol.as_str(), "out", 250),
            (&format!("somebody@{name}-world.example"), "out signed", 250),
            (&of.theirs("stranger"), "out refused", 550),
        ] {
            let reply = self.send_out(of, &anna, to, &mail(&anna, to, what));
            assert_eq!(reply, code, "{what}");
        }
        self.office.wait_for(2, DELIVERY);
    }

    /// Events are passed on to an address that leads nowhere.
    fn webhook(&self, of: &Organisation) {
        let script = people::person(&format!("{}-admin", of.name)).visits(self);
        let path = format!("/api/v1/organisations/{}/webhooks", of.name);
        let url = format!("https://hooks.{}.example/x", of.name);
        let new = serde_json::json!({ "url": url });
        let made = script.ask(&Request::new("POST", &path).json(&new));
        assert!(made.status < 300, "{}", made.text());
    }

    /// Hands a mail of an organisation in as its sending client; gives the code of the reply.
    pub fn send_out(&self, of: &Organisation, from: &str, to: &str, content: &[u8]) -> u16 {
        let mut sending = Sending::new(self.gateway.outbound, from, &[to], content);
        sending.starttls = true;
        sending.auth = Some((format!("{}-mail", of.name), CLIENT_PASSWORD.to_owned()));
        smtplib(&sending).reply.code
    }
}
