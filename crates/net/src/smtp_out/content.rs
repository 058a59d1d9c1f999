//! The content of a mail on its way to a peer: read on a thread that may block, a few chunks ahead.

use std::io::{self, Read};
use std::sync::Arc;

use sealgate_mail::Content;
use tokio::sync::mpsc;

use crate::limits::{CONTENT_CHUNK_OCTETS, CONTENT_CHUNKS_AHEAD};

/// The chunks of `content` in order. Whoever drops the receiver ends the reading. The sum of the chunks tells whether
/// it is all: a reader that fails sends its error, one that vanishes sends nothing.
pub(super) fn chunks(content: Arc<dyn Content>) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(CONTENT_CHUNKS_AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = pump(&*content, |chunk| sender.blocking_send(Ok(chunk)).is_ok()) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    receiver
}

/// Gives all chunks to `take` until it says no.
fn pump(content: &dyn Content, mut take: impl FnMut(Vec<u8>) -> bool) -> io::Result<()> {
    let mut reader = content.reader(0)?;
    let limit = u64::try_from(CONTENT_CHUNK_OCTETS).unwrap_or(u64::MAX);
    loop {
        let mut chunk = Vec::new();
        (&mut reader).take(limit).read_to_end(&mut chunk)?;
        if chunk.is_empty() || !take(chunk) {
            return Ok(());
        }
    }
}

/// What only a look at all of the content tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Octets {
    /// An octet above 127 stands in the header block.
    pub(super) eight_bit_header: bool,
    /// An octet above 127 stands anywhere.
    pub(super) eight_bit: bool,
}

/// Looks through `content`.
pub(super) async fn octets(content: Arc<dyn Content>) -> io::Result<Octets> {
    let look = move || {
        let (mut found, mut header) = (Octets::default(), HeaderEnd::default());
        pump(&*content, |chunk| {
            if !chunk.is_ascii() {
                found.eight_bit = true;
                found.eight_bit_header |= !header.part(&chunk).is_ascii();
            }
            header.pass(&chunk);
            // The rest cannot change what was found.
            !(found.eight_bit && (found.eight_bit_header || header.passed))
        })?;
        Ok(found)
    };
    tokio::task::spawn_blocking(look)
        .await
        .map_err(io::Error::other)?
}

/// Finds the empty line behind a header block, over chunks.
#[derive(Clone, Copy, Debug, Default)]
struct HeaderEnd {
    line_has_octets: bool,
    passed: bool,
}

impl HeaderEnd {
    /// Follows `chunk`; how many of its octets belong to the header block.
    fn pass(&mut self, chunk: &[u8]) -> usize {
        if self.passed {
            return 0;
        }
        for (at, octet) in chunk.iter().enumerate() {
            match octet {
                b'\n' if !self.line_has_octets => {
                    self.passed = true;
                    return at;
                }
                b'\n' => self.line_has_octets = false,
                b'\r' => {}
                _ => self.line_has_octets = true,
            }
        }
        chunk.len()
    }

    /// The octets of `chunk` that belong to the header block.
    fn part<'c>(&self, chunk: &'c [u8]) -> &'c [u8] {
        let mut ahead = *self;
        chunk.get(..ahead.pass(chunk)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn eight_bit_octets_are_found_where_they_are() {
        let long = [
            b"a: b\r\n".repeat(20_000).as_slice(),
            b"c: \xc3\xbc\r\n\r\nx",
        ]
        .concat();
        let late = [b"a: b\r\n\r\n".as_slice(), &b"x".repeat(200_000), b"\xff"].concat();
        let table: [(&[u8], bool, bool); 7] = [
            (b"", false, false),
            (b"a: b\r\n\r\nc", false, false),
            (b"a: b\r\n\r\n\xc3\xbc", false, true),
            (b"a: \xc3\xbc\r\n\r\nc", true, true),
            (b"\r\n\xc3\xbc", false, true),
            (&long, true, true),
            (&late, false, true),
        ];
        for (content, eight_bit_header, eight_bit) in table {
            let found = octets(Arc::new(content.to_vec())).await.unwrap();
            assert_eq!(
                found,
                Octets {
                    eight_bit_header,
                    eight_bit
                },
                "{}",
                content.len()
            );
        }
    }

    #[tokio::test]
    async fn all_chunks_come() {
        let content: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut receiver = chunks(Arc::new(content.clone()));
        let mut read = Vec::new();
        while let Some(chunk) = receiver.recv().await {
            read.extend(chunk.unwrap());
        }
        assert!(read == content);
    }
}
