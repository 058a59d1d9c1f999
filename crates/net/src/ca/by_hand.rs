//! An administrator carries the request to the authority and the chain back: nobody is asked, so every answer is "not yet".

use sealgate_core::authority::{AuthorityFailure, Progress, Revoked, ToRevoke, Wanted};
use sealgate_core::saying::Authorities as Said;

use super::{Answering, Authority};
use crate::limits::BY_HAND_AGAIN;

/// The connector.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByHand;

impl Authority for ByHand {
    fn request<'a>(&'a self, _wanted: &'a Wanted) -> Answering<'a, Progress> {
        Box::pin(async { Ok(waiting()) })
    }

    fn collect<'a>(&'a self, _wanted: &'a Wanted) -> Answering<'a, Progress> {
        Box::pin(async { Ok(waiting()) })
    }

    fn revoke<'a>(&'a self, _what: &'a ToRevoke) -> Answering<'a, Revoked> {
        // A failure, not a wait: administrators are told of those, and this one says what they have to do.
        Box::pin(async { Err(AuthorityFailure::passing(Said::HaveRevoked {})) })
    }
}

/// Until an administrator hands in the chain, confirms the revocation, or gives the order up.
fn waiting() -> Progress {
    Progress::Waiting {
        handle: String::new(),
        again_in: BY_HAND_AGAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_core::authority::OrderId;
    use sealgate_mail::{Address, Timestamp};

    #[tokio::test]
    async fn it_waits_and_never_says_unknown() {
        let wanted = Wanted {
            order: OrderId(1),
            address: Address::parse("alice@example.com").unwrap(),
            csr: Vec::new(),
            spki: Vec::new(),
            handle: None,
            answered: false,
            now: Timestamp(1_795_305_600),
        };
        assert_eq!(ByHand.request(&wanted).await, Ok(waiting()));
        assert_eq!(ByHand.collect(&wanted).await, Ok(waiting()));
    }
}
