//! What the tests of the whole gateway share: the program started on loopback ports, a recording mail
//! server, sending clients, a name server, keys and certificates made on the spot, and the foreign
//! programs that judge what comes out. Everything here is test code: it panics where a test must stop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod acme;
pub mod attack;
pub mod case;
pub mod cast;
pub mod certificates;
pub mod chance;
pub mod client;
pub mod der;
pub mod dns;
pub mod gateway;
pub mod in_process;
pub mod interop;
pub mod judge;
pub mod keys;
pub mod knot;
pub mod load;
pub mod mime;
pub mod namespace;
pub mod nss;
pub mod openssl;
pub mod place;
pub mod portal;
pub mod program;
pub mod revocation;
pub mod scene;
pub mod search;
pub mod sink;
pub mod slapd;
pub mod token;
pub mod transcript;
pub mod web;
