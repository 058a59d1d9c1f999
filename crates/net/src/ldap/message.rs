//! The messages of LDAP that a search needs (RFC 4511), in its own BER (section 5.1): definite lengths, of which many servers
//! write longer forms than needed.

use sealgate_smime::asn1;

/// Most octets of a length behind its first: four hold any message we read.
const LENGTH_OCTETS: usize = 4;
/// The request name of StartTLS (RFC 4511 section 4.14.1).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// Tags of RFC 4511 appendix B: application classes of operations, and what stands in them.
mod tag {
    pub const INTEGER: u8 = 0x02;
    pub const BOOLEAN: u8 = 0x01;
    pub const OCTET_STRING: u8 = 0x04;
    pub const ENUMERATED: u8 = 0x0A;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;
    pub const BIND_REQUEST: u8 = 0x60;
    pub const BIND_RESPONSE: u8 = 0x61;
    pub const UNBIND_REQUEST: u8 = 0x42;
    pub const SEARCH_REQUEST: u8 = 0x63;
    pub const SEARCH_ENTRY: u8 = 0x64;
    pub const SEARCH_DONE: u8 = 0x65;
    pub const EXTENDED_REQUEST: u8 = 0x77;
    pub const EXTENDED_RESPONSE: u8 = 0x78;
    pub const SIMPLE: u8 = 0x80;
    pub const REQUEST_NAME: u8 = 0x80;
    pub const EQUALITY_MATCH: u8 = 0xA3;
}

/// Octets that are no message of LDAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the directory does not speak LDAP: {0}")]
pub struct Malformed(&'static str);

/// Tag, octets of tag and length, octets of content; none if the header is not whole yet.
fn header(octets: &[u8]) -> Result<Option<(u8, usize, usize)>, Malformed> {
    let [tag, first, rest @ ..] = octets else {
        return Ok(None);
    };
    if *first < 0x80 {
        return Ok(Some((*tag, 2, usize::from(*first))));
    }
    let count = usize::from(*first & 0x7F);
    if count == 0 || count > LENGTH_OCTETS {
        return Err(Malformed("a length without end, or too long"));
    }
    let Some(digits) = rest.get(..count) else {
        return Ok(None);
    };
    let mut length = 0u32;
    for digit in digits {
        length = length << 8 | u32::from(*digit);
    }
    let length = usize::try_from(length).map_err(|_| Malformed("a length that is too long"))?;
    Ok(Some((*tag, count.saturating_add(2), length)))
}

/// How many octets the message has that begins here; none if its header is not whole yet.
pub fn size(octets: &[u8]) -> Result<Option<usize>, Malformed> {
    match header(octets)? {
        Some((tag::SEQUENCE, start, length)) => Ok(Some(start.saturating_add(length))),
        Some(_) => Err(Malformed("an unexpected element")),
        None => Ok(None),
    }
}

/// Reads one element after the other.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let cut = Malformed("an element is cut short");
        let (tag, start, length) = header(self.0)?.ok_or(cut)?;
        let (_, rest) = self.0.split_at_checked(start).ok_or(cut)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(cut)?;
        self.0 = rest;
        Ok(Some((tag, content)))
    }

    fn expect(&mut self, expected: u8) -> Result<&'a [u8], Malformed> {
        match self.next()? {
            Some((tag, content)) if tag == expected => Ok(content),
            _ => Err(Malformed("an unexpected element")),
        }
    }

    /// A number that is not negative.
    fn number(&mut self, expected: u8) -> Result<u32, Malformed> {
        let digits = self.expect(expected)?;
        let fits = !digits.is_empty() && digits.len() <= 4 && digits.first() < Some(&0x80);
        if !fits {
            return Err(Malformed("a number that does not fit"));
        }
        let number = digits
            .iter()
            .fold(0u32, |n, digit| n << 8 | u32::from(*digit));
        Ok(number)
    }
}

