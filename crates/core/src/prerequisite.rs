//! Prerequisites of a domain: what must hold before certificates are requested for its mailboxes (S18, S19), what is known of
//! it, and what an administrator has to do.
//!
//! Only the inbound route and the MX records decide about a request. What cannot be known now is neither met nor failed.

use sealgate_mail::Domain;
use serde::{Serialize, Serializer};

use crate::dkim::Published;
use crate::licence::QuotaRefusal;
use crate::saying::{Domains as Said, Names, Saying};

/// What was asked of DNS, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// The answer.
    Known(T),
    /// DNS is switched off: nothing can ever be asked.
    Off,
    /// No answer now; why.
    Missing(Saying),
}

impl<T> Answer<T> {
    /// The line for a fact that is not known.
    fn unknown(&self) -> Option<Saying> {
        let why = match self {
            Self::Known(_) => return None,
            Self::Off => Said::DnsOffHere {}.into(),
            Self::Missing(why) => Box::new(why.clone()),
        };
        Some(Said::Unknown { why }.into())
    }
}

/// What DNS says about where mail for a domain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MxAnswer {
    /// There is no such domain.
    NoSuchDomain,
    /// It has no MX record.
    NoRecords,
    /// It takes no mail (RFC 7505).
    NullMx,
    /// Its MX records, those with the lowest preference first; never empty.
    Hosts(Vec<Exchanger>),
}

/// One MX record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanger {
    /// Lower is tried first.
    pub preference: u16,
    /// Name without a trailing dot, in lower case.
    pub host: String,
    /// A name of ours that has an address of this host too, where this host is no name of ours.
    pub same_address_as: Option<Domain>,
}

/// Where mail for a domain goes: what S18 and S19 ask for.
#[derive(Clone, Debug)]
pub struct Way {
    /// The domain.
    pub domain: Domain,
    /// Whether it stands in an inbound route of the organisation.
    pub in_route: bool,
    /// The names of the service's hosts; never empty.
    pub names: Vec<Domain>,
    /// Its MX records.
    pub mx: Answer<MxAnswer>,
}

/// Everything that is shown about a domain.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Where its mail goes.
    pub way: Way,
    /// Licences that are free, none if nothing is counted; or why there is none.
    pub licence: Result<Option<u32>, QuotaRefusal>,
    /// The CAA records that count for it.
    pub caa: Answer<Option<Caa>>,
    /// Its DKIM key.
    pub dkim: DkimFact,
    /// Who needs it.
    pub dkim_use: DkimUse,
}

/// What the DKIM key of a domain is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimUse {
    /// For an authority of the organisation, which wants signed mail (ACME, RFC 8823 section 3.2).
    Authority,
    /// For outbound mail, as the organisation wants it.
    Mail,
    /// For nothing yet.
    Nothing,
}

impl DkimUse {
    /// How a missing signature stands, and why.
    const fn missing(self) -> (State, Said) {
        match self {
            Self::Authority => (State::NotMet, Said::ForAcme {}),
            Self::Mail => (State::Hint, Said::MailUnsigned {}),
            Self::Nothing => (State::Hint, Said::ForLater {}),
        }
    }
}

/// How a domain stands with DKIM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DkimFact {
    /// It has no key.
    NoKey,
    /// Its key waits until its record is seen.
    NotActive,
    /// Its key signs, and this is what DNS says of the record.
    Active(Answer<Published>),
}

/// The CAA records of the nearest name that has some (RFC 8659 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caa {
    /// That name.
    pub at: String,
    /// The records.
    pub properties: Vec<CaaProperty>,
}

/// One CAA record (RFC 8659 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaaProperty {
    /// Whether who does not know the tag must not issue.
    pub critical: bool,
    /// The tag.
    pub tag: String,
    /// The value.
    pub value: String,
}

/// The tag that says who may issue for mail addresses (RFC 9495 section 4).
const ISSUEMAIL: &str = "issuemail";
/// Tags that authorities know (RFC 8659 section 4, RFC 9495, and the registry of RFC 8659 section 7).
const KNOWN_TAGS: [&str; 7] = [
    "issue",
    "issuewild",
    ISSUEMAIL,
    "issuevmc",
    "iodef",
    "contactemail",
    "contactphone",
];

/// What CAA says about certificates for mail addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MayIssue {
    /// Every authority.
    Anyone,
    /// These authorities, by the domain names that they publish; none if empty.
    Only(Vec<String>),
    /// None: a critical record has this tag, which none knows.
    NotWith(String),
}

