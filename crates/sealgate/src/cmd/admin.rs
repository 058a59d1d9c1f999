//! Admin verbs: each makes a list of changes and hands it to the store, as `apply` does.

mod authority;
mod correspondent;
mod directory;
mod dkim;
mod event;
mod key;
mod licence;
mod mailbox;
mod order;
mod organisation;
mod partner;
mod prerequisite;
mod reissue;
mod route;
mod rule;
mod trust;

use sealgate_core::change::{Change, Described, describe};
use sealgate_core::queue::NextHop;
use sealgate_core::saying::Saying;
use sealgate_core::tenant::{Language, OrganisationId, Settings};
use sealgate_mail::{Domain, Timestamp};
use sealgate_store::limits::TOGETHER;
use sealgate_store::{CarriedOut, Instruction, Store, Together};
use serde::Serialize;

use super::apply::no_such_organisation;
use super::{Cli, Done, Failure, OrganisationArg, Output, configuration};
use crate::config::Config;
use crate::lifecycle;

pub use authority::{AuthorityCommand, authority};
pub use correspondent::{CorrespondentCommand, correspondent};
pub use directory::{DirectoryCommand, directory};
pub use dkim::{DkimCommand, dkim};
pub use event::{EventsArgs, events};
pub use key::{KeyCommand, key};
pub use licence::{LicenceCommand, licence};
pub use mailbox::{MailboxCommand, mailbox};
pub use order::{OrderCommand, order};
pub use organisation::{OrganisationCommand, organisation};
pub use partner::{PartnerCommand, partner};
pub use prerequisite::{PrerequisitesArgs, prerequisites};
pub use reissue::{ReissueArgs, reissue};
pub use route::{RouteCommand, route};
pub use rule::{RuleCommand, rule, rule_table};
pub use trust::{TrustCommand, trust};

/// The store, opened for a command.
pub struct Admin {
    /// The store.
    pub store: Store,
    /// The process's configuration.
    pub config: Config,
}

/// What became of changes.
pub struct Changed {
    /// Since when they are live.
    pub live: String,
    /// Places of those that were refused, each with its reason.
    pub refused: Vec<(usize, sealgate_core::saying::Saying)>,
}

/// What the store holds of an organisation.
pub struct Current {
    /// Whether it exists.
    pub exists: bool,
    /// Its description; empty if it does not exist.
    pub described: Described,
}

impl Admin {
    /// Opens the store that the configuration names.
    pub async fn open(cli: &Cli) -> Result<Self, Failure> {
        let config = configuration(cli)?;
        Ok(Self {
            store: crate::gateway::open_store(&config).await?,
            config,
        })
    }

    /// What the store holds of the organisation of that name.
    pub async fn described(&self, name: &str) -> Result<Current, Failure> {
        let exists = self
            .organisation_names()
            .await?
            .iter()
            .any(|known| known == name);
        let described = if exists {
            self.store.described(name).await?
        } else {
            Described::default()
        };
        Ok(Current { exists, described })
    }

    /// Carries out `changes`, of a new organisation with these switches if `create` names some, works on what the built-in
    /// CA is asked for, and waits until a running gateway decides by them; says since when.
    pub async fn change(
        &self,
        name: &str,
        create: Option<Settings>,
        changes: Vec<Change>,
    ) -> Result<String, Failure> {
        let instruction = Instruction {
            create,
            changes,
            ..Instruction::default()
        };
        Ok(self.instruct(name, instruction).await?.live)
    }

    async fn instruct(&self, name: &str, instruction: Instruction) -> Result<Changed, Failure> {
        let refused = self.instruct_once(name, instruction).await?.refused;
        let live = lifecycle::wait_until_live(&self.store, self.store.version().await?).await?;
        Ok(Changed { live, refused })
    }

    async fn instruct_once(
        &self,
        name: &str,
        instruction: Instruction,
    ) -> Result<CarriedOut, Failure> {
        let done = self
            .store
            .carry_out(name, instruction, "command line", crate::gateway::now())
            .await?;
        lifecycle::settle(&self.store, &self.config, name).await?;
        Ok(done)
    }

