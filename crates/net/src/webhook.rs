//! Passes an event on to an address that an administrator named, signed as Standard Webhooks 1.0 has it.

use aws_lc_rs::hmac;
use hyper::Method;

use crate::call::{Call, Caller};
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

/// Sends `message` to `url`; what the server says beside its status is not looked at. The error is one line.
///
/// # Errors
/// The address may not be called, nobody answers, or the status is not one of success.
pub async fn send(
    caller: &Caller,
    url: &str,
    secret: &[u8],
    message: &Message<'_>,
) -> Result<u16, String> {
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
    let heard = caller.call(call).await.map_err(|error| error.to_string())?;
    match heard.status {
        200..300 => Ok(heard.status),
        status => Err(format!("the server answered with status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
