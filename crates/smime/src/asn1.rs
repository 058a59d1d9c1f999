//! Small DER values that lie in memory: a reader over a slice, and the writers for what we send.
//!
//! Streams and BER belong to `ber.rs`; what arrives here has definite, minimal lengths (X.690 section 10.1).

use const_oid::ObjectIdentifier;
use sealgate_mail::Timestamp;

use crate::algorithms::DigestAlgorithm;
use crate::aws::Digest;

/// Tag octets used in CMS and X.509 (X.690 section 8.1.2).
pub mod tag {
    #![allow(missing_docs)]
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const OID: u8 = 0x06;
    pub const ENUMERATED: u8 = 0x0a;
    pub const UTF8_STRING: u8 = 0x0c;
    pub const PRINTABLE_STRING: u8 = 0x13;
    pub const TELETEX_STRING: u8 = 0x14;
    pub const IA5_STRING: u8 = 0x16;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    pub const BMP_STRING: u8 = 0x1e;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;

    /// `[n]` with a primitive content.
    pub const fn context(n: u8) -> u8 {
        0x80 | n
    }
    /// `[n]` with a constructed content.
    pub const fn context_constructed(n: u8) -> u8 {
        0xa0 | n
    }
}

/// What is wrong with a DER value, in words for a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the expected DER: {0}")]
pub struct Asn1Error(pub &'static str);

/// One element: its tag octet, its content octets, and all of it as it lay there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The tag octet.
    pub tag: u8,
    /// The content octets.
    pub content: &'a [u8],
    /// Tag, length and content.
    pub raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// A reader over the elements inside.
    pub fn inside(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The element as object identifier. One that is too large for [`ObjectIdentifier`] is none we know: another one that
    /// nobody uses stands for it, so that certificates with numbers made from UUIDs (ITU-T X.667) can be read.
    pub fn oid(&self) -> Result<ObjectIdentifier, Asn1Error> {
        self.must_be(tag::OID)?;
        let wrong = Asn1Error("object identifier");
        if !is_well_formed_oid(self.content) {
            return Err(wrong);
        }
        ObjectIdentifier::from_bytes(self.content)
            .or_else(|_| stand_in(self.content))
            .map_err(|_| wrong)
    }

    /// A BOOLEAN; DER says `FF`, any other octet but zero is read as true too.
    pub fn boolean(&self) -> Result<bool, Asn1Error> {
        self.must_be(tag::BOOLEAN)?;
        match self.content {
            [octet] => Ok(*octet != 0),
            _ => Err(Asn1Error("boolean of other length than one")),
        }
    }

    /// A non-negative INTEGER that fits 32 bits.
    pub fn small(&self) -> Result<u32, Asn1Error> {
        self.must_be(tag::INTEGER)?;
        let digits = match self.content {
            [] => return Err(Asn1Error("empty integer")),
            [0x80..=0xff, ..] => return Err(Asn1Error("negative integer")),
            [0, rest @ ..] => rest,
            all => all,
        };
        if digits.len() > 4 {
            return Err(Asn1Error("integer too large"));
        }
        Ok(digits
            .iter()
            .fold(0u32, |sum, octet| (sum << 8) | u32::from(*octet)))
    }

    /// The octets of a BIT STRING without unused bits.
    pub fn bit_string(&self) -> Result<&'a [u8], Asn1Error> {
        self.must_be(tag::BIT_STRING)?;
        match self.content {
            [0, octets @ ..] => Ok(octets),
            _ => Err(Asn1Error("bit string with unused bits")),
        }
    }

    /// UTCTime or GeneralizedTime in UTC (RFC 5280 section 4.1.2.5).
    pub fn time(&self) -> Result<Timestamp, Asn1Error> {
        read_time(self.tag, self.content).ok_or(Asn1Error("time"))
    }

    fn must_be(&self, tag: u8) -> Result<(), Asn1Error> {
        if self.tag == tag {
            Ok(())
        } else {
            Err(Asn1Error("unexpected tag"))
        }
    }
}

