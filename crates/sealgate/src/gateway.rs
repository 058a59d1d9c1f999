//! What all parts of a running gateway share: configuration, store, the current snapshot, and the way out.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sealgate_core::tenant::Installation;
use sealgate_mail::{Address, Timestamp};
use sealgate_net::authenticity::Authenticity;
use sealgate_net::call::Caller;
use sealgate_net::dns::Dns;
use sealgate_net::fetch::Fetcher;
use sealgate_net::smtp_out::{OutConfig, SmtpOut, Waits};
use sealgate_net::tls::ClientTls;
use sealgate_store::{MasterKey, MasterKeySource, Store, Tokens};
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::cmd::Failure;
use crate::config::Config;
use crate::dkim;
use crate::limits::{DKIM_MEMORY, KEYS_MADE, PASSWORD_CHECKS, UPLOADS, VERSION_POLL, VERSION_SAID};
use crate::office::rules::lacking::Found;
use crate::passwords;
use crate::prerequisites;
use crate::probes::Probes;
use crate::revocation::Revocation;
use crate::sources::Sources;

/// Shared by all tasks of a running gateway.
pub struct Gateway {
    /// The process's configuration.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// Names.
    pub dns: Dns,
    /// Private DKIM keys for the next mail.
    pub dkim: dkim::Keys,
    /// What was found out about the MX records of domains.
    pub ways: prerequisites::Ways,
    /// SPF and DKIM.
    pub authenticity: Authenticity,
    /// Delivery.
    pub smtp_out: SmtpOut,
    /// Lists and answers about revocation.
    pub revocation: Revocation,
    /// Whoever is asked once is called by it.
    pub caller: Caller,
    /// Webhooks are called by it.
    pub to_webhooks: Caller,
    /// Directories and DNS as sources of keys.
    pub sources: Sources,
    /// Recipients of wildcard routes.
    pub probes: Probes,
    /// Which mailboxes rules shut out, as it was found last.
    pub lacking: Found,
    /// Places for passwords being compared.
    pub password_checks: Semaphore,
    /// KiB of memory left for mails whose DKIM signatures are judged.
    pub dkim_memory: Semaphore,
    /// Told when there is bulk work.
    pub bulk: Notify,
    /// Places for uploads being read.
    pub uploads: Arc<Semaphore>,
    /// Places for DKIM keys being made.
    pub key_making: Arc<Semaphore>,
    /// What the password of an unknown user is compared with.
    pub unknown_user_hash: String,
    installation: RwLock<Arc<Installation>>,
}

/// The clock, read only here and handed down.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Opens the store that `config` names.
pub async fn open_store(config: &Config) -> Result<Store, Failure> {
    let (store, _) = open_with_master(config).await?;
    Ok(store)
}

/// The same, with the master key that opened it. Nothing of the data directory is touched before the master key is had.
pub async fn open_with_master(config: &Config) -> Result<(Store, MasterKey), Failure> {
    let tokens = config.opened_tokens().map_err(Failure::new)?;
    let master = master_key(config.master_key.source(), tokens.clone()).await?;
    let store = Store::open_with(&config.data, &master, tokens).await?;
    Ok((store, master))
}

/// Has a master key where a token may let us wait.
pub async fn master_key(source: MasterKeySource, tokens: Tokens) -> Result<MasterKey, Failure> {
    let had = tokio::task::spawn_blocking(move || MasterKey::from_source(&source, &tokens));
    Ok(had.await??)
}

impl Gateway {
    /// Puts everything together and loads the configuration; connects to nobody yet.
    pub async fn new(config: Config, store: Store) -> Result<Self, Failure> {
        let gateway = Self::assembled(config, store).await?;
        gateway.say_version().await?;
        Ok(gateway)
    }

