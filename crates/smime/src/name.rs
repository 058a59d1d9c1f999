//! Distinguished names: read, compared, and shown (RFC 5280 sections 4.1.2.4 and 7.1, RFC 4514).

use std::fmt;

use const_oid::ObjectIdentifier;

use crate::asn1::{self, Asn1Error, tag};

/// One attribute of a relative distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    kind: ObjectIdentifier,
    tag: u8,
    octets: Vec<u8>,
}

/// A Name: relative distinguished names from the root downwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    rdns: Vec<Vec<Attribute>>,
}

const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Short names of RFC 4514 section 3 and the few others people expect.
const SHORT_NAMES: [(ObjectIdentifier, &str); 13] = [
    (COMMON_NAME, "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.4"), "SN"),
    (ObjectIdentifier::new_unwrap("2.5.4.5"), "serialNumber"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.9"), "STREET"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
    (ObjectIdentifier::new_unwrap("2.5.4.42"), "GN"),
    (
        ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.1"),
        "UID",
    ),
    (
        ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25"),
        "DC",
    ),
    (EMAIL_ADDRESS, "emailAddress"),
];

impl DistinguishedName {
    /// Reads a whole Name element.
    pub fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        let mut rdns = Vec::new();
        for set in asn1::read_only(der, tag::SEQUENCE)?.inside().all()? {
            if set.tag != tag::SET {
                return Err(Asn1Error("name: not a set"));
            }
            let attributes = set.inside().all()?;
            rdns.push(
                attributes
                    .iter()
                    .map(|one| read_attribute(one.raw))
                    .collect::<Result<_, _>>()?,
            );
        }
        Ok(Self { rdns })
    }

    /// Whether there is no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// One comparable value per relative name: case and blanks do not matter in strings (RFC 5280 section 7.1).
    pub fn normal(&self) -> Vec<Vec<u8>> {
        self.rdns
            .iter()
            .map(|rdn| asn1::set_of_content(rdn.iter().map(normal_attribute).collect()))
            .collect()
    }

    /// The values of emailAddress as they stand, where they are ASCII strings.
    pub fn email_addresses(&self) -> Vec<String> {
        self.all_of(&EMAIL_ADDRESS)
            .filter(|a| a.octets.is_ascii())
            .filter_map(text)
            .collect()
    }

    /// The last common name: the most specific one.
    pub fn common_name(&self) -> Option<String> {
        self.all_of(&COMMON_NAME).filter_map(text).last()
    }

    fn all_of(&self, kind: &ObjectIdentifier) -> impl Iterator<Item = &Attribute> {
        self.rdns
            .iter()
            .flatten()
            .filter(move |attribute| attribute.kind == *kind)
    }
}

fn read_attribute(raw: &[u8]) -> Result<Attribute, Asn1Error> {
    let mut pair = asn1::read_only(raw, tag::SEQUENCE)?.inside();
    let kind = pair.expect(tag::OID)?.oid()?;
    let value = pair.any()?;
    pair.finish()?;
    Ok(Attribute {
        kind,
        tag: value.tag,
        octets: value.content.to_vec(),
    })
}

/// The value as text, if its tag says it is one and the octets agree.
fn text(attribute: &Attribute) -> Option<String> {
    let octets = attribute.octets.as_slice();
    match attribute.tag {
        tag::UTF8_STRING => String::from_utf8(octets.to_vec()).ok(),
        tag::PRINTABLE_STRING | tag::IA5_STRING | 0x12 | 0x1a => octets
            .is_ascii()
            .then(|| octets.iter().map(|octet| char::from(*octet)).collect()),
        // Nobody uses T.61 as it was meant; the octets are Latin-1 in practice.
        tag::TELETEX_STRING => Some(octets.iter().map(|octet| char::from(*octet)).collect()),
        tag::BMP_STRING => bmp_text(octets),
        tag::UNIVERSAL_STRING => octets
            .chunks(4)
            .map(|four| char::from_u32(u32::from_be_bytes(four.try_into().ok()?)))
            .collect(),
        _ => None,
    }
}

/// Text of a BMPString (UTF-16, big end first).
pub fn bmp_text(octets: &[u8]) -> Option<String> {
    let units: Option<Vec<u16>> = octets
        .chunks(2)
        .map(|two| Some(u16::from_be_bytes(two.try_into().ok()?)))
        .collect();
    String::from_utf16(&units?).ok()
}

