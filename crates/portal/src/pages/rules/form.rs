//! The form for one rule: new (S53, S55, A7) and edited (S52), with what it would mean for known mailboxes, and both versions
//! where somebody else was faster.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use sealgate_core::rules::{InboundMode, OutboundMode};
use sealgate_core::saying::Inputs;
use serde::Deserialize;

use super::{field_text, in_force, line};
use crate::Portal;
use crate::auth::{Permitted, Posted, Read, Write};
use crate::lang::key;
use crate::office::rules::{
    EncryptionRule, RuleBody, RuleEdit, RuleFieldQuestion, RuleSaved, RuleWarnings, Side,
};
use crate::problem::Problem;
use crate::terms;
use crate::view::{Notice, View, Visit, done, page};

/// One mode to choose.
struct ModeChoice {
    value: &'static str,
    word: &'static str,
    help: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "rules/form.html")]
struct Form {
    view: View,
    /// The rule that is edited; none for a new one.
    id: Option<i64>,
    priority: u64,
    /// What stands in the form.
    body: RuleBody,
    /// What the rule said when it was looked at.
    was: Option<RuleBody>,
    /// What is wrong with the managed and the external field.
    wrong: [String; 2],
    warnings: RuleWarnings,
    /// What somebody else made of the rule meanwhile.
    theirs: Option<RuleBody>,
}

impl Form {
    fn inbound_choices(&self) -> Vec<ModeChoice> {
        let chosen = self.body.inbound;
        let all = std::iter::once(None).chain(InboundMode::ALL.map(Some));
        all.map(|mode| ModeChoice {
            value: mode.map_or("", InboundMode::as_str),
            word: terms::inbound_mode(mode, self.view.language),
            help: inbound_help(mode),
            is_chosen: mode == chosen,
        })
        .collect()
    }

    fn outbound_choices(&self) -> Vec<ModeChoice> {
        let chosen = self.body.outbound;
        let all = std::iter::once(None).chain(OutboundMode::ALL.map(Some));
        all.map(|mode| ModeChoice {
            value: mode.map_or("", OutboundMode::as_str),
            word: terms::outbound_mode(mode, self.view.language),
            help: outbound_help(mode),
            is_chosen: mode == chosen,
        })
        .collect()
    }

    fn inbound(&self, body: &RuleBody) -> &'static str {
        terms::inbound_mode(body.inbound, self.view.language)
    }

    fn outbound(&self, body: &RuleBody) -> &'static str {
        terms::outbound_mode(body.outbound, self.view.language)
    }

    /// The text of a field; none where "all" is ticked.
    fn text<'b>(&self, field: &'b str) -> &'b str {
        match field {
            "all" => "",
            entries => entries.strip_prefix(ALL_BESIDE).unwrap_or(entries),
        }
    }

    fn new(view: View, body: RuleBody) -> Self {
        Self {
            view,
            id: None,
            priority: 1,
            body,
            was: None,
            wrong: Default::default(),
            warnings: RuleWarnings::default(),
            theirs: None,
        }
    }

    fn action(&self) -> String {
        match self.id {
            Some(id) => self.view.here(&format!("smime/rules/{id}")),
            None => self.view.here("smime/rules/new"),
        }
    }
}

/// The sentence that says what an inbound mode does (S65 to S69).
pub const fn inbound_help(mode: Option<InboundMode>) -> &'static str {
    match mode {
        None => key("mode-not-defined"),
        Some(InboundMode::DoNotDecrypt) => key("mode-in-do-not-decrypt"),
        Some(InboundMode::Optional) => key("mode-in-optional"),
        Some(InboundMode::Always) => key("mode-in-always"),
        Some(InboundMode::Enforce) => key("mode-in-enforce"),
    }
}

/// The sentence that says what an outbound mode does (S70 to S74).
pub const fn outbound_help(mode: Option<OutboundMode>) -> &'static str {
    match mode {
        None => key("mode-not-defined"),
        Some(OutboundMode::Neither) => key("mode-out-neither"),
        Some(OutboundMode::SignOnly) => key("mode-out-sign-only"),
        Some(OutboundMode::Optional) => key("mode-out-optional"),
        Some(OutboundMode::Enforce) => key("mode-out-enforce"),
    }
}

/// The inbound mode of a word; nothing is "not defined".
pub fn inbound(word: &str) -> Result<Option<InboundMode>, Problem> {
    let found = InboundMode::ALL
        .into_iter()
        .find(|mode| mode.as_str() == word);
    match (found, word) {
        (Some(mode), _) => Ok(Some(mode)),
        (None, "") => Ok(None),
        (None, _) => Err(Problem::wrong("inbound", Inputs::NoMode {})),
    }
}

/// The outbound mode of a word; nothing is "not defined".
pub fn outbound(word: &str) -> Result<Option<OutboundMode>, Problem> {
    let found = OutboundMode::ALL
        .into_iter()
        .find(|mode| mode.as_str() == word);
    match (found, word) {
        (Some(mode), _) => Ok(Some(mode)),
        (None, "") => Ok(None),
        (None, _) => Err(Problem::wrong("outbound", Inputs::NoMode {})),
    }
}

/// A7: "not defined" in both. Whom the rule is for is said by whoever makes it: a new rule is the first, and one for all would
/// stand above every other.
pub async fn new(visit: Visit<Write>) -> Result<Response, Problem> {
    let body = RuleBody {
        managed: String::new(),
        external: String::new(),
        inbound: None,
        outbound: None,
    };
    page(&Form::new(visit.view, body))
}