    /// Carries out many changes of one kind, called `what`: those that are refused are named, the others are done (A14). Some
    /// at a time, so that mail never waits long for the database.
    pub async fn instruct_many(
        &self,
        name: &str,
        (what, per_minute): (Saying, Option<u32>),
        changes: &[Change],
    ) -> Result<Changed, Failure> {
        let (mut refused, mut done, mut batch) = (Vec::new(), 0_usize, None);
        for (part, chunk) in changes.chunks(TOGETHER).enumerate() {
            let together = Together {
                text: what.clone(),
                per_minute,
                already: u32::try_from(done).unwrap_or(u32::MAX),
                batch,
            };
            let instruction = Instruction {
                changes: chunk.to_vec(),
                together: Some(together),
                ..Instruction::default()
            };
            let carried_out = self.instruct_once(name, instruction).await?;
            batch = batch.or(carried_out.batch);
            done += chunk.len().saturating_sub(carried_out.refused.len());
            let place = |(place, why)| (part * TOGETHER + place, why);
            refused.extend(carried_out.refused.into_iter().map(place));
        }
        let live = lifecycle::wait_until_live(&self.store, self.store.version().await?).await?;
        Ok(Changed { live, refused })
    }

    /// Finds out whether [`Admin::change`] could be carried out; changes nothing.
    pub async fn rehearse(
        &self,
        name: &str,
        create: Option<Settings>,
        changes: Vec<Change>,
    ) -> Done {
        let instruction = Instruction {
            create,
            changes,
            rehearse: true,
            ..Instruction::default()
        };
        self.store
            .carry_out(name, instruction, "command line", crate::gateway::now())
            .await?;
        Ok(())
    }

    /// The organisation an argument names, or the only one there is.
    pub async fn organisation(&self, argument: &OrganisationArg) -> Result<String, Failure> {
        let names = self.organisation_names().await?;
        match (&argument.organisation, names.as_slice()) {
            (Some(name), _) if names.contains(name) => Ok(name.clone()),
            (Some(name), _) => Err(no_such_organisation(name)),
            (None, [only]) => Ok(only.clone()),
            (None, []) => Err(Failure::new(
                "there is no organisation yet; make one with: sealgate organisation create NAME",
            )),
            (None, several) => Err(Failure::new(format_args!(
                "name the organisation with --organisation: one of {}",
                several.join(", ")
            ))),
        }
    }

    /// The number of the organisation an argument names.
    pub async fn organisation_id(
        &self,
        argument: &OrganisationArg,
    ) -> Result<OrganisationId, Failure> {
        Ok(self
            .store
            .organisation(&self.organisation(argument).await?)
            .await?)
    }

    /// The same, or none if the argument names none.
    pub async fn optional_organisation_id(
        &self,
        argument: &OrganisationArg,
    ) -> Result<Option<OrganisationId>, Failure> {
        match argument.organisation {
            Some(_) => self.organisation_id(argument).await.map(Some),
            None => Ok(None),
        }
    }

    /// The names of all organisations.
    pub async fn organisation_names(&self) -> Result<Vec<String>, Failure> {
        Ok(self
            .store
            .organisations()
            .await?
            .into_iter()
            .map(|organisation| organisation.name)
            .collect())
    }

    async fn one(&self, argument: &OrganisationArg, change: Change, output: Output) -> Done {
        let name = self.organisation(argument).await?;
        self.report(&name, vec![change], output).await
    }

    async fn report(&self, name: &str, changes: Vec<Change>, output: Output) -> Done {
        let lines: Vec<_> = changes
            .iter()
            .map(|change| describe(change).to_string())
            .collect();
        let live = self.change(name, None, changes).await?;
        let done = serde_json::json!({ "organisation": name, "changes": lines, "live": live });
        output.show(&done, |_| format!("{}\n{live}\n", lines.join("\n")))
    }
}

/// The word a type is written as in files and answers.
pub fn word_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Reads a type from the word it is written as.
pub fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|error| error.to_string())
}

fn language(text: &str) -> Result<Language, String> {
    word(text)
}

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|error| error.to_string())
}

/// The start of a day such as 2027-12-31, in UTC.
fn day(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"))
        .ok_or_else(|| format!("\"{text}\" is no day; write it as 2027-12-31"))
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn hop_words(hop: &NextHop) -> String {
    match hop {
        NextHop::Host {
            host, port, tls, ..
        } => format!("{host}:{port}, TLS {}", word_of(tls)),
        NextHop::Mx { domain, tls } => format!("MX of {domain}, TLS {}", word_of(tls)),
    }
}
