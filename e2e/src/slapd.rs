//! OpenLDAP's server on loopback: a directory of a partner, filled by the test.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::keys::{Identity, shown};
use crate::place::{Directory, PATIENCE, free_address};
use crate::program::must_run;

/// Where everything lies.
pub const BASE: &str = "dc=partner,dc=example";
/// Who may read and change everything.
pub const ADMIN: &str = "cn=admin,dc=partner,dc=example";
/// The password of [`ADMIN`].
pub const PASSWORD: &str = "secret of the directory";
/// How long it may take to answer its first connection.
const START: Duration = PATIENCE;

/// The programs it needs.
pub const PROGRAMS: [&str; 4] = ["slapd", "slapadd", "ldapmodify", "openssl"];

/// The running server; it ends when dropped.
#[derive(Debug)]
pub struct Slapd {
    /// Without TLS, and with StartTLS.
    pub plain: SocketAddr,
    /// With TLS from the first octet.
    pub tls: SocketAddr,
    child: Child,
    directory: Directory,
}

impl Slapd {
    /// Starts one with these entries; only [`ADMIN`] may read them. Its certificate is of `server`.
    pub fn start(server: &Identity, entries: &[Entry]) -> Self {
        let directory = Directory::new("slapd");
        let data = directory.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let settings = directory.file("slapd.conf", settings(directory.path(), server));
        let mut ldif = format!(
            "dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: partner\no: Partner\n\n"
        );
        entries
            .iter()
            .for_each(|entry| ldif.push_str(&entry.ldif()));
        let file = directory.file("data.ldif", ldif);
        let arguments = ["-f", &shown(&settings), "-l", &shown(&file)];
        must_run("slapadd", &arguments, b"");
        let (plain, tls) = (free_address(), free_address());
        let places = format!("ldap://{plain} ldaps://{tls}");
        let child = Command::new("slapd")
            .args(["-d", "0", "-f", &shown(&settings), "-h", &places])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + START;
        while TcpStream::connect(tls).is_err() {
            assert!(Instant::now() < end, "slapd does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            plain,
            tls,
            child,
            directory,
        }
    }

    /// Changes something, in the words of LDIF.
    pub fn change(&self, ldif: &str) {
        let file = self.directory.file("change.ldif", ldif);
        let place = format!("ldap://{}", self.plain);
        let arguments = [
            "-x",
            "-H",
            &place,
            "-D",
            ADMIN,
            "-w",
            PASSWORD,
            "-f",
            &shown(&file),
        ];
        must_run("ldapmodify", &arguments, b"");
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn settings(directory: &Path, server: &Identity) -> String {
    let mut text = String::new();
    for schema in ["core", "cosine", "inetorgperson"] {
        writeln!(text, "include /etc/ldap/schema/{schema}.schema").unwrap();
    }
    for (word, path) in [
        ("pidfile", directory.join("pid")),
        ("TLSCertificateFile", server.certificate.clone()),
        ("TLSCertificateKeyFile", server.key.clone()),
    ] {
        writeln!(text, "{word} {}", shown(&path)).unwrap();
    }
    write!(
        text,
        "modulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\nmaxsize 67108864\nsuffix {BASE:?}\n\
         rootdn {ADMIN:?}\nrootpw {PASSWORD:?}\ndirectory {}\naccess to * by * none\n",
        shown(&directory.join("data"))
    )
    .unwrap();
    text
}

/// A person in the directory.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Name, unique in the directory.
    pub name: String,
    /// Address.
    pub mail: String,
    /// Attribute names with values.
    pub values: Vec<(&'static str, Vec<u8>)>,
}

impl Entry {
    /// With a certificate (DER) as RFC 4523 has it.
    pub fn new(name: &str, mail: &str, certificate: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            mail: mail.to_owned(),
            values: vec![("userCertificate;binary", certificate.to_vec())],
        }
    }

    fn ldif(&self) -> String {
        let Self { name, mail, .. } = self;
        let mut text = format!(
            "dn: cn={name},{BASE}\nobjectClass: inetOrgPerson\ncn: {name}\nsn: {name}\nmail: {mail}\n"
        );
        for (attribute, value) in &self.values {
            let encoded = must_run("openssl", &["base64", "-A"], value);
            let encoded = String::from_utf8(encoded).unwrap();
            writeln!(text, "{attribute}:: {}", encoded.trim()).unwrap();
        }
        text + "\n"
    }
}
