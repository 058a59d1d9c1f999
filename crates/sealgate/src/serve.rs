//! Start and stop order. Start: store, lock, configuration, listeners, queue. Stop: all at once, within one time.

use std::net::SocketAddr;
use std::sync::Arc;

use sealgate_mail::Domain;
use sealgate_mail::smtp::server::{Listener, ServerConfig};
use sealgate_net::smtp_in::{self, Gate, InConfig};
use sealgate_net::smtp_out::OwnListeners;
use sealgate_net::tls::{self, ClientCertificate};
use sealgate_store::{Serving, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::cmd::{Done, Failure};
use crate::config::Config;
use crate::gateway::Gateway;
use crate::limits::{CLOSE_GRACE, SIZE_LIMIT, STOP_GRACE};
use crate::office::bulk;
use crate::worker::Reception;
use crate::{dkim, keys_asked, orders, portal, publish, scheduler, webhooks};

/// A running gateway.
pub struct Running {
    /// What its tasks share.
    pub gateway: Arc<Gateway>,
    /// Its inbound listeners.
    pub inbound: Vec<Listening>,
    /// Its outbound listeners.
    pub outbound: Vec<Listening>,
    /// The listeners of the built-in CA's web server.
    pub publish: Vec<Listening>,
    /// The listeners of the portal.
    pub portal: Vec<Listening>,
    queue: (watch::Sender<bool>, JoinHandle<()>),
    orders: JoinHandle<()>,
    /// What goes on beside the queue, and may be cut off at any time.
    background: Vec<JoinHandle<()>>,
    _lock: Serving,
}

/// A listener with its sessions.
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Listening {
    /// A task that listens on `address` until `stop` changes.
    pub fn new(address: SocketAddr, stop: watch::Sender<bool>, task: JoinHandle<()>) -> Self {
        Self {
            address,
            stop,
            task,
        }
    }

    /// Lets nobody new in, finishes mails on their way in.
    pub async fn stop(self) {
        self.begin_stop();
        self.stopped(Instant::now() + STOP_GRACE).await;
    }

    fn begin_stop(&self) {
        // No receiver is left if the listener has ended by itself; then there is nothing to stop.
        let _ = self.stop.send(true);
    }

    async fn stopped(self, end: Instant) {
        if timeout_at(end, self.task).await.is_err() {
            tracing::warn!(address = %self.address, "a listener did not stop in time");
        }
    }
}

impl Running {
    /// Stops listeners and queue. They share one time, so that a peer that hangs costs it once.
    pub async fn stop(self) {
        let end = Instant::now() + STOP_GRACE;
        let mail = self.inbound.into_iter().chain(self.outbound);
        let web = self.publish.into_iter().chain(self.portal);
        let listeners: Vec<_> = mail.chain(web).collect();
        listeners.iter().for_each(Listening::begin_stop);
        let (stop, task) = self.queue;
        let _ = stop.send(true);
        self.gateway.close_idle().await;
        for listener in listeners {
            listener.stopped(end).await;
        }
        if timeout_at(end, task).await.is_err() {
            tracing::warn!(
                "deliveries were cut off by the stop; they are repeated at the next start"
            );
        }
        if timeout_at(end, self.orders).await.is_err() {
            tracing::warn!("orders were cut off by the stop; the next start goes on with them");
        }
        self.gateway.close_idle().await;
        self.background.iter().for_each(JoinHandle::abort);
        if let Err(error) = self.gateway.store.report_stopped().await {
            tracing::warn!(%error, "the stop was not recorded");
        }
    }
}

impl Gateway {
    /// Ends sessions with next hops that wait for the next mail. Peers that do not answer QUIT lose nothing.
    async fn close_idle(&self) {
        let _ = timeout(CLOSE_GRACE, self.smtp_out.close_idle()).await;
    }
}

/// `serve`: runs until a signal asks to stop.
pub async fn serve(config: &Config) -> Done {
    start_log();
    // Before anybody can see that we run: who sees it may ask us to stop.
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let entrances = Entrances::open(config).await?;
    let store = crate::gateway::open_store(config).await?;
    if let Some(source) = store.rotation_under_way().await? {
        tracing::warn!(
            source,
            "a rotation of the master key was begun and not finished: stop the gateway and run `sealgate master-key rotate` again"
        );
    }
    let tokens = store.tokens().clone();
    for state in tokio::task::spawn_blocking(move || tokens.states()).await? {
        if let Some(problem) = state.problem {
            tracing::warn!(problem, "keys on this token cannot be used now");
        }
    }
    let running = start(config.clone(), store, entrances).await?;
    let mail = running.inbound.iter().chain(&running.outbound);
    let web = running.publish.iter().chain(&running.portal);
    for listener in mail.chain(web) {
        tracing::info!(address = %listener.address, "listening");
    }
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

/// Starts a gateway on `store`.
pub async fn start(config: Config, store: Store, entrances: Entrances) -> Result<Running, Failure> {
    let Entrances { sockets, tls } = entrances;
    let lock = store.lock_for_serving(crate::gateway::now()).await?;
    let gateway = Arc::new(Gateway::new(config, store).await?);
    let publish = publish::start(&gateway.store, &gateway.config, sockets.publish).await?;
    let portal = portal::start(&gateway, tls.2.as_ref(), sockets.portal)?;
    let reception = Arc::new(Reception(Arc::clone(&gateway)));
    let listening = |listener: TcpListener, which| {
        let server = server_config(&gateway.config.hostname, which, gateway.config.size_limit);
        let tls = match which {
            Listener::Inbound => tls.0.clone(),
            Listener::Outbound => tls.1.clone(),
        };
        run(listener, InConfig::new(server, tls), Arc::clone(&reception))
    };
    let inbound = sockets
        .inbound
        .into_iter()
        .map(|socket| listening(socket, Listener::Inbound));
    let inbound: Vec<Listening> = inbound.collect::<Result<_, _>>()?;
    let outbound = sockets
        .outbound
        .into_iter()
        .map(|socket| listening(socket, Listener::Outbound));
    let outbound: Vec<Listening> = outbound.collect::<Result<_, _>>()?;
    let addresses = |own: &[Listening]| own.iter().map(|one| one.address).collect();
    gateway.smtp_out.has_listeners(OwnListeners {
        inbound: addresses(&inbound),
        outbound: addresses(&outbound),
        names: gateway.config.gateway_names(),
    });
    let (stop, stopped) = watch::channel(false);
    let orders = tokio::spawn(orders::run(Arc::clone(&gateway), stopped.clone()));
    let background = vec![
        tokio::spawn(Arc::clone(&gateway).follow_configuration()),
        tokio::spawn(keys_asked::run(Arc::clone(&gateway), stopped.clone())),
        tokio::spawn(dkim::run(Arc::clone(&gateway), stopped.clone())),
        tokio::spawn(webhooks::run(Arc::clone(&gateway), stopped.clone())),
        tokio::spawn(bulk::run(Arc::clone(&gateway), stopped.clone())),
    ];
    let queue = (
        stop,
        tokio::spawn(scheduler::run(Arc::clone(&gateway), stopped)),
    );
    Ok(Running {
        gateway,
        inbound,
        outbound,
        publish,
        portal,
        queue,
        orders,
        background,
        _lock: lock,
    })
}

/// What a gateway needs from the machine beside its store: had first, so that nothing is written where it is missing.
pub struct Entrances {
    sockets: Sockets,
    tls: (
        Option<TlsAcceptor>,
        Option<TlsAcceptor>,
        Option<TlsAcceptor>,
    ),
}

impl Entrances {
    /// Reads the certificates that the configuration names and takes its ports.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        crate::gateway::roots(config)?;
        let tls = (
            acceptor(config, Listener::Inbound)?,
            acceptor(config, Listener::Outbound)?,
            portal::acceptor(config)?,
        );
        let sockets = Sockets::bind(config).await?;
        Ok(Self { sockets, tls })
    }
}

struct Sockets {
    inbound: Vec<TcpListener>,
    outbound: Vec<TcpListener>,
    publish: Vec<TcpListener>,
    portal: Vec<TcpListener>,
}

impl Sockets {
    async fn bind(config: &Config) -> Result<Self, Failure> {
        let mut sockets = Self {
            inbound: Vec::new(),
            outbound: Vec::new(),
            publish: Vec::new(),
            portal: Vec::new(),
        };
        for address in &config.listen.inbound {
            sockets.inbound.push(bind(*address).await?);
        }
        for address in &config.listen.outbound {
            sockets.outbound.push(bind(*address).await?);
        }
        for address in config.publish.iter().flat_map(|publish| &publish.listen) {
            sockets.publish.push(bind(*address).await?);
        }
        for address in config.portal.iter().flat_map(|portal| &portal.listen) {
            sockets.portal.push(bind(*address).await?);
        }
        Ok(sockets)
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(format_args!("cannot listen on {address}: {error}; stop what uses it, or change [listen], [publish] or [portal] in the configuration"))
    })
}

