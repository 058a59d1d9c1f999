//! The foreign programs the tests talk to: where they come from, and how a missing one is provided.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Place;

/// A program or a file of the Debian distribution, and the package that brings it.
struct Program {
    /// A name on the path, or a path of its own.
    name: &'static str,
    package: &'static str,
}

const DEBIAN: &[Program] = &[
    debian("openssl", "openssl"),
    debian("certutil", "libnss3-tools"),
    debian("pk12util", "libnss3-tools"),
    debian("cmsutil", "libnss3-tools"),
    debian("gpgsm", "gpgsm"),
    debian("gpgconf", "gpgconf"),
    // The compiler is part of it: the Bouncy Castle peer is run from its source.
    debian("javac", "default-jdk-headless"),
    debian("/usr/share/java/bcprov.jar", "libbcprov-java"),
    debian("/usr/share/java/bcutil.jar", "libbcutil-java"),
    debian("/usr/share/java/bcpkix.jar", "libbcpkix-java"),
    debian("swaks", "swaks"),
    debian("softhsm2-util", "softhsm2"),
    debian("pkcs11-tool", "opensc"),
    debian("strace", "strace"),
    debian("faketime", "faketime"),
    debian("ip", "iproute2"),
    debian("unshare", "util-linux"),
    debian("python3", "python3"),
    debian("/usr/sbin/slapd", "slapd"),
    debian("/usr/sbin/slapadd", "slapd"),
    debian("ldapmodify", "ldap-utils"),
    debian("/usr/sbin/knotd", "knot"),
    debian("/usr/sbin/keymgr", "knot"),
    debian("kzonesign", "knot-dnssecutils"),
    debian("/usr/bin/chromium", "chromium"),
    // Chromium draws no text without a font.
    debian(
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "fonts-dejavu-core",
    ),
    debian("node", "nodejs"),
    debian("npm", "npm"),
];

const fn debian(name: &'static str, package: &'static str) -> Program {
    Program { name, package }
}

/// Brings Python's `venv` module, which Debian packs apart from Python.
const VENV_PACKAGE: &str = "python3-venv";
/// Python packages of the tests, with their versions: a foreign DKIM signer and verifier, with what it needs for
/// Ed25519; a linter of certificates, lists and OCSP answers; an ACME server; a tester of the API by its description.
const PYTHON_PACKAGES: &[&str] = &[
    "dkimpy==1.1.8",
    "PyNaCl==1.6.2",
    "pkilint==0.13.3",
    "acme2certifier==0.46.3",
    "schemathesis==4.32.5",
];
/// What the browser tests need of npm, with its lock file: what drives the browser, and what judges pages for everybody's use.
const NPM_FILES: &[&str] = &["package.json", "package-lock.json"];
/// The licence checker: its crate and version. It builds with the pinned toolchain in about two minutes.
const CARGO_DENY: (&str, &str) = ("cargo-deny", "0.20.2");

/// Provides what is missing. Gives notes on what was installed, and a line for each thing still missing.
pub fn provide(place: &Place, limit: Duration) -> (Vec<String>, Vec<String>) {
    let mut notes = Vec::new();
    let mut missing = Vec::new();
    for result in [
        provide_debian(place, limit),
        provide_python(place, limit),
        provide_npm(place, limit),
        provide_cargo_deny(place, limit),
    ] {
        match result {
            Ok(Some(note)) => notes.push(note),
            Ok(None) => {}
            Err(reason) => missing.push(reason),
        }
    }
    (notes, missing)
}

fn provide_debian(place: &Place, limit: Duration) -> Result<Option<String>, String> {
    let packages = missing_packages();
    if packages.is_empty() {
        return Ok(None);
    }
    let list = packages.join(" ");
    if !(place.install && is_root() && on_path("apt-get")) {
        return Err(format!("missing, install the Debian packages: {list}"));
    }
    println!("installing Debian packages: {list}");
    apt(place, &["update"], limit)?;
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages.iter().copied());
    apt(place, &arguments, limit)?;
    Ok(Some(format!("installed Debian packages: {list}")))
}

fn missing_packages() -> Vec<&'static str> {
    let mut packages: Vec<&str> = DEBIAN
        .iter()
        .filter(|one| !is_there(one.name))
        .map(|one| one.package)
        .collect();
    packages.dedup();
    packages
}

