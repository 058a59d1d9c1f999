//! Reports to the sender of a mail: not delivered, delayed, handed on (RFC 3464), written for people first.
//!
//! A report is a mail of its own with a null sender, returns headers only, and never anything that was decrypted (row M8).
//! Whether one may be sent at all is decided in `failure.rs`.

mod text;

use std::io::Write;
use std::sync::Arc;

use rand_core::CryptoRng;
use sealgate_mail::address::AddressError;
use sealgate_mail::dsn::{Action, Report, ReportRecipient};
use sealgate_mail::id::new_message_id;
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams, Notify};
use sealgate_mail::{
    Address, Domain, EnhancedStatus, HeaderBlock, Mailbox, Message, Reply, ReversePath, Timestamp,
};

use crate::failure::{RefusalReason, ReportKind, reply_for};
use crate::journal::MailStatus;
use crate::limits::SUBJECT_CHARS;
use crate::ports::Shelf;
use crate::process::ProcessError;
use crate::queue::{Body, Outgoing, Problem};
use crate::tenant::Language;

/// What is reported, to whom, about which mail.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// The envelope sender of the mail.
    pub to: &'a Address,
    /// The language of the organisation for its own users; none for strangers, who get English and German.
    pub language: Option<Language>,
    /// The recipients reported on; not empty, all with news of one kind.
    pub recipients: &'a [Reported],
    /// The header of the mail as it came.
    pub header: &'a HeaderBlock,
    /// Parameters of its MAIL FROM: ENVID is repeated (RFC 3461 section 4.4).
    pub params: &'a MailParams,
    /// Our host name.
    pub reporting_mta: &'a Domain,
    /// When the mail arrived.
    pub arrival: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// One recipient reported on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Who.
    pub recipient: EnvelopeRecipient,
    /// What happened.
    pub news: News,
    /// The host that was spoken to last, if any.
    pub remote: Option<String>,
}

/// What happened to a recipient's copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It will not be delivered.
    Failed(RefusalReason),
    /// It was not delivered yet.
    Delayed {
        /// Why.
        problem: Problem,
        /// How long it will be tried.
        until: Timestamp,
    },
    /// It was handed on, and nobody will say more.
    Relayed,
}

impl News {
    /// The kind of report it belongs into.
    pub const fn kind(&self) -> ReportKind {
        match self {
            Self::Failed(_) => ReportKind::Failure,
            Self::Delayed { .. } => ReportKind::Delay,
            Self::Relayed => ReportKind::Relayed,
        }
    }

    const fn action(&self) -> Action {
        match self {
            Self::Failed(_) => Action::Failed,
            Self::Delayed { .. } => Action::Delayed,
            Self::Relayed => Action::Relayed,
        }
    }

    /// The reply that tells it: the peer's, or ours.
    fn reply(&self) -> Option<Reply> {
        match self {
            Self::Failed(RefusalReason::Delivery(problem)) | Self::Delayed { problem, .. } => {
                problem.reply.clone()
            }
            Self::Failed(reason) => Some(reply_for(reason)),
            Self::Relayed => None,
        }
    }

    fn status(&self) -> EnhancedStatus {
        match self {
            Self::Failed(RefusalReason::Delivery(problem)) | Self::Delayed { problem, .. } => {
                problem.status
            }
            Self::Failed(reason) => reply_for(reason).status_or_general(),
            Self::Relayed => EnhancedStatus(2, 0, 0),
        }
    }
}

/// Makes the report, ready to be sent.
///
/// # Errors
/// Failures of our own storage, and a host name that makes no address.
pub fn report(
    input: &ReportInput<'_>,
    shelf: &dyn Shelf,
    rng: &mut dyn CryptoRng,
) -> Result<Outgoing, ProcessError> {
    let subject = subject(input);
    let body = text::body(input);
    let recipients: Vec<ReportRecipient> = input.recipients.iter().map(entry).collect();
    let entries: Vec<ReportRecipient> = recipients
        .into_iter()
        .map(|entry| ReportRecipient {
            last_attempt: entry.remote_mta.as_ref().map(|_| input.now),
            ..entry
        })
        .collect();
    let report = Report {
        from: sender(input.reporting_mta).map_err(|error| ProcessError::Key(error.to_string()))?,
        to: input.to.clone(),
        subject: &subject,
        date: input.now,
        message_id: &new_message_id(input.reporting_mta, rng),
        text: &body,
        language: input.language.map(Language::as_str),
        envelope_id: input.params.envid.as_deref(),
        reporting_mta: input.reporting_mta,
        arrival: Some(input.arrival),
        recipients: &entries,
        returned: input.header,
    };
    outgoing(input.to, report.is_global(), &report.write(rng), shelf)
}

fn sender(host: &Domain) -> Result<Mailbox, AddressError> {
    Ok(Mailbox {
        name: Some("Mail Delivery System".to_owned()),
        address: Address::new("postmaster", host.clone())?,
    })
}