/// An attribute description with its values.
pub type Attribute<'a> = (&'a [u8], Vec<&'a [u8]>);

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// It is known now who asks, or not.
    Bound(Outcome<'a>),
    /// TLS may begin, or not.
    Extended(Outcome<'a>),
    /// An entry with its attributes.
    Entry(Vec<Attribute<'a>>),
    /// The search is over.
    Done(Outcome<'a>),
    /// A reference to another server, or something else that nothing depends on.
    Other,
}

/// How an operation ended (RFC 4511 section 4.1.9).
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// 0 is success.
    pub code: u32,
    /// What the server says to it.
    pub text: &'a [u8],
}

/// Reads one whole message: its number and what it says.
pub fn read(message: &[u8]) -> Result<(u32, Response<'_>), Malformed> {
    let mut outer = Elements(message);
    let mut inside = Elements(outer.expect(tag::SEQUENCE)?);
    let number = inside.number(tag::INTEGER)?;
    let (kind, content) = inside.next()?.ok_or(Malformed("an empty message"))?;
    let response = match kind {
        tag::BIND_RESPONSE => Response::Bound(outcome(content)?),
        tag::EXTENDED_RESPONSE => Response::Extended(outcome(content)?),
        tag::SEARCH_DONE => Response::Done(outcome(content)?),
        tag::SEARCH_ENTRY => Response::Entry(entry(content)?),
        _ => Response::Other,
    };
    Ok((number, response))
}

fn outcome(content: &[u8]) -> Result<Outcome<'_>, Malformed> {
    let mut elements = Elements(content);
    let code = elements.number(tag::ENUMERATED)?;
    elements.expect(tag::OCTET_STRING)?;
    let text = elements.expect(tag::OCTET_STRING)?;
    Ok(Outcome { code, text })
}

fn entry(content: &[u8]) -> Result<Vec<Attribute<'_>>, Malformed> {
    let mut elements = Elements(content);
    elements.expect(tag::OCTET_STRING)?;
    let mut attributes = Elements(elements.expect(tag::SEQUENCE)?);
    let mut found = Vec::new();
    while let Some((_, attribute)) = attributes.next()? {
        let mut attribute = Elements(attribute);
        let name = attribute.expect(tag::OCTET_STRING)?;
        let mut set = Elements(attribute.expect(tag::SET)?);
        let mut values = Vec::new();
        while let Some((_, value)) = set.next()? {
            values.push(value);
        }
        found.push((name, values));
    }
    Ok(found)
}

fn message(number: u32, operation: &[u8]) -> Vec<u8> {
    asn1::sequence(&[&asn1::small(number), operation])
}

/// Who asks (RFC 4511 section 4.2): a name and a password.
pub fn bind(number: u32, dn: &str, password: &str) -> Vec<u8> {
    let parts = [
        asn1::small(3),
        asn1::octet_string(dn.as_bytes()),
        asn1::tlv(tag::SIMPLE, password.as_bytes()),
    ];
    message(number, &asn1::tlv(tag::BIND_REQUEST, &parts.concat()))
}

/// TLS may begin (RFC 4511 section 4.14.1).
pub fn start_tls(number: u32) -> Vec<u8> {
    let name = asn1::tlv(tag::REQUEST_NAME, START_TLS);
    message(number, &asn1::tlv(tag::EXTENDED_REQUEST, &name))
}

/// We take leave (RFC 4511 section 4.3).
pub fn unbind(number: u32) -> Vec<u8> {
    message(number, &asn1::tlv(tag::UNBIND_REQUEST, &[]))
}

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The entry below which is searched.
    pub base: &'a str,
    /// The value of the attribute `mail`.
    pub mail: &'a str,
    /// The attributes wanted.
    pub attributes: &'a [String],
    /// Most entries.
    pub entries: u32,
    /// Most seconds.
    pub seconds: u32,
}