/// X.690 section 8.19.2: every number ends, and none begins with an octet that adds nothing.
fn is_well_formed_oid(content: &[u8]) -> bool {
    let ends = |octet: &u8| octet & 0x80 == 0;
    let starts = std::iter::once(&0).chain(content).zip(content);
    content.last().is_some_and(ends)
        && starts
            .into_iter()
            .all(|(before, octet)| !ends(before) || *octet != 0x80)
}

/// An object identifier under 2.25.0 with 128 bits of the SHA-256 of one that is too large.
fn stand_in(content: &[u8]) -> Result<ObjectIdentifier, const_oid::Error> {
    let digest = Digest::of(DigestAlgorithm::Sha256, content);
    let number = |octets: &[u8]| {
        octets
            .iter()
            .fold(0u32, |sum, octet| sum << 8 | u32::from(*octet))
    };
    let numbers: Vec<String> = digest
        .chunks(4)
        .take(4)
        .map(|four| number(four).to_string())
        .collect();
    ObjectIdentifier::new(&format!("2.25.0.{}", numbers.join(".")))
}

/// Reads one element after the other from a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element, if there is one.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element.
    pub fn any(&mut self) -> Result<Element<'a>, Asn1Error> {
        let (tag, header, length) = split_header(self.rest)?;
        let end = header.checked_add(length).ok_or(Asn1Error("length"))?;
        let (raw, rest) = self
            .rest
            .split_at_checked(end)
            .ok_or(Asn1Error("cut short"))?;
        let content = raw.get(header..).unwrap_or_default();
        self.rest = rest;
        Ok(Element { tag, content, raw })
    }

    /// The next element, which must have `tag`.
    pub fn expect(&mut self, tag: u8) -> Result<Element<'a>, Asn1Error> {
        let element = self.any()?;
        element.must_be(tag)?;
        Ok(element)
    }

    /// The next element if it has `tag`.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Asn1Error> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// All elements that are left.
    pub fn all(mut self) -> Result<Vec<Element<'a>>, Asn1Error> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            elements.push(self.any()?);
        }
        Ok(elements)
    }

    /// Fails unless everything was read.
    pub fn finish(self) -> Result<(), Asn1Error> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Asn1Error("something behind the end"))
        }
    }
}

/// The only element of `bytes`, which must have `tag`.
pub fn read_only(bytes: &[u8], tag: u8) -> Result<Element<'_>, Asn1Error> {
    let mut reader = Reader::new(bytes);
    let element = reader.expect(tag)?;
    reader.finish()?;
    Ok(element)
}

