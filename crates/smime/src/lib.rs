//! CMS, certificates, paths, algorithms: streams in, streams out
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

pub mod algorithms;
pub mod asn1;
pub mod aws;
pub mod ber;
pub mod certificate;
pub mod cms;
pub mod compressed;
pub mod csr;
pub mod decrypt;
pub mod encrypt;
pub mod error;
pub mod extensions;
pub mod key;
pub mod kind;
pub mod limits;
pub mod name;
pub mod path;
pub mod pem;
pub mod pkcs12;
pub mod profile;
pub mod revocation;
pub mod roots;
pub mod sign;
pub mod verdict;
pub mod verify;

mod brainpool;
mod entity;
mod roca;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod maker;
#[cfg(test)]
mod wycheproof;
