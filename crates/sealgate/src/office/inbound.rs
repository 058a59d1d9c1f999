//! The portal's questions about inbound routes, their mailboxes, and the ways out.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use sealgate_core::change::Change;
use sealgate_core::prerequisite::Answer;
use sealgate_core::queue::{Credentials, Destination, NextHop, Reach, TlsRequirement};
use sealgate_core::saying::{Inputs, Saying};
use sealgate_core::tenant::{InboundRoute, Organisation};
use sealgate_mail::{Address, Domain};
use sealgate_net::prerequisites::texts;
use sealgate_portal::auth::{Permitted, Read, Write};
use sealgate_portal::office::inbound::{
    Added, DomainWay, GoesAlong, Inbound, LineRefusal, MxState, NewRoute, NewServer, NewWayOut,
    Preview, RefusedLine, Route, Server, WayOut, WaysOut,
};
use sealgate_portal::office::mailboxes::BulkDone;
use sealgate_portal::office::{Applied, Asked};
use sealgate_portal::problem::{Problem, Titles};
use sealgate_store::limits::TOGETHER;
use sealgate_store::{BulkAction, MailboxCounts, MailboxQuery, RouteChange};

use tokio::task::JoinSet;

use super::{PortalOffice, is_plain, problem, short};
use crate::gateway::{Gateway, now};
use crate::limits::{DOMAINS_ASKED, LOGIN_CHARS, ROUTE_DOMAINS, ROUTE_NAME_CHARS, WAY_WAIT};
use crate::prerequisites::may_request;

#[async_trait]
impl Inbound for PortalOffice {
    async fn routes(&self, who: &Permitted<Read>) -> Asked<Vec<Route>> {
        let own = self.own(who)?;
        let counts = self.counts(who).await?;
        let mut routes: Vec<Route> = own.routes.iter().map(|one| shown(one, &counts)).collect();
        routes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(routes)
    }

    async fn route(&self, who: &Permitted<Read>, name: &str) -> Asked<Route> {
        let counts = self.counts(who).await?;
        let own = self.own(who)?;
        Ok(shown(named(&own, name)?, &counts))
    }

    async fn domain_ways(
        &self,
        who: &Permitted<Read>,
        name: &str,
    ) -> Asked<(Vec<DomainWay>, Vec<Domain>)> {
        let own = self.own(who)?;
        let route = named(&own, name)?;
        let mut asked = JoinSet::new();
        for domain in route.domains.iter().take(DOMAINS_ASKED).cloned() {
            let (gateway, own) = (Arc::clone(&self.0), Arc::clone(&own));
            asked.spawn(async move { way(&gateway, &own, domain).await });
        }
        let mut ways = asked.join_all().await;
        ways.sort_by(|one, other| one.domain.cmp(&other.domain));
        Ok((ways, self.0.config.gateway_names()))
    }

    async fn add_route(&self, who: &Permitted<Write>, route: NewRoute) -> Asked<Applied> {
        let own = self.own(who)?;
        let name = route_name(&route.name)?;
        if named(&own, &name).is_ok() {
            return Err(Problem::wrong("name", Inputs::RouteTaken {}));
        }
        let route = judged(NewRoute { name, ..route }, (self.reach(who), None))?;
        self.must_be_proven(who, &route.domains).await?;
        self.must_be_in_reach(Some(&route.target)).await?;
        self.change(who, vec![Change::PutRoute(route)]).await
    }

    async fn edit_route(&self, who: &Permitted<Write>, route: NewRoute) -> Asked<BulkDone> {
        let own = self.own(who)?;
        let before = named(&own, &route.name)?;
        let route = judged(route, (self.reach(who), Some(&before.target)))?;
        let had = |domain: &&Domain| before.domains.contains(*domain);
        let new = route.domains.iter().filter(|domain| !had(domain));
        let new: Vec<Domain> = new.cloned().collect();
        self.must_be_proven(who, &new).await?;
        self.must_be_in_reach(Some(&route.target)).await?;
        let lost = before
            .domains
            .iter()
            .filter(|one| !route.domains.contains(*one));
        let lost: Vec<Domain> = lost.cloned().collect();
        let change = RouteChange::Edit {
            was: Box::new(before.clone()),
            becomes: Box::new(route),
        };
        self.with_mailboxes(who, (&before.name, lost), change).await
    }