fn split_header(bytes: &[u8]) -> Result<(u8, usize, usize), Asn1Error> {
    let (tag, first, rest) = match bytes {
        [tag, first, rest @ ..] => (*tag, *first, rest),
        _ => return Err(Asn1Error("cut short")),
    };
    if tag & 0x1f == 0x1f {
        return Err(Asn1Error("tag of several octets"));
    }
    if first < 0x80 {
        return Ok((tag, 2, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return Err(Asn1Error("indefinite or overlong length"));
    }
    let digits = rest.get(..count).ok_or(Asn1Error("cut short"))?;
    let length = digits
        .iter()
        .fold(0usize, |sum, octet| (sum << 8) | usize::from(*octet));
    if digits.first() == Some(&0) || length < 0x80 {
        return Err(Asn1Error("length is not minimal"));
    }
    Ok((tag, count.saturating_add(2), length))
}

fn read_time(tag: u8, content: &[u8]) -> Option<Timestamp> {
    let digits = content.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = digits.get(from..to)?;
        Some(
            part.iter()
                .fold(0i64, |sum, digit| sum * 10 + i64::from(digit - b'0')),
        )
    };
    let (year, at) = match (tag, digits.len()) {
        // RFC 5280 section 4.1.2.5.1: 50 and more is the last century.
        (tag::UTC_TIME, 12) => {
            let short = number(0, 2)?;
            (
                if short >= 50 {
                    1900 + short
                } else {
                    2000 + short
                },
                2,
            )
        }
        (tag::GENERALIZED_TIME, 14) => (number(0, 4)?, 4),
        _ => return None,
    };
    let part = |index: usize| number(at + 2 * index, at + 2 * index + 2);
    let (month, day) = (part(0)?, part(1)?);
    let (hour, minute, second) = (part(2)?, part(3)?, part(4)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days_from_epoch(year, month, day);
    Some(Timestamp(((days * 24 + hour) * 60 + minute) * 60 + second))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar; the year begins in March so that the leap day comes last.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let century_days = y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    365 * y + century_days + (153 * m + 2) / 5 + day - 1 - 719_468
}

/// Year, month, day of a day counted from 1970-01-01; the inverse of `days_from_epoch`.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let m = (5 * doy + 2) / 153;
    let (month, year) = if m < 10 {
        (m + 3, yoe + era * 400)
    } else {
        (m - 9, yoe + era * 400 + 1)
    };
    (year, month, doy - (153 * m + 2) / 5 + 1)
}

/// Tag and length octets of an element with `length` content octets.
pub fn header(tag: u8, length: u64) -> Vec<u8> {
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
        return out;
    }
    let digits = length.to_be_bytes();
    let skip = (length.leading_zeros() / 8) as usize;
    let digits = digits.get(skip..).unwrap_or_default();
    out.push(0x80 | digits.len() as u8);
    out.extend_from_slice(digits);
    out
}

/// An element with these content octets.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = header(tag, content.len() as u64);
    out.extend_from_slice(content);
    out
}

/// An element whose content is the parts one after the other.
pub fn constructed(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    tlv(tag, &parts.concat())
}

/// SEQUENCE of the parts.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    constructed(tag::SEQUENCE, parts)
}

/// The content octets of a SET OF in DER order (X.690 section 11.6).
pub fn set_of_content(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    parts.concat()
}

/// SET OF the parts, in DER order.
pub fn set_of(parts: Vec<Vec<u8>>) -> Vec<u8> {
    tlv(tag::SET, &set_of_content(parts))
}

/// OBJECT IDENTIFIER.
pub fn oid(oid: &ObjectIdentifier) -> Vec<u8> {
    tlv(tag::OID, oid.as_bytes())
}

/// NULL.
pub fn null() -> Vec<u8> {
    vec![tag::NULL, 0]
}

/// INTEGER from unsigned big-endian octets: leading zeros cut, one added where the first bit is set.
pub fn unsigned(digits: &[u8]) -> Vec<u8> {
    let skip = digits.iter().take_while(|octet| **octet == 0).count();
    let digits = digits.get(skip..).unwrap_or_default();
    match digits.first() {
        None => tlv(tag::INTEGER, &[0]),
        Some(0x80..=0xff) => constructed(tag::INTEGER, &[&[0], digits]),
        Some(_) => tlv(tag::INTEGER, digits),
    }
}

/// INTEGER of a small number.
pub fn small(number: u32) -> Vec<u8> {
    unsigned(&number.to_be_bytes())
}

/// OCTET STRING.
pub fn octet_string(octets: &[u8]) -> Vec<u8> {
    tlv(tag::OCTET_STRING, octets)
}

/// BIT STRING without unused bits.
pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    constructed(tag::BIT_STRING, &[&[0], octets])
}

/// UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5, RFC 5652 section 11.3).
pub fn time(at: Timestamp) -> Vec<u8> {
    let (year, rest) = written(at);
    if (1950..2050).contains(&year) {
        tlv(tag::UTC_TIME, format!("{:02}{rest}", year % 100).as_bytes())
    } else {
        generalized_time(at)
    }
}

