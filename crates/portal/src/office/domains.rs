//! The domains of an organisation: what must hold before certificates are requested (S18, S19), and their DKIM keys.

use async_trait::async_trait;
use sealgate_core::dkim::{DkimKeyKind, DkimKeyState};
use sealgate_core::prerequisite::{Prerequisite, State};
use sealgate_mail::Domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Asked, At, Page, Paging};
use crate::auth::{Permitted, Read, Write};
use crate::problem::Titles;

/// A domain of an inbound route.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DomainState {
    /// The domain.
    #[schema(value_type = String)]
    pub domain: Domain,
    /// Its inbound route.
    pub route: String,
    /// How its prerequisites stand, one finding each.
    pub findings: Vec<DomainFinding>,
}

/// How a prerequisite of a domain stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DomainFinding {
    /// `inbound-route`, `mx`, `licence`, `caa` or `dkim`.
    #[schema(value_type = String)]
    pub prerequisite: Prerequisite,
    /// `met`, `not-met`, `unknown` or `hint`.
    #[schema(value_type = String)]
    pub state: State,
    /// What was found, as a stable word; the pages have a sentence for it.
    pub found: Found,
    /// What is meant by it: host names, a number, what went wrong.
    pub value: Option<String>,
    /// The same in all languages, if it is told.
    pub values: Option<Titles>,
    /// A record to set in DNS, as a zone file has it.
    pub record: Option<String>,
}

/// What was found about a prerequisite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// The domain stands in an inbound route.
    InRoute,
    /// It stands in none.
    NoRoute,
    /// All MX records point here.
    MxHere,
    /// The best MX records point here, others elsewhere.
    MxAlsoElsewhere,
    /// An MX record of the best preference points elsewhere.
    MxElsewhere,
    /// It points to another name of this gateway.
    MxOtherName,
    /// There is no MX record.
    MxNone,
    /// The MX record says that the domain takes no mail.
    MxNull,
    /// DNS knows no such domain.
    MxNoDomain,
    /// Licences are not counted.
    LicencesUncounted,
    /// So many are free.
    LicencesFree,
    /// All are used.
    LicencesFull,
    /// Their term is over.
    LicencesOver,
    /// Any authority may issue.
    CaaAnyone,
    /// No public authority may.
    CaaNobody,
    /// Only some may.
    CaaOnly,
    /// A critical record that no authority knows forbids it.
    CaaCritical,
    /// There is no DKIM key.
    DkimNone,
    /// The key waits for its record.
    DkimWaits,
    /// The key signs and its record is in DNS.
    DkimGood,
    /// The key signs, but its record is not in DNS.
    DkimMissing,
    /// The key signs, but its record is wrong.
    DkimWrong,
    /// DNS is switched off.
    DnsOff,
    /// No answer came.
    DnsSilent,
}

/// A DKIM key with its record.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DkimKey {
    /// Name of the key below the domain.
    pub selector: String,
    /// `rsa-2048` or `ed25519`.
    #[schema(value_type = String)]
    pub kind: DkimKeyKind,
    /// `new`, `active` or `retired`.
    #[schema(value_type = String)]
    pub state: DkimKeyState,
    /// Since when.
    pub since: At,
    /// When a retired key is removed.
    pub gone_at: Option<At>,
    /// Name of its record.
    pub record_name: String,
    /// Value of its record (type TXT).
    pub record: String,
    /// The record as a line of a zone file.
    pub zone_line: String,
    /// What DNS says of the record; none if it was not asked.
    pub published: Option<RecordState>,
    /// What is wrong with the record, or why there was no answer.
    pub fault: Option<String>,
    /// The same in all languages.
    pub faults: Option<Titles>,
}

/// What DNS says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecordState {
    /// It is there and right.
    Seen,
    /// It is not there.
    Missing,
    /// It is wrong.
    Wrong,
    /// Nothing is known now.
    Unknown,
}

/// A domain with its keys.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DomainDetail {
    /// The domain and its prerequisites.
    pub state: DomainState,
    /// Its DKIM keys in the order in which they were made.
    pub keys: Vec<DkimKey>,
}

/// A DKIM key to make.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewDkimKey {
    /// Its name below the domain; the next free one if none.
    pub selector: Option<String>,
    /// `rsa-2048`, or `ed25519` beside it; `rsa-2048` if none.
    #[schema(value_type = Option<String>)]
    pub kind: Option<DkimKeyKind>,
}

/// How a key is activated.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ActivateDkimKey {
    /// Whether it signs although its record was not seen in DNS.
    pub unseen: bool,
}

/// Questions and orders about domains.
#[async_trait]
pub trait Domains {
    /// One page of the domains, by name, with what DNS says of them now.
    async fn domain_states(
        &self,
        who: &Permitted<Read>,
        paging: &Paging,
    ) -> Asked<Page<DomainState>>;

    /// One domain with its DKIM keys, and what DNS says of their records.
    async fn domain_detail(&self, who: &Permitted<Read>, domain: &Domain) -> Asked<DomainDetail>;

    /// Makes a DKIM key; it signs from when its record is seen in DNS.
    async fn create_dkim_key(
        &self,
        who: &Permitted<Write>,
        domain: &Domain,
        new: NewDkimKey,
    ) -> Asked<DkimKey>;

    /// Lets a new key sign, if its record is seen in DNS or `unseen` says so.
    async fn activate_dkim_key(
        &self,
        who: &Permitted<Write>,
        key: (&Domain, &str),
        how: ActivateDkimKey,
    ) -> Asked<()>;

    /// Removes a key, whatever its state.
    async fn remove_dkim_key(
        &self,
        who: &Permitted<Write>,
        domain: &Domain,
        selector: &str,
    ) -> Asked<()>;
}
