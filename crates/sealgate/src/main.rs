//! The S/MIME mail gateway: start and stop order, worker, scheduler, command line, `demo`.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod authorities;
mod built_in;
mod challenge;
mod cmd;
mod config;
mod deliver;
mod demo;
mod description;
mod directories;
mod dkim;
mod explaining;
mod gateway;
mod handed_in;
mod inbound;
mod keys_asked;
mod learning;
mod lifecycle;
mod limits;
mod lookups;
mod office;
mod opening;
mod orders;
mod outbound;
mod passwords;
mod portal;
mod prerequisites;
mod probes;
mod publish;
mod random;
mod reports;
mod revocation;
mod scheduler;
mod serve;
mod sources;
mod switches;
mod webhooks;
mod worker;

use std::process::ExitCode;

use clap::Parser;
use cmd::{Cli, Command, Done, Output};

fn main() -> ExitCode {
    keep_memory_private();
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("sealgate: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// No core dump, and no other process of the same user may read our memory: private keys lie in it (row W9). Where the
/// system does not let us, we run all the same.
fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

fn run(cli: &Cli) -> Done {
    let output = Output { json: cli.json };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(limits::BLOCKING_THREADS)
        .build()?;
    runtime.block_on(async {
        match &cli.command {
            Command::Quickstart(arguments) => {
                cmd::quickstart::quickstart(cli, arguments, output).await
            }
            Command::Serve => serve::serve(&cmd::configuration(cli)?).await,
            Command::Demo(arguments) => demo::demo(arguments, output).await,
            Command::Check(arguments) => cmd::check::check(cli, arguments, output).await,
            Command::Explain(arguments) => cmd::explain::explain(cli, arguments, output).await,
            Command::Smime(command) => cmd::smime::smime(command, output),
            Command::Apply(arguments) => cmd::apply::apply(cli, arguments, output).await,
            Command::Organisation(command) => cmd::admin::organisation(cli, command, output).await,
            Command::Route(command) => cmd::admin::route(cli, command, output).await,
            Command::Mailbox(command) => cmd::admin::mailbox(cli, command, output).await,
            Command::Authority(command) => cmd::admin::authority(cli, command, output).await,
            Command::Order(command) => cmd::admin::order(cli, command, output).await,
            Command::Reissue(arguments) => cmd::admin::reissue(cli, arguments, output).await,
            Command::Licence(command) => cmd::admin::licence(cli, command, output).await,
            Command::Correspondent(command) => {
                cmd::admin::correspondent(cli, command, output).await
            }
            Command::Key(command) => cmd::admin::key(cli, command, output).await,
            Command::Events(arguments) => cmd::admin::events(cli, arguments, output).await,
            Command::Directory(command) => cmd::admin::directory(cli, command, output).await,
            Command::Partner(command) => cmd::admin::partner(cli, command, output).await,
            Command::Trust(command) => cmd::admin::trust(cli, command, output).await,
            Command::Rule(command) => cmd::admin::rule(cli, command, output).await,
            Command::Dkim(command) => cmd::admin::dkim(cli, command, output).await,
            Command::Prerequisites(arguments) => {
                cmd::admin::prerequisites(cli, arguments, output).await
            }
            Command::Ca(command) => cmd::ca::ca(cli, command, output).await,
            Command::MasterKey(command) => cmd::master_key::run(cli, command, output).await,
            Command::Token(command) => cmd::token::run(cli, command, output).await,
            Command::User(command) => cmd::user::user(cli, command, output).await,
            Command::Audit(arguments) => cmd::audit::audit(cli, arguments, output).await,
            Command::Mails(arguments) => cmd::mails::mails(cli, arguments, output).await,
            Command::Queue(command) => cmd::queue::queue(cli, command, output).await,
        }
    })
}
