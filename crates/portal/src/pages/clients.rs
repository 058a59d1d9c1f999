//! Sending clients: who may hand in outbound mail, and as whom.

use std::net::IpAddr;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use sealgate_core::rules::Entry;
use sealgate_core::saying::Inputs;
use serde::Deserialize;

use super::{Confirmed, Nothing, segment};
use crate::Portal;
use crate::auth::{Admin, Permitted, Posted};
use crate::lang::key;
use crate::office::clients::{
    Client, ClientProof, ClientRights, ClientSecret, NewClient, NewClientProof,
};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Admin, _, _>("/o/{organisation}/clients", list),
        get::<Admin, _, _>("/o/{organisation}/clients/new", new_form),
        post::<Admin, _, _>("/o/{organisation}/clients/new", add),
        get::<Admin, _, _>("/o/{organisation}/clients/{client}", detail),
        post::<Admin, _, _>("/o/{organisation}/clients/{client}", set),
        post::<Admin, _, _>("/o/{organisation}/clients/{client}/secret", new_secret),
        post::<Admin, _, _>("/o/{organisation}/clients/{client}/delete", remove),
    ]
}

/// The client in an address.
#[derive(Deserialize)]
struct Named {
    client: String,
}

fn list_of<P>(permitted: &Permitted<P>) -> String {
    format!("/o/{}/clients", permitted.organisation_name())
}

fn place<P>(permitted: &Permitted<P>, client: &str) -> String {
    format!("{}/{}", list_of(permitted), segment(client))
}

/// How it proves itself, in one line.
fn proof_line(view: &View, proof: &ClientProof) -> String {
    let several = |networks: &[IpNet]| joined(networks, ", ");
    match proof {
        ClientProof::Password { user } => view.t1("clients-by-password", "user", user.as_str()),
        ClientProof::Certificate { sha256 } => {
            view.t1("clients-by-certificate", "sha256", sha256.as_str())
        }
        ClientProof::Network { networks } => {
            view.t1("clients-by-network", "networks", several(networks))
        }
        ClientProof::Connector { networks } => {
            view.t1("clients-by-connector", "networks", several(networks))
        }
    }
}

fn joined<T: ToString>(items: &[T], between: &str) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    items.join(between)
}

#[derive(Template)]
#[template(path = "clients/list.html")]
struct List {
    view: View,
    clients: Vec<Client>,
}

impl List {
    fn at(&self, client: &Client) -> String {
        self.view
            .here(&format!("clients/{}", segment(&client.name)))
    }

    fn proof(&self, client: &Client) -> String {
        proof_line(&self.view, &client.proof)
    }

    fn may_send_as(&self, client: &Client) -> String {
        match client.may_send_as.is_empty() {
            true => self.view.t("clients-as-all"),
            false => joined(&client.may_send_as, ", "),
        }
    }
}

async fn list(State(portal): State<Portal>, visit: Visit<Admin>) -> Result<Response, Problem> {
    let clients = portal.office.clients(&visit.permitted).await?;
    page(&List {
        view: visit.view,
        clients,
    })
}

/// What the form of a new client sends.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Form {
    name: String,
    by: String,
    user: String,
    certificate: String,
    networks: String,
    may_send_as: String,
    mail_server: bool,
}

impl Form {
    fn client(&self) -> Result<NewClient, Problem> {
        Ok(NewClient {
            name: self.name.trim().to_owned(),
            proof: self.proof()?,
            may_send_as: entries(&self.may_send_as)?,
            mail_server: self.mail_server,
        })
    }

    fn proof(&self) -> Result<NewClientProof, Problem> {
        match self.by.as_str() {
            "password" => Ok(NewClientProof::Password {
                user: Some(self.user.trim().to_owned()),
            }),
            "certificate" => Ok(NewClientProof::Certificate {
                certificate: self.certificate.clone(),
            }),
            "network" => Ok(NewClientProof::Network {
                networks: networks(&self.networks)?,
            }),
            "connector" => Ok(NewClientProof::Connector {
                networks: networks(&self.networks)?,
            }),
            _ => Err(Problem::wrong(
                "by",
                Inputs::OneOf {
                    words: "password, certificate, network, connector".to_owned(),
                },
            )),
        }
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split([',', ';', '\n', '\r', ' ']).map(str::trim);
    parts.filter(|part| !part.is_empty())
}

fn entries(text: &str) -> Result<Vec<Entry>, Problem> {
    let entry = |part: &str| {
        let entry: Result<Entry, _> = part.parse();
        entry.map_err(|error| Problem::wrong("may_send_as", error))
    };
    parts(text).map(entry).collect()
}

/// A lone address is a network of one.
fn networks(text: &str) -> Result<Vec<IpNet>, Problem> {
    let network = |part: &str| {
        let alone = part.parse::<IpAddr>().map(IpNet::from);
        part.parse()
            .or(alone)
            .map_err(|_| Problem::wrong_part("networks", part, Inputs::NotANetwork {}))
    };
    parts(text).map(network).collect()
}

#[derive(Template)]
#[template(path = "clients/form.html")]
struct NewForm {
    view: View,
    form: Form,
    problem: Option<Problem>,
    back: String,
}

impl NewForm {
    /// What is wrong with a field, if that is it.
    fn wrong(&self, field: &str) -> Option<String> {
        let problem = self.problem.as_ref()?;
        let is_it = problem.field == Some(field);
        is_it.then(|| problem.told(self.view.language).unwrap_or_default())
    }

