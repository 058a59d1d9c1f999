//! Users of the portal, from the command line: the first one above all.

use std::sync::Arc;

use clap::{Args, Subcommand};
use sealgate_core::permission::{ResellerId, Role};
use sealgate_core::tenant::Language;
use sealgate_mail::{Address, Timestamp};
use sealgate_portal::auth::{passwords, secrets, sha256};
use sealgate_portal::limits::INVITATION_SECONDS;
use sealgate_portal::problem::Problem;
use sealgate_store::{
    Accepting, By, Invited, NewInvitation, Store, User, UserChange, UserLine, UserQuery,
};
use serde::Serialize;
use tokio::sync::Semaphore;
use url::Url;
use zeroize::Zeroizing;

use super::admin::{Admin, word};
use super::{Cli, Done, Failure, OrganisationArg, Output, address_argument, read_password, table};
use crate::gateway::now;
use crate::limits::LIST_PAGE;

/// Verbs for users of the portal.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Invite somebody: prints a link that works once and makes the account.
    Create {
        /// Mail address, which is the name to sign in with.
        #[arg(value_parser = address_argument)]
        name: Address,
        /// What the user may do.
        #[command(flatten)]
        grant: Grant,
        /// Make the account at once, with a password from standard input.
        #[arg(long)]
        password: bool,
    },
    /// List users and what they may do.
    List,
    /// Print a link that works once and sets a new password.
    Reset {
        /// Name of the user.
        #[arg(value_parser = address_argument)]
        name: Address,
        /// Take the second factor away, too.
        #[arg(long)]
        second_factor: bool,
    },
    /// Let a user do more: prints a link by which the owner of the account, signed in, accepts it.
    Grant {
        /// Name of the user.
        #[arg(value_parser = address_argument)]
        name: Address,
        /// What.
        #[command(flatten)]
        grant: Grant,
        /// At once: you know that the account is theirs whose name it has.
        #[arg(long)]
        at_once: bool,
    },
    /// Let a user do less.
    Revoke {
        /// Name of the user.
        #[arg(value_parser = address_argument)]
        name: Address,
        /// No longer the operator.
        #[arg(long, group = "less")]
        operator: bool,
        /// No longer for a reseller.
        #[arg(long, group = "less")]
        reseller: bool,
        /// Not in this organisation; the only one if neither is named.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Refuse a user's sign-ins and end all sessions.
    Disable {
        /// Name of the user.
        #[arg(value_parser = address_argument)]
        name: Address,
    },
    /// Take a user's sign-ins again.
    Enable {
        /// Name of the user.
        #[arg(value_parser = address_argument)]
        name: Address,
    },
    /// Remove a user and end all sessions.
    Remove {
        /// Name of the user.
        #[arg(value_parser = address_argument)]
        name: Address,
    },
}

