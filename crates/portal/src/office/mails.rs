//! The mail overview (S89, S90, A23), and the whole explanation of one mail.

use async_trait::async_trait;
use jiff::civil;
use jiff::tz::TimeZone;
use sealgate_core::journal::{Direction, MailStatus, Trace};
use sealgate_core::saying::Inputs;
use sealgate_core::tenant::Language;
use sealgate_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, At, Paging, empty_is_none};
use crate::auth::{Permitted, Read};
use crate::problem::{Problem, Titles};
use crate::trace;

/// Where one recipient's mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Accepted, to be opened.
    ToOpen,
    /// In the queue.
    Waiting,
    /// Handed over to the next hop.
    Delivered,
    /// Given up.
    Failed,
    /// Held.
    Held,
    /// Deleted by an administrator, or held too long.
    Deleted,
    /// Refused by a reply or a report.
    Refused,
    /// Answered by the gateway itself.
    Answered,
}

impl Delivery {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Delivered,
        Self::Waiting,
        Self::ToOpen,
        Self::Held,
        Self::Failed,
        Self::Refused,
        Self::Deleted,
        Self::Answered,
    ];
}

/// One recipient of one mail, as the table shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailRow {
    /// Number of the line; `after` of the page that follows it.
    pub line: String,
    /// The mail.
    pub mail: String,
    /// Which way: `inbound` or `outbound`.
    #[schema(value_type = String)]
    pub direction: Direction,
    /// When it was accepted or refused.
    pub at: At,
    /// Header From, else the envelope sender; none for the null sender.
    #[schema(value_type = Option<String>)]
    pub from: Option<Address>,
    /// Envelope recipient.
    #[schema(value_type = String)]
    pub to: Address,
    /// What was done: `plain`, `signed`, `encrypted`, `signed-encrypted`, `decrypted`, `failed`, `waiting`, `challenge`.
    #[schema(value_type = String)]
    pub status: MailStatus,
    /// Where it stands.
    pub delivery: Delivery,
    /// Message-ID.
    pub message_id: Option<String>,
}

/// One page of the table.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailPage {
    /// The entries, newest first.
    pub items: Vec<MailRow>,
    /// What to give as `after` for the next page; none on the last one.
    pub next: Option<String>,
    /// How far back was searched for this page, if it is not full and there is more to search: the next page goes on there.
    pub searched_to: Option<At>,
}

/// Which mails. Every field narrows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct MailFilter {
    /// With this status.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    #[param(value_type = Option<String>)]
    pub status: Option<MailStatus>,
    /// In this direction.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    #[param(value_type = Option<String>)]
    pub direction: Option<Direction>,
    /// That stands there.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    #[param(value_type = Option<String>)]
    pub delivery: Option<Delivery>,
    /// From or to: an address, a domain, or the beginning of addresses.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub party: Option<String>,
    /// With this Message-ID.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub message_id: Option<String>,
    /// From this day or time on: `2026-11-22`, `2026-11-22T14:05`, or with a zone as RFC 3339 has it.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub from: Option<String>,
    /// To the end of this day, or to before this time.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub until: Option<String>,
}

/// The same, with its times understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailQuery {
    /// What else is asked for.
    pub filter: MailFilter,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// To before this time.
    pub until: Option<Timestamp>,
}

impl MailFilter {
    /// Understands its times; those without a zone are of `zone`.
    pub fn query(&self, zone: &TimeZone) -> Result<MailQuery, Problem> {
        let since = self.from.as_deref().map(|text| start(text, zone));
        let until = self.until.as_deref().map(|text| end(text, zone));
        Ok(MailQuery {
            filter: self.clone(),
            since: since
                .transpose()
                .map_err(|_| Problem::wrong("from", Inputs::Time {}))?,
            until: until
                .transpose()
                .map_err(|_| Problem::wrong("until", Inputs::Time {}))?,
        })
    }
}

fn start(text: &str, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    match text.parse::<civil::Date>() {
        Ok(day) if text.len() == DAY_CHARS => {
            at(day.at(0, 0, 0, 0).to_zoned(zone.clone())?.timestamp())
        }
        _ => moment(text, zone),
    }
}

fn end(text: &str, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    match text.parse::<civil::Date>() {
        Ok(day) if text.len() == DAY_CHARS => {
            let next = day.tomorrow()?.at(0, 0, 0, 0);
            at(next.to_zoned(zone.clone())?.timestamp())
        }
        _ => moment(text, zone),
    }
}

/// `2026-11-22`.
const DAY_CHARS: usize = 10;

fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    match text.parse::<jiff::Timestamp>() {
        Ok(exact) => at(exact),
        Err(_) => at(text
            .parse::<civil::DateTime>()?
            .to_zoned(zone.clone())?
            .timestamp()),
    }
}

fn at(time: jiff::Timestamp) -> Result<Timestamp, jiff::Error> {
    Ok(Timestamp(time.as_second()))
}

