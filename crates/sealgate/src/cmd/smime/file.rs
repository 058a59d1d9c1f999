//! Message files: read where they lie, so that their size costs no memory; what must be kept in between goes to a file without
//! a name, which ends with the process.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rand_core::RngCore;
use sealgate_core::ports::{ContentId, Draft, Shelf, StoredContent};
use sealgate_mail::{BlockWriter, Carriage, Carried, Content, Source};

use crate::cmd::Failure;
use crate::limits::{FILE_BUFFER, INPUT_MESSAGE};
use crate::random::SystemRandom;

/// A file as content.
#[derive(Debug)]
pub struct FileContent {
    file: File,
    length: u64,
}

impl FileContent {
    fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }
}

impl Content for FileContent {
    fn len(&self) -> u64 {
        self.length
    }

    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let at = At {
            file: &self.file,
            at: from,
        };
        let left = self.length.saturating_sub(from);
        Ok(Box::new(BufReader::with_capacity(
            FILE_BUFFER,
            at.take(left),
        )))
    }
}

impl StoredContent for FileContent {
    fn id(&self) -> ContentId {
        ContentId(0)
    }
}

/// Reads from a place of its own, so that any number of readers share a file.
struct At<'f> {
    file: &'f File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

/// A failure that names the file it is about.
pub fn of<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> Failure {
    move |error| Failure::new(format_args!("{}: {error}", path.display()))
}

/// A message file in a form that SMTP carries: line ends of any system become CRLF, as on the wire, and what is binary in
/// it keeps its octets.
pub fn read_message(path: &Path) -> Result<FileContent, Failure> {
    let cannot = |error| Failure::new(format_args!("cannot read {}: {error}", path.display()));
    let mut limited = File::open(path)
        .map_err(cannot)?
        .take(INPUT_MESSAGE.saturating_add(1));
    let mut kept = nameless()?;
    let read = io::copy(&mut limited, &mut kept).map_err(cannot)?;
    if read > INPUT_MESSAGE {
        return Err(Failure::new(format_args!(
            "{} is longer than the {INPUT_MESSAGE} octets that are read",
            path.display()
        )));
    }
    let raw = FileContent::new(kept)?;
    if is_carried(&raw)? {
        return Ok(raw);
    }
    let mut kept = BlockWriter::new(nameless()?);
    Carried::new(&raw)?.write_to(&mut kept)?;
    Ok(FileContent::new(kept.finish()?)?)
}

fn is_carried(content: &FileContent) -> io::Result<bool> {
    let mut reader = content.reader(0)?;
    let mut buffer = vec![0; FILE_BUFFER];
    let mut carriage = Carriage::default();
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            count => carriage.feed(buffer.get(..count).unwrap_or_default()),
        }
    }
    carriage.end();
    Ok(carriage.is_carried())
}

/// A file for this process alone, without a name.
fn nameless() -> io::Result<File> {
    let name = format!(".sealgate-{:016x}", SystemRandom.next_u64());
    let path = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Layers of a message on their way inwards, each in a nameless file.
pub struct FileShelf;

struct FileDraft(BlockWriter<File>);

impl Shelf for FileShelf {
    fn create(&self) -> io::Result<Box<dyn Draft>> {
        Ok(Box::new(FileDraft(BlockWriter::new(nameless()?))))
    }
}

impl Write for FileDraft {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Draft for FileDraft {
    fn finish(self: Box<Self>) -> io::Result<Arc<dyn StoredContent>> {
        Ok(Arc::new(FileContent::new(self.0.finish()?)?))
    }
}

/// Writes a message: to the file named, else to standard output.
pub fn write(to: Option<&Path>, parts: &[&dyn Source]) -> Result<(), Failure> {
    let Some(path) = to else {
        return Ok(write_parts(std::io::stdout().lock(), parts)?);
    };
    let cannot = |error| Failure::new(format_args!("cannot write {}: {error}", path.display()));
    let file = File::create(path).map_err(cannot)?;
    write_parts(file, parts).map_err(cannot)
}

fn write_parts(out: impl Write, parts: &[&dyn Source]) -> io::Result<()> {
    let mut out = BlockWriter::new(out);
    parts.iter().try_for_each(|part| part.write_to(&mut out))?;
    out.finish().map(drop)
}