    async fn goes_along(
        &self,
        who: &Permitted<Read>,
        name: &str,
        domains: &[Domain],
    ) -> Asked<GoesAlong> {
        let own = self.own(who)?;
        let route = named(&own, name)?;
        let counts = self.counts(who).await?;
        let is_lost = |domain: &Domain| route.domains.contains(domain) && !domains.contains(domain);
        let lost = counts.iter().filter(|(domain, _)| is_lost(domain));
        Ok(
            lost.fold(GoesAlong::default(), |sum, (_, counts)| GoesAlong {
                mailboxes: sum.mailboxes.saturating_add(counts.known),
                certificates: sum.certificates.saturating_add(counts.active),
            }),
        )
    }

    async fn remove_route(&self, who: &Permitted<Write>, name: &str) -> Asked<BulkDone> {
        let own = self.own(who)?;
        let route = named(&own, name)?;
        let change = RouteChange::Remove(route.name.clone());
        self.with_mailboxes(who, (name, route.domains.clone()), change)
            .await
    }

    async fn preview(
        &self,
        who: &Permitted<Write>,
        name: &str,
        lines: Vec<(u64, String)>,
    ) -> Asked<Preview> {
        let own = self.own(who)?;
        let route = named(&own, name)?;
        let mut preview = sorted(&route.domains, lines);
        let known = self.0.store.known_among(own.id, &preview.new).await;
        let known = known.map_err(problem)?;
        preview.new.retain(|address| !known.contains(address));
        preview.known = known.len() as u64;
        Ok(preview)
    }

    async fn add_mailboxes(
        &self,
        who: &Permitted<Write>,
        name: &str,
        mailboxes: Vec<Address>,
    ) -> Asked<Added> {
        let own = self.own(who)?;
        let route = named(&own, name)?;
        let is_stray = |address: &&Address| !route.domains.contains(address.domain());
        if let Some(stray) = mailboxes.iter().find(is_stray) {
            return Err(Problem {
                detail: Some(Saying::words(stray.to_string())),
                ..Problem::new("mailbox-in-no-domain")
            });
        }
        if mailboxes.is_empty() {
            return Err(Problem::new("nothing-chosen"));
        }
        let mut seen = HashSet::new();
        let wanted: Vec<Address> = mailboxes
            .into_iter()
            .filter(|address| seen.insert(address.key()))
            .collect();
        let all = wanted.len() as u64;
        let store = &self.0.store;
        let added = store.add_mailboxes(own.id, wanted, who.who(), now()).await;
        let (added, version) = added.map_err(problem)?;
        Ok(Added {
            added,
            known: all.saturating_sub(added),
            applied: self.applied(version, Vec::new()).await?,
        })
    }

    async fn remove_mailboxes(
        &self,
        who: &Permitted<Write>,
        mailboxes: Vec<Address>,
    ) -> Asked<Applied> {
        let known = self.0.store.known_among(who.organisation(), &mailboxes);
        let known = known.await.map_err(problem)?;
        let stranger = mailboxes.iter().any(|address| !known.contains(address));
        if stranger {
            return Err(Problem::not_found());
        }
        let remove = |mailbox: Address| (mailbox.to_string(), Change::RemoveMailbox(mailbox));
        self.change_many(who, mailboxes.into_iter().map(remove).collect())
            .await
    }

    async fn ways_out(&self, who: &Permitted<Read>) -> Asked<WaysOut> {
        let own = self.own(who)?;
        let way = |destination: &Destination| WayOut {
            server: destination.hop.as_ref().and_then(server),
            tls: destination.tls,
        };
        let destinations = own.destinations.iter();
        Ok(WaysOut {
            smarthost: own.smarthost.as_ref().and_then(server),
            destinations: destinations
                .map(|(domain, to)| (domain.clone(), way(to)))
                .collect(),
        })
    }

