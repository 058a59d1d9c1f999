//! The connector of an authority, ready to be asked.

use std::sync::Arc;

use sealgate_core::authority::{Authority, AuthorityFailure, Connector};
use sealgate_net::ca;
use sealgate_net::ca::acme::Acme;
use sealgate_net::ca::by_hand::ByHand;
use sealgate_net::ca::command::ExternalCommand;
use sealgate_net::dns::Dns;
use sealgate_store::Store;
use tokio::sync::OnceCell;

use crate::built_in::built_in;
use crate::config::Config;

/// What connectors are made with.
pub struct Connectors {
    store: Store,
    config: Config,
    dns: Dns,
    built_in: OnceCell<Arc<dyn ca::Authority>>,
}

impl Connectors {
    /// For authorities of organisations in `store`.
    pub fn new(store: Store, config: Config, dns: Dns) -> Self {
        Self {
            store,
            config,
            dns,
            built_in: OnceCell::new(),
        }
    }

    /// The connector of `authority`.
    pub async fn of(
        &self,
        authority: &Authority,
    ) -> Result<Arc<dyn ca::Authority>, AuthorityFailure> {
        match &authority.connector {
            Connector::BuiltIn => {
                let made = self
                    .built_in
                    .get_or_try_init(|| built_in(&self.store, &self.config))
                    .await
                    .map_err(|failure| ca::ours(failure.message))?;
                Ok(Arc::clone(made))
            }
            Connector::Acme(settings) => {
                let allowed = self.config.fetch_allowed().map_err(ca::ours)?;
                let acme = Acme::new(settings.clone(), self.dns.clone(), allowed)?;
                Ok(Arc::new(acme))
            }
            Connector::Command(settings) => Ok(Arc::new(ExternalCommand::new(settings.clone()))),
            Connector::ByHand => Ok(Arc::new(ByHand)),
        }
    }
}
