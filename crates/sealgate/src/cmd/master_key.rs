//! The master key: made, and rotated.

use std::time::Instant;

use clap::Subcommand;
use sealgate_store::{MasterKey, MasterKeySource, Opening, Progress, Rotated, Rotation};
use serde::Serialize;

use super::{CODE_NO, Cli, Done, Failure, Output, configuration};
use crate::gateway::{master_key, now, open_store, open_with_master};
use crate::limits::ROTATION_TOLD;

/// What to do with the master key.
#[derive(Debug, Subcommand)]
pub enum MasterKeyCommand {
    /// Make a new master key; one that is there already is left alone.
    Make {
        /// A file, or token:NAME/LABEL.
        place: MasterKeySource,
    },
    /// Open every key and setting with it, and say which do not open.
    Check,
    /// Put another master key in force, and seal all keys and settings anew. The gateway must be stopped.
    Rotate {
        /// The new master key: a file, environment:NAME, or token:NAME/LABEL.
        #[arg(long, value_name = "PLACE")]
        new: MasterKeySource,
    },
}

/// Carries out a command about the master key.
pub async fn run(cli: &Cli, command: &MasterKeyCommand, output: Output) -> Done {
    match command {
        MasterKeyCommand::Make { place } => make(cli, place, output).await,
        MasterKeyCommand::Check => check(cli, output).await,
        MasterKeyCommand::Rotate { new } => rotate(cli, new, output).await,
    }
}

async fn make(cli: &Cli, place: &MasterKeySource, output: Output) -> Done {
    match place {
        MasterKeySource::File(path) => {
            MasterKey::create_file(path)?;
        }
        MasterKeySource::Token { token, label } => {
            let tokens = configuration(cli)?.opened_tokens().map_err(Failure::new)?;
            let (token, label) = (token.clone(), label.clone());
            tokio::task::spawn_blocking(move || tokens.generate_secret(&token, &label)).await??;
        }
        MasterKeySource::Environment(_) => {
            return Err(Failure::new(
                "a variable of the environment cannot be made from here: set it to 64 random hexadecimal digits, as `openssl rand -hex 32` makes them",
            ));
        }
    }
    let made = serde_json::json!({ "made": place.to_string() });
    let next = match place {
        MasterKeySource::Token { .. } => {
            "it never leaves the token: see how its maker backs it up, without it the data is lost"
        }
        _ => "keep a copy apart from the data",
    };
    output.show(&made, |_| format!("master key made: {place}; {next}\n"))
}

#[derive(Serialize)]
struct Checked {
    master_key: String,
    /// Where a rotation that is not finished goes to.
    rotation: Option<String>,
    #[serde(flatten)]
    opening: Opening,
}

async fn check(cli: &Cli, output: Output) -> Done {
    let config = configuration(cli)?;
    let store = open_store(&config).await?;
    let checked = Checked {
        master_key: config.master_key.source().to_string(),
        rotation: store.rotation_under_way().await?,
        opening: store.try_all_sealed().await?,
    };
    output.show(&checked, |checked| {
        let under_way = checked.rotation.as_ref().map(|source| {
            format!(
                "a rotation to {source} is not finished: run `sealgate master-key rotate` again\n"
            )
        });
        let broken: String = checked
            .opening
            .broken
            .iter()
            .map(|one| format!("{one}\n"))
            .collect();
        let good = checked.opening.good;
        format!(
            "{}{broken}{good} keys and settings open with {}\n",
            under_way.unwrap_or_default(),
            checked.master_key
        )
    })?;
    match checked.opening.broken.len() {
        0 => Ok(()),
        count => Err(Failure {
            message: format!("{count} keys or settings do not open: restore them from a backup"),
            code: CODE_NO,
        }),
    }
}

async fn rotate(cli: &Cli, new: &MasterKeySource, output: Output) -> Done {
    let config = configuration(cli)?;
    let (store, from) = open_with_master(&config).await?;
    let to = master_key(new.clone(), store.tokens().clone()).await?;
    let rotation = Rotation {
        from: &from,
        to: &to,
        source: new,
        who: "command line",
        now: now(),
    };
    let done = store.rotate(rotation, teller()).await?;
    let shown = serde_json::json!({ "master_key": new.to_string(), "rotated": done });
    output.show(&shown, |_| {
        let what = match done {
            Rotated::Already => format!("the data is sealed with {new} already; nothing to do"),
            Rotated::Done { sealed, resumed } => format!(
                "the master key is now {new}; {sealed} keys and settings sealed anew{}",
                if resumed {
                    ", the rest of a rotation begun before"
                } else {
                    ""
                }
            ),
        };
        format!("{what}\nset master-key in the configuration to it before the gateway is started\n")
    })
}

/// Says on standard error how far it is, now and then and at the end.
fn teller() -> impl FnMut(Progress) {
    let mut told = Instant::now();
    move |Progress { done, total }| {
        if done == total || told.elapsed() >= ROTATION_TOLD {
            told = Instant::now();
            eprintln!("{done} of {total} keys and settings sealed anew");
        }
    }
}
