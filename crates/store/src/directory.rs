//! The data directory: made private, kept private, and served by one gateway at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::error::StoreError;
use crate::limits::{BUSY_WAIT, OPENING_POLL};

/// The database in the data directory.
pub(crate) const DATABASE: &str = "sealgate.db";
const LOCK: &str = "serving.lock";

/// A directory being opened by this process alone. Directory and files that were made for a store that then could not
/// be opened are taken away again when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    directory: Option<PathBuf>,
    database: Option<PathBuf>,
    lock: Option<File>,
}

impl Opening {
    /// Everything went well: what was made stays, and others may open it, too.
    pub fn done(mut self) {
        self.directory = None;
        self.database = None;
        self.lock = None;
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(database) = &self.database {
            for end in ["", "-wal", "-shm", "-journal"] {
                let mut name = database.clone().into_os_string();
                name.push(end);
                let _ = fs::remove_file(name);
            }
        }
        if let Some(directory) = &self.directory {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Makes `directory` (mode 0700) and the database file (mode 0600) where they are missing, and sees to it that nobody
/// else may read them. Waits while another process opens the same directory.
pub(crate) async fn prepare(directory: &Path) -> Result<Opening, StoreError> {
    let mut opening = Opening::default();
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => opening.directory = Some(directory.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(problem(directory, &error)),
    }
    let about = fs::metadata(directory).map_err(|error| problem(directory, &error))?;
    if !about.is_dir() {
        return Err(problem(
            directory,
            &io::Error::from(io::ErrorKind::NotADirectory),
        ));
    }
    if about.permissions().mode() & 0o077 != 0 {
        may_be_taken(directory)?;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
            .map_err(|error| problem(directory, &error))?;
    }
    opening.lock = Some(wait_for_turn(directory).await?);
    let database = directory.join(DATABASE);
    match OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&database)
    {
        Ok(_) => opening.database = Some(database),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(&database)
                .map_err(|error| problem(&database, &error))?;
        }
        Err(error) => return Err(problem(directory, &error)),
    }
    Ok(opening)
}

/// A directory that others use, such as one of the system, is never made private.
fn may_be_taken(directory: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| problem(directory, &error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(DATABASE) || [LOCK, "lost+found"].contains(&name.as_ref()) {
            continue;
        }
        return Err(StoreError::Directory {
            path: directory.to_owned(),
            problem: format!(
                "others may read it, and it holds {name}: name a directory that is for this program alone"
            ),
        });
    }
    Ok(())
}

/// The lock on the directory itself: a new database is made by one process while the others wait.
async fn wait_for_turn(directory: &Path) -> Result<File, StoreError> {
    let file = File::open(directory).map_err(|error| problem(directory, &error))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < BUSY_WAIT => {
                tokio::time::sleep(OPENING_POLL).await
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::Busy),
            Err(TryLockError::Error(error)) => return Err(problem(directory, &error)),
        }
    }
}

/// Makes new directory entries durable.
pub(crate) fn sync(directory: &Path) -> Result<(), StoreError> {
    let sync = |path: &Path| {
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|error| problem(path, &error))
    };
    sync(directory)?;
    match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync(parent),
        _ => Ok(()),
    }
}

/// The lock of the one serving process; the system gives it back when the process ends, however it ends.
pub(crate) fn lock(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join(LOCK);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| problem(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::AlreadyServed(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(problem(&path, &error)),
    }
}

fn problem(path: &Path, error: &io::Error) -> StoreError {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => ": give it to the user this program runs as",
        io::ErrorKind::NotFound => ": make the directory above it first",
        io::ErrorKind::ReadOnlyFilesystem => ": the file system is mounted read-only",
        io::ErrorKind::StorageFull => ": make room first",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            ": name a directory that this program may own"
        }
        _ => "",
    };
    StoreError::Directory {
        path: path.to_owned(),
        problem: format!("{error}{hint}"),
    }
}
