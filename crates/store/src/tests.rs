//! Tests of the store as a whole.

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
mod queue;
mod register;
mod ring;
pub(crate) mod sealing;