fn entry(reported: &Reported) -> ReportRecipient {
    ReportRecipient {
        original: reported.recipient.orcpt.clone(),
        address: reported.recipient.address.clone(),
        action: reported.news.action(),
        status: reported.news.status(),
        remote_mta: reported.remote.clone(),
        diagnostic: reported.news.reply(),
        last_attempt: None,
        retry_until: match &reported.news {
            News::Delayed { until, .. } => Some(*until),
            News::Failed(_) | News::Relayed => None,
        },
    }
}

/// What happened and the mail's own subject, so that the reader knows which mail is meant.
fn subject(input: &ReportInput<'_>) -> String {
    let language = input.language.unwrap_or(Language::En);
    let title = text::title(kind(input), language);
    match original_subject(input.header) {
        Some(original) => format!("{title}: {original}"),
        None => title.to_owned(),
    }
}

fn kind(input: &ReportInput<'_>) -> ReportKind {
    let first = input.recipients.first();
    first.map_or(ReportKind::Failure, |first| first.news.kind())
}

/// The subject of the mail, on one line and cut.
fn original_subject(header: &HeaderBlock) -> Option<String> {
    let decoded = header.first("Subject")?.decoded();
    let one_line: String = decoded
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SUBJECT_CHARS)
        .collect();
    let trimmed = one_line.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// The report as a mail with a null sender, about which nobody wants to hear anything (RFC 3464 section 2, RFC 3461 section 6.1).
