//! Judges what came out by the octets alone, with `openssl` as the second opinion: never by the product's own word.

use crate::case::Delivered;
use crate::cast::Cast;
use crate::mime::{Form, entity, form, signed_part, split};
use crate::openssl;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    /// The message before anything encrypted it: `in.eml`.
    pub original: &'a [u8],
    /// The message as it was handed in.
    pub handed_in: &'a [u8],
    /// The message as it came out.
    pub came_out: &'a [u8],
    /// Address of the sender, whose signature must stand.
    pub from: &'a str,
    /// Address of the recipient, whose key must open it.
    pub to: &'a str,
}

/// Says what is wrong with what came out, if it is not what `expected` says.
pub fn judge(passage: Passage<'_>, expected: Delivered, cast: &Cast) -> Result<(), String> {
    let Passage {
        original,
        handed_in,
        came_out,
        from,
        to,
    } = passage;
    match expected {
        Delivered::Nothing => Err("something came out".to_owned()),
        Delivered::Unchanged => same_body(handed_in, came_out),
        Delivered::Decrypted => {
            expect_form(came_out, Form::Plain)?;
            same_body(original, came_out)
        }
        Delivered::Signed => signed_by(came_out, original, from, cast),
        Delivered::SignedEncrypted => {
            expect_form(came_out, Form::Encrypted)?;
            let inside = openssl::decrypt(&entity(came_out), cast.of(to))?;
            signed_by(&inside, original, from, cast)
        }
    }
}

fn expect_form(message: &[u8], expected: Form) -> Result<(), String> {
    let found = form(message);
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found:?} came out, not {expected:?}"))
    }
}

fn same_body(one: &[u8], other: &[u8]) -> Result<(), String> {
    let (_, one) = split(one);
    let (_, other) = split(other);
    if one == other {
        Ok(())
    } else {
        Err(difference(one, other))
    }
}

/// A good signature of `from` over an entity whose body is that of `original`, octet for octet.
fn signed_by(message: &[u8], original: &[u8], from: &str, cast: &Cast) -> Result<(), String> {
    expect_form(message, Form::Signed)?;
    let root = &cast.issuer_of(from).certificate;
    let verified = openssl::verify(&entity(message), root, from)?;
    // The program gives the content of a clear-signed message back as text; the octets on the wire are what counts.
    let content = signed_part(message).unwrap_or(&verified);
    same_body(original, content)
}

fn difference(expected: &[u8], found: &[u8]) -> String {
    let at = expected
        .iter()
        .zip(found)
        .take_while(|(one, other)| one == other)
        .count();
    let near = |octets: &[u8]| {
        let from = at.saturating_sub(20);
        let to = octets.len().min(at + 40);
        String::from_utf8_lossy(octets.get(from..to).unwrap_or_default()).into_owned()
    };
    format!(
        "bodies differ at octet {at} ({} and {} long): {:?} and {:?}",
        expected.len(),
        found.len(),
        near(expected),
        near(found)
    )
}
