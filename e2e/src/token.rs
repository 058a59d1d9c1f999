//! A PKCS #11 token for tests: SoftHSM, with a directory of its own, that can be taken away and brought back.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::keys::{Identity, shown, words};
use crate::place::skip;
use crate::program::{must_run, present};

/// Where Debian puts the library.
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// The user's PIN.
const PIN: &str = "4711-sealed";

/// A token called `hsm` in the gateway's configuration and `sealgate` by its label.
#[derive(Debug)]
pub struct Token {
    directory: PathBuf,
}

impl Token {
    /// Makes one below `directory`; `None` if SoftHSM is not installed.
    pub fn make(directory: &Path) -> Option<Self> {
        if !present(&["softhsm2-util", "pkcs11-tool"]) {
            return None;
        }
        if !Path::new(MODULE).is_file() {
            skip("SoftHSM has no library");
            return None;
        }
        let token = Self {
            directory: directory.to_owned(),
        };
        std::fs::create_dir(token.objects()).unwrap();
        let settings = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            shown(&token.objects())
        );
        std::fs::write(token.settings(), settings).unwrap();
        let pin = directory.join("pin");
        std::fs::write(&pin, format!("{PIN}\n")).unwrap();
        std::fs::set_permissions(&pin, Permissions::from_mode(0o600)).unwrap();
        token.util("--init-token --free --label sealgate --so-pin 87654321");
        Some(token)
    }

    fn objects(&self) -> PathBuf {
        self.directory.join("tokens")
    }

    fn settings(&self) -> PathBuf {
        self.directory.join("softhsm.conf")
    }

    /// What the program's environment needs.
    pub fn environment(&self) -> String {
        format!("SOFTHSM2_CONF={}", shown(&self.settings()))
    }

    /// What the gateway's configuration needs.
    pub fn configuration(&self) -> String {
        let pin = shown(&self.directory.join("pin"));
        format!(
            "[[token]]\nname = \"hsm\"\nmodule = {MODULE:?}\nlabel = \"sealgate\"\npin-file = {pin:?}\n"
        )
    }

    /// Runs SoftHSM's own program.
    fn util(&self, line: &str) {
        let mut arguments = vec![self.environment(), "softhsm2-util".to_owned()];
        arguments.extend(words(line));
        arguments.extend(["--pin".to_owned(), PIN.to_owned()]);
        must_run("env", &arguments, b"");
    }

    /// Puts a private key on it under a CKA_ID in hexadecimal.
    pub fn import(&self, identity: &Identity, id: &str) {
        let file = self.directory.join(format!("{id}.der"));
        let key = shown(&identity.key);
        let der = ["pkey", "-outform", "DER", "-in", &key];
        std::fs::write(&file, must_run("openssl", &der, b"")).unwrap();
        let line = format!(
            "pkcs11-tool --module {MODULE} --token-label sealgate --login --write-object {} --type privkey \
             --label imported --id {id} --usage-sign --usage-decrypt --usage-derive --pin {PIN}",
            shown(&file)
        );
        let arguments = [vec![self.environment()], words(&line)].concat();
        must_run("env", &arguments, b"");
        std::fs::remove_file(file).unwrap();
    }

    /// Takes it away, as if it was pulled out.
    pub fn take_away(&self) {
        std::fs::rename(self.objects(), self.directory.join("taken-away")).unwrap();
        std::fs::create_dir(self.objects()).unwrap();
    }

    /// Brings it back.
    pub fn bring_back(&self) {
        std::fs::remove_dir_all(self.objects()).unwrap();
        std::fs::rename(self.directory.join("taken-away"), self.objects()).unwrap();
    }
}