    async fn set_smarthost(
        &self,
        who: &Permitted<Write>,
        server: Option<NewServer>,
    ) -> Asked<Applied> {
        let own = self.own(who)?;
        let was = own.smarthost.clone();
        let before = (self.reach(who), was.as_ref());
        let becomes = server.map(|server| hop(server, before)).transpose()?;
        self.must_be_in_reach(becomes.as_ref()).await?;
        let change = Change::EditSmarthost { was, becomes };
        self.change(who, vec![change]).await
    }

    async fn set_way_out(
        &self,
        who: &Permitted<Write>,
        domain: Domain,
        way: NewWayOut,
    ) -> Asked<Applied> {
        let own = self.own(who)?;
        let was = own.destinations.get(&domain);
        let before = (self.reach(who), was.and_then(|to| to.hop.as_ref()));
        let hop = way.server.map(|server| hop(server, before)).transpose()?;
        self.must_be_in_reach(hop.as_ref()).await?;
        let change = Change::EditDestination {
            was: was.cloned(),
            becomes: Destination { hop, tls: way.tls },
            domain,
        };
        self.change(who, vec![change]).await
    }

    async fn remove_way_out(&self, who: &Permitted<Write>, domain: Domain) -> Asked<Applied> {
        let own = self.own(who)?;
        if !own.destinations.contains_key(&domain) {
            return Err(Problem::not_found());
        }
        self.change(who, vec![Change::RemoveDestination(domain)])
            .await
    }
}

type Counts = Vec<(Domain, MailboxCounts)>;

impl PortalOffice {
    fn own<P>(&self, who: &Permitted<P>) -> Asked<Arc<Organisation>> {
        let installation = self.0.installation();
        let own = installation.organisation(who.organisation());
        own.cloned().ok_or_else(Problem::not_found)
    }

    async fn counts(&self, who: &Permitted<Read>) -> Asked<Counts> {
        let counts = self.0.store.domain_counts(who.organisation()).await;
        counts.map_err(problem)
    }

    /// How far servers may lie that `who` names. Where several organisations share the installation, the operator's own network
    /// is his, and so is this machine.
    pub(super) fn reach<P>(&self, who: &Permitted<P>) -> Reach {
        match self.is_free(who) {
            true => Reach::Everywhere,
            false => Reach::Public,
        }
    }

    /// Tells at once what would fail with the first mail. What counts is where the name leads then.
    async fn must_be_in_reach(&self, hop: Option<&NextHop>) -> Asked<()> {
        match hop {
            Some(NextHop::Host {
                host,
                port,
                reach: Reach::Public,
                ..
            }) => self.must_be_public("host", host, *port).await,
            _ => Ok(()),
        }
    }

    /// Whether a server may be there that an administrator names who may reach public addresses only; nobody waits for DNS for
    /// long.
    pub(super) async fn must_be_public(
        &self,
        field: &'static str,
        host: &str,
        port: u16,
    ) -> Asked<()> {
        let asked = self.0.smtp_out.may_be_named(host, port);
        match tokio::time::timeout(WAY_WAIT, asked).await {
            Ok(false) => Err(Problem {
                field: Some(field),
                ..Problem::new("inner-address")
            }),
            Ok(true) | Err(_) => Ok(()),
        }
    }

    /// Where several organisations share the installation, nobody takes a domain that is not theirs: mail of the others for it
    /// would come to them. The operator knows what he does; where DNS is switched off nobody can be asked, and he gives domains.
    async fn must_be_proven(&self, who: &Permitted<Write>, domains: &[Domain]) -> Asked<()> {
        if self.is_free(who) {
            return Ok(());
        }
        let proof = format!("organisation={}", who.organisation_name());
        for domain in domains {
            let name = format!("_sealgate.{}", domain.as_str());
            match texts(&self.0.dns, &name).await {
                Answer::Off => return Err(Problem::new("domain-by-operator")),
                Answer::Known(texts) if texts.iter().any(|text| text.trim() == proof) => {}
                Answer::Known(_) | Answer::Missing(_) => {
                    return Err(Problem {
                        detail: Some(Saying::words(format!("{name}. TXT \"{proof}\""))),
                        ..Problem::new("domain-not-proven")
                    });
                }
            }
        }
        Ok(())
    }

