//! Passes an event on to an address that an administrator named, signed as Standard Webhooks 1.0 has it.

use aws_lc_rs::hmac;
use hyper::Method;
use sealgate_core::saying::Servers as Said;

use crate::call::{Call, Caller};
use crate::fetch::FetchError;
use crate::limits::{WEBHOOK_OCTETS, WEBHOOK_RECEIVED_OCTETS, WEBHOOK_WAIT};

/// One event on its way.
pub struct Message<'a> {
    /// The same each time it is sent again, so that whoever gets it twice can tell.
    pub id: &'a str,
    /// When it is sent, in seconds since 1970.
    pub at: i64,
    /// JSON.
    pub body: &'a str,
}

impl Message<'_> {
    /// Its signature under `secret`: HMAC-SHA-256 of number, time and body.
    pub fn signature(&self, secret: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let signed = format!("{}.{}.{}", self.id, self.at, self.body);
        let tag = hmac::sign(&key, signed.as_bytes());
        let tag = base64_simd::STANDARD.encode_to_string(tag.as_ref());
        format!("v1,{tag}")
    }
}

/// Why an event was not passed on: as much as the organisation is told, in one line. It says nothing about what lies in the
/// operator's network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPassedOn {
    /// The server's own words.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// Nobody there, or nobody who may be called.
    #[error("it cannot be reached")]
    Unreached,
    /// Its certificate.
    #[error("its certificate is not trusted")]
    Certificate,
    /// Its time.
    #[error("it is too slow")]
    TooSlow,
    /// What is wrong with the address itself.
    #[error("the address is not followed: {0}")]
    Url(Said),
}

impl From<NotPassedOn> for Said {
    fn from(why: NotPassedOn) -> Self {
        match why {
            NotPassedOn::Status(status) => Self::Status {
                status: status.into(),
            },
            NotPassedOn::Unreached => Self::Unreached {},
            NotPassedOn::Certificate => Self::Untrusted {},
            NotPassedOn::TooSlow => Self::Slow {},
            NotPassedOn::Url(why) => Self::NotFollowed { why: why.into() },
        }
    }
}

impl From<&FetchError> for NotPassedOn {
    fn from(error: &FetchError) -> Self {
        match error {
            FetchError::Status(status) => Self::Status(*status),
            FetchError::Url(why) => Self::Url(why.clone()),
            FetchError::Tls(_) => Self::Certificate,
            FetchError::Late(_) | FetchError::TooSlow => Self::TooSlow,
            FetchError::NotAllowed(_)
            | FetchError::Name(_)
            | FetchError::Connection(_)
            | FetchError::Redirects
            | FetchError::TooLarge
            | FetchError::Busy
            | FetchError::Away => Self::Unreached,
        }
    }
}

/// Sends `message` to `url`; what the server says beside its status is not looked at. All of an error is in the log alone.
///
/// # Errors
/// The address may not be called, nobody answers, or the status is not one of success.
pub async fn send(
    caller: &Caller,
    url: &str,
    secret: &[u8],
    message: &Message<'_>,
) -> Result<u16, NotPassedOn> {
    let call = Call {
        method: Method::POST,
        url,
        fields: vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", message.id.to_owned()),
            ("webhook-timestamp", message.at.to_string()),
            ("webhook-signature", message.signature(secret)),
        ],
        body: message.body.as_bytes().to_vec(),
        octets: WEBHOOK_OCTETS,
        received: WEBHOOK_RECEIVED_OCTETS,
        wait: WEBHOOK_WAIT,
        only_https: false,
    };
    let heard = caller.call(call).await.map_err(|error| {
        tracing::info!(message = message.id, %error, "a webhook was not called");
        NotPassedOn::from(&error)
    })?;
    match heard.status {
        200..300 => Ok(heard.status),
        status => Err(NotPassedOn::Status(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a port of the operator's network is open is nothing for an organisation to learn.
    #[test]
    fn an_organisation_learns_little_of_a_failure() {
        let place = "10.0.0.1:443".parse().unwrap();
        let table = [
            (FetchError::NotAllowed(place), "it cannot be reached"),
            (
                FetchError::Connection(Said::Refused {}),
                "it cannot be reached",
            ),
            (
                FetchError::Tls(Said::Broken {}),
                "its certificate is not trusted",
            ),
            (FetchError::Late(15), "it is too slow"),
            (
                FetchError::Status(500),
                "the server answered with status 500",
            ),
        ];
        for (error, told) in table {
            assert_eq!(NotPassedOn::from(&error).to_string(), told);
        }
    }

    /// The example of the specification's own libraries.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let secret = base64_simd::STANDARD
            .decode_to_vec("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .unwrap();
        let message = Message {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at: 1_614_265_330,
            body: "{\"test\": 2432232314}",
        };
        assert_eq!(
            message.signature(&secret),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
