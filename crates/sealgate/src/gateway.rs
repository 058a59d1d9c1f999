//! What all parts of a running gateway share: configuration, store, the current snapshot, and the way out.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use sealgate_core::tenant::Installation;
use sealgate_mail::{Address, Timestamp};
use sealgate_net::authenticity::Authenticity;
use sealgate_net::dns::Dns;
use sealgate_net::smtp_out::{OutConfig, SmtpOut, Waits};
use sealgate_net::tls::ClientTls;
use sealgate_store::{MasterKey, Store};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::cmd::Failure;
use crate::config::Config;
use crate::limits::VERSION_POLL;
use crate::passwords;
use crate::probes::Probes;

/// Shared by all tasks of a running gateway.
pub struct Gateway {
    /// The process's configuration.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// SPF and DKIM.
    pub authenticity: Authenticity,
    /// Delivery.
    pub smtp_out: SmtpOut,
    /// Recipients of wildcard routes.
    pub probes: Probes,
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
    let master = MasterKey::from_file(&config.master_key)?;
    Ok(Store::open(&config.data, &master).await?)
}

impl Gateway {
    /// Puts everything together and loads the configuration; connects to nobody yet.
    pub async fn new(config: Config, store: Store) -> Result<Self, Failure> {
        let dns_config = config.dns_config().map_err(Failure::new)?;
        let dns = Dns::new(dns_config.clone())?;
        let smtp_out = SmtpOut::new(OutConfig {
            helo: config.hostname.clone(),
            dns,
            mx_port: config.delivery.smtp_port,
            tls: ClientTls::new(roots(&config)?)?,
            waits: Waits::default(),
        });
        let gateway = Self {
            authenticity: Authenticity::new(dns_config)?,
            smtp_out,
            probes: Probes::default(),
            unknown_user_hash: passwords::password_hash("nobody has this password")?,
            installation: RwLock::default(),
            config,
            store,
        };
        gateway.reload().await?;
        Ok(gateway)
    }

    /// Whether `address` is this gateway's own postmaster.
    pub fn is_own_postmaster(&self, address: &Address) -> bool {
        address.domain() == &self.config.hostname
            && address.local().eq_ignore_ascii_case("postmaster")
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

    /// Loads the configuration if the store holds a newer one, and says so to waiting commands.
    pub async fn reload(&self) -> Result<(), Failure> {
        let version = self.store.version().await?;
        if version != self.installation().version {
            let loaded = self.store.installation().await?;
            tracing::info!(version = loaded.version, "configuration loaded");
            *self
                .installation
                .write()
                .unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
        }
        self.store
            .report_version(self.installation().version, now())
            .await?;
        Ok(())
    }

    /// Follows the configuration for as long as the gateway runs.
    pub async fn follow_configuration(self: Arc<Self>) {
        loop {
            tokio::time::sleep(VERSION_POLL).await;
            if let Err(failure) = self.reload().await {
                tracing::warn!(
                    reason = failure.message,
                    "the configuration could not be read; the last one stays in force"
                );
            }
        }
    }
}

/// The roots that `tls = "verified"` trusts beside the public ones.
fn roots(config: &Config) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let Some(path) = &config.delivery.roots else {
        return Ok(Vec::new());
    };
    let roots = crate::description::read_certificates(&path.display().to_string(), Path::new(""))?;
    Ok(roots
        .iter()
        .map(|root| CertificateDer::from(root.der().to_vec()))
        .collect())
}
