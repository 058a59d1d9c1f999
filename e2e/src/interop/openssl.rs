//! `openssl cms` in the matrix.

use super::cell::{Content, Encoding, Management, Scheme, Signature, SignedForm, Transport};
use super::peer::{Peer, Result, printed};
use super::people::People;
use crate::keys::{KeyKind, shown, words};
use crate::openssl::crlf;

/// The program `openssl`.
#[derive(Debug)]
pub struct OpenSsl(pub &'static People);

fn encoded(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Der => "-noindef",
        Encoding::Ber => "-stream",
    }
}

fn management_options(transport: Transport) -> String {
    match transport {
        Transport::Pkcs1 => String::new(),
        Transport::Oaep { digest, mask } => format!(
            "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:{digest} -keyopt rsa_mgf1_md:{mask}"
        ),
        Transport::Agreement { digest, cofactor } => format!(
            "-keyopt ecdh_kdf_md:{digest} -keyopt ecdh_cofactor_mode:{}",
            u8::from(cofactor)
        ),
    }
}

impl Peer for OpenSsl {
    fn name(&self) -> &'static str {
        "openssl"
    }

    fn sign(&self, entity: &[u8], how: &Signature, form: SignedForm, encoding: Encoding) -> Result {
        let own = self.0.of(how.key);
        let mut arguments = words("cms -sign -crlfeol -md");
        arguments.extend([how.digest, encoded(encoding)].map(str::to_owned));
        if form == SignedForm::Opaque {
            arguments.push("-nodetach".into());
        }
        arguments.extend(["-signer".into(), shown(&own.certificate)]);
        arguments.extend(["-inkey".into(), shown(&own.key)]);
        if how.scheme == Scheme::Pss {
            arguments.extend(words("-keyopt rsa_padding_mode:pss"));
        }
        Ok(crlf(&printed("openssl", &arguments, entity)?))
    }

    fn verify(&self, entity: &[u8], _signer: KeyKind, _: &[&str]) -> Result {
        let mut arguments = words("cms -verify -CAfile");
        arguments.push(shown(&self.0.root.certificate));
        printed("openssl", &arguments, entity)
    }

    fn encrypt(
        &self,
        entity: &[u8],
        how: &Management,
        content: &Content,
        encoding: Encoding,
    ) -> Result {
        let mut arguments = words("cms -encrypt -crlfeol");
        arguments.extend([format!("-{}", content.name), encoded(encoding).to_owned()]);
        arguments.extend(["-recip".into(), shown(&self.0.of(how.key).certificate)]);
        arguments.extend(words(&management_options(how.transport)));
        Ok(crlf(&printed("openssl", &arguments, entity)?))
    }

    fn decrypt(&self, entity: &[u8], own: KeyKind, _: &[&str]) -> Result {
        let own = self.0.of(own);
        let mut arguments = words("cms -decrypt -recip");
        arguments.extend([shown(&own.certificate), "-inkey".into(), shown(&own.key)]);
        printed("openssl", &arguments, entity)
    }
}