    /// The same for a command, which decides as the running gateway does beside it.
    pub async fn assembled(config: Config, store: Store) -> Result<Self, Failure> {
        let dns_config = config.dns_config().map_err(Failure::new)?;
        let dns = Dns::new(dns_config)?;
        let sources = Sources::new(&config, dns.clone())?;
        let tls = ClientTls::new(roots(&config)?)?;
        let allowed = config.fetch_allowed().map_err(Failure::new)?;
        let fetcher = Fetcher::new(dns.clone(), tls.verified.clone(), allowed.clone());
        let caller = Caller {
            dns: dns.clone(),
            allowed,
            tls: tls.verified.clone(),
        };
        // Organisations name them, as they do servers and directories.
        let to_webhooks = Caller {
            allowed: config.webhooks_allowed().map_err(Failure::new)?,
            ..caller.clone()
        };
        let smtp_out = way_out(&config, dns.clone())?;
        let gateway = Self {
            dns,
            dkim: dkim::Keys::default(),
            ways: prerequisites::Ways::default(),
            authenticity: Authenticity::new(dns_config)?,
            smtp_out,
            revocation: Revocation::new(fetcher),
            caller,
            to_webhooks,
            sources,
            probes: Probes::default(),
            lacking: Found::default(),
            password_checks: Semaphore::new(PASSWORD_CHECKS),
            dkim_memory: Semaphore::new(DKIM_MEMORY),
            bulk: Notify::new(),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            key_making: Arc::new(Semaphore::new(KEYS_MADE)),
            unknown_user_hash: passwords::password_hash("nobody has this password")?,
            installation: RwLock::default(),
            config,
            store,
        };
        gateway.reload().await?;
        Ok(gateway)
    }

    /// Whether `address` is this gateway's own postmaster, whom no organisation manages.
    pub fn is_own_postmaster(&self, installation: &Installation, address: &Address) -> bool {
        address.domain() == &self.config.hostname
            && address.local().eq_ignore_ascii_case("postmaster")
            && installation.managing(address.domain()).is_none()
    }

    /// The snapshot that decides mails now.
    pub fn installation(&self) -> Arc<Installation> {
        Arc::clone(
            &self
                .installation
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Loads the configuration if the store holds another one; `true` if it did.
    pub async fn reload(&self) -> Result<bool, Failure> {
        let version = self.store.version().await?;
        let is_new = version != self.installation().version;
        if is_new {
            let loaded = self.store.installation().await?;
            tracing::info!(version = loaded.version, "configuration loaded");
            // Keys that were purged are gone from the store; now from memory too.
            self.store.forget_keys();
            *self
                .installation
                .write()
                .unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
        }
        Ok(is_new)
    }

    /// Tells waiting commands that we live, and what mails are decided by.
    async fn say_version(&self) -> Result<(), Failure> {
        let version = self.installation().version;
        Ok(self.store.report_version(version, now()).await?)
    }

    /// Follows the configuration for as long as the gateway runs.
    pub async fn follow_configuration(self: Arc<Self>) {
        let mut said = Instant::now();
        loop {
            tokio::time::sleep(VERSION_POLL).await;
            let told = match self.reload().await {
                Ok(is_new) if is_new || said.elapsed() >= VERSION_SAID => {
                    said = Instant::now();
                    self.say_version().await
                }
                other => other.map(|_| ()),
            };
            if let Err(failure) = told {
                tracing::warn!(
                    reason = failure.message,
                    "the configuration could not be read; the last one stays in force"
                );
            }
        }
    }
}

/// Hands mail over as the configuration says.
pub fn way_out(config: &Config, dns: Dns) -> Result<SmtpOut, Failure> {
    Ok(SmtpOut::new(OutConfig {
        helo: config.hostname.clone(),
        dns,
        mx_port: config.delivery.smtp_port,
        reachable: config.reachable().map_err(Failure::new)?,
        mx_loopback: config.delivery.mx_loopback,
        tls: ClientTls::new(roots(config)?)?,
        waits: Waits::default(),
    }))
}

/// The roots that `tls = "verified"` trusts beside the public ones.
pub fn roots(config: &Config) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let Some(path) = &config.delivery.roots else {
        return Ok(Vec::new());
    };
    let roots = crate::description::read_certificates(&path.display().to_string(), Path::new(""))?;
    Ok(roots
        .iter()
        .map(|root| CertificateDer::from(root.der().to_vec()))
        .collect())
}
