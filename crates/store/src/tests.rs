//! Tests of the store as a whole.

mod configuration;
mod contents;
mod crashes;
mod evidence;
mod opening;
mod queue;
mod sealing;