    /// Carries out `change`, with which all known mailboxes of `domains` go. Where they are many, bulk work takes them away
    /// first.
    async fn with_mailboxes(
        &self,
        who: &Permitted<Write>,
        (route, domains): (&str, Vec<Domain>),
        change: RouteChange,
    ) -> Asked<BulkDone> {
        let counts = self.counts(&who.reads()).await?;
        let lost = counts.iter().filter(|(domain, _)| domains.contains(domain));
        let all = lost.map(|(_, counts)| counts.known).sum::<u64>();
        if all <= TOGETHER as u64 {
            return Ok(BulkDone {
                applied: self.change(who, vec![change.change()]).await?,
                done: all,
                goes_on: None,
                batch: None,
            });
        }
        let query = MailboxQuery {
            route: Some(route.to_owned()),
            ..MailboxQuery::default()
        };
        let mut mailboxes = self.all_mailboxes(who.organisation(), query).await?;
        mailboxes.retain(|address| domains.contains(address.domain()));
        self.bulk(who, BulkAction::Removal(change), mailboxes).await
    }
}

/// What S18 asks for; nobody waits for DNS for long.
async fn way(gateway: &Gateway, own: &Organisation, domain: Domain) -> DomainWay {
    let asked = may_request(gateway, own, &domain);
    let (mx, said) = match tokio::time::timeout(WAY_WAIT, asked).await {
        // Orders go through where DNS is off; but nobody saw where the domain points.
        Ok(Ok(())) if gateway.dns.is_off() => (MxState::Unknown, None),
        Ok(Ok(())) => (MxState::Met, None),
        Ok(Err(refusal)) if refusal.passing => (MxState::Unknown, Some(refusal.said)),
        Ok(Err(refusal)) => (MxState::NotMet, Some(refusal.said)),
        Err(_) => (MxState::Unknown, None),
    };
    DomainWay {
        domain,
        mx,
        found: said.as_ref().map(ToString::to_string),
        founds: said.as_ref().map(Titles::of),
    }
}

fn named<'o>(own: &'o Organisation, name: &str) -> Asked<&'o InboundRoute> {
    let mut routes = own.routes.iter();
    let found = routes.find(|route| route.name == name);
    found.ok_or_else(Problem::not_found)
}

fn shown(route: &InboundRoute, counts: &Counts) -> Route {
    let own = counts
        .iter()
        .filter(|(domain, _)| route.domains.contains(domain));
    let (mut mailboxes, mut active) = (0_u64, 0_u64);
    for (_, counts) in own {
        mailboxes = mailboxes.saturating_add(counts.known);
        active = active.saturating_add(counts.active);
    }
    Route {
        name: route.name.clone(),
        domains: route.domains.clone(),
        target: server(&route.target).unwrap_or_else(|| Server {
            host: String::new(),
            port: 25,
            tls: TlsRequirement::default(),
            user: None,
        }),
        wildcard: route.wildcard,
        mailboxes,
        active,
    }
}

fn server(hop: &NextHop) -> Option<Server> {
    match hop {
        NextHop::Host {
            host,
            port,
            tls,
            credentials,
            ..
        } => Some(Server {
            host: host.clone(),
            port: *port,
            tls: *tls,
            user: credentials.as_ref().map(|own| own.user.clone()),
        }),
        NextHop::Mx { .. } => None,
    }
}

/// The name of a new route. One that is there keeps its name, whoever gave it.
fn route_name(name: &str) -> Asked<String> {
    let name = name.trim();
    if !(1..=ROUTE_NAME_CHARS).contains(&name.chars().count()) {
        return Err(Problem::wrong(
            "name",
            Inputs::OneLine {
                most: ROUTE_NAME_CHARS,
            },
        ));
    }
    match is_plain(name) {
        true => Ok(name.to_owned()),
        false => Err(Problem::wrong("name", Inputs::PlainName {})),
    }
}

