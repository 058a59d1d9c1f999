//! What signing and encrypting share: counting what an entity writes, S/MIME header fields, DER around a stream.

use std::io::{self, Write};

use rand_core::CryptoRng;
use sealgate_mail::Source;

use crate::asn1::{self, tag};
use crate::certificate::Certificate;
use crate::limits;

/// A source whose length was seen once; writing another length later is an error, since the lengths in the DER around it
/// would be wrong.
pub(crate) struct Counted<'a> {
    source: &'a dyn Source,
    octets: u64,
}

impl<'a> Counted<'a> {
    /// Writes `source` to `out` and keeps how much that was.
    pub(crate) fn writing(source: &'a dyn Source, out: &mut dyn Write) -> io::Result<Self> {
        let mut counter = Counter { out, octets: 0 };
        source.write_to(&mut counter)?;
        let octets = counter.octets;
        Ok(Self { source, octets })
    }

    /// Asks `source` for its length.
    pub(crate) fn measuring(source: &'a dyn Source) -> io::Result<Self> {
        Ok(Self {
            source,
            octets: source.length()?,
        })
    }

    pub(crate) fn octets(&self) -> u64 {
        self.octets
    }

    pub(crate) fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut counter = Counter { out, octets: 0 };
        self.source.write_to(&mut counter)?;
        if counter.octets == self.octets {
            return Ok(());
        }
        Err(io::Error::other(
            "the message changed its length while it was written",
        ))
    }
}

struct Counter<'o> {
    out: &'o mut dyn Write,
    octets: u64,
}

impl Write for Counter<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.out.write(data)?;
        self.octets = self.octets.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A boundary nobody can foresee (RFC 2046 section 5.1.1).
pub(crate) fn boundary(rng: &mut dyn CryptoRng) -> String {
    let mut octets = [0; limits::BOUNDARY_RANDOM_OCTETS];
    rng.fill_bytes(&mut octets);
    octets.iter().fold(String::from("=_smime_"), |text, octet| {
        format!("{text}{octet:02x}")
    })
}

/// The fields of an application/pkcs7-mime entity (RFC 8551 section 3.2).
pub(crate) fn pkcs7_fields(smime_type: &str) -> String {
    format!(
        "Content-Type: application/pkcs7-mime; smime-type={smime_type};\r\n name=smime.p7m\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7m\r\n"
    )
}

/// Puts `tag`, the right length and `first` before `head`, where `octets` of a stream and then `behind` octets follow.
pub(crate) fn wrap(head: &mut Vec<u8>, octets: u64, behind: u64, tag: u8, first: &[u8]) {
    let inside = octets
        .saturating_add(behind)
        .saturating_add(head.len() as u64)
        .saturating_add(first.len() as u64);
    let mut whole = asn1::header(tag, inside);
    whole.extend_from_slice(first);
    whole.append(head);
    *head = whole;
}

/// IssuerAndSerialNumber (RFC 5652 section 10.2.4).
pub(crate) fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    asn1::sequence(&[
        certificate.issuer_der(),
        &asn1::tlv(tag::INTEGER, certificate.serial()),
    ])
}
