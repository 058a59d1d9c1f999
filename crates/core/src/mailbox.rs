//! The life of a mailbox's certificate (S31 to S42): a command is judged against where the mailbox stands and gives events;
//! applying an event cannot fail. ARCHITECTURE.md shows the table; the tests enumerate all pairs.

mod command;
mod decide;
mod event;
mod state;

pub use command::Command;
pub use decide::{Refusal, decide};
pub use event::Event;
pub use state::{Life, MailboxState};

#[cfg(test)]
mod tests;