impl Caa {
    /// Who may issue for mail addresses (RFC 9495 section 4).
    pub fn may_issue(&self) -> MayIssue {
        let is = |property: &CaaProperty, tag: &str| property.tag.eq_ignore_ascii_case(tag);
        let strange = |property: &&CaaProperty| {
            property.critical && !KNOWN_TAGS.iter().any(|tag| is(property, tag))
        };
        if let Some(property) = self.properties.iter().find(strange) {
            return MayIssue::NotWith(property.tag.clone());
        }
        let issuemail = self.properties.iter().filter(|one| is(one, ISSUEMAIL));
        let mut count = 0_usize;
        let mut names: Vec<String> = Vec::new();
        for property in issuemail {
            count = count.saturating_add(1);
            // RFC 8659 section 4.2: the issuer's domain name stands before the parameters; nobody if it is absent or malformed.
            let name = property.value.split(';').next().unwrap_or_default().trim();
            if is_issuer(name) && !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name.to_ascii_lowercase());
            }
        }
        match count {
            0 => MayIssue::Anyone,
            _ => MayIssue::Only(names),
        }
    }
}

/// Whether it is an issuer-domain-name (RFC 8659 section 4.2).
fn is_issuer(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.split('.').all(is_label)
}

/// One prerequisite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prerequisite {
    /// The domain stands in an inbound route (S19).
    InboundRoute,
    /// Its MX record points here (S18).
    Mx,
    /// A licence is free (S11).
    Licence,
    /// Authorities may issue for its addresses (RFC 9495).
    Caa,
    /// Its mail is signed by a DKIM key whose record is in DNS.
    Dkim,
}

impl Prerequisite {
    /// The words of lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InboundRoute => "inbound route",
            Self::Mx => "MX",
            Self::Licence => "licence",
            Self::Caa => "CAA",
            Self::Dkim => "DKIM",
        }
    }
}

/// How a prerequisite stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It holds.
    Met,
    /// It does not.
    NotMet,
    /// Nothing is known now.
    Unknown,
    /// It holds nothing up, but an administrator should know.
    Hint,
}

impl State {
    /// The words of lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Unknown => "unknown",
            Self::Hint => "hint",
        }
    }
}

/// What is said about one prerequisite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which.
    pub prerequisite: Prerequisite,
    /// How it stands.
    pub state: State,
    /// In words.
    #[serde(serialize_with = "english")]
    pub text: Saying,
    /// What to do about it.
    #[serde(serialize_with = "english_if_any")]
    pub to_do: Option<Saying>,
}

fn english<S: Serializer>(said: &Saying, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(said)
}

fn english_if_any<S: Serializer>(said: &Option<Saying>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = said.as_ref().map(ToString::to_string);
    text.serialize(serializer)
}

impl Finding {
    fn new(prerequisite: Prerequisite, state: State, text: impl Into<Saying>) -> Self {
        Self {
            prerequisite,
            state,
            text: text.into(),
            to_do: None,
        }
    }

    fn advise(self, what: impl Into<Saying>) -> Self {
        Self {
            to_do: Some(what.into()),
            ..self
        }
    }
}

/// All prerequisites, one finding each, in the order in which they are seen to.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    vec![
        route(&facts.way),
        mx(&facts.way),
        licence(facts.licence),
        caa(&facts.caa),
        dkim(facts),
    ]
}

/// Why no certificate may be requested for a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct Refusal {
    /// Whether it may be different soon without anybody doing anything.
    pub passing: bool,
    /// Why, and what to do, in one line.
    pub said: Saying,
}

/// Whether certificates may be requested for a domain (S18, S19). Where DNS is switched off the MX record cannot be known, and
/// does not count.
pub fn may_request(way: &Way) -> Result<(), Refusal> {
    for finding in [route(way), mx(way)] {
        let passing = match (finding.state, &way.mx) {
            (State::NotMet, _) => false,
            (State::Unknown, Answer::Missing(_)) => true,
            _ => continue,
        };
        let (domain, why) = (way.domain.to_string(), Box::new(finding.text));
        let said = match finding.to_do.map(Box::new) {
            Some(to_do) => Said::RefusedUntil { domain, why, to_do },
            None => Said::Refused { domain, why },
        };
        return Err(Refusal {
            passing,
            said: said.into(),
        });
    }
    Ok(())
}

fn route(way: &Way) -> Finding {
    if way.in_route {
        return Finding::new(Prerequisite::InboundRoute, State::Met, Said::InRoute {});
    }
    Finding::new(
        Prerequisite::InboundRoute,
        State::NotMet,
        Said::NotInRoute {},
    )
    .advise(Said::AddToRoute {
        domain: way.domain.to_string(),
    })
}

fn mx(way: &Way) -> Finding {
    let not_met =
        |said: Said| Finding::new(Prerequisite::Mx, State::NotMet, said).advise(point_here(way));
    match &way.mx {
        Answer::Known(MxAnswer::NoSuchDomain) => not_met(Said::NoSuchDomain {}),
        Answer::Known(MxAnswer::NoRecords) => not_met(Said::NoMx {}),
        Answer::Known(MxAnswer::NullMx) => not_met(Said::NullMx {}),
        Answer::Known(MxAnswer::Hosts(hosts)) => exchangers(way, hosts),
        unknown => open(Prerequisite::Mx, unknown),
    }
}

/// What is not known now.
fn open<T>(prerequisite: Prerequisite, answer: &Answer<T>) -> Finding {
    let why = answer.unknown();
    let why = why.unwrap_or_else(|| Said::DnsOffHere {}.into());
    Finding::new(prerequisite, State::Unknown, why)
}

