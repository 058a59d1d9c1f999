//! The portal of a running gateway: visitors over HTTP and in a browser, every route, two organisations alike in all but name.

pub mod asking;
pub mod browser;
pub mod crawl;
pub mod database;
pub mod forms;
pub mod hostile;
pub mod http;
pub mod people;
pub mod routes;
pub mod steps;
pub mod world;
