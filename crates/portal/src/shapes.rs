//! The shape beside the word of a state: a state is never a colour alone. Names are classes of `static/portal.css`.

use sealgate_core::journal::MailStatus;
use sealgate_core::tenant::MailboxState;

/// Filled dot: as it should be.
pub const GOOD: &str = "is-good";
/// Ring: nothing there, nothing wrong.
pub const OFF: &str = "is-off";
/// Half dot: on its way.
pub const BUSY: &str = "is-busy";
/// Quarter dot: on its way out.
pub const LEAVING: &str = "is-leaving";
/// Triangle: somebody should look.
pub const WARN: &str = "is-warn";
/// Cross: failed.
pub const BAD: &str = "is-bad";
/// Diamond: something to know.
pub const INFO: &str = "is-info";
/// Dot in a ring: signed and encrypted.
pub const SEALED: &str = "is-sealed";
/// Square: opened.
pub const OPEN: &str = "is-open";

/// A mailbox's.
pub const fn mailbox_state(state: MailboxState) -> &'static str {
    match state {
        MailboxState::Inactive => OFF,
        MailboxState::ActivationPending => BUSY,
        MailboxState::Active => GOOD,
        MailboxState::RevokePending => LEAVING,
    }
}

/// A mail's.
pub const fn mail_status(status: MailStatus) -> &'static str {
    match status {
        MailStatus::Plain => OFF,
        MailStatus::Signed | MailStatus::Challenge => INFO,
        MailStatus::Encrypted => GOOD,
        MailStatus::SignedEncrypted => SEALED,
        MailStatus::Decrypted => OPEN,
        MailStatus::Failed => BAD,
        MailStatus::Waiting => BUSY,
    }
}
