//! Help: what S/MIME is, states, modes, rules, keys, licences, questions and answers, and whom to turn to (S1, S2, S16, S17).

use askama::Template;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::Response;
use sealgate_core::journal::MailStatus;
use sealgate_core::rules::{InboundMode, OutboundMode};
use sealgate_core::tenant::MailboxState;

use crate::Portal;
use crate::auth::Read;
use crate::lang::key;
use crate::problem::Problem;
use crate::routes::{PageRoute, get, open};
use crate::shapes;
use crate::terms::{inbound_mode, mail_status, mailbox_state, outbound_mode};
use crate::view::{View, Visit, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/help", of_organisation),
        open(Method::GET, "/help", of_all),
    ]
}

/// State, key of its meaning, key of what can be done.
const STATES: [(MailboxState, &str, &str); 4] = [
    (
        MailboxState::Inactive,
        key("help-state-inactive"),
        key("help-do-inactive"),
    ),
    (
        MailboxState::ActivationPending,
        key("help-state-pending"),
        key("help-do-pending"),
    ),
    (
        MailboxState::Active,
        key("help-state-active"),
        key("help-do-active"),
    ),
    (
        MailboxState::RevokePending,
        key("help-state-revoke"),
        key("help-do-revoke"),
    ),
];

/// What became of a mail (S89).
const STATUSES: [(MailStatus, &str); 8] = [
    (MailStatus::Plain, key("help-status-plain")),
    (MailStatus::Signed, key("help-status-signed")),
    (MailStatus::SignedEncrypted, key("help-status-sealed")),
    (MailStatus::Encrypted, key("help-status-encrypted")),
    (MailStatus::Decrypted, key("help-status-decrypted")),
    (MailStatus::Failed, key("help-status-failed")),
    (MailStatus::Waiting, key("help-status-waiting")),
    (MailStatus::Challenge, key("help-status-challenge")),
];

/// S65 to S69.
const INBOUND: [(Option<InboundMode>, &str); 5] = [
    (None, key("help-mode-undefined")),
    (Some(InboundMode::DoNotDecrypt), key("help-mode-leave")),
    (Some(InboundMode::Optional), key("help-mode-decrypt")),
    (Some(InboundMode::Always), key("help-mode-always")),
    (
        Some(InboundMode::Enforce),
        key("help-mode-enforce-decryption"),
    ),
];

/// S70 to S74.
const OUTBOUND: [(Option<OutboundMode>, &str); 5] = [
    (None, key("help-mode-undefined")),
    (Some(OutboundMode::Neither), key("help-mode-neither")),
    (Some(OutboundMode::SignOnly), key("help-mode-sign")),
    (Some(OutboundMode::Optional), key("help-mode-encrypt")),
    (
        Some(OutboundMode::Enforce),
        key("help-mode-enforce-encryption"),
    ),
];

/// Keys of the questions and their answers (S17).
const QUESTIONS: [(&str, &str); 9] = [
    (key("help-q-missing"), key("help-a-missing")),
    (key("help-q-internal"), key("help-a-internal")),
    (key("help-q-failed"), key("help-a-failed")),
    (key("help-q-cannot-send"), key("help-a-cannot-send")),
    (key("help-q-why"), key("help-a-why")),
    (key("help-q-download"), key("help-a-download")),
    (key("help-q-own"), key("help-a-own")),
    (key("help-q-valid"), key("help-a-valid")),
    (key("help-q-revoke"), key("help-a-revoke")),
];

#[derive(Template)]
#[template(path = "help/help.html")]
struct Help {
    view: View,
}

impl Help {
    const QUESTIONS: [(&str, &str); 9] = QUESTIONS;

    /// Shape and word of each state, its meaning, what can be done.
    fn states(&self) -> Vec<[String; 4]> {
        let row = |(state, meaning, action): &(MailboxState, &str, &str)| {
            [
                shapes::mailbox_state(*state).to_owned(),
                mailbox_state(*state, self.view.language).to_owned(),
                self.view.t(meaning),
                self.view.t(action),
            ]
        };
        STATES.iter().map(row).collect()
    }

    /// Shape and word of each status of a mail, and its meaning.
    fn statuses(&self) -> Vec<[String; 3]> {
        let row = |(status, meaning): &(MailStatus, &str)| {
            [
                shapes::mail_status(*status).to_owned(),
                mail_status(*status, self.view.language).to_owned(),
                self.view.t(meaning),
            ]
        };
        STATUSES.iter().map(row).collect()
    }

    fn inbound(&self) -> Vec<[String; 2]> {
        let word = |mode| inbound_mode(mode, self.view.language).to_owned();
        let row = |(mode, meaning): &(_, &str)| [word(*mode), self.view.t(meaning)];
        INBOUND.iter().map(row).collect()
    }

    fn outbound(&self) -> Vec<[String; 2]> {
        let word = |mode| outbound_mode(mode, self.view.language).to_owned();
        let row = |(mode, meaning): &(_, &str)| [word(*mode), self.view.t(meaning)];
        OUTBOUND.iter().map(row).collect()
    }
}

async fn of_organisation(visit: Visit<Read>) -> Result<Response, Problem> {
    page(&Help { view: visit.view })
}

/// For everybody, also before they sign in.
async fn of_all(State(portal): State<Portal>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let view = View::for_visitor(&portal, &mut parts).await;
    page(&Help { view })
}
