//! What talks to other machines: SMTP in and out, TLS, DNS, authorities

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod authenticity;
pub mod ca;
pub mod call;
pub mod dkim;
pub mod dns;
pub mod fetch;
pub mod ldap;
pub mod limits;
pub mod prerequisites;
pub mod smimea;
pub mod smtp_in;
pub mod smtp_out;
pub mod source;
pub mod tls;
pub mod web;
pub mod webhook;
mod words;