/// One more listener, for the demo's mail servers: no TLS, takes what `gate` takes.
pub async fn listen<G: Gate>(
    gate: G,
    address: SocketAddr,
    name: &str,
) -> Result<Listening, Failure> {
    let server = server_config(&Domain::parse(name)?, Listener::Inbound, SIZE_LIMIT);
    run(
        bind(address).await?,
        InConfig::new(server, None),
        Arc::new(gate),
    )
}

fn run<G: Gate>(
    listener: TcpListener,
    config: InConfig,
    gate: Arc<G>,
) -> Result<Listening, Failure> {
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(smtp_in::serve(listener, config, gate, stopped));
    Ok(Listening::new(address, stop, task))
}

fn server_config(hostname: &Domain, listener: Listener, size_limit: u64) -> ServerConfig {
    let outbound = listener == Listener::Outbound;
    ServerConfig {
        hostname: hostname.clone(),
        listener,
        size_limit,
        starttls: false,
        auth: outbound,
        auth_required: outbound,
        smtputf8: true,
    }
}

/// The listeners' certificate, if one is configured. On the outbound listener clients are asked for theirs.
pub fn acceptor(config: &Config, listener: Listener) -> Result<Option<TlsAcceptor>, Failure> {
    let client = match listener {
        Listener::Inbound => ClientCertificate::NotAsked,
        Listener::Outbound => ClientCertificate::Asked,
    };
    let files = config.tls.as_ref();
    let acceptor =
        files.map(|files| tls::acceptor_from_files(&files.certificate, &files.key, client));
    Ok(acceptor.transpose()?)
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEALGATE_LOG")
        .unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
