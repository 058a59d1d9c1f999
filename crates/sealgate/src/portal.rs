//! The portal's web server, part of `serve` where the configuration asks for it.

use std::sync::Arc;

use hyper_util::service::TowerToHyperService;
use sealgate_net::limits::{
    PORTAL_CONNECTION_WAIT, PORTAL_CONNECTIONS, PORTAL_CONNECTIONS_PER_ADDRESS, PORTAL_HEADER_WAIT,
};
use sealgate_net::tls::{self, ClientCertificate};
use sealgate_net::web::{self, Door};
use sealgate_portal::{Portal, routes};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::cmd::Failure;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::office::PortalOffice;
use crate::serve::Listening;

/// The portal's certificate, if one is configured.
pub fn acceptor(config: &Config) -> Result<Option<TlsAcceptor>, Failure> {
    let portal = config.portal.as_ref();
    let files = portal.and_then(|own| own.certificate.as_ref().zip(own.key.as_ref()));
    let acceptor =
        files.map(|(chain, key)| tls::acceptor_from_files(chain, key, ClientCertificate::NotAsked));
    Ok(acceptor.transpose()?)
}

/// Starts a server on each of `sockets`.
pub fn start(
    gateway: &Arc<Gateway>,
    tls: Option<&TlsAcceptor>,
    sockets: Vec<TcpListener>,
) -> Result<Vec<Listening>, Failure> {
    let Some(own) = &gateway.config.portal else {
        return Ok(Vec::new());
    };
    let office = PortalOffice::new(gateway);
    let settings = own.settings().map_err(Failure::new)?;
    let portal = Portal::new(Arc::new(office), settings);
    let service = TowerToHyperService::new(routes::router(portal));
    let listening = |socket: TcpListener| {
        let address = socket.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let door = Door {
            connections: PORTAL_CONNECTIONS,
            per_address: PORTAL_CONNECTIONS_PER_ADDRESS,
            proxies: own.trusted_proxies.clone(),
            header_wait: PORTAL_HEADER_WAIT,
            connection_wait: PORTAL_CONNECTION_WAIT,
        };
        let served = web::serve(socket, (door, tls.cloned()), service.clone(), stopped);
        Ok(Listening::new(address, stop, tokio::spawn(served)))
    };
    sockets.into_iter().map(listening).collect()
}