fn normal_attribute(attribute: &Attribute) -> Vec<u8> {
    let value = match text(attribute) {
        Some(text) => {
            let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
            asn1::tlv(tag::UTF8_STRING, words.join(" ").as_bytes())
        }
        None => asn1::tlv(attribute.tag, &attribute.octets),
    };
    asn1::sequence(&[&asn1::oid(&attribute.kind), &value])
}

impl fmt::Display for DistinguishedName {
    /// RFC 4514: the most specific part first. Characters that could change a line or its reading are shown as hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rdn) in self.rdns.iter().rev().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            for (part, attribute) in rdn.iter().enumerate() {
                if part > 0 {
                    f.write_str("+")?;
                }
                write_attribute(f, attribute)?;
            }
        }
        Ok(())
    }
}

fn write_attribute(f: &mut fmt::Formatter<'_>, attribute: &Attribute) -> fmt::Result {
    match SHORT_NAMES.iter().find(|(kind, _)| *kind == attribute.kind) {
        Some((_, short)) => write!(f, "{short}=")?,
        None => write!(f, "{}=", attribute.kind)?,
    }
    let Some(text) = text(attribute) else {
        f.write_str("#")?;
        return attribute
            .octets
            .iter()
            .try_for_each(|octet| write!(f, "{octet:02x}"));
    };
    let last = text.chars().count().saturating_sub(1);
    for (at, character) in text.chars().enumerate() {
        write_character(f, character, at == 0, at == last)?;
    }
    Ok(())
}

fn write_character(
    f: &mut fmt::Formatter<'_>,
    character: char,
    first: bool,
    last: bool,
) -> fmt::Result {
    match character {
        ',' | '+' | '"' | '\\' | '<' | '>' | ';' => write!(f, "\\{character}"),
        '#' if first => f.write_str("\\#"),
        ' ' if first || last => f.write_str("\\ "),
        _ if changes_reading(character) => {
            let mut buffer = [0; 4];
            character
                .encode_utf8(&mut buffer)
                .bytes()
                .try_for_each(|octet| write!(f, "\\{octet:02x}"))
        }
        _ => write!(f, "{character}"),
    }
}

/// Control characters, and those that are invisible or turn the direction of text.
fn changes_reading(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(parts: &[(&str, u8, &[u8])]) -> DistinguishedName {
        let rdns: Vec<Vec<u8>> = parts
            .iter()
            .map(|(kind, tag, value)| {
                let kind = asn1::oid(&ObjectIdentifier::new_unwrap(kind));
                asn1::set_of(vec![asn1::sequence(&[&kind, &asn1::tlv(*tag, value)])])
            })
            .collect();
        DistinguishedName::from_der(&asn1::tlv(tag::SEQUENCE, &rdns.concat())).unwrap()
    }

    #[test]
    fn shown_without_surprises() {
        for (parts, shown) in [
            (
                &[
                    ("2.5.4.6", tag::PRINTABLE_STRING, &b"DE"[..]),
                    ("2.5.4.3", tag::UTF8_STRING, b"A, B"),
                ][..],
                "CN=A\\, B,C=DE",
            ),
            (
                &[("2.5.4.3", tag::UTF8_STRING, b"x\r\nBcc: y")],
                "CN=x\\0d\\0aBcc: y",
            ),
            (
                &[("2.5.4.3", tag::UTF8_STRING, "a\u{202e}b".as_bytes())],
                "CN=a\\e2\\80\\aeb",
            ),
            (&[("2.5.4.3", tag::UTF8_STRING, b" # ")], "CN=\\ #\\ "),
            (&[("1.2.3", tag::OCTET_STRING, &[1, 0xff])], "1.2.3=#01ff"),
            (
                &[("2.5.4.10", tag::BMP_STRING, &[0, b'O', 0x20, 0xac])],
                "O=O\u{20ac}",
            ),
        ] {
            assert_eq!(name(parts).to_string(), shown);
        }
    }

    #[test]
    fn compared_without_case_blanks_and_string_type() {
        let one = name(&[("2.5.4.3", tag::UTF8_STRING, b"The  Root ")]);
        let two = name(&[("2.5.4.3", tag::PRINTABLE_STRING, b"the root")]);
        let three = name(&[("2.5.4.3", tag::PRINTABLE_STRING, b"theroot")]);
        assert_eq!(one.normal(), two.normal());
        assert_ne!(one.normal(), three.normal());
    }
}