fn apt(place: &Place, arguments: &[&str], limit: Duration) -> Result<(), String> {
    let job = place
        .job("apt", "apt-get", arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    job.run(limit)?;
    Ok(())
}

/// The Python that has the tests' packages; the plain one while there is none.
pub fn python(place: &Place) -> PathBuf {
    let own = place.target.join("venv/bin/python3");
    if own.exists() { own } else { "python3".into() }
}

fn provide_python(place: &Place, limit: Duration) -> Result<Option<String>, String> {
    let list = PYTHON_PACKAGES.join(" ");
    let directory = place.target.join("venv");
    let stamp = directory.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == list) {
        return Ok(None);
    }
    if !place.install {
        return Err(format!("missing Python packages: {list}"));
    }
    println!(
        "installing Python packages into {}: {list}",
        directory.display()
    );
    let path = directory.to_string_lossy().into_owned();
    let make = || {
        place
            .job("venv", "python3", &["-m", "venv", &path])
            .run(limit)
    };
    if make().is_err() {
        if is_root() && on_path("apt-get") {
            println!("installing Debian packages: {VENV_PACKAGE}");
            apt(
                place,
                &["install", "--yes", "--no-install-recommends", VENV_PACKAGE],
                limit,
            )?;
        }
        make()?;
    }
    let mut arguments = vec!["-m", "pip", "install", "--quiet"];
    arguments.extend(PYTHON_PACKAGES);
    let interpreter = python(place).to_string_lossy().into_owned();
    place.job("pip", &interpreter, &arguments).run(limit)?;
    std::fs::write(&stamp, &list).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(Some(format!("installed Python packages: {list}")))
}

/// Where the packages of npm lie.
pub fn npm(place: &Place) -> PathBuf {
    place.target.join("npm/node_modules")
}

fn provide_npm(place: &Place, limit: Duration) -> Result<Option<String>, String> {
    let (from, to) = (place.root.join("e2e/browser"), place.target.join("npm"));
    let same = |name: &&str| {
        let read = |directory: &Path| std::fs::read(directory.join(name)).ok();
        read(&from).is_some() && read(&from) == read(&to)
    };
    // npm writes this file last.
    let done = npm(place).join(".package-lock.json");
    if NPM_FILES.iter().all(same) && done.is_file() {
        return Ok(None);
    }
    if !place.install {
        return Err("missing npm packages of e2e/browser".to_owned());
    }
    println!("installing npm packages into {}", to.display());
    let copied = std::fs::create_dir_all(&to).and_then(|()| {
        NPM_FILES
            .iter()
            .try_for_each(|name| std::fs::copy(from.join(name), to.join(name)).map(|_| ()))
    });
    copied.map_err(|error| format!("{}: {error}", to.display()))?;
    let prefix = to.to_string_lossy().into_owned();
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let arguments = [&arguments[..], &["--prefix", &prefix]].concat();
    place.job("npm", "npm", &arguments).run(limit)?;
    Ok(Some("installed npm packages of e2e/browser".to_owned()))
}

/// Path of the licence checker in the target directory, if it was built there.
pub fn cargo_deny(place: &Place) -> Option<String> {
    let path = place.target.join("tools/bin/cargo-deny");
    path.exists().then(|| path.to_string_lossy().into_owned())
}

fn provide_cargo_deny(place: &Place, limit: Duration) -> Result<Option<String>, String> {
    let (name, version) = CARGO_DENY;
    if cargo_deny(place).is_some() {
        return Ok(None);
    }
    if !place.install {
        return Err(format!(
            "missing {name} {version}: cargo install --locked {name}"
        ));
    }
    println!(
        "building {name} {version} in {}",
        place.target.join("tools").display()
    );
    let root = place.target.join("tools").to_string_lossy().into_owned();
    let arguments = [
        "install",
        "--locked",
        name,
        "--version",
        version,
        "--no-default-features",
        "--root",
        &root,
    ];
    place.cargo("cargo-deny", &arguments).run(limit)?;
    Ok(Some(format!("built {name} {version}")))
}

fn is_there(name: &str) -> bool {
    Path::new(name).is_absolute() && Path::new(name).is_file() || on_path(name)
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Whether this process may install packages: it owns what it creates as user 0.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|data| data.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_searched() {
        assert!(on_path("sh"));
        assert!(!on_path("no-such-program-here"));
        assert!(is_there("/proc/self/status") && is_there("sh"));
        assert!(!is_there("/no/such/file.jar"));
    }

    #[test]
    fn python_packages_are_pinned() {
        assert!(PYTHON_PACKAGES.iter().all(|one| one.contains("==")));
    }
}
