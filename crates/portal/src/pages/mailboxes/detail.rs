//! One mailbox: its certificates and key ring, aliases, history; upload, renewal, purge.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use sealgate_mail::Address;
use serde::Deserialize;

use super::{StateLine, one_by_one, segment};
use crate::Portal;
use crate::auth::{Permitted, Posted, Read, Uploaded, Write};
use crate::lang::key;
use crate::office::mailboxes::{
    Mailbox, MailboxDetail, MailboxEvent, MailboxKey, OrderOptions, OrderWith, PurgeKeys, Upload,
};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::shapes;
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/smime/mailboxes/{mailbox}", detail),
        get::<Write, _, _>(
            "/o/{organisation}/smime/mailboxes/{mailbox}/upload",
            upload_form,
        ),
        post::<Write, _, _>("/o/{organisation}/smime/mailboxes/{mailbox}/upload", upload),
        post::<Write, _, _>("/o/{organisation}/smime/mailboxes/{mailbox}/renew", renew),
        post::<Write, _, _>(
            "/o/{organisation}/smime/mailboxes/{mailbox}/aliases",
            aliases,
        ),
        post::<Write, _, _>("/o/{organisation}/smime/mailboxes/{mailbox}/purge", purge),
    ]
}

/// The mailbox in an address.
#[derive(Deserialize)]
struct Named {
    mailbox: String,
}

impl Named {
    /// What is no address is no mailbox either.
    fn address(&self) -> Result<Address, Problem> {
        Address::parse(&self.mailbox).map_err(|_| Problem::not_found())
    }
}

fn place<P>(permitted: &Permitted<P>, mailbox: &Address) -> String {
    let organisation = permitted.organisation_name();
    let mailbox = segment(&mailbox.to_string());
    format!("/o/{organisation}/smime/mailboxes/{mailbox}")
}

#[derive(Template)]
#[template(path = "mailboxes/detail.html")]
struct Detail {
    view: View,
    own: MailboxDetail,
    options: Option<OrderOptions>,
    /// Its own address.
    at: String,
}

impl Detail {
    fn word(&self) -> &'static str {
        StateLine::word(&self.view, &self.own.mailbox)
    }

    fn shape(&self) -> &'static str {
        StateLine::shape(&self.own.mailbox)
    }

    fn waits(&self) -> Option<String> {
        StateLine::waits(&self.view, &self.own.mailbox)
    }

    fn error(&self) -> Option<&str> {
        StateLine::error(&self.view, &self.own.mailbox)
    }

    fn aliases(&self) -> String {
        let aliases = self.own.aliases.iter().map(Address::to_string);
        aliases.collect::<Vec<_>>().join("\n")
    }

    fn old_keys(&self) -> usize {
        self.own.keys.iter().filter(|key| key.is_old()).count()
    }

    /// What a key is used for, in a word and a shape.
    fn used(&self, own: &MailboxKey) -> (&'static str, String) {
        let (shape, key) = match (own.signs, own.encrypts) {
            (true, true) => (shapes::GOOD, key("mailbox-key-both")),
            (true, false) => (shapes::GOOD, key("mailbox-key-signs")),
            (false, true) => (shapes::GOOD, key("mailbox-key-encrypts")),
            (false, false) if own.to_be_revoked => (shapes::LEAVING, key("mailbox-key-revoking")),
            (false, false) => (shapes::OFF, key("mailbox-key-old")),
        };
        (shape, self.view.t(key))
    }

    /// Whether the certificate in use came from elsewhere: nobody renews it by himself.
    fn is_uploaded(&self) -> bool {
        let mut used = self.own.keys.iter().filter(|key| key.signs || key.encrypts);
        used.any(|key| key.uploaded)
    }

    fn is_over(&self, own: &MailboxKey) -> bool {
        self.view.days_until(&own.valid_until.0) < 0
    }

    fn happened(&self, event: &MailboxEvent) -> String {
        let view = &self.view;
        let authority = event.authority.clone().unwrap_or_default();
        let certificate = event.certificate.unwrap_or_default();
        match event.what {
            "ordered" => view.t1("mailbox-ordered", "authority", authority),
            "issued" => view.t1("mailbox-issued", "authority", authority),
            "failed" => view.t1("mailbox-failed", "authority", authority),
            "withdrawn" => view.t1("mailbox-withdrawn", "authority", authority),
            "uploaded" => view.t1("mailbox-uploaded", "certificate", certificate.to_string()),
            "revocation-asked" => view.t1(
                "mailbox-revocation-asked",
                "certificate",
                certificate.to_string(),
            ),
            _ => view.t1(
                "mailbox-certificate-revoked",
                "certificate",
                certificate.to_string(),
            ),
        }
    }
}

async fn detail(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Path(named): Path<Named>,
) -> Result<Response, Problem> {
    let (office, permitted) = (&portal.office, &visit.permitted);
    let mailbox = named.address()?;
    let own = office.mailbox(permitted, &mailbox).await?;
    let options = match visit.view.may.write {
        true => Some(office.order_options(permitted).await?),
        false => None,
    };
    page(&Detail {
        at: place(permitted, &mailbox),
        view: visit.view,
        own,
        options,
    })
}

#[derive(Template)]
#[template(path = "mailboxes/upload.html")]
struct UploadForm {
    view: View,
    mailbox: Mailbox,
    at: String,
    problem: Option<Problem>,
}