/// What a user may do.
#[derive(Debug, Args)]
#[group(id = "rights")]
pub struct Grant {
    /// Run the installation.
    #[arg(long, conflicts_with_all = ["reseller", "role", "organisation"])]
    operator: bool,
    /// Work for the reseller of this name, who is made if there is none.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["role", "organisation"])]
    reseller: Option<String>,
    /// Role in the organisation: read, write or admin.
    #[arg(long, value_parser = role, default_value = "admin")]
    role: Role,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

fn role(text: &str) -> Result<Role, String> {
    word(text)
}

/// An invitation as it is shown, once.
#[derive(Serialize)]
pub struct Link {
    /// Whom.
    pub name: String,
    /// The link.
    pub link: String,
    /// When it ends.
    pub expires: String,
}

#[derive(Serialize)]
struct UserRow {
    name: String,
    operator: bool,
    reseller: Option<String>,
    roles: Vec<String>,
    second_factor: bool,
    disabled: bool,
    /// The organisation whose invitation made the account.
    invited_by: Option<String>,
    seen: Option<String>,
}

/// Carries out a verb for users.
pub async fn user(cli: &Cli, command: &UserCommand, output: Output) -> Done {
    use UserCommand as C;
    let admin = Admin::open(cli).await?;
    match command {
        C::Create {
            name,
            grant,
            password,
        } => create(&admin, (name, grant), *password, output).await,
        C::List => list(&admin, output).await,
        C::Reset {
            name,
            second_factor,
        } => {
            let invited = Invited::Reset {
                user: admin.user(name).await?.id,
                factor: *second_factor,
            };
            show_link(&link(&admin, name, invited).await?, output)
        }
        C::Grant {
            name,
            grant,
            at_once,
        } => {
            let invited = grant.invited(&admin).await?;
            let user = admin.user(name).await?;
            if !at_once {
                return show_link(&link(&admin, name, invited).await?, output);
            }
            give(&admin.store, &user, invited).await?;
            told(output, name, "may do more from now on")
        }
        C::Revoke {
            name,
            operator,
            reseller,
            organisation,
        } => {
            take(&admin, name, (*operator, *reseller), organisation).await?;
            told(output, name, "may do less from now on")
        }
        C::Disable { name } => disable(&admin, name, true, output).await,
        C::Enable { name } => disable(&admin, name, false, output).await,
        C::Remove { name } => {
            let user = admin.user(name).await?;
            admin.store.remove_user(user.id, by()).await?;
            told(output, name, "is removed")
        }
    }
}

fn by() -> By {
    By {
        who: "command line".to_owned(),
        at: now(),
    }
}

fn told(output: Output, name: &Address, what: &str) -> Done {
    let done = serde_json::json!({ "name": name.to_string(), "done": what });
    output.show(&done, |_| format!("{name} {what}\n"))
}

impl Admin {
    async fn user(&self, name: &Address) -> Result<User, Failure> {
        let found = self.store.user_named(name).await?;
        found.map(|(user, _)| user).ok_or_else(|| {
            Failure::new(format_args!(
                "there is no user {name}; `sealgate user list` names them all"
            ))
        })
    }