/// A mail with everything that is known about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mail {
    /// Its number.
    pub mail: String,
    /// Which way: `inbound` or `outbound`.
    #[schema(value_type = String)]
    pub direction: Direction,
    /// When it was accepted or refused.
    pub at: At,
    /// Envelope sender; none for the null sender.
    #[schema(value_type = Option<String>)]
    pub envelope_from: Option<Address>,
    /// Header From, if it is a single address.
    #[schema(value_type = Option<String>)]
    pub header_from: Option<Address>,
    /// Message-ID.
    pub message_id: Option<String>,
    /// Octets as received.
    pub size: u64,
    /// Who handed it in: address of the peer, or name of the sending client.
    pub handed_in_by: String,
    /// Whether the envelope sender was proven: reports may go there.
    pub sender_proven: bool,
    /// Version of the configuration it was decided under.
    pub version: u64,
    /// Each recipient.
    pub recipients: Vec<Recipient>,
    /// Events about it.
    pub events: Vec<MailEvent>,
}

/// What became of a mail for one recipient, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Recipient {
    /// Envelope recipient.
    #[schema(value_type = String)]
    pub address: Address,
    /// What was done.
    #[schema(value_type = String)]
    pub status: MailStatus,
    /// What became of it and why, in one sentence.
    pub why: Titles,
    /// Verdict on the signature, where there was one to judge.
    pub signature: Option<String>,
    /// Verdict on the encryption, where there was one to open.
    pub encryption: Option<String>,
    /// How it was decided: mode and rule, rules passed over, facts, outcome, algorithms, what sources said.
    #[schema(value_type = Object)]
    pub trace: Trace,
    /// What the sender was told, if it was refused.
    pub refusal: Option<String>,
    /// Where it stands.
    pub delivery: Delivery,
    /// Since when.
    pub delivery_at: At,
    /// What the next hop or the gateway said last, in English.
    pub delivery_text: Option<String>,
    /// The same in all languages; words of others are in quotation marks.
    pub delivery_texts: Option<Titles>,
    /// Its place in the queue, if it is there.
    pub queued: Option<Queued>,
}

impl Recipient {
    /// The sentence in both languages.
    pub fn sentence(trace: &Trace) -> Titles {
        Titles {
            de: trace::why(trace, Language::De),
            en: trace::why(trace, Language::En),
        }
    }
}

/// A place in the queue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Queued {
    /// Attempts to hand it over so far.
    pub attempts: u32,
    /// When it is tried next, if it waits.
    pub next_attempt: Option<At>,
    /// Until when it is held, if it is.
    pub held_until: Option<At>,
    /// Why it is held, as a word, or what went wrong last.
    pub note: Option<String>,
    /// The same in all languages.
    pub notes: Option<Titles>,
}

/// An event about a mail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailEvent {
    /// When.
    pub at: At,
    /// What happened, in both languages.
    pub sentence: Titles,
    /// More, in English.
    pub text: String,
    /// The same in all languages.
    pub texts: Titles,
}

/// Questions about mails.
#[async_trait]
pub trait Mails {
    /// One page of the table, newest first.
    async fn mails(
        &self,
        who: &Permitted<Read>,
        query: &MailQuery,
        paging: &Paging,
    ) -> Asked<MailPage>;

    /// One mail, by its number.
    async fn mail(&self, who: &Permitted<Read>, mail: &str) -> Asked<Mail>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_filter() {
        let berlin = TimeZone::fixed(jiff::tz::offset(1));
        for (from, until, expected) in [
            (
                "2026-11-22",
                "2026-11-22",
                Ok((1_795_302_000, 1_795_388_400)),
            ),
            (
                "2026-11-22T14:05",
                "2026-11-22T14:06:30",
                Ok((1_795_352_700, 1_795_352_790)),
            ),
            (
                "2026-11-22T14:05:00Z",
                "2026-11-22T14:05:00+01:00",
                Ok((1_795_356_300, 1_795_352_700)),
            ),
            ("yesterday", "2026-11-22", Err("from")),
            ("2026-11-22", "2026-13-01", Err("until")),
            ("2026-11-22", "9999-12-31", Err("until")),
        ] {
            let filter = MailFilter {
                from: Some(from.to_owned()),
                until: Some(until.to_owned()),
                ..MailFilter::default()
            };
            let found = filter
                .query(&berlin)
                .map(|query| (query.since.unwrap().0, query.until.unwrap().0))
                .map_err(|problem| problem.field.unwrap());
            assert_eq!(found, expected, "{from} {until}");
        }
    }

    /// What a form sends: fields left empty ask for nothing.
    #[test]
    fn empty_fields_ask_for_nothing() {
        let sent = "status=&direction=&delivery=&party=&message_id=&from=&until=";
        let filter: MailFilter = serde_html_form::from_str(sent).unwrap();
        assert_eq!(filter, MailFilter::default());
        let sent = "status=signed-encrypted&delivery=to-open&direction=outbound&party=x.example";
        let filter: MailFilter = serde_html_form::from_str(sent).unwrap();
        assert_eq!(filter.status, Some(MailStatus::SignedEncrypted));
        assert_eq!(filter.delivery, Some(Delivery::ToOpen));
        assert_eq!(
            serde_html_form::to_string(&filter).unwrap(),
            "status=signed-encrypted&direction=outbound&delivery=to-open&party=x.example"
        );
        assert!(serde_html_form::from_str::<MailFilter>("status=fine").is_err());
    }
}