impl UploadForm {
    async fn of(
        portal: &Portal,
        (permitted, view): (&Permitted<Write>, View),
        mailbox: &Address,
        problem: Option<Problem>,
    ) -> Result<Response, Problem> {
        let own = portal.office.mailbox(&permitted.reads(), mailbox).await?;
        let status = problem.as_ref().map_or(StatusCode::OK, Problem::status);
        let form = Self {
            view,
            at: place(permitted, mailbox),
            mailbox: own.mailbox,
            problem,
        };
        Ok((status, page(&form)?).into_response())
    }
}

async fn upload_form(
    State(portal): State<Portal>,
    visit: Visit<Write>,
    Path(named): Path<Named>,
) -> Result<Response, Problem> {
    let about = (&visit.permitted, visit.view);
    UploadForm::of(&portal, about, &named.address()?, None).await
}

async fn upload(
    State(portal): State<Portal>,
    parts: Parts,
    Path(named): Path<Named>,
    uploaded: Uploaded<Write>,
) -> Result<Response, Problem> {
    let mailbox = named.address()?;
    let permitted = &uploaded.permitted;
    let file = uploaded.octets("file").unwrap_or_default().to_vec();
    let sent = Upload {
        password: uploaded.text("password").unwrap_or_default(),
        file,
    };
    let done_so = match sent.file.is_empty() {
        true => Err(Problem::new("nothing-chosen-file")),
        false => portal.office.upload(permitted, &mailbox, sent).await,
    };
    match done_so {
        Ok(_) => {
            let notice = Notice::new("mailbox-upload-done").text("mailbox", mailbox.to_unicode());
            done(&portal, permitted, notice, &place(permitted, &mailbox)).await
        }
        // What whoever uploads can do something about is told beside the form.
        Err(problem) if problem.code.starts_with("upload-") || told_in_form(problem.code) => {
            let view = View::of(&portal, permitted, &parts).await?;
            UploadForm::of(&portal, (permitted, view), &mailbox, Some(problem)).await
        }
        Err(problem) => Err(problem),
    }
}

fn told_in_form(code: &str) -> bool {
    ["refused", "nothing-chosen-file", "too-large"].contains(&code)
}

/// The form for the next certificate.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Renewal {
    revoke: bool,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    authority: Option<String>,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    key: Option<String>,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    token: Option<String>,
}

async fn renew(
    State(portal): State<Portal>,
    Path(named): Path<Named>,
    Posted(permitted, form): Posted<Write, Renewal>,
) -> Result<Response, Problem> {
    let mailbox = named.address()?;
    let with = OrderWith {
        authority: form.authority,
        key: form.key,
        token: form.token,
    };
    let order = (with, form.revoke);
    portal.office.renew(&permitted, &mailbox, order).await?;
    let notice = Notice::new("mailbox-renewal-ordered");
    done(&portal, &permitted, notice, &place(&permitted, &mailbox)).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Aliases {
    aliases: String,
}

async fn aliases(
    State(portal): State<Portal>,
    Path(named): Path<Named>,
    Posted(permitted, form): Posted<Write, Aliases>,
) -> Result<Response, Problem> {
    let mailbox = named.address()?;
    let aliases = addresses(&form.aliases)?;
    let count = aliases.len();
    let applied = portal.office.set_aliases(&permitted, &mailbox, aliases);
    let notice = one_by_one(Notice::new("mailbox-aliases-set"), count, &applied.await?);
    done(&portal, &permitted, notice, &place(&permitted, &mailbox)).await
}

/// Addresses that stand on lines, or between commas.
pub(crate) fn addresses(text: &str) -> Result<Vec<Address>, Problem> {
    let parts = text.split([',', ';', '\n', '\r']).map(str::trim);
    let address = |part: &str| {
        let wrong = |error| Problem::wrong_part("addresses", part, error);
        Address::parse(part).map_err(wrong)
    };
    parts.filter(|part| !part.is_empty()).map(address).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Chosen {
    key: Vec<i64>,
    confirmed: bool,
}

#[derive(Template)]
#[template(path = "mailboxes/purge.html")]
struct Purge {
    view: View,
    keys: Vec<i64>,
    mailbox: Address,
    at: String,
}

async fn purge(
    State(portal): State<Portal>,
    parts: Parts,
    Path(named): Path<Named>,
    Posted(permitted, chosen): Posted<Write, Chosen>,
) -> Result<Response, Problem> {
    let mailbox = named.address()?;
    let at = place(&permitted, &mailbox);
    if chosen.key.is_empty() {
        return Err(Problem::new("nothing-chosen"));
    }
    if !chosen.confirmed {
        // Whether it is theirs is known before anything is shown.
        portal.office.mailbox(&permitted.reads(), &mailbox).await?;
        let view = View::of(&portal, &permitted, &parts).await?;
        let keys = chosen.key;
        return page(&Purge {
            view,
            keys,
            mailbox,
            at,
        });
    }
    let which = PurgeKeys::Keys(chosen.key);
    let purged = portal.office.purge(&permitted, &mailbox, which).await?;
    let notice = match purged.on_tokens.is_empty() {
        true => Notice::new("mailbox-purged"),
        false => Notice::new("mailbox-purged-on-token"),
    };
    let notice = notice.number("count", purged.keys.len());
    done(&portal, &permitted, notice, &at).await
}