/// A route as it is to be, if it can be.
fn judged(route: NewRoute, before: (Reach, Option<&NextHop>)) -> Asked<InboundRoute> {
    if !(1..=ROUTE_DOMAINS).contains(&route.domains.len()) {
        return Err(Problem::wrong(
            "domains",
            Inputs::Domains {
                most: ROUTE_DOMAINS,
            },
        ));
    }
    let mut domains: Vec<Domain> = Vec::with_capacity(route.domains.len());
    for domain in route.domains {
        if domain.is_literal() {
            return Err(Problem::wrong(
                "domains",
                Inputs::NotADomain {
                    text: domain.to_string(),
                },
            ));
        }
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    Ok(InboundRoute {
        name: route.name,
        domains,
        target: hop(route.target, before)?,
        wildcard: route.wildcard,
    })
}

/// A server as it is to be. Without a password the one before stays, for the same user at the same server and port, asked for the
/// same TLS; what is kept of its reach stays with host and port, whoever changes the rest.
fn hop(server: NewServer, (reach, before): (Reach, Option<&NextHop>)) -> Asked<NextHop> {
    let host = server.host.trim().to_owned();
    let is_name = Domain::parse(&host).is_ok_and(|name| !name.is_literal());
    if !is_name && host.parse::<IpAddr>().is_err() {
        return Err(Problem::wrong("host", Inputs::Host {}));
    }
    if server.port == 0 {
        return Err(Problem::wrong(
            "port",
            Inputs::Between {
                least: 1,
                most: u16::MAX.into(),
            },
        ));
    }
    let user = server.user.filter(|user| !user.is_empty());
    let given = server.password.filter(|password| !password.is_empty());
    for (field, text) in [("user", &user), ("password", &given)] {
        let text = text.as_deref().unwrap_or_default();
        short(field, text, LOGIN_CHARS)?;
        if text.chars().any(char::is_control) {
            return Err(Problem::wrong(field, Inputs::OneLine { most: LOGIN_CHARS }));
        }
    }
    let credentials = user.map(|user| {
        let known = match before {
            Some(NextHop::Host {
                host: at,
                port,
                tls,
                credentials: Some(known),
                ..
            }) if (at, *port, *tls) == (&host, server.port, server.tls) && known.user == user => {
                Some(known.password.clone())
            }
            _ => None,
        };
        let password = given.or(known);
        let missing = || Problem::wrong("password", Inputs::PasswordOf {});
        Ok(Credentials {
            user,
            password: password.ok_or_else(missing)?,
        })
    });
    let may_stay = match before {
        Some(NextHop::Host {
            host: at,
            port,
            reach,
            ..
        }) if *at == host && *port == server.port => *reach,
        _ => Reach::Public,
    };
    Ok(NextHop::Host {
        host,
        port: server.port,
        tls: server.tls,
        credentials: credentials.transpose()?,
        reach: reach.min(may_stay),
    })
}

/// The lines of a list, each mailbox once; what cannot be taken is refused with its line.
fn sorted(domains: &[Domain], lines: Vec<(u64, String)>) -> Preview {
    let mut preview = Preview::default();
    let mut seen = HashSet::new();
    for (line, text) in lines {
        let why = match Address::parse(&text) {
            Err(_) => LineRefusal::NoAddress,
            Ok(address) if !domains.contains(address.domain()) => LineRefusal::OtherDomain,
            Ok(address) if !seen.insert(address.key()) => LineRefusal::Twice,
            Ok(address) => {
                preview.new.push(address);
                continue;
            }
        };
        preview.refused.push(RefusedLine { line, text, why });
    }
    preview
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains(names: &[&str]) -> Vec<Domain> {
        names
            .iter()
            .map(|name| Domain::parse(name).unwrap())
            .collect()
    }

    #[test]
    fn a_list_is_sorted_line_by_line() {
        let own = domains(&["a.example", "b.example"]);
        let table = [
            ("x@a.example", None),
            ("X@A.example", Some(LineRefusal::Twice)),
            ("y@b.example", None),
            ("y@c.example", Some(LineRefusal::OtherDomain)),
            ("nobody", Some(LineRefusal::NoAddress)),
            ("", Some(LineRefusal::NoAddress)),
        ];
        for (text, expected) in table.into_iter().skip(1) {
            let lines = vec![(1, "x@a.example".to_owned()), (2, text.to_owned())];
            let preview = sorted(&own, lines);
            let found = preview.refused.first().map(|line| line.why);
            assert_eq!(found, expected, "{text}");
            assert_eq!(
                preview.refused.first().map(|one| one.line),
                expected.map(|_| 2)
            );
        }
    }

    /// A route that the command line named stays editable.
    #[test]
    fn only_a_new_route_needs_a_plain_name() {
        let route = |name: &str| NewRoute {
            name: name.into(),
            domains: domains(&["a.example"]),
            target: NewServer {
                host: "mx.example".into(),
                port: 25,
                tls: TlsRequirement::Required,
                user: None,
                password: None,
            },
            wildcard: false,
        };
        assert_eq!(route_name(" Büro ").unwrap(), "Büro");
        for name in ["", "a\u{200d}b", "of\u{ad}fice", ".."] {
            assert_eq!(route_name(name).unwrap_err().field, Some("name"));
        }
        let kept = judged(route("a\u{200d}b"), (Reach::Everywhere, None)).unwrap();
        assert_eq!(kept.name, "a\u{200d}b");
    }

    /// A password is never sent to another server than the one it was given for.
    #[test]
    fn a_password_stays_with_its_server_and_user() {
        let server = |host: &str, user: Option<&str>, password: Option<&str>| NewServer {
            host: host.into(),
            port: 25,
            tls: TlsRequirement::Required,
            user: user.map(str::to_owned),
            password: password.map(str::to_owned),
        };
        let none = (Reach::Everywhere, None);
        let before = hop(server("mx.example", Some("us"), Some("secret")), none).unwrap();
        let before = (Reach::Everywhere, Some(&before));
        let table = [
            ("mx.example", Some("us"), None, Some("secret")),
            ("mx.example", Some("us"), Some(""), Some("secret")),
            ("mx.example", Some("us"), Some("new"), Some("new")),
            ("mx.example", None, None, None),
        ];
        for (host, user, password, expected) in table {
            let NextHop::Host { credentials, .. } =
                hop(server(host, user, password), before).unwrap()
            else {
                panic!("no host");
            };
            assert_eq!(credentials.map(|own| own.password).as_deref(), expected);
        }
        for (host, user) in [("evil.example", "us"), ("mx.example", "them")] {
            let refused = hop(server(host, Some(user), None), before).unwrap_err();
            assert_eq!(refused.field, Some("password"), "{host} {user}");
        }
        for host in ["", "no host", "a@b", "[127.0.0.1]", "http://x/"] {
            assert_eq!(
                hop(server(host, None, None), none).unwrap_err().field,
                Some("host"),
                "{host}"
            );
        }
    }

    /// What the operator gave stays with its host and port, and with nothing else.
    #[test]
    fn a_server_is_where_whoever_named_it_may_reach() {
        use Reach::{Everywhere, Public};
        let server = |host: &str, port: u16| NewServer {
            host: host.into(),
            port,
            tls: TlsRequirement::Required,
            user: None,
            password: None,
        };
        let table = [
            (Everywhere, None, "mx.example", 25, Everywhere),
            (Public, None, "mx.example", 25, Public),
            (Public, Some(Everywhere), "mx.example", 25, Everywhere),
            (Public, Some(Everywhere), "mx.example", 26, Public),
            (Public, Some(Everywhere), "10.0.0.1", 25, Public),
            (Public, Some(Public), "mx.example", 25, Public),
            (Everywhere, Some(Public), "mx.example", 25, Everywhere),
        ];
        for (own, had, host, port, expected) in table {
            let before = had.map(|had| hop(server("mx.example", 25), (had, None)).unwrap());
            let after = hop(server(host, port), (own, before.as_ref())).unwrap();
            let NextHop::Host { reach, .. } = after else {
                panic!("no host");
            };
            assert_eq!(reach, expected, "{own:?} {had:?} {host}:{port}");
        }
    }
}
