//! S/MIME entities around CMS objects and CMS objects out of S/MIME entities, for programs that know CMS alone; and a look
//! at what a CMS object says about itself.

use std::io::{Read, Write};

use sealgate_mail::encoding::{Base64Reader, Base64Writer};

use super::cell::Encoding;
use crate::mime::{Form, field, find, form, signed_part, split};

/// A `multipart/signed` entity of a content and its detached signature.
pub fn clear_signed(content: &[u8], cms: &[u8]) -> Vec<u8> {
    let mut entity = b"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=sha-256; boundary=\"=_matrix\"\r\n\r\n--=_matrix\r\n".to_vec();
    entity.extend_from_slice(content);
    entity.extend_from_slice(b"\r\n--=_matrix\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    entity.extend(base64(cms));
    entity.extend_from_slice(b"--=_matrix--\r\n");
    entity
}

/// An `application/pkcs7-mime` entity of a CMS object.
pub fn pkcs7_mime(cms: &[u8], smime_type: &str) -> Vec<u8> {
    let mut entity = format!(
        "Content-Type: application/pkcs7-mime; smime-type={smime_type}; name=smime.p7m\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    )
    .into_bytes();
    entity.extend(base64(cms));
    entity
}

/// The CMS object of an S/MIME entity, and the content beside it if it is clear-signed.
#[derive(Debug)]
pub struct Parts {
    /// The CMS object.
    pub cms: Vec<u8>,
    /// What a detached signature covers.
    pub detached: Option<Vec<u8>>,
}

/// Takes an S/MIME entity apart.
pub fn parts(entity: &[u8]) -> Result<Parts, String> {
    if form(entity) == Form::Plain {
        return Err("no S/MIME entity".to_owned());
    }
    let Some(content) = signed_part(entity) else {
        let cms = unbase64(split(entity).1)?;
        return Ok(Parts {
            cms,
            detached: None,
        });
    };
    let at = find(entity, content).unwrap_or_default() + content.len();
    let rest = entity.get(at + 2..).unwrap_or_default();
    let line = find(rest, b"\r\n").ok_or("no signature part")?;
    let (boundary, part) = rest.split_at(line);
    let end = find(part, boundary).ok_or("no end of the signature part")?;
    let part = part.get(2..end).unwrap_or_default();
    let encoding = field(part, "Content-Transfer-Encoding").unwrap_or_default();
    if !encoding.eq_ignore_ascii_case("base64") {
        return Err(format!("transfer encoding {encoding}"));
    }
    Ok(Parts {
        cms: unbase64(split(part).1)?,
        detached: Some(content.to_vec()),
    })
}

/// Lines of base64.
fn base64(octets: &[u8]) -> Vec<u8> {
    let mut writer = Base64Writer::new(Vec::new());
    writer.write_all(octets).unwrap();
    writer.finish().unwrap()
}

/// Base64 in one line.
pub fn base64_line(octets: &[u8]) -> String {
    let lines = String::from_utf8(base64(octets)).unwrap();
    lines.split_whitespace().collect()
}

/// Octets from base64, in lines or in one.
pub fn unbase64(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let read = Base64Reader::lenient(text).read_to_end(&mut octets);
    read.map_err(|error| error.to_string())?;
    Ok(octets)
}

/// How a CMS object is encoded, by its first octets: SEQUENCE with or without a length.
pub fn encoding(cms: &[u8]) -> Encoding {
    if cms.starts_with(&[0x30, 0x80]) {
        Encoding::Ber
    } else {
        Encoding::Der
    }
}

/// Whether an object identifier stands anywhere in a CMS object.
pub fn names(cms: &[u8], oid: &str) -> bool {
    find(cms, &oid_der(oid)).is_some()
}

/// The DER of an object identifier in dotted form.
fn oid_der(oid: &str) -> Vec<u8> {
    let arcs: Vec<u32> = oid.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    let joined = std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied());
    for arc in joined {
        let groups = (0..5).rev().map(|group| arc >> (7 * group));
        let mut groups: Vec<u8> = groups
            .skip_while(|&group| group == 0)
            .map(|group| (group & 0x7f) as u8 | 0x80)
            .collect();
        match groups.last_mut() {
            Some(last) => *last &= 0x7f,
            None => groups.push(0),
        }
        content.extend(groups);
    }
    let mut der = vec![6, u8::try_from(content.len()).unwrap()];
    der.extend(content);
    der
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_and_taken_apart() {
        let cms: Vec<u8> = (0..=255).collect();
        let taken = parts(&pkcs7_mime(&cms, "signed-data")).unwrap();
        assert_eq!((taken.cms, taken.detached), (cms.clone(), None));
        let content = b"Content-Type: text/plain\r\n\r\nhello\r\n";
        let taken = parts(&clear_signed(content, &cms)).unwrap();
        assert_eq!((taken.cms, taken.detached), (cms, Some(content.to_vec())));
        assert!(parts(content).is_err());
    }

    #[test]
    fn object_identifiers() {
        assert_eq!(
            oid_der("1.2.840.113549"),
            [6, 6, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]
        );
        assert_eq!(oid_der("2.16.0.1"), [6, 3, 0x60, 0, 1]);
    }
}
