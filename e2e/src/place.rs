//! Directories and ports of a test: its own, and gone afterwards unless the test failed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A directory below `target/e2e`, removed at the end unless the test panics or `SEALGATE_E2E_KEEP` is set.
#[derive(Debug)]
pub struct Directory(PathBuf);

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Directory {
    /// Makes a new one whose name begins with `name`.
    pub fn new(name: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let own = format!("{name}-{}-{number}", std::process::id());
        let path = workspace().join("target/e2e").join(own);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it and gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let keep = std::thread::panicking() || std::env::var_os("SEALGATE_E2E_KEEP").is_some();
        if keep {
            println!("kept: {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// How long a test waits for what comes by itself, such as a delivery, an order or the start of a program: so long that a
/// busy machine does not make it fail. It looks again and again, so that only what never comes takes so long.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The workspace root.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Ports handed out here: below those the system gives to connections and to listeners on port 0, so that none of
/// them takes a port between its choice and the program's start.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// A loopback address whose port is free, and given to no other test of this process.
pub fn free_address() -> SocketAddr {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    let first = std::process::id().wrapping_mul(97);
    for _ in 0..count {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        let offset = u16::try_from(first.wrapping_add(given) % count).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORTS.start + offset));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port is free from {} to {}", PORTS.start, PORTS.end);
}

/// Says that a test did not run because something outside is missing. In CI nothing may be missing.
pub fn skip(reason: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "in CI nothing may be skipped: {reason}"
    );
    println!("skipped: {reason}");
}
