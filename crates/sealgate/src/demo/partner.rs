//! The partner of the demo: somebody outside with a certificate of its own, who writes and reads S/MIME without the gateway.

use std::sync::Arc;

use rand_core::RngCore;
use sealgate_mail::message::Message;
use sealgate_mail::{Address, Source, Timestamp};
use sealgate_net::ca::builtin::{self, Ca};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::{Decryption, KeyPair, decrypt};
use sealgate_smime::encrypt::{self, EncryptTo};
use sealgate_smime::key::{KeyKind, PrivateKey};
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::sign::{self, Form, Signer};
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{VerifyInput, verify};

use crate::cmd::Failure;
use crate::gateway::now;
use crate::random::SystemRandom;

/// Somebody with a key pair and the authority that certified it.
pub struct Partner {
    /// Its address.
    pub address: Address,
    /// Its pair.
    pub pair: KeyPair,
    ca: Arc<Ca>,
}

impl Partner {
    /// Makes an authority of the partner's own, `days` old, and a certificate by it.
    pub fn make(name: &str, address: &str, days: i64) -> Result<Self, Failure> {
        let address = Address::parse(address)?;
        let ca = Arc::new(builtin::make_ca(name, None, days_ago(days))?);
        let key = PrivateKey::generate(KeyKind::P256)?;
        let certificate = builtin::issue(&ca, None, &address, key.spki_der(), now())?;
        Ok(Self {
            address,
            pair: KeyPair { certificate, key },
            ca,
        })
    }

    /// Somebody else whom the same authority certifies.
    pub fn colleague(&self, address: &str) -> Result<Self, Failure> {
        let address = Address::parse(address)?;
        let pair = self.certify(&address, 0)?;
        Ok(Self {
            address,
            pair,
            ca: self.ca.clone(),
        })
    }

    /// A pair for `address` whose certificate was issued so many days ago.
    pub fn certify(&self, address: &Address, days: i64) -> Result<KeyPair, Failure> {
        let key = PrivateKey::generate(KeyKind::P256)?;
        let certificate = builtin::issue(&self.ca, None, address, key.spki_der(), days_ago(days))?;
        Ok(KeyPair { certificate, key })
    }

    /// The certificate of the authority that certifies.
    pub fn issuing(&self) -> &Certificate {
        &self.ca.issuing_certificate
    }

    /// The root that the organisation is told to trust.
    pub fn root(&self) -> &Certificate {
        &self.ca.root_certificate
    }

    /// A mail with `text`, clear-signed.
    pub fn signed(&self, to: &str, subject: &str, text: &str) -> Result<Vec<u8>, Failure> {
        let entity = plain_entity(text);
        let chain = [self.ca.issuing_certificate.clone()];
        let signer = Signer {
            key: &self.pair.key,
            certificate: &self.pair.certificate,
            chain: &chain,
            rsa_signature: Default::default(),
        };
        let signed = sign::sign(&entity, Form::Clear, signer, now(), &mut SystemRandom)?;
        under(
            &fields(self.address.to_string().as_str(), to, subject),
            &signed,
        )
    }

    /// A mail with `text`, signed and then encrypted to `to`.
    pub fn sealed(
        &self,
        to: &str,
        subject: &str,
        text: &str,
        for_whom: &Certificate,
    ) -> Result<Vec<u8>, Failure> {
        let entity = plain_entity(text);
        let chain = [self.ca.issuing_certificate.clone()];
        let signer = Signer {
            key: &self.pair.key,
            certificate: &self.pair.certificate,
            chain: &chain,
            rsa_signature: Default::default(),
        };
        let signed = sign::sign(&entity, Form::Clear, signer, now(), &mut SystemRandom)?;
        let enveloped = encrypt::encrypt(
            &signed,
            &[EncryptTo::new(for_whom)],
            Default::default(),
            &mut SystemRandom,
        )?;
        under(
            &fields(self.address.to_string().as_str(), to, subject),
            &enveloped,
        )
    }

    /// Decrypts a mail as the partner's mail client would.
    pub fn open(&self, mail: &[u8]) -> Result<Vec<u8>, String> {
        let message = Message::read(&mail).map_err(|error| error.to_string())?;
        let mut opened = message.outer_fields();
        match decrypt(
            &message,
            &[&self.pair],
            sealgate_smime::algorithms::Switches::default(),
            &mut opened,
        )
        .map_err(|error| error.to_string())?
        {
            Decryption::Opened { .. } => Ok(opened),
            _ => Err("the partner cannot decrypt it".to_owned()),
        }
    }
}

fn days_ago(days: i64) -> Timestamp {
    now().plus(-days * 86_400)
}

/// The verdict on the signature of `mail`, judged by `root` alone.
pub fn signature(mail: &[u8], root: &Certificate) -> Result<SignatureVerdict, String> {
    let message = Message::read(&mail).map_err(|error| error.to_string())?;
    let from = message.single_from().map(|mailbox| mailbox.address);
    let anchors = TrustAnchors::new(vec![root.clone()]);
    let input = VerifyInput {
        anchors: &anchors,
        at: now(),
        from: from.as_ref(),
        date: None,
        known: &[],
        switches: sealgate_smime::algorithms::Switches::default(),
        exact_local_parts: false,
    };
    Ok(verify(&message, &input)
        .map_err(|error| error.to_string())?
        .verdict)
}

/// A mail with `text`, neither signed nor encrypted.
pub fn plain(from: &str, to: &str, subject: &str, text: &str) -> Vec<u8> {
    let mut mail = fields(from, to, subject).into_bytes();
    mail.extend(plain_entity(text));
    mail
}

fn plain_entity(text: &str) -> Vec<u8> {
    format!("Content-Type: text/plain; charset=us-ascii\r\n\r\n{text}\r\n").into_bytes()
}

fn fields(from: &str, to: &str, subject: &str) -> String {
    let mut octets = [0; 12];
    SystemRandom.fill_bytes(&mut octets);
    let id: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let date = now().rfc5322();
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: <{id}@demo.example>\r\nMIME-Version: 1.0\r\n"
    )
}

fn under(fields: &str, entity: &dyn Source) -> Result<Vec<u8>, Failure> {
    let mut mail = fields.as_bytes().to_vec();
    entity.write_to(&mut mail)?;
    Ok(mail)
}
