//! Mail content as bytes that can be read again, and things that can write themselves again.
//! Neither is ever assumed to fit into memory.

use std::io::{self, Read, Write};

use crate::limits::BUFFER_OCTETS;

/// Bytes of known length that can be opened for reading at any offset, any number of times.
pub trait Content: Send + Sync {
    /// Length in octets.
    fn len(&self) -> u64;
    /// Whether there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// A reader that starts at offset `from` (octets) and ends with the content.
    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send + '_>>;
}

impl<T: AsRef<[u8]> + Send + Sync> Content for T {
    fn len(&self) -> u64 {
        self.as_ref().len() as u64
    }
    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let bytes = self.as_ref();
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
        Ok(Box::new(bytes.get(from..).unwrap_or_default()))
    }
}

/// A range of another content.
#[derive(Clone, Copy)]
pub struct Slice<'c> {
    content: &'c dyn Content,
    start: u64,
    end: u64,
}

impl<'c> Slice<'c> {
    /// The octets `start..end` of `content`; both are cut to its length.
    pub fn new(content: &'c dyn Content, start: u64, end: u64) -> Self {
        let end = end.min(content.len());
        Self {
            content,
            start: start.min(end),
            end,
        }
    }
}

impl Content for Slice<'_> {
    fn len(&self) -> u64 {
        self.end - self.start
    }
    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let start = self.start.saturating_add(from).min(self.end);
        Ok(Box::new(self.content.reader(start)?.take(self.end - start)))
    }
}

/// Something that writes the same octets each time it is asked.
pub trait Source {
    /// Writes all of it to `out`.
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()>;

    /// How many octets `write_to` writes; writes once into a counter unless overridden.
    fn length(&self) -> io::Result<u64> {
        let mut counter = Counter(0);
        self.write_to(&mut counter)?;
        Ok(counter.0)
    }
}

impl Source for Slice<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        copy(self, out)
    }
    fn length(&self) -> io::Result<u64> {
        Ok(self.len())
    }
}

impl Source for [u8] {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self)
    }
}

impl Source for Vec<u8> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self)
    }
}

/// Sources written one after the other.
pub struct Chain<'s>(pub Vec<&'s dyn Source>);

impl Source for Chain<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        self.0.iter().try_for_each(|source| source.write_to(out))
    }
    fn length(&self) -> io::Result<u64> {
        self.0
            .iter()
            .try_fold(0u64, |sum, source| Ok(sum.saturating_add(source.length()?)))
    }
}

/// Copies all of `content` to `out`.
pub fn copy(content: &dyn Content, out: &mut dyn Write) -> io::Result<()> {
    let mut reader = content.reader(0)?;
    let mut buffer = buffer_for(content);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => out.write_all(buffer.get(..n).unwrap_or_default())?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Gathers what is written into whole blocks, so that a file below sees few writes, each of whole pages. What is left is
/// written by `flush` and `finish`, and by nothing else.
pub struct BlockWriter<W: Write> {
    target: W,
    block: Vec<u8>,
}

impl<W: Write> BlockWriter<W> {
    /// A writer onto `target`.
    pub fn new(target: W) -> Self {
        Self {
            target,
            block: Vec::with_capacity(BUFFER_OCTETS),
        }
    }

    /// Writes what is left and gives the target back.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.target)
    }

    fn write_block(&mut self) -> io::Result<()> {
        self.target.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

impl<W: Write> Write for BlockWriter<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let room = BUFFER_OCTETS.saturating_sub(self.block.len());
        let taken = data.get(..room).unwrap_or(data);
        self.block.extend_from_slice(taken);
        if self.block.len() == BUFFER_OCTETS {
            self.write_block()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_block()?;
        self.target.flush()
    }
}

/// A buffer to read `content` through: no larger than what there is to read.
pub(crate) fn buffer_for(content: &dyn Content) -> Vec<u8> {
    let length = usize::try_from(content.len()).unwrap_or(BUFFER_OCTETS);
    vec![0; length.clamp(1, BUFFER_OCTETS)]
}

struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(data.len() as u64);
        Ok(data.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps the length of each write.
    #[derive(Default)]
    struct Writes(Vec<u8>, Vec<usize>);

    impl Write for Writes {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0.extend_from_slice(data);
            self.1.push(data.len());
            Ok(data.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn blocks_are_whole_but_for_the_last() {
        let data: Vec<u8> = (0..3 * BUFFER_OCTETS + 7).map(|n| n as u8).collect();
        for size in [1, 4095, 39_936, BUFFER_OCTETS, data.len()] {
            let mut writer = BlockWriter::new(Writes::default());
            data.chunks(size)
                .for_each(|chunk| writer.write_all(chunk).unwrap());
            let Writes(written, lengths) = writer.finish().unwrap();
            assert!(written == data, "by {size}");
            assert_eq!(lengths, [BUFFER_OCTETS, BUFFER_OCTETS, BUFFER_OCTETS, 7]);
        }
    }
}
