//! The authorities that certificates are ordered from.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use sealgate_core::limits::{RENEW_DAYS, RENEW_DAYS_MOST};
use sealgate_mail::Address;
use serde::Deserialize;

use crate::Portal;
use crate::auth::{Admin, Posted};
use crate::lang::key;
use crate::office::authorities::{
    AcmeShown, Authority, AuthorityKind, CommandShown, PutAcme, PutAuthority, PutCommand,
};
use crate::pages::{Nothing, segment};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Admin, _, _>("/o/{organisation}/authorities", list),
        get::<Admin, _, _>("/o/{organisation}/authorities/new", new),
        get::<Admin, _, _>("/o/{organisation}/authorities/{name}/edit", edit),
        post::<Admin, _, _>("/o/{organisation}/authorities", put),
        post::<Admin, _, _>("/o/{organisation}/authorities/{name}/standard", standard),
        post::<Admin, _, _>("/o/{organisation}/authorities/{name}/remove", remove),
    ]
}

const fn kind_words(kind: AuthorityKind) -> &'static str {
    match kind {
        AuthorityKind::BuiltIn => key("authorities-built-in"),
        AuthorityKind::Acme => key("authorities-acme"),
        AuthorityKind::Command => key("authorities-command"),
        AuthorityKind::ByHand => key("authorities-by-hand"),
    }
}

const fn kind_hint(kind: AuthorityKind) -> &'static str {
    match kind {
        AuthorityKind::BuiltIn => key("authorities-built-in-hint"),
        AuthorityKind::Acme => key("authorities-acme-hint"),
        AuthorityKind::Command => key("authorities-command-hint"),
        AuthorityKind::ByHand => key("authorities-by-hand-hint"),
    }
}

const fn kind_code(kind: AuthorityKind) -> &'static str {
    match kind {
        AuthorityKind::BuiltIn => "built-in",
        AuthorityKind::Acme => "acme",
        AuthorityKind::Command => "command",
        AuthorityKind::ByHand => "by-hand",
    }
}

#[derive(Template)]
#[template(path = "authorities/list.html")]
struct List {
    view: View,
    authorities: Vec<Authority>,
}

impl List {
    fn at(&self, authority: &Authority) -> String {
        let name = segment(&authority.name);
        self.view.here(&format!("authorities/{name}"))
    }

    fn place(&self, authority: &Authority) -> Option<String> {
        match (&authority.acme, &authority.command) {
            (Some(acme), _) => Some(acme.directory.clone()),
            (None, Some(command)) => Some(command.program.clone()),
            (None, None) if authority.kind == AuthorityKind::Command => {
                Some(self.view.t("authority-program"))
            }
            (None, None) => None,
        }
    }
}

async fn list(State(portal): State<Portal>, visit: Visit<Admin>) -> Result<Response, Problem> {
    page(&List {
        authorities: portal.office.authorities(&visit.permitted).await?,
        view: visit.view,
    })
}

#[derive(Template)]
#[template(path = "authorities/form.html")]
struct Form {
    view: View,
    kind: AuthorityKind,
    before: Option<Authority>,
    acme: AcmeShown,
    command: CommandShown,
}

impl Form {
    const KINDS: [AuthorityKind; 3] = [
        AuthorityKind::Acme,
        AuthorityKind::ByHand,
        AuthorityKind::Command,
    ];

    fn new(view: View, kind: AuthorityKind, before: Option<Authority>) -> Self {
        let acme = before.as_ref().and_then(|one| one.acme.clone());
        let command = before.as_ref().and_then(|one| one.command.clone());
        Self {
            view,
            kind,
            before,
            acme: acme.unwrap_or(AcmeShown {
                directory: String::new(),
                contact: Vec::new(),
                external_account: None,
                own_tls_roots: false,
                unsigned_challenges: false,
            }),
            command: command.unwrap_or(CommandShown {
                program: String::new(),
                arguments: Vec::new(),
                timeout: 60,
            }),
        }
    }

    fn name(&self) -> &str {
        self.before.as_ref().map_or("", |one| &one.name)
    }

    fn renew_days(&self) -> u32 {
        self.before
            .as_ref()
            .map_or(RENEW_DAYS, |one| one.renew_days)
    }

    fn is_standard(&self) -> bool {
        self.before.as_ref().is_some_and(|one| one.standard)
    }

    fn contact(&self) -> String {
        let contact: Vec<String> = self.acme.contact.iter().map(Address::to_string).collect();
        contact.join(", ")
    }

    /// A program runs on the machine of all: only the operator names one.
    fn may(&self, kind: AuthorityKind) -> bool {
        kind != AuthorityKind::Command || self.view.may.operate
    }
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    kind: Option<AuthorityKind>,
}