/// GeneralizedTime, whatever the year (RFC 6960 section 4.2.2.1).
pub fn generalized_time(at: Timestamp) -> Vec<u8> {
    let (year, rest) = written(at);
    tlv(tag::GENERALIZED_TIME, format!("{year:04}{rest}").as_bytes())
}

/// The year, and the text of the rest.
fn written(at: Timestamp) -> (i64, String) {
    let (year, month, day) = civil(at.0.div_euclid(86_400));
    let rest = at.0.rem_euclid(86_400);
    let text = format!(
        "{month:02}{day:02}{:02}{:02}{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    );
    (year, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_of_any_size() {
        let read = |content: &[u8]| Reader::new(&tlv(tag::OID, content)).any().unwrap().oid();
        assert_eq!(read(&[0x2a, 3]).unwrap().to_string(), "1.2.3");
        // 2.25 and a UUID of 128 bits.
        let mut uuid = vec![0x69, 0x83];
        uuid.extend([0xff; 17]);
        uuid.push(0x01);
        let mut other = uuid.clone();
        other[19] = 0x02;
        let stand_in = read(&uuid).unwrap();
        assert!(stand_in.to_string().starts_with("2.25.0."), "{stand_in}");
        assert_eq!(read(&uuid).unwrap(), stand_in);
        assert_ne!(read(&other).unwrap(), stand_in);
        for wrong in [&[][..], &[0x2a, 0x83], &[0x2a, 0x80, 1], &[0x80, 1]] {
            assert!(read(wrong).is_err(), "{wrong:02x?}");
        }
    }

    #[test]
    fn times_go_both_ways() {
        for (text, tag, seconds) in [
            ("700101000000Z", tag::UTC_TIME, 0),
            ("500101000000Z", tag::UTC_TIME, -631_152_000),
            ("261122040000Z", tag::UTC_TIME, 1_795_320_000),
            ("20500101000000Z", tag::GENERALIZED_TIME, 2_524_608_000),
            ("000229235959Z", tag::UTC_TIME, 951_868_799),
        ] {
            let element = tlv(tag, text.as_bytes());
            let read = Reader::new(&element).any().unwrap();
            assert_eq!(read.time().unwrap().0, seconds, "{text}");
            assert_eq!(time(Timestamp(seconds)), element, "{text}");
        }
        for bad in [
            "010229000000Z",
            "011301000000Z",
            "0101010000Z",
            "010101000000+0100",
            "01010124 000Z",
        ] {
            let element = tlv(tag::UTC_TIME, bad.as_bytes());
            assert!(
                Reader::new(&element).any().unwrap().time().is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn lengths_are_minimal_and_bounded() {
        for length in [0usize, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let element = tlv(tag::OCTET_STRING, &vec![7; length]);
            assert_eq!(
                read_only(&element, tag::OCTET_STRING)
                    .unwrap()
                    .content
                    .len(),
                length
            );
        }
        let bad: [&[u8]; 7] = [
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81, 0x7f],
            &[0x30, 0x82, 0, 0x80],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 2, 0],
            &[0x1f, 1, 0],
            &[0x30],
        ];
        for bytes in bad {
            assert!(Reader::new(bytes).any().is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn integers() {
        assert_eq!(small(0), [2, 1, 0]);
        assert_eq!(small(127), [2, 1, 127]);
        assert_eq!(small(128), [2, 2, 0, 128]);
        assert_eq!(unsigned(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
        for number in [0, 1, 127, 128, 65_535, u32::MAX] {
            assert_eq!(
                Reader::new(&small(number)).any().unwrap().small().unwrap(),
                number
            );
        }
    }

    #[test]
    fn set_of_is_sorted() {
        assert_eq!(
            set_of(vec![vec![4, 1, 9], vec![2, 1, 1]]),
            [0x31, 6, 2, 1, 1, 4, 1, 9]
        );
    }
}
