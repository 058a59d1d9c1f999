//! What goes through the whole portal: each page, each call, each action in a browser, and what nobody may see. One program, so
//! that a browser and the requests of another test share the processors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod actions;
mod api;
mod bulk;
mod desk;
mod directory;
mod matrix;
mod pages;
mod secrets;
