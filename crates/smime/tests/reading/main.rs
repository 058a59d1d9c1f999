//! The reading side against messages made by OpenSSL (see testdata/README.md) and against changed copies of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros
)]

mod bounds;
mod common;
mod decryption;
mod kinds;
mod signatures;
mod wrapping;
