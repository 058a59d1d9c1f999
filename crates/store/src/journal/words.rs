//! What a line is looked for by: the addresses of sender and recipient, their domains, the Message-ID.

use sealgate_core::journal::MailRecord;
use sealgate_mail::{Address, Domain};

use crate::limits::MESSAGE_ID_WORD_CHARS;

/// The words of a line for `recipient` of the mail of `record`, each once.
pub(crate) fn of(record: Option<&MailRecord>, recipient: &Address) -> Vec<String> {
    let from = record.and_then(|record| record.header_from.as_ref());
    let sender = record.and_then(|record| record.envelope_from.address());
    let mut words = Vec::with_capacity(7);
    for address in [Some(recipient), from, sender].into_iter().flatten() {
        words.push(address.key());
        words.push(of_domain(address.domain()));
    }
    let id = record.and_then(|record| record.message_id.as_deref());
    words.extend(id.map(of_message_id));
    words.sort_unstable();
    words.dedup();
    words
}

/// The word of a domain; no address begins so.
pub(super) fn of_domain(domain: &Domain) -> String {
    format!("@{}", domain.as_str())
}

/// The word of a Message-ID, with or without its angle brackets; no address begins so. A long one is cut.
pub(super) fn of_message_id(id: &str) -> String {
    let bare = id.trim().trim_start_matches('<').trim_end_matches('>');
    let cut: String = bare.chars().take(MESSAGE_ID_WORD_CHARS).collect();
    format!("id:{cut}")
}
