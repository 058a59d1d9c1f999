//! Where the files of a run lie.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failed;

/// A directory for the files of one run, removed with them.
pub struct Place(PathBuf);

impl Place {
    /// A new one below the directory for temporary files.
    pub fn new() -> Result<Self, Failed> {
        let name = format!("sealgate-bench-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
