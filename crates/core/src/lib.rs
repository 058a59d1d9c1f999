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
pub mod change;
pub mod failure;
pub mod harvest;
pub mod header_protection;
pub mod journal;
pub mod limits;
pub mod outcome;
pub mod own_header;
pub mod ports;
pub mod process;
pub mod queue;
pub mod report;
pub mod rules;
pub mod settle;
pub mod special;
pub mod subject;
pub mod suite;
pub mod tenant;
#[cfg(test)]
mod testdata;
