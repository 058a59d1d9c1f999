//! RFC 5321, 5322, 2045 and 3464 on bytes: addresses, headers, MIME structure, the canonical form,
//! delivery status notifications, and the SMTP dialogues as state machines without a socket.
#![deny(clippy::indexing_slicing)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod address;
pub mod address_list;
pub mod canonical;
pub mod carried;
pub mod content;
pub mod date;
pub mod dsn;
pub mod edit;
pub mod encoding;
mod form;
pub mod header;
pub mod id;
pub mod limits;
mod lines;
pub mod media;
pub mod message;
pub mod neutralise;
pub mod part;
pub mod preview;
pub mod report;
pub mod smtp;
pub mod status;
#[cfg(test)]
mod testing;
pub mod visible;
pub mod words;

pub use address::{Address, Domain, Mailbox, ReversePath};
pub use address_list::{AddressList, parse_address_list, parse_mailboxes};
pub use canonical::Canonical;
pub use carried::{Carriage, Carried};
pub use content::{BlockWriter, Content, Slice, Source};
pub use date::Timestamp;
pub use encoding::TransferEncoding;
pub use header::{Field, HeaderBlock};
pub use media::ContentType;
pub use message::{Message, MessageError};
pub use part::Part;
pub use status::{EnhancedStatus, Reply};