/// All hosts of the best preference must be ours: senders choose among them by chance (RFC 5321 section 5.1). Others take mail
/// only while ours are away, and are told.
fn exchangers(way: &Way, hosts: &[Exchanger]) -> Finding {
    let is_ours = |host: &&Exchanger| way.names.iter().any(|name| name.as_str() == host.host);
    let best = hosts.iter().map(|host| host.preference).min();
    let is_best = |host: &&Exchanger| Some(host.preference) == best;
    let named = |hosts: &[&Exchanger]| {
        let names = hosts.iter().map(|host| host.host.clone());
        Names::All(names.collect())
    };
    let foreign: Vec<_> = hosts.iter().filter(|host| !is_ours(host)).collect();
    let foreign_best: Vec<_> = foreign.iter().copied().filter(is_best).collect();
    if foreign.is_empty() {
        let hosts = named(&hosts.iter().collect::<Vec<_>>());
        return Finding::new(Prerequisite::Mx, State::Met, Said::MxTo { hosts });
    }
    if foreign_best.is_empty() {
        let best: Vec<_> = hosts.iter().filter(is_best).collect();
        let (hosts, others) = (named(&best), named(&foreign));
        return Finding::new(
            Prerequisite::Mx,
            State::Met,
            Said::MxAlsoTo { hosts, others },
        )
        .advise(Said::OthersPassOn {});
    }
    let finding = Finding::new(
        Prerequisite::Mx,
        State::NotMet,
        Said::MxTo {
            hosts: named(&foreign_best),
        },
    );
    let twin = foreign_best
        .iter()
        .find_map(|host| Some((&host.host, host.same_address_as.as_ref()?)));
    finding.advise(match twin {
        Some((host, name)) => Said::OtherName {
            host: host.clone(),
            name: name.to_string(),
        },
        None => point_here(way),
    })
}

fn point_here(way: &Way) -> Said {
    Said::PointHere {
        domain: way.domain.to_string(),
        names: Names::Any(way.names.iter().map(ToString::to_string).collect()),
    }
}

fn licence(licence: Result<Option<u32>, QuotaRefusal>) -> Finding {
    let finding = |state, said: Said| Finding::new(Prerequisite::Licence, state, said);
    match licence {
        Ok(None) => finding(State::Met, Said::LicencesUncounted {}),
        Ok(Some(free)) => {
            let count = free.into();
            finding(State::Met, Said::LicencesFree { count })
        }
        Err(QuotaRefusal::Full(all)) => {
            let count = all.into();
            finding(State::NotMet, Said::LicencesUsed { count }).advise(Said::BookMore {})
        }
        Err(QuotaRefusal::Over) => {
            finding(State::NotMet, Said::LicencesOver {}).advise(Said::HaveExtended {})
        }
    }
}

fn caa(caa: &Answer<Option<Caa>>) -> Finding {
    let finding = |state, said: Said| Finding::new(Prerequisite::Caa, state, said);
    let found = match caa {
        Answer::Known(Some(found)) => found,
        Answer::Known(None) => return finding(State::Met, Said::NoCaa {}),
        unknown => return open(Prerequisite::Caa, unknown),
    };
    let at = found.at.clone();
    match found.may_issue() {
        MayIssue::Anyone => finding(State::Met, Said::CaaAnyone { at }),
        MayIssue::Only(names) if names.is_empty() => {
            finding(State::Hint, Said::CaaNobody { at }).advise(Said::NameInCaa {})
        }
        MayIssue::Only(names) => {
            let names = Names::All(names);
            finding(State::Hint, Said::CaaOnly { at, names }).advise(Said::SeeAmong {})
        }
        MayIssue::NotWith(tag) => {
            finding(State::Hint, Said::CaaCritical { at, tag }).advise(Said::TakeOutCaa {})
        }
    }
}

fn dkim(facts: &Facts) -> Finding {
    let (missing, why) = facts.dkim_use.missing();
    let why = why.into();
    let domain = facts.way.domain.to_string();
    let finding = |state, said: Said| Finding::new(Prerequisite::Dkim, state, said);
    match &facts.dkim {
        DkimFact::NoKey => {
            finding(missing, Said::DkimNoKey { why }).advise(Said::DkimMake { domain })
        }
        DkimFact::NotActive => {
            finding(missing, Said::DkimNotInDns { why }).advise(Said::DkimPublish { domain })
        }
        DkimFact::Active(Answer::Known(Published::Seen)) => finding(State::Met, Said::DkimGood {}),
        DkimFact::Active(Answer::Known(Published::Missing)) => {
            finding(missing, Said::DkimMissing {}).advise(Said::DkimPublish { domain })
        }
        DkimFact::Active(Answer::Known(Published::Wrong(fault))) => {
            let fault = fault.clone().into();
            finding(missing, Said::DkimWrong { fault }).advise(Said::DkimPublish { domain })
        }
        DkimFact::Active(unknown) => open(Prerequisite::Dkim, unknown),
    }
}

#[cfg(test)]
mod tests;
