//! New certificates for many mailboxes: the choice, a preview of what it comes to, and the order.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use sealgate_core::saying::Inputs;
use sealgate_mail::Address;
use sealgate_smime::key::KeyKind;
use serde::{Deserialize, Serialize};

use super::key_words;
use crate::Portal;
use crate::auth::{Permitted, Posted, Write};
use crate::office::certificates::{CertificateIssuer, Reissue, ReissueChoice, ReissuePreview};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Write, _, _>("/o/{organisation}/certificates/reissue", form),
        post::<Write, _, _>("/o/{organisation}/certificates/reissue/preview", preview),
        post::<Write, _, _>("/o/{organisation}/certificates/reissue", reissue),
    ]
}

/// The form as it is sent; texts, because a choice that was not made comes as nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Form {
    mailboxes: String,
    issuer: String,
    with_key: String,
    within: String,
    all: bool,
    authority: String,
    key: String,
    per_minute: String,
    revoke: bool,
}

fn number(field: &'static str, text: &str) -> Result<Option<u32>, Problem> {
    match text.trim() {
        "" => Ok(None),
        text => {
            let number = text.parse().map(Some);
            number.map_err(|_| Problem::wrong(field, Inputs::Number {}))
        }
    }
}

fn kind(field: &'static str, text: &str) -> Result<Option<KeyKind>, Problem> {
    let found = Form::KINDS.iter().find(|(word, _)| *word == text);
    match (text.is_empty(), found) {
        (true, _) => Ok(None),
        (false, Some((_, kind))) => Ok(Some(*kind)),
        (false, None) => {
            let words = Form::KINDS.map(|(word, _)| word).join(", ");
            Err(Problem::wrong(field, Inputs::OneOf { words }))
        }
    }
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl Form {
    /// Words of the form, and what they mean.
    const KINDS: [(&'static str, KeyKind); 5] = [
        ("rsa2048", KeyKind::Rsa2048),
        ("rsa3072", KeyKind::Rsa3072),
        ("rsa4096", KeyKind::Rsa4096),
        ("p256", KeyKind::P256),
        ("p384", KeyKind::P384),
    ];
    /// Those that can be made.
    const MADE: [(&'static str, KeyKind); 3] = [
        ("rsa3072", KeyKind::Rsa3072),
        ("p256", KeyKind::P256),
        ("p384", KeyKind::P384),
    ];

    fn choice(&self) -> Result<ReissueChoice, Problem> {
        let separator = |c: char| c.is_whitespace() || c == ',' || c == ';';
        let named = self.mailboxes.split(separator);
        let mailboxes = named.filter(|text| !text.is_empty()).map(|text| {
            Address::parse(text).map_err(|error| Problem::wrong_part("mailboxes", text, error))
        });
        Ok(ReissueChoice {
            mailboxes: mailboxes.collect::<Result<_, _>>()?,
            issuer: given(&self.issuer),
            with_key: kind("with_key", &self.with_key)?,
            within: number("within", &self.within)?,
            all: self.all,
        })
    }

    fn reissue(&self) -> Result<Reissue, Problem> {
        Ok(Reissue {
            choice: self.choice()?,
            authority: given(&self.authority),
            key: kind("key", &self.key)?,
            per_minute: number("per_minute", &self.per_minute)?,
            revoke: self.revoke,
        })
    }
}

#[derive(Template)]
#[template(path = "certificates/reissue.html")]
struct ReissuePage {
    view: View,
    form: Form,
    issuers: Vec<CertificateIssuer>,
    authorities: Vec<String>,
    preview: Option<ReissuePreview>,
}

async fn shown(
    portal: &Portal,
    (permitted, view): (&Permitted<Write>, View),
    form: Form,
    preview: Option<ReissuePreview>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    page(&ReissuePage {
        issuers: office.reissue_issuers(permitted).await?,
        authorities: office.reissue_authorities(permitted).await?,
        view,
        form,
        preview,
    })
}

async fn form(
    State(portal): State<Portal>,
    visit: Visit<Write>,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    shown(&portal, (&visit.permitted, visit.view), form, None).await
}

async fn preview(
    State(portal): State<Portal>,
    parts: axum::http::request::Parts,
    Posted(permitted, form): Posted<Write, Form>,
) -> Result<Response, Problem> {
    let choice = form.choice()?;
    let preview = portal.office.reissue_preview(&permitted, &choice).await?;
    let view = View::of(&portal, &permitted, &parts).await?;
    shown(&portal, (&permitted, view), form, Some(preview)).await
}

async fn reissue(
    State(portal): State<Portal>,
    Path(organisation): Path<String>,
    Posted(permitted, form): Posted<Write, Form>,
) -> Result<Response, Problem> {
    let ordered = portal.office.reissue(&permitted, form.reissue()?).await?;
    let count = usize::try_from(ordered.mailboxes).unwrap_or(usize::MAX);
    let notice = Notice::new("reissue-ordered").number("count", count);
    let notice = notice.refused(&ordered.refused);
    let to = match ordered.batch {
        Some(batch) => format!("/o/{organisation}/certificates/batches/{batch}"),
        None => format!("/o/{organisation}/certificates/reissue"),
    };
    done(&portal, &permitted, notice, &to).await
}