async fn new(
    State(_): State<Portal>,
    visit: Visit<Admin>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let kind = match wanted.kind {
        None | Some(AuthorityKind::BuiltIn) => AuthorityKind::Acme,
        Some(kind) => kind,
    };
    page(&Form::new(visit.view, kind, None))
}

async fn edit(
    State(portal): State<Portal>,
    visit: Visit<Admin>,
    Path((_organisation, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let known = portal.office.authorities(&visit.permitted).await?;
    let mut own = known.into_iter();
    let own = own.find(|one| one.name == name);
    let own = own.ok_or_else(Problem::not_found)?;
    page(&Form::new(visit.view, own.kind, Some(own)))
}

/// The form as it is sent.
#[derive(Deserialize)]
#[serde(default)]
struct Put {
    name: String,
    kind: AuthorityKind,
    standard: bool,
    renew_days: u32,
    directory: String,
    contact: String,
    external_account: String,
    external_key: String,
    tls_roots: String,
    forget_tls_roots: bool,
    unsigned_challenges: bool,
    program: String,
    arguments: String,
    timeout: i64,
}

impl Default for Put {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: AuthorityKind::ByHand,
            standard: false,
            renew_days: RENEW_DAYS,
            directory: String::new(),
            contact: String::new(),
            external_account: String::new(),
            external_key: String::new(),
            tls_roots: String::new(),
            forget_tls_roots: false,
            unsigned_challenges: false,
            program: String::new(),
            arguments: String::new(),
            timeout: 60,
        }
    }
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.trim().is_empty())
}

impl Put {
    fn acme(self) -> Result<PutAcme, Problem> {
        let separator = |c: char| c.is_whitespace() || c == ',';
        let contact = self.contact.split(separator);
        let contact = contact.filter(|text| !text.is_empty()).map(|text| {
            Address::parse(text).map_err(|error| Problem::wrong_part("contact", text, error))
        });
        Ok(PutAcme {
            contact: contact.collect::<Result<_, _>>()?,
            directory: self.directory,
            external_account: given(self.external_account),
            external_key: given(self.external_key),
            tls_roots: match self.forget_tls_roots {
                true => Some(String::new()),
                false => given(self.tls_roots),
            },
            unsigned_challenges: self.unsigned_challenges,
        })
    }

    fn command(self) -> PutCommand {
        let lines = self.arguments.lines().map(str::trim);
        let arguments = lines.filter(|line| !line.is_empty()).map(str::to_owned);
        PutCommand {
            arguments: arguments.collect(),
            program: self.program,
            timeout: Some(self.timeout),
        }
    }

    fn put(self) -> Result<PutAuthority, Problem> {
        let mut put = PutAuthority {
            kind: Some(self.kind),
            standard: self.standard,
            renew_days: Some(self.renew_days),
            acme: None,
            command: None,
        };
        match self.kind {
            AuthorityKind::Acme => put.acme = Some(self.acme()?),
            AuthorityKind::Command => put.command = Some(self.command()),
            AuthorityKind::BuiltIn | AuthorityKind::ByHand => {}
        }
        Ok(put)
    }
}

async fn put(
    State(portal): State<Portal>,
    Path(organisation): Path<String>,
    Posted(permitted, form): Posted<Admin, Put>,
) -> Result<Response, Problem> {
    let name = form.name.trim().to_owned();
    let office = &portal.office;
    office.put_authority(&permitted, &name, form.put()?).await?;
    let notice = Notice::new("authorities-saved").text("name", name);
    let to = format!("/o/{organisation}/authorities");
    done(&portal, &permitted, notice, &to).await
}

async fn standard(
    State(portal): State<Portal>,
    Path((organisation, name)): Path<(String, String)>,
    Posted(permitted, Nothing {}): Posted<Admin, Nothing>,
) -> Result<Response, Problem> {
    let known = portal.office.authorities(&permitted).await?;
    if known.iter().all(|one| one.name != name) {
        return Err(Problem::not_found());
    }
    let put = PutAuthority {
        kind: None,
        standard: true,
        renew_days: None,
        acme: None,
        command: None,
    };
    portal.office.put_authority(&permitted, &name, put).await?;
    let notice = Notice::new("authorities-now-standard").text("name", name);
    let to = format!("/o/{organisation}/authorities");
    done(&portal, &permitted, notice, &to).await
}

async fn remove(
    State(portal): State<Portal>,
    Path((organisation, name)): Path<(String, String)>,
    Posted(permitted, Nothing {}): Posted<Admin, Nothing>,
) -> Result<Response, Problem> {
    portal.office.remove_authority(&permitted, &name).await?;
    let notice = Notice::new("authorities-removed").text("name", name);
    let to = format!("/o/{organisation}/authorities");
    done(&portal, &permitted, notice, &to).await
}