pub async fn edit(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    let found = portal.office.rule(&visit.permitted, id).await?;
    let parsed = found.body.parse(id)?;
    let warnings = portal
        .office
        .rule_warnings(&visit.permitted, &parsed)
        .await?;
    page(&Form {
        id: Some(id),
        priority: found.priority,
        was: Some(found.body.clone()),
        warnings,
        ..Form::new(visit.view, found.body)
    })
}

/// Before the entries of a field where "all" is ticked too: no field can be saved so.
const ALL_BESIDE: &str = "all, ";

/// What the form sends.
#[derive(Deserialize)]
pub struct Written {
    #[serde(default)]
    managed: String,
    #[serde(default)]
    managed_all: bool,
    #[serde(default)]
    external: String,
    #[serde(default)]
    external_all: bool,
    #[serde(default)]
    inbound: String,
    #[serde(default)]
    outbound: String,
    #[serde(default)]
    was_managed: String,
    #[serde(default)]
    was_external: String,
    #[serde(default)]
    was_inbound: String,
    #[serde(default)]
    was_outbound: String,
}

impl Written {
    fn body(&self) -> Result<RuleBody, Problem> {
        // A line for each entry is as good as commas; commas at the end are no entries.
        let field = |text: &str, all: bool| match (all, joined(text)) {
            (false, entries) => entries,
            (true, entries) if entries.is_empty() => "all".to_owned(),
            // Only one of the two can be meant: the field is refused, and whoever wrote it asked.
            (true, entries) => format!("{ALL_BESIDE}{entries}"),
        };
        Ok(RuleBody {
            managed: field(&self.managed, self.managed_all),
            external: field(&self.external, self.external_all),
            inbound: inbound(&self.inbound)?,
            outbound: outbound(&self.outbound)?,
        })
    }

    fn was(&self) -> Result<RuleBody, Problem> {
        Ok(RuleBody {
            managed: self.was_managed.clone(),
            external: self.was_external.clone(),
            inbound: inbound(&self.was_inbound)?,
            outbound: outbound(&self.was_outbound)?,
        })
    }
}

fn joined(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim().trim_end_matches(','));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join(", ")
}

pub async fn add(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(permitted, written): Posted<Write, Written>,
) -> Result<Response, Problem> {
    let body = written.body()?;
    match portal.office.add_rule(&permitted, &body).await {
        Ok(saved) => told(&portal, &permitted, saved, Notice::new("rule-added")).await,
        Err(problem) if problem.code == "invalid" => {
            let view = View::of(&portal, &permitted, &parts).await?;
            refused(&portal, &permitted, Form::new(view, body)).await
        }
        Err(problem) => Err(problem),
    }
}

pub async fn save(
    State(portal): State<Portal>,
    Path((_, id)): Path<(String, i64)>,
    parts: Parts,
    Posted(permitted, written): Posted<Write, Written>,
) -> Result<Response, Problem> {
    let edit = RuleEdit {
        was: written.was()?,
        becomes: written.body()?,
    };
    let problem = match portal.office.edit_rule(&permitted, id, &edit).await {
        Ok(saved) => return told(&portal, &permitted, saved, Notice::new("rule-changed")).await,
        Err(problem) => problem,
    };
    let view = View::of(&portal, &permitted, &parts).await?;
    match problem.code {
        "invalid" => {
            let form = Form {
                id: Some(id),
                was: Some(edit.was),
                ..Form::new(view, edit.becomes)
            };
            refused(&portal, &permitted, form).await
        }
        "changed-meanwhile" => {
            let theirs = portal.office.rule(&permitted.reads(), id).await?;
            conflict(id, theirs, Form::new(view, edit.becomes))
        }
        _ => Err(problem),
    }
}

/// Both versions: saving again is meant against theirs.
fn conflict(id: i64, theirs: EncryptionRule, form: Form) -> Result<Response, Problem> {
    let shown = page(&Form {
        id: Some(id),
        priority: theirs.priority,
        was: Some(theirs.body.clone()),
        theirs: Some(theirs.body),
        ..form
    })?;
    Ok((StatusCode::CONFLICT, shown).into_response())
}

/// The form again, with what is wrong beside each field.
async fn refused(
    portal: &Portal,
    permitted: &Permitted<Write>,
    form: Form,
) -> Result<Response, Problem> {
    let mut wrong = <[String; 2]>::default();
    let fields = [
        (Side::Managed, &form.body.managed),
        (Side::External, &form.body.external),
    ];
    for (place, (side, text)) in wrong.iter_mut().zip(fields) {
        let question = RuleFieldQuestion {
            side,
            text: text.clone(),
        };
        let answer = portal
            .office
            .rule_field(&permitted.reads(), &question)
            .await?;
        if !answer.ok {
            *place = field_text(&answer, form.view.language);
        }
    }
    let shown = page(&Form { wrong, ..form })?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}

/// Back to the list, with the time since when the rule decides mails. What the rule shuts out stands in its line there.
async fn told(
    portal: &Portal,
    permitted: &Permitted<Write>,
    saved: RuleSaved,
    notice: Notice,
) -> Result<Response, Problem> {
    let notice = in_force(portal, &saved.applied, notice);
    let back = line(permitted.organisation_name(), &saved);
    done(portal, permitted, notice, &back).await
}
