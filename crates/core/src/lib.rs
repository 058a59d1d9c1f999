//! Which rule applies, what happens to a mail, when to try again, what is reported: decisions without I/O.
//!
//! State and input come in, new state and output go out; time and chance are arguments.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::disallowed_macros
    )
)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod asking;
pub mod authority;
pub mod challenge;
pub mod change;
pub mod directory;
pub mod dkim;
pub mod failure;
pub mod harvest;
pub mod header_protection;
pub mod journal;
pub mod licence;
pub mod limits;
pub mod mailbox;
pub mod order;
pub mod outcome;
pub mod own_header;
pub mod permission;
pub mod ports;
pub mod prerequisite;
pub mod process;
pub mod queue;
pub mod renewal;
pub mod report;
pub mod rules;
pub mod saying;
pub mod settle;
pub mod sign_in;
pub mod special;
pub mod subject;
pub mod suite;
pub mod tenant;
pub mod terms;
#[cfg(test)]
mod testdata;
pub mod webhook;