/// Searches the whole subtree, following no alias (RFC 4511 section 4.5.1). The filter is `(mail=ADDRESS)`; the address
/// travels as a value of its own, so that no character of it can become part of the filter (RFC 4515 has nothing to escape).
pub fn search(number: u32, search: Search<'_>) -> Vec<u8> {
    let enumerated = |value: u8| asn1::tlv(tag::ENUMERATED, &[value]);
    let filter = [
        asn1::octet_string(b"mail"),
        asn1::octet_string(search.mail.as_bytes()),
    ];
    let wanted: Vec<u8> = search
        .attributes
        .iter()
        .flat_map(|name| asn1::octet_string(name.as_bytes()))
        .collect();
    let (whole_subtree, never) = (2, 0);
    let parts = [
        asn1::octet_string(search.base.as_bytes()),
        enumerated(whole_subtree),
        enumerated(never),
        asn1::small(search.entries),
        asn1::small(search.seconds),
        asn1::tlv(tag::BOOLEAN, &[0]),
        asn1::tlv(tag::EQUALITY_MATCH, &filter.concat()),
        asn1::sequence(&[&wanted]),
    ];
    message(number, &asn1::tlv(tag::SEARCH_REQUEST, &parts.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_every_form() {
        for (octets, expected) in [
            (&[0x30, 0x05][..], Ok(Some((0x30, 2, 5)))),
            (&[0x30, 0x81, 0x05], Ok(Some((0x30, 3, 5)))),
            // As Active Directory writes every length.
            (&[0x30, 0x84, 0, 0, 1, 2], Ok(Some((0x30, 6, 258)))),
            (&[0x30, 0x84, 0, 0, 1], Ok(None)),
            (&[0x30], Ok(None)),
            (&[], Ok(None)),
            (
                &[0x30, 0x80],
                Err(Malformed("a length without end, or too long")),
            ),
            (
                &[0x30, 0x85, 0, 0, 0, 0, 1],
                Err(Malformed("a length without end, or too long")),
            ),
            (
                &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
                Ok(Some((0x30, 6, 0xFFFF_FFFF))),
            ),
        ] {
            assert_eq!(header(octets), expected, "{octets:02x?}");
        }
    }

    /// A search as `ldapsearch` of OpenLDAP writes it, seen on the wire.
    #[test]
    fn an_address_never_becomes_filter() {
        for mail in [
            "*@x.example",
            "a)(uid=*@x.example",
            "a\\2a@x.example",
            "\u{fc}@x.example",
        ] {
            let attributes = ["userCertificate;binary".to_owned()];
            let octets = search(
                2,
                Search {
                    base: "dc=x",
                    mail,
                    attributes: &attributes,
                    entries: 20,
                    seconds: 5,
                },
            );
            let mut outer = Elements(&octets);
            let mut inside = Elements(outer.expect(tag::SEQUENCE).unwrap());
            assert_eq!(inside.number(tag::INTEGER), Ok(2));
            let mut parts = Elements(inside.expect(tag::SEARCH_REQUEST).unwrap());
            assert_eq!(parts.expect(tag::OCTET_STRING), Ok(&b"dc=x"[..]));
            for (kind, value) in [
                (tag::ENUMERATED, 2),
                (tag::ENUMERATED, 0),
                (tag::INTEGER, 20),
                (tag::INTEGER, 5),
                (tag::BOOLEAN, 0),
            ] {
                assert_eq!(parts.expect(kind), Ok(&[value][..]));
            }
            let mut filter = Elements(parts.expect(tag::EQUALITY_MATCH).unwrap());
            assert_eq!(filter.expect(tag::OCTET_STRING), Ok(&b"mail"[..]));
            assert_eq!(filter.expect(tag::OCTET_STRING), Ok(mail.as_bytes()));
            assert!(filter.0.is_empty());
            let mut wanted = Elements(parts.expect(tag::SEQUENCE).unwrap());
            assert_eq!(
                wanted.expect(tag::OCTET_STRING),
                Ok(&b"userCertificate;binary"[..])
            );
            assert!(parts.0.is_empty() && inside.0.is_empty() && outer.0.is_empty());
        }
    }

    #[test]
    fn answers_are_read_and_cut_ones_refused() {
        let done = message(
            2,
            &asn1::tlv(
                tag::SEARCH_DONE,
                &[&[tag::ENUMERATED, 1, 4][..], &[4, 0], &[4, 2, b'n', b'o']].concat(),
            ),
        );
        let outcome = Outcome {
            code: 4,
            text: b"no",
        };
        assert_eq!(read(&done), Ok((2, Response::Done(outcome))));
        for length in 0..done.len() {
            assert!(read(&done[..length]).is_err(), "{length}");
        }
        let value = asn1::tlv(
            tag::SET,
            &[asn1::octet_string(b"one"), asn1::octet_string(b"")].concat(),
        );
        let attribute = asn1::sequence(&[&asn1::octet_string(b"userCertificate"), &value]);
        let entry = [asn1::octet_string(b"cn=x"), asn1::sequence(&[&attribute])].concat();
        let entry = message(3, &asn1::tlv(tag::SEARCH_ENTRY, &entry));
        let expected = vec![(&b"userCertificate"[..], vec![&b"one"[..], &b""[..]])];
        assert_eq!(read(&entry), Ok((3, Response::Entry(expected))));
        let reference = message(3, &asn1::tlv(0x73, &asn1::octet_string(b"ldap://other/")));
        assert_eq!(read(&reference), Ok((3, Response::Other)));
        assert!(read(&message(3, &[])).is_err());
        assert!(read(&asn1::sequence(&[&[2, 1, 0xFF]])).is_err());
    }
}
