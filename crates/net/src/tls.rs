//! TLS of both directions on rustls with AWS-LC: our certificate towards clients, and how a server's certificate is
//! judged when we are the client.

use std::path::Path;
use std::sync::Arc;

use ::aws_lc_rs::digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
#[cfg(test)]
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    ClientConfig, CommonState, DigitallySignedStruct, DistinguishedName, ProtocolVersion,
    RootCertStore, ServerConfig, SignatureScheme,
};
use sealgate_mail::smtp::server::TlsFacts;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why TLS could not be set up; each is the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no certificate or key in PEM form.
    #[error("{0} holds no usable PEM certificate or key: {1}; see [tls] in the configuration")]
    File(String, String),
    /// Certificate and key do not belong together, or their algorithm is not supported.
    #[error("certificate and key cannot be used: {0}")]
    Certificate(String),
}

/// How a server's certificate is judged.
#[derive(Clone, Debug)]
pub enum Verification {
    /// Any certificate: what opportunistic TLS can have without DANE or MTA-STS (RFC 3207 section 4.1, RFC 7435).
    Opportunistic,
    /// A certificate for the server's name, by a public authority or one of these (DER).
    Verified(Vec<CertificateDer<'static>>),
    /// A certificate for the server's name, by one of these (DER) and nobody else.
    Only(Vec<CertificateDer<'static>>),
}

/// Both kinds of connector, made once.
#[derive(Clone)]
pub struct ClientTls {
    /// Accepts any certificate.
    pub unverified: TlsConnector,
    /// Demands a certificate for the server's name.
    pub verified: TlsConnector,
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientTls")
    }
}

impl ClientTls {
    /// With `roots` (DER) trusted beside the public authorities.
    pub fn new(roots: Vec<CertificateDer<'static>>) -> Result<Self, TlsError> {
        Ok(Self {
            unverified: client_connector(&Verification::Opportunistic)?,
            verified: client_connector(&Verification::Verified(roots))?,
        })
    }
}

/// Our side of a connection we open.
pub fn client_connector(verification: &Verification) -> Result<TlsConnector, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(certificate)?;
    let config = match verification {
        Verification::Opportunistic => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
        Verification::Verified(roots) => builder
            .with_root_certificates(root_store(public_roots(), roots)?)
            .with_no_client_auth(),
        Verification::Only(roots) => builder
            .with_root_certificates(root_store(RootCertStore::empty(), roots)?)
            .with_no_client_auth(),
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The public authorities for server names.
fn public_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    store
}

/// `store`, and `roots`.
fn root_store(
    mut store: RootCertStore,
    roots: &[CertificateDer<'static>],
) -> Result<RootCertStore, TlsError> {
    for root in roots {
        store.add(root.clone()).map_err(certificate)?;
    }
    Ok(store)
}

/// Whether a client is asked for a certificate of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Not asked.
    NotAsked,
    /// Asked; it may have none. Any is taken that the client holds the key of: who it is, its fingerprint says.
    Asked,
}

/// Our side of a connection opened by a client, with the certificate chain and key of two PEM files.
pub fn acceptor_from_files(
    chain: &Path,
    key: &Path,
    client: ClientCertificate,
) -> Result<TlsAcceptor, TlsError> {
    let unusable = |path: &Path, error: rustls::pki_types::pem::Error| {
        TlsError::File(path.display().to_string(), error.to_string())
    };
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(chain).and_then(Iterator::collect);
    let certificates = certificates.map_err(|error| unusable(chain, error))?;
    if certificates.is_empty() {
        return Err(unusable(chain, rustls::pki_types::pem::Error::NoItemsFound));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error))?;
    acceptor(certificates, private, client).map_err(|error| match error {
        TlsError::Certificate(reason) => TlsError::Certificate(format!(
            "{} and {}: {reason}",
            chain.display(),
            key.display()
        )),
        other => other,
    })
}

/// The same from a chain and key at hand.
pub fn acceptor(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    client: ClientCertificate,
) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(certificate)?;
    let builder = match client {
        ClientCertificate::NotAsked => builder.with_no_client_auth(),
        ClientCertificate::Asked => {
            builder.with_client_cert_verifier(Arc::new(AnyCertificate(provider)))
        }
    };
    let config = builder.with_single_cert(chain, key).map_err(certificate)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// SHA-256 of the certificate that the client has shown to hold the key of.
pub fn client_fingerprint(connection: &CommonState) -> Option<[u8; 32]> {
    let certificate = connection.peer_certificates()?.first()?;
    let digest = digest::digest(&digest::SHA256, certificate.as_ref());
    digest.as_ref().try_into().ok()
}

/// A certificate for `name` signed by itself, with its P-256 key.
#[cfg(test)]
pub(crate) fn self_signed(
    name: &str,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), TlsError> {
    let made = rcgen::generate_simple_self_signed([name.to_owned()])
        .map_err(|error| TlsError::Certificate(error.to_string()))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok((made.cert.der().clone(), key.into()))
}

/// What trace fields say of a connection, once its handshake is done.
pub fn facts(connection: &CommonState) -> Option<TlsFacts> {
    let version = match connection.protocol_version()? {
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => "TLS",
    };
    let suite = connection.negotiated_cipher_suite()?.suite();
    // The registered names of TLS 1.3 suites carry no version (RFC 8446 appendix B.4).
    let cipher = suite
        .as_str()
        .unwrap_or("unknown")
        .replace("TLS13_", "TLS_");
    Some(TlsFacts {
        version: version.to_owned(),
        cipher,
    })
}

fn certificate(error: rustls::Error) -> TlsError {
    TlsError::Certificate(error.to_string())
}

/// Takes every certificate, but checks that the server holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