    /// Where the portal is.
    pub fn portal_url(&self) -> Result<Url, Failure> {
        let portal = self.config.portal.as_ref();
        portal.map(|portal| portal.url.clone()).ok_or_else(|| {
            Failure::new("the configuration has no [portal]: add it, with listen and url; see `sealgate check --example`")
        })
    }
}

impl Grant {
    async fn invited(&self, admin: &Admin) -> Result<Invited, Failure> {
        if self.operator {
            return Ok(Invited::Operator);
        }
        if let Some(name) = &self.reseller {
            return Ok(Invited::Reseller(reseller(&admin.store, name).await?));
        }
        let organisation = admin.organisation_id(&self.organisation).await?;
        Ok(Invited::Member(organisation, self.role))
    }
}

/// The reseller of that name, made if there is none.
async fn reseller(store: &Store, name: &str) -> Result<ResellerId, Failure> {
    let all = store.resellers().await?;
    match all.iter().find(|one| one.name == name) {
        Some(known) => Ok(known.id),
        None => Ok(store.create_reseller(name.to_owned(), by()).await?),
    }
}

async fn create(
    admin: &Admin,
    (name, grant): (&Address, &Grant),
    password: bool,
    output: Output,
) -> Done {
    if admin.store.user_named(name).await?.is_some() {
        return Err(Failure::new(format_args!(
            "{name} has an account already; let it do more with: sealgate user grant {name}"
        )));
    }
    let invited = grant.invited(admin).await?;
    if !password {
        return show_link(&link(admin, name, invited).await?, output);
    }
    let password = Zeroizing::new(read_password()?);
    passwords::judge("password", &password).map_err(failure)?;
    let places = Arc::new(Semaphore::new(1));
    let hash = passwords::hash(&places, password).await.map_err(failure)?;
    let (secret, _) = invite(&admin.store, name, invited).await?;
    let how = Accepting::Password(hash, Language::default());
    admin
        .store
        .accept_invitation(sha256(&[secret.as_bytes()]), how, now())
        .await?;
    told(output, name, "can sign in")
}

fn failure(problem: Problem) -> Failure {
    Failure::new(problem.title(Language::En))
}

/// An invitation; its secret and when it ends.
async fn invite(
    store: &Store,
    name: &Address,
    invited: Invited,
) -> Result<(Zeroizing<String>, Timestamp), Failure> {
    let secret = secrets::secret().map_err(failure)?;
    let expires = now().plus(INVITATION_SECONDS);
    let new = NewInvitation {
        sha256: sha256(&[secret.as_bytes()]),
        name: name.clone(),
        invited,
        expires,
        by_token: None,
        bounded: false,
    };
    store.invite(new, by()).await?;
    Ok((secret, expires))
}

/// A link that works once.
pub async fn link(admin: &Admin, name: &Address, invited: Invited) -> Result<Link, Failure> {
    let url = admin.portal_url()?;
    let (secret, expires) = invite(&admin.store, name, invited).await?;
    Ok(Link {
        name: name.to_string(),
        link: url.join(&format!("/invitation/{}", *secret))?.to_string(),
        expires: expires.rfc3339(),
    })
}

fn show_link(link: &Link, output: Output) -> Done {
    output.show(link, |link| {
        format!(
            "{}\nGive this link to {}. It works once, until {}.\n",
            link.link, link.name, link.expires
        )
    })
}

async fn give(store: &Store, user: &User, invited: Invited) -> Done {
    let change = match invited {
        Invited::Operator => UserChange {
            operator: Some(true),
            ..UserChange::default()
        },
        Invited::Reseller(id) => UserChange {
            reseller: Some(Some(id)),
            ..UserChange::default()
        },
        Invited::Member(organisation, role) => {
            let given = store.grant_role(organisation, (user.id, role), by());
            return Ok(given.await?);
        }
        Invited::Reset { .. } => return Ok(()),
    };
    Ok(store.change_rights(user.id, change, by()).await?)
}

async fn take(
    admin: &Admin,
    name: &Address,
    (operator, reseller): (bool, bool),
    organisation: &OrganisationArg,
) -> Done {
    let user = admin.user(name).await?;
    if operator || reseller {
        let change = UserChange {
            operator: operator.then_some(false),
            reseller: reseller.then_some(None),
            disabled: None,
        };
        return Ok(admin.store.change_rights(user.id, change, by()).await?);
    }
    let organisation = admin.organisation_id(organisation).await?;
    let change = admin
        .store
        .change_member(organisation, (user.id, None), true, by());
    Ok(change.await?)
}

async fn disable(admin: &Admin, name: &Address, disabled: bool, output: Output) -> Done {
    let user = admin.user(name).await?;
    let change = UserChange {
        disabled: Some(disabled),
        ..UserChange::default()
    };
    admin.store.change_rights(user.id, change, by()).await?;
    let what = match disabled {
        true => "cannot sign in any more",
        false => "can sign in again",
    };
    told(output, name, what)
}

async fn list(admin: &Admin, output: Output) -> Done {
    let resellers = admin.store.resellers().await?;
    let named = |id| {
        let mut own = resellers.iter().filter(|one| one.id == id);
        own.next().map(|one| one.name.clone())
    };
    let mut query = UserQuery {
        limit: LIST_PAGE,
        ..UserQuery::default()
    };
    let mut rows = Vec::new();
    loop {
        let lines = admin.store.users(&query).await?;
        let Some(last) = lines.last() else { break };
        query.after = Some(last.user.name.clone());
        rows.extend(lines.into_iter().map(|line| row(line, &named)));
    }
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows.iter().map(cells).collect();
        let head = ["USER", "MAY", "SECOND FACTOR", "INVITED BY", "SEEN"];
        table(&head, &cells)
    })
}

fn row(line: UserLine, named: &impl Fn(ResellerId) -> Option<String>) -> UserRow {
    let role = |(organisation, role): &(String, Role)| format!("{organisation} {}", role.as_str());
    UserRow {
        name: line.user.name,
        operator: line.user.operator,
        reseller: line.user.reseller.and_then(named),
        roles: line.roles.iter().map(role).collect(),
        second_factor: line.user.has_second_factor,
        disabled: line.user.disabled,
        invited_by: line.user.invited_by,
        seen: line.seen.map(Timestamp::rfc3339),
    }
}

fn cells(row: &UserRow) -> Vec<String> {
    let mut may = row.roles.clone();
    may.extend(row.reseller.iter().map(|name| format!("reseller {name}")));
    may.extend(row.operator.then(|| "operator".to_owned()));
    may.extend(row.disabled.then(|| "disabled".to_owned()));
    vec![
        row.name.clone(),
        may.join(", "),
        if row.second_factor { "yes" } else { "no" }.to_owned(),
        row.invited_by.clone().unwrap_or_default(),
        row.seen.clone().unwrap_or_default(),
    ]
}
