//! What lies in a CompressedData (RFC 3274, RFC 8551 section 3.6): unfolded as a stream, within limits (row C17).

use crate::cms::{self, ContentType};
use crate::error::{Fault, ReadError};
use crate::kind::Entity;
use crate::limits;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};
use sealgate_mail::Message;
use std::io::{self, Write};

/// Writes what is compressed in `message`, at most `most` octets, to `out`; gives how many. The caller throws away what
/// was written unless the result is good.
///
/// # Errors
/// The outer error is a failure to read the content or to write to `out`; the inner one says what is wrong with the
/// message: not whole zlib data, or more than the limits allow.
pub fn decompress(
    message: &Message<'_>,
    most: u64,
    out: &mut dyn Write,
) -> io::Result<Result<u64, Fault>> {
    let entity = Entity::of_message(message);
    match unfold(&entity, most, out) {
        Ok(octets) => Ok(Ok(octets)),
        Err(error) => error.blame_sender().map(Err),
    }
}

fn unfold(entity: &Entity<'_>, most: u64, out: &mut dyn Write) -> Result<u64, ReadError> {
    let (mut reader, content_type) = cms::open(entity.cms()?)?;
    if content_type != ContentType::CompressedData {
        return Err(ReadError::malformed("not compressed"));
    }
    cms::compressed_head(&mut reader)?;
    let mut unfolding = Unfolding::new(most, out);
    reader.string_to(&mut |octets| unfolding.update(octets))?;
    cms::compressed_tail(&mut reader)?;
    unfolding.finish()
}

/// Zlib data (RFC 1950) that is being unfolded.
struct Unfolding<'o> {
    state: Box<InflateState>,
    out: &'o mut dyn Write,
    buffer: Vec<u8>,
    read: u64,
    written: u64,
    most: u64,
    ended: bool,
}

impl<'o> Unfolding<'o> {
    fn new(most: u64, out: &'o mut dyn Write) -> Self {
        Self {
            state: InflateState::new_boxed(DataFormat::Zlib),
            out,
            buffer: vec![0; limits::BUFFER_OCTETS],
            read: 0,
            written: 0,
            most,
            ended: false,
        }
    }

    fn update(&mut self, mut octets: &[u8]) -> Result<(), ReadError> {
        while !octets.is_empty() {
            if self.ended {
                return Err(ReadError::malformed("octets behind compressed content"));
            }
            let taken = self.step(octets)?;
            octets = octets.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Unfolds until `octets` are used up or the buffer was full; gives how many were taken.
    fn step(&mut self, octets: &[u8]) -> Result<usize, ReadError> {
        let step = inflate(&mut self.state, octets, &mut self.buffer, MZFlush::None);
        let idle = step.bytes_consumed == 0 && step.bytes_written == 0;
        match step.status {
            Ok(MZStatus::StreamEnd) => self.ended = true,
            Ok(MZStatus::Ok) | Err(MZError::Buf) if !idle => {}
            _ => return Err(ReadError::malformed("compressed content")),
        }
        self.read = self.read.saturating_add(step.bytes_consumed as u64);
        self.pass_on(step.bytes_written)?;
        Ok(step.bytes_consumed)
    }

    /// Row C17: the limits count before anything is written.
    fn pass_on(&mut self, length: usize) -> Result<(), ReadError> {
        self.written = self.written.saturating_add(length as u64);
        let by_ratio = self.read.saturating_mul(limits::DECOMPRESSION_RATIO);
        if self.written > self.most
            || self.written > by_ratio.max(limits::DECOMPRESSION_FREE_OCTETS)
        {
            return Err(ReadError::limit("decompressed content"));
        }
        let octets = self.buffer.get(..length).unwrap_or_default();
        self.out.write_all(octets).map_err(ReadError::Io)
    }

    /// What was unfolded last may still lie in the window once all input is taken.
    fn finish(mut self) -> Result<u64, ReadError> {
        while !self.ended {
            self.step(&[])?;
        }
        Ok(self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::{self, tag};
    use crate::error::LimitReached;
    use miniz_oxide::deflate::compress_to_vec_zlib;

    fn object(zlib: &[u8]) -> Vec<u8> {
        let oid = |last: &[u8]| {
            asn1::tlv(
                tag::OID,
                &[&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1], last].concat(),
            )
        };
        let explicit = |inside: &[u8]| asn1::tlv(tag::context_constructed(0), inside);
        let content = asn1::sequence(&[&oid(&[7, 1]), &explicit(&asn1::octet_string(zlib))]);
        let algorithm = asn1::sequence(&[&oid(&[9, 16, 3, 8])]);
        let whole = asn1::sequence(&[&asn1::small(0), &algorithm, &content]);
        asn1::sequence(&[&oid(&[9, 16, 1, 9]), &explicit(&whole)])
    }

    fn unfolded(zlib: &[u8], most: u64) -> (Result<u64, Fault>, Vec<u8>) {
        let head =
            b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n";
        let raw = [&head[..], &object(zlib)].concat();
        let mut out = Vec::new();
        let result = decompress(&Message::read(&raw).unwrap(), most, &mut out).unwrap();
        (result, out)
    }

    /// Octets that do not compress well.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn what_was_compressed_comes_back() {
        for content in [
            Vec::new(),
            b"hello".to_vec(),
            vec![0; 1_000_000],
            noise(300_000),
        ] {
            let (result, out) = unfolded(&compress_to_vec_zlib(&content, 6), 2_000_000);
            assert_eq!(result, Ok(content.len() as u64));
            assert_eq!(out, content);
        }
    }

    #[test]
    fn what_is_not_whole_zlib_data_is_malformed() {
        let zlib = compress_to_vec_zlib(&noise(100_000), 6);
        let is_malformed =
            |zlib: &[u8]| matches!(unfolded(zlib, 1_000_000).0, Err(Fault::Malformed(_)));
        for length in [0, 1, 2, 3, 1000, zlib.len() - 5, zlib.len() - 1] {
            assert!(is_malformed(&zlib[..length]), "{length}");
        }
        let mut checksum = zlib.clone();
        *checksum.last_mut().unwrap() ^= 1;
        assert!(is_malformed(&checksum));
        assert!(is_malformed(&[&zlib[..], b"x"].concat()));
        assert!(is_malformed(b"no zlib at all"));
    }

    #[test]
    fn c17_a_bomb_is_refused_before_it_unfolds() {
        let limit = Err(Fault::Limit(LimitReached("decompressed content")));
        let bomb = compress_to_vec_zlib(&vec![0; 20_000_000], 9);
        let (result, out) = unfolded(&bomb, limits::DECOMPRESSED_OCTETS);
        assert_eq!(result, limit);
        assert!(out.len() as u64 <= bomb.len() as u64 * limits::DECOMPRESSION_RATIO);
        assert_eq!(unfolded(&compress_to_vec_zlib(b"12345", 6), 4).0, limit);
    }
}
