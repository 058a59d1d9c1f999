//! The mail overview (S89, S90), why a mail became what it is, and new lines as they come.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use sealgate_core::journal::{Direction, MailStatus, Trace};
use sealgate_core::tenant::Language;
use serde::Deserialize;

use crate::Portal;
use crate::auth::{Permitted, Read};
use crate::export::{self, Lines, Sheet};
use crate::lang::key;
use crate::office::mails::{Delivery, Mail, MailFilter, MailRow, Queued, Recipient};
use crate::office::{At, Page, Paging};
use crate::problem::{Problem, Titles};
use crate::routes::{PageRoute, get};
use crate::shapes;
use crate::terms::mail_status;
use crate::trace::{self, Kind, Step};
use crate::view::{View, Visit, next_page, page};

mod live;

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/mails", list),
        get::<Read, _, _>("/o/{organisation}/mails/export", export),
        get::<Read, _, _>("/o/{organisation}/mails/live", live::live),
        get::<Read, _, _>("/o/{organisation}/mails/{mail}", show),
    ]
}

/// Words and shapes of mails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words(pub Language);

impl Words {
    pub fn status(self, status: &MailStatus) -> &'static str {
        mail_status(*status, self.0)
    }

    pub fn shape(self, status: &MailStatus) -> &'static str {
        shapes::mail_status(*status)
    }

    pub fn direction(self, direction: &Direction) -> &'static str {
        match direction {
            Direction::Inbound => key("mails-inbound"),
            Direction::Outbound => key("mails-outbound"),
        }
    }

    pub fn arrow(self, direction: &Direction) -> &'static str {
        match direction {
            Direction::Inbound => "←",
            Direction::Outbound => "→",
        }
    }

    pub fn delivery(self, delivery: &Delivery) -> &'static str {
        match delivery {
            Delivery::ToOpen => key("delivery-to-open"),
            Delivery::Waiting => key("delivery-waiting"),
            Delivery::Delivered => key("delivery-delivered"),
            Delivery::Failed => key("delivery-failed"),
            Delivery::Held => key("delivery-held"),
            Delivery::Deleted => key("delivery-deleted"),
            Delivery::Refused => key("delivery-refused"),
            Delivery::Answered => key("delivery-answered"),
        }
    }

    pub fn delivery_shape(self, delivery: &Delivery) -> &'static str {
        match delivery {
            Delivery::ToOpen | Delivery::Waiting => shapes::BUSY,
            Delivery::Delivered => shapes::GOOD,
            Delivery::Failed | Delivery::Refused => shapes::BAD,
            Delivery::Held => shapes::WARN,
            Delivery::Deleted => shapes::OFF,
            Delivery::Answered => shapes::INFO,
        }
    }

    pub fn sentence(self, titles: &Titles) -> &str {
        titles.in_language(self.0)
    }
}

#[derive(Template)]
#[template(path = "mails/list.html")]
struct List {
    words: Words,
    filter: MailFilter,
    mails: Page<MailRow>,
    /// How far back was searched, if not to the end.
    searched_to: Option<At>,
    first: Option<String>,
    next: Option<String>,
    /// The filter as a query, with its question mark; empty without one.
    query: String,
    view: View,
}

impl List {
    fn is_narrowed(&self) -> bool {
        self.filter != MailFilter::default()
    }

    fn is_status(&self, status: &MailStatus) -> bool {
        self.filter.status == Some(*status)
    }

    fn is_direction(&self, direction: &Direction) -> bool {
        self.filter.direction == Some(*direction)
    }

    fn is_delivery(&self, delivery: &Delivery) -> bool {
        self.filter.delivery == Some(*delivery)
    }

    fn delivery_word(&self, delivery: &Delivery) -> String {
        word(delivery)
    }

    fn directions(&self) -> [Direction; 2] {
        [Direction::Inbound, Direction::Outbound]
    }

    fn direction_word(&self, direction: &Direction) -> String {
        word(direction)
    }
}

/// The word of the filter, as the address has it.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<MailFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let query = filter.query(&portal.settings.time_zone)?;
    let found = portal
        .office
        .mails(&visit.permitted, &query, &paging)
        .await?;
    let searched_to = found.searched_to;
    let mails = Page {
        items: found.items,
        next: found.next,
    };
    let (first, next) = next_page(&visit.view, &filter, &paging, &mails);
    let query = serde_html_form::to_string(&filter).unwrap_or_default();
    page(&List {
        words: Words(visit.view.language),
        query: match query.is_empty() {
            true => query,
            false => format!("?{query}"),
        },
        filter,
        mails,
        searched_to,
        first,
        next,
        view: visit.view,
    })
}

