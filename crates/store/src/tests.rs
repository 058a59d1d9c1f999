//! Tests of the store as a whole.

mod accounts;
mod bulk;
mod challenges;
mod configuration;
mod contents;
mod correspondents;
mod crashes;
mod directories;
mod dkim;
mod evidence;
mod lives;
mod opening;
mod overview;
mod queue;
mod register;
mod ring;
mod rooms;
mod rules;
pub(crate) mod sealing;
mod snapshots;
mod webhooks;
