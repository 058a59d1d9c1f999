//! The pages: forms and links that work without script. One file for each topic, its templates beside in `templates/`.

pub mod account;
pub mod authorities;
pub mod certificates;
pub mod clients;
pub mod directories;
pub mod domains;
pub mod held;
pub mod help;
pub mod inbound;
pub mod keys;
pub mod login;
pub mod mailboxes;
pub mod mails;
pub mod organisations;
pub mod overview;
pub mod partners;
pub mod people;
mod plots;
pub mod problem;
pub mod records;
pub mod rules;
pub mod settings;
pub mod simulator;
pub mod start;
pub mod statics;
pub mod system;
pub mod trust;
pub mod users;
pub mod webhooks;

use serde::{Deserialize, Serialize};

use crate::routes::PageRoute;

/// Every page of the portal.
pub fn routes() -> Vec<PageRoute> {
    [
        account::routes(),
        login::routes(),
        people::routes(),
        users::routes(),
        clients::routes(),
        inbound::routes(),
        mailboxes::routes(),
        mails::routes(),
        held::routes(),
        overview::routes(),
        certificates::routes(),
        authorities::routes(),
        domains::routes(),
        trust::routes(),
        organisations::routes(),
        records::routes(),
        settings::routes(),
        system::routes(),
        webhooks::routes(),
        directories::routes(),
        keys::routes(),
        partners::routes(),
        rules::routes(),
        simulator::routes(),
        help::routes(),
        start::routes(),
        statics::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A form that says all by where it is sent, or a list without filter.
#[derive(Deserialize, Serialize)]
struct Nothing {}

/// A form that is asked back before it is carried out.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Confirmed {
    confirmed: bool,
}

/// Any text as one segment of an address (RFC 3986 section 3.3).
fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                segment.push(char::from(octet));
            }
            _ => segment.push_str(&format!("%{octet:02X}")),
        }
    }
    segment
}