/// All mails of a filter as CSV, newest first.
async fn export(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<MailFilter>,
) -> Result<Response, Problem> {
    let query = filter.query(&portal.settings.time_zone)?;
    let sheet = Sheet {
        name: "mails.csv",
        columns: &[
            "time",
            "direction",
            "from",
            "to",
            "status",
            "delivery",
            "message_id",
            "mail",
        ],
    };
    let (own, who) = (portal.clone(), permitted.clone());
    export::answer(&portal, &permitted, sheet, move |paging| {
        let (own, who, query) = (own.clone(), who.clone(), query.clone());
        async move {
            let page = own.office.mails(&who, &query, &paging).await?;
            Ok(Lines {
                lines: page.items.into_iter().map(cells).collect(),
                next: page.next,
            })
        }
    })
    .await
}

fn cells(mail: MailRow) -> Vec<String> {
    let from = mail.from.as_ref().map(ToString::to_string);
    vec![
        mail.at.0.rfc3339(),
        word(&mail.direction),
        from.unwrap_or_else(|| "<>".to_owned()),
        mail.to.to_string(),
        mail.status.as_str().to_owned(),
        word(&mail.delivery),
        mail.message_id.unwrap_or_default(),
        mail.mail,
    ]
}

#[derive(Template)]
#[template(path = "mails/show.html")]
struct Show {
    words: Words,
    mail: Mail,
    view: View,
}

impl Show {
    fn steps(&self, recipient: &Recipient) -> Vec<Step> {
        trace::steps(&recipient.trace, self.view.language)
    }

    fn class(&self, step: &Step, recipient: &Recipient) -> &'static str {
        match step.kind {
            Kind::PassedOver => "is-off",
            Kind::DecidedBy => "is-chosen",
            Kind::Outcome => match recipient.status {
                MailStatus::Failed => "is-bad",
                _ => "is-good",
            },
            _ => "",
        }
    }

    fn title(&self, step: &Step) -> String {
        self.view.t(step.kind.title())
    }

    /// Where a rule is shown.
    fn rule(&self, step: &Step) -> Option<String> {
        let rule = step.rule?;
        Some(format!("{}/{}", self.view.here("smime/rules"), rule.0))
    }

    /// What can be done about it, and where; only for those who may.
    fn remedy(&self, recipient: &Recipient) -> Option<(&'static str, String)> {
        let (text, place) = trace::remedy(&recipient.trace)?;
        self.view.may.write.then(|| (text, self.view.here(place)))
    }

    fn signature(&self, verdict: &str) -> Option<String> {
        trace::signature_meaning(verdict).map(|key| self.view.t(key))
    }

    fn encryption(&self, verdict: &str) -> Option<String> {
        trace::encryption_meaning(verdict).map(|key| self.view.t(key))
    }

    /// Where the rules can be tried out for this mail.
    fn simulator(&self, recipient: &Recipient) -> String {
        let (direction, managed, external) = match &recipient.trace {
            Trace::Inbound {
                managed, external, ..
            } => ("inbound", Some(managed), external.as_ref()),
            Trace::Outbound {
                managed, external, ..
            } => ("outbound", managed.as_ref(), Some(external)),
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("direction", direction);
        for (name, address) in [("managed", managed), ("external", external)] {
            if let Some(address) = address {
                query.append_pair(name, &address.to_string());
            }
        }
        format!(
            "{}?{}",
            self.view.here("smime/rules/simulator"),
            query.finish()
        )
    }

    fn is_held(&self, recipient: &Recipient) -> bool {
        recipient.delivery == Delivery::Held
    }

    fn note(&self, queued: &Queued) -> Option<String> {
        super::held::note(&self.view, queued.note.as_deref(), queued.notes.as_ref())
    }
}

/// The number of a mail in the address.
#[derive(Deserialize)]
pub(super) struct MailPath {
    pub mail: String,
}

async fn show(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Path(path): Path<MailPath>,
) -> Result<Response, Problem> {
    let mail = portal.office.mail(&visit.permitted, &path.mail).await?;
    page(&Show {
        words: Words(visit.view.language),
        mail,
        view: visit.view,
    })
}
