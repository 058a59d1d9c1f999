//! Message files: read where they lie, so that their size costs no memory; what must be kept in between goes to a file without
//! a name, which ends with the process.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rand_core::RngCore;
use sealgate_core::ports::{ContentId, Draft, Shelf, StoredContent};
use sealgate_mail::encoding::CrlfWriter;
use sealgate_mail::{Content, Source};

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

/// A message file; line ends of any system become CRLF, as on the wire.
pub fn read_message(path: &Path) -> Result<FileContent, Failure> {
    let cannot = |error| Failure::new(format_args!("cannot read {}: {error}", path.display()));
    let file = File::open(path).map_err(cannot)?;
    let kept = nameless()?;
    let mut writer = CrlfWriter::new(BufWriter::with_capacity(FILE_BUFFER, kept));
    let mut limited =
        BufReader::with_capacity(FILE_BUFFER, file).take(INPUT_MESSAGE.saturating_add(1));
    let read = io::copy(&mut limited, &mut writer).map_err(cannot)?;
    if read > INPUT_MESSAGE {
        return Err(Failure::new(format_args!(
            "{} is longer than the {INPUT_MESSAGE} octets that are read",
            path.display()
        )));
    }
    let kept = writer
        .finish()?
        .into_inner()
        .map_err(|error| error.into_error())?;
    Ok(FileContent::new(kept)?)
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

struct FileDraft(BufWriter<File>);

impl Shelf for FileShelf {
    fn create(&self) -> io::Result<Box<dyn Draft>> {
        let writer = BufWriter::with_capacity(FILE_BUFFER, nameless()?);
        Ok(Box::new(FileDraft(writer)))
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
        let file = self.0.into_inner().map_err(|error| error.into_error())?;
        Ok(Arc::new(FileContent::new(file)?))
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
    let mut out = BufWriter::with_capacity(FILE_BUFFER, out);
    parts.iter().try_for_each(|part| part.write_to(&mut out))?;
    out.flush()
}
