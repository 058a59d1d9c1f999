//! Prerequisites of a domain: what must hold before certificates are requested for its mailboxes (S18, S19), what is known of
//! it, and what an administrator has to do.
//!
//! Only the inbound route and the MX records decide about a request. What cannot be known now is neither met nor failed.

use sealgate_mail::Domain;
use serde::Serialize;

use crate::dkim::Published;
use crate::licence::QuotaRefusal;

/// What was asked of DNS, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// The answer.
    Known(T),
    /// DNS is switched off: nothing can ever be asked.
    Off,
    /// No answer now; why.
    Missing(String),
}

impl<T> Answer<T> {
    /// The line for a fact that is not known.
    fn unknown(&self) -> Option<String> {
        match self {
            Self::Known(_) => None,
            Self::Off => Some("unknown: DNS is switched off here".to_owned()),
            Self::Missing(why) => Some(format!("unknown: {why}")),
        }
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
    const fn missing(self) -> (State, &'static str) {
        match self {
            Self::Authority => (
                State::NotMet,
                "an authority that is spoken to by ACME wants signed mail",
            ),
            Self::Mail => (State::Hint, "outbound mail goes without a signature"),
            Self::Nothing => (
                State::Hint,
                "it is needed only for authorities that are spoken to by ACME, and to sign outbound mail",
            ),
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
    pub text: String,
    /// What to do about it.
    pub to_do: Option<String>,
}

impl Finding {
    fn new(prerequisite: Prerequisite, state: State, text: impl Into<String>) -> Self {
        Self {
            prerequisite,
            state,
            text: text.into(),
            to_do: None,
        }
    }

    fn advise(self, what: impl Into<String>) -> Self {
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
#[error("{text}")]
pub struct Refusal {
    /// Whether it may be different soon without anybody doing anything.
    pub passing: bool,
    /// Why, and what to do, in one line.
    pub text: String,
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
        let to_do = finding.to_do.map(|what| format!(": {what}"));
        let text = format!(
            "{}: {}{}",
            way.domain,
            finding.text,
            to_do.unwrap_or_default()
        );
        return Err(Refusal { passing, text });
    }
    Ok(())
}

fn route(way: &Way) -> Finding {
    let domain = &way.domain;
    if way.in_route {
        let text = "stands in an inbound route";
        return Finding::new(Prerequisite::InboundRoute, State::Met, text);
    }
    let text = "stands in no inbound route of this organisation";
    Finding::new(Prerequisite::InboundRoute, State::NotMet, text).advise(format!(
        "add it with: sealgate route add NAME --domain {domain} --host SERVER"
    ))
}

fn mx(way: &Way) -> Finding {
    let not_met =
        |text: String| Finding::new(Prerequisite::Mx, State::NotMet, text).advise(point_here(way));
    match &way.mx {
        Answer::Known(MxAnswer::NoSuchDomain) => not_met("DNS knows no such domain".to_owned()),
        Answer::Known(MxAnswer::NoRecords) => not_met("there is no MX record".to_owned()),
        Answer::Known(MxAnswer::NullMx) => {
            not_met("the MX record says that the domain takes no mail".to_owned())
        }
        Answer::Known(MxAnswer::Hosts(hosts)) => exchangers(way, hosts),
        unknown => Finding::new(
            Prerequisite::Mx,
            State::Unknown,
            unknown.unknown().unwrap_or_default(),
        ),
    }
}

/// All hosts of the best preference must be ours: senders choose among them by chance (RFC 5321 section 5.1). Others take mail
/// only while ours are away, and are told.
fn exchangers(way: &Way, hosts: &[Exchanger]) -> Finding {
    let is_ours = |host: &&Exchanger| way.names.iter().any(|name| name.as_str() == host.host);
    let best = hosts.iter().map(|host| host.preference).min();
    let is_best = |host: &&Exchanger| Some(host.preference) == best;
    let named =
        |hosts: Vec<&Exchanger>| listed(hosts.iter().map(|host| host.host.as_str()), " and ");
    let foreign: Vec<_> = hosts.iter().filter(|host| !is_ours(host)).collect();
    let foreign_best: Vec<_> = foreign.iter().copied().filter(is_best).collect();
    if foreign.is_empty() {
        let text = format!("points to {}", named(hosts.iter().collect()));
        return Finding::new(Prerequisite::Mx, State::Met, text);
    }
    if foreign_best.is_empty() {
        let ours = named(hosts.iter().filter(is_best).collect());
        let text = format!(
            "points to {ours}, and with lower priority to {}",
            named(foreign)
        );
        return Finding::new(Prerequisite::Mx, State::Met, text)
            .advise("see that those pass mail on to this gateway: what they deliver themselves is neither decrypted nor seen here");
    }
    let finding = Finding::new(
        Prerequisite::Mx,
        State::NotMet,
        format!("points to {}", named(foreign_best.clone())),
    );
    let twin = foreign_best
        .iter()
        .find_map(|host| Some((&host.host, host.same_address_as.as_ref()?)));
    finding.advise(match twin {
        Some((host, name)) => format!(
            "{host} has the address of {name}: let the MX record name {name}, or add {host} to gateway-names in the configuration if it is this gateway"
        ),
        None => point_here(way),
    })
}

fn point_here(way: &Way) -> String {
    let names = listed(way.names.iter().map(Domain::as_str), " or ");
    format!("in DNS, let the MX record of {} be {names}", way.domain)
}

fn licence(licence: Result<Option<u32>, QuotaRefusal>) -> Finding {
    match licence {
        Ok(None) => Finding::new(
            Prerequisite::Licence,
            State::Met,
            "licences are not counted here",
        ),
        Ok(Some(free)) => Finding::new(
            Prerequisite::Licence,
            State::Met,
            format!("{free} licences are free"),
        ),
        Err(QuotaRefusal::Full(all)) => Finding::new(
            Prerequisite::Licence,
            State::NotMet,
            format!("all {all} licences are used"),
        )
        .advise("book more, or deactivate a mailbox"),
        Err(QuotaRefusal::Over) => Finding::new(
            Prerequisite::Licence,
            State::NotMet,
            "the term of the licences is over",
        )
        .advise("have it extended"),
    }
}

fn caa(caa: &Answer<Option<Caa>>) -> Finding {
    let finding = |state, text: String| Finding::new(Prerequisite::Caa, state, text);
    let found = match caa {
        Answer::Known(Some(found)) => found,
        Answer::Known(None) => {
            return finding(State::Met, "no record: any authority may issue".to_owned());
        }
        unknown => return finding(State::Unknown, unknown.unknown().unwrap_or_default()),
    };
    let at = &found.at;
    match found.may_issue() {
        MayIssue::Anyone => finding(
            State::Met,
            format!("the records of {at} say nothing about mail: any authority may issue"),
        ),
        MayIssue::Only(names) if names.is_empty() => finding(
            State::Hint,
            format!("issuemail of {at} lets no public authority issue"),
        )
        .advise("name your authority in an issuemail record, unless you use the built-in CA"),
        MayIssue::Only(names) => finding(
            State::Hint,
            format!(
                "issuemail of {at} lets only {} issue",
                listed(names.iter().map(String::as_str), " and ")
            ),
        )
        .advise("see that your authority is among them"),
        MayIssue::NotWith(tag) => finding(
            State::Hint,
            format!("{at} has a critical record with the tag \"{tag}\": public authorities may not issue"),
        )
        .advise("take that record out, or its critical flag"),
    }
}

fn dkim(facts: &Facts) -> Finding {
    let (missing, why) = facts.dkim_use.missing();
    let domain = &facts.way.domain;
    let finding = |state, text: &str| Finding::new(Prerequisite::Dkim, state, text);
    match &facts.dkim {
        DkimFact::NoKey => finding(missing, &format!("there is no key; {why}"))
            .advise(format!("make one with: sealgate dkim create {domain}")),
        DkimFact::NotActive => finding(
            missing,
            &format!("the key does not sign before its record is in DNS; {why}"),
        )
        .advise(format!(
            "publish what this shows: sealgate dkim show {domain}"
        )),
        DkimFact::Active(Answer::Known(Published::Seen)) => {
            finding(State::Met, "the key signs, and its record is in DNS")
        }
        DkimFact::Active(Answer::Known(Published::Missing)) => {
            finding(missing, "the key signs, but its record is not in DNS").advise(format!(
                "publish what this shows: sealgate dkim show {domain}"
            ))
        }
        DkimFact::Active(Answer::Known(Published::Wrong(fault))) => finding(
            missing,
            &format!("the key signs, but its record in DNS is wrong: {fault}"),
        )
        .advise(format!(
            "publish what this shows: sealgate dkim show {domain}"
        )),
        DkimFact::Active(unknown) => {
            finding(State::Unknown, &unknown.unknown().unwrap_or_default())
        }
    }
}

/// Several names in a sentence.
fn listed<'n>(names: impl IntoIterator<Item = &'n str>, last: &str) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    match names.pop() {
        None => String::new(),
        Some(only) if names.is_empty() => only.to_owned(),
        Some(end) => format!("{}{last}{end}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests;