fn outgoing(
    to: &Address,
    smtputf8: bool,
    bytes: &[u8],
    shelf: &dyn Shelf,
) -> Result<Outgoing, ProcessError> {
    let mut draft = shelf.create()?;
    draft.write_all(bytes)?;
    let content = draft.finish()?;
    let message = Message::read(content.as_ref())?;
    let from = message.body_start();
    let head = bytes.get(..usize::try_from(from).unwrap_or(usize::MAX));
    let head = head.unwrap_or(bytes).to_vec();
    let notify = Notify {
        success: false,
        failure: false,
        delay: false,
        explicit: true,
    };
    Ok(Outgoing {
        from: ReversePath::Null,
        params: MailParams {
            smtputf8,
            eight_bit: smtputf8,
            ..MailParams::default()
        },
        recipients: vec![EnvelopeRecipient {
            address: to.clone(),
            notify,
            orcpt: None,
        }],
        head,
        body: Body {
            content: Arc::clone(&content),
            from,
        },
        status: MailStatus::Plain,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::MemoryShelf;
    use crate::testdata::Counter;

    use crate::outcome::{InboundRefusal, OutboundRefusal};
    use sealgate_mail::report::read_report;

    const ARRIVAL: Timestamp = Timestamp(1_795_305_600);

    fn reported(address: &str, news: News, remote: Option<&str>) -> Reported {
        Reported {
            recipient: EnvelopeRecipient {
                address: Address::parse(address).unwrap(),
                notify: Notify::default(),
                orcpt: Some("rfc822;orig@x.example".into()),
            },
            news,
            remote: remote.map(str::to_owned),
        }
    }

    fn problem(status: EnhancedStatus, code: u16, text: &str) -> Problem {
        Problem {
            status,
            reply: Some(Reply::received(code, text)),
            said: crate::saying::Saying::words(text).into(),
        }
    }

    /// The report as it is sent, with the soft line ends of quoted-printable taken out.
    fn written(to: &str, language: Option<Language>, recipients: &[Reported]) -> String {
        let header = HeaderBlock::parse(
            "Message-ID: <1@x.example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Marker: header\r\n"
                .as_bytes(),
        );
        let params = MailParams {
            envid: Some("id7".into()),
            ..MailParams::default()
        };
        let host = Domain::parse("gate.example").unwrap();
        let to = Address::parse(to).unwrap();
        let input = ReportInput {
            to: &to,
            language,
            recipients,
            header: &header,
            params: &params,
            reporting_mta: &host,
            arrival: ARRIVAL,
            now: ARRIVAL.plus(60),
        };
        let shelf = MemoryShelf::default();
        let copy = report(&input, &shelf, &mut Counter(1)).unwrap();
        assert_eq!(copy.from, ReversePath::Null);
        assert_eq!(copy.status, MailStatus::Plain);
        assert_eq!(copy.recipients[0].address, to);
        assert!(!copy.recipients[0].notify.failure);
        let mut bytes = copy.head.clone();
        let mut body = copy.body.content.reader(copy.body.from).unwrap();
        std::io::Read::read_to_end(&mut body, &mut bytes).unwrap();
        let message = Message::read(&bytes).unwrap();
        let read = read_report(&message).unwrap().expect("a notification");
        assert_eq!(read.message_id.as_deref(), Some("<1@x.example>"));
        assert_eq!(read.envelope_id.as_deref(), Some("id7"));
        assert_eq!(read.recipients.len(), recipients.len());
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
        text.replace("=\r\n", "").replace("\r\n", "\n")
    }

    #[test]
    fn m8_a_failure_is_told_in_words_and_in_codes() {
        let unknown = problem(EnhancedStatus(5, 1, 1), 550, "5.1.1 no such user");
        let recipients = [
            reported(
                "a@x.example",
                News::Failed(RefusalReason::Delivery(unknown)),
                Some("mx.x.example"),
            ),
            reported(
                "b@x.example",
                News::Failed(RefusalReason::Outbound(OutboundRefusal::NoKey)),
                None,
            ),
        ];
        let text = written("us@we.example", Some(Language::En), &recipients);
        for expected in [
            "Auto-Submitted: auto-replied",
            "Subject: =?utf-8?",
            "multipart/report",
            "Your mail was not delivered",
            "knows no such mailbox",
            "mx.x.example: 550 5.1.1 no such user",
            "Ask the recipient to send you a signed mail",
            "Reporting-MTA: dns; gate.example",
            "Original-Recipient: rfc822; orig@x.example",
            "Final-Recipient: rfc822; a@x.example",
            "Action: failed",
            "Status: 5.1.1",
            "Status: 5.7.5",
            "Remote-MTA: dns; mx.x.example",
            "X-Marker: header",
        ] {
            let expected = expected.replace("; ", ";");
            assert!(
                text.replace("; ", ";").contains(&expected),
                "{expected}\n{text}"
            );
        }
        assert!(!text.contains("Ihre E-Mail"));
    }

    #[test]
    fn strangers_get_both_languages() {
        let refused = RefusalReason::Inbound(InboundRefusal::NotEncrypted);
        let recipients = [reported("a@we.example", News::Failed(refused), None)];
        let text = written("s@x.example", None, &recipients);
        let (english, german) = (text.find("Your mail was"), text.find("Ihre E-Mail wurde"));
        assert!(english.unwrap() < german.unwrap(), "{text}");
        let german = written("s@we.example", Some(Language::De), &recipients);
        assert!(
            !german.contains("Your mail") && german.contains("Content-Language: de"),
            "{german}"
        );
    }

    #[test]
    fn delays_and_relays() {
        let news = News::Delayed {
            problem: problem(EnhancedStatus(4, 4, 1), 451, "busy"),
            until: ARRIVAL.plus(86_400),
        };
        let delayed = written(
            "us@we.example",
            Some(Language::En),
            &[reported("a@x.example", news, None)],
        );
        for expected in [
            "Action: delayed",
            "Status: 4.4.1",
            "Will-Retry-Until: Mon, 23 Nov 2026",
            "451 busy",
        ] {
            assert!(delayed.contains(expected), "{expected}\n{delayed}");
        }
        let relayed = written(
            "us@we.example",
            Some(Language::En),
            &[reported("a@x.example", News::Relayed, None)],
        );
        assert!(
            relayed.contains("Action: relayed") && relayed.contains("Status: 2.0.0"),
            "{relayed}"
        );
        assert!(!relayed.contains("Diagnostic-Code"));
    }

    #[test]
    fn a_report_to_an_address_beyond_ascii_needs_smtputf8() {
        let news = News::Failed(RefusalReason::Loop);
        let text = written(
            "j\u{fc}rgen@we.example",
            Some(Language::De),
            &[reported("a@x.example", news, None)],
        );
        assert!(text.contains("message/global-delivery-status"), "{text}");
    }

    /// Every reason has its own sentence in both languages, and none promises what S82 does not.
    #[test]
    fn the_catalogue_is_complete() {
        let mut seen = std::collections::HashSet::new();
        let inbound = [
            InboundRefusal::NotEncrypted,
            InboundRefusal::NoKey,
            InboundRefusal::CouldNotDecrypt,
        ];
        let outbound = [
            OutboundRefusal::NoCertificate,
            OutboundRefusal::NoKey,
            OutboundRefusal::NoCertificateNoKey,
            OutboundRefusal::WeakKey,
            OutboundRefusal::ForeignFrom,
            OutboundRefusal::EncryptedToOthers,
            OutboundRefusal::EncryptedMalformed,
            OutboundRefusal::Unanswered,
        ];
        let reasons = inbound.into_iter().map(RefusalReason::Inbound);
        let reasons = reasons.chain(outbound.map(RefusalReason::Outbound));
        for reason in reasons.chain([RefusalReason::AllOrNothing, RefusalReason::Loop]) {
            for language in [Language::De, Language::En] {
                let (happened, to_do) = text::failed(&reason, language);
                assert!(seen.insert(happened), "{happened}");
                assert!(happened.ends_with('.') && to_do.ends_with('.'));
            }
        }
    }
}