    fn kinds(&self) -> [(&'static str, String, String); 4] {
        let view = &self.view;
        let kind = |word, text, hint| (word, view.t(text), view.t(hint));
        [
            kind(
                "password",
                key("clients-password"),
                key("clients-password-hint"),
            ),
            kind(
                "certificate",
                key("clients-certificate"),
                key("clients-certificate-hint"),
            ),
            kind(
                "network",
                key("clients-network"),
                key("clients-network-hint"),
            ),
            kind(
                "connector",
                key("clients-connector"),
                key("clients-connector-hint"),
            ),
        ]
    }
}

async fn new_form(State(_): State<Portal>, visit: Visit<Admin>) -> Result<Response, Problem> {
    page(&NewForm {
        back: list_of(&visit.permitted),
        view: visit.view,
        form: Form {
            by: "password".to_owned(),
            ..Form::default()
        },
        problem: None,
    })
}

#[derive(Template)]
#[template(path = "clients/secret.html")]
struct Secret {
    view: View,
    name: String,
    made: ClientSecret,
    at: String,
}

impl Secret {
    fn is_password(&self) -> bool {
        self.made.user.is_some()
    }
}

async fn add(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(permitted, form): Posted<Admin, Form>,
) -> Result<Response, Problem> {
    let made = match form.client() {
        Ok(client) => portal.office.add_client(&permitted, client).await,
        Err(problem) => Err(problem),
    };
    let name = form.name.trim().to_owned();
    let at = place(&permitted, &name);
    match made {
        Ok(made) if made.secret.is_none() => {
            let notice = Notice::new("clients-made").text("client", &name);
            done(&portal, &permitted, notice, &at).await
        }
        // The answer itself shows the secret: it is kept nowhere, and a reload makes none anew.
        Ok(made) => page(&Secret {
            view: View::of(&portal, &permitted, &parts).await?,
            name,
            made,
            at,
        }),
        Err(problem) if ["invalid", "refused", "client-network"].contains(&problem.code) => {
            let status = problem.status();
            let form = page(&NewForm {
                view: View::of(&portal, &permitted, &parts).await?,
                form,
                problem: Some(problem),
                back: list_of(&permitted),
            })?;
            Ok((status, form).into_response())
        }
        Err(problem) => Err(problem),
    }
}

#[derive(Template)]
#[template(path = "clients/detail.html")]
struct Detail {
    view: View,
    client: Client,
    at: String,
}

impl Detail {
    fn proof(&self) -> String {
        proof_line(&self.view, &self.client.proof)
    }

    fn may_send_as(&self) -> String {
        joined(&self.client.may_send_as, "\n")
    }

    fn has_secret(&self) -> bool {
        matches!(
            self.client.proof,
            ClientProof::Password { .. } | ClientProof::Connector { .. }
        )
    }
}

async fn detail(
    State(portal): State<Portal>,
    visit: Visit<Admin>,
    Path(named): Path<Named>,
) -> Result<Response, Problem> {
    let client = portal
        .office
        .client(&visit.permitted, &named.client)
        .await?;
    page(&Detail {
        at: place(&visit.permitted, &client.name),
        view: visit.view,
        client,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rights {
    may_send_as: String,
    mail_server: bool,
}

async fn set(
    State(portal): State<Portal>,
    Path(named): Path<Named>,
    Posted(permitted, form): Posted<Admin, Rights>,
) -> Result<Response, Problem> {
    let rights = ClientRights {
        may_send_as: entries(&form.may_send_as)?,
        mail_server: form.mail_server,
    };
    let set = portal.office.set_client(&permitted, &named.client, rights);
    set.await?;
    let notice = Notice::new("clients-set").text("client", &named.client);
    done(
        &portal,
        &permitted,
        notice,
        &place(&permitted, &named.client),
    )
    .await
}

async fn new_secret(
    State(portal): State<Portal>,
    parts: Parts,
    Path(named): Path<Named>,
    Posted(permitted, _): Posted<Admin, Nothing>,
) -> Result<Response, Problem> {
    let made = portal
        .office
        .new_client_secret(&permitted, &named.client)
        .await?;
    page(&Secret {
        view: View::of(&portal, &permitted, &parts).await?,
        at: place(&permitted, &named.client),
        name: named.client,
        made,
    })
}

#[derive(Template)]
#[template(path = "clients/delete.html")]
struct Delete {
    view: View,
    client: Client,
    at: String,
}

async fn remove(
    State(portal): State<Portal>,
    parts: Parts,
    Path(named): Path<Named>,
    Posted(permitted, form): Posted<Admin, Confirmed>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    if !form.confirmed {
        let client = office.client(&permitted, &named.client).await?;
        return page(&Delete {
            view: View::of(&portal, &permitted, &parts).await?,
            at: place(&permitted, &client.name),
            client,
        });
    }
    office.remove_client(&permitted, &named.client).await?;
    let notice = Notice::new("clients-removed").text("client", &named.client);
    done(&portal, &permitted, notice, &list_of(&permitted)).await
}
