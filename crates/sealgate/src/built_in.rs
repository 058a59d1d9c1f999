//! The built-in CA of this installation: found in the store, or made on its first use. The gateway's own name stands in it, so
//! that all organisations have the same one.

use std::sync::Arc;

use sealgate_net::ca::Authority;
use sealgate_net::ca::builtin::{self, BuiltIn, Ca};
use sealgate_store::{BuiltInCa, Store};

use crate::cmd::Failure;
use crate::config::Config;
use crate::gateway::now;

/// The built-in CA as an authority; made if there is none.
pub async fn built_in(store: &Store, config: &Config) -> Result<Arc<dyn Authority>, Failure> {
    let ca = find_or_make(store, config).await?;
    let addresses = config.published_at().map_err(Failure::new)?;
    let register = Arc::new(store.clone());
    Ok(Arc::new(BuiltIn::new(ca, register, addresses)))
}

/// The built-in CA with its keys, if there is one yet.
pub async fn find(store: &Store) -> Result<Option<Ca>, Failure> {
    Ok(store.built_in_ca().await?.map(opened))
}

/// The built-in CA with its keys; made if there is none. Where two processes make one at once, the first one kept counts.
pub async fn find_or_make(store: &Store, config: &Config) -> Result<Ca, Failure> {
    if let Some(found) = find(store).await? {
        return Ok(found);
    }
    let addresses = config.published_at().map_err(Failure::new)?;
    let name = config.hostname.to_string();
    let made =
        tokio::task::spawn_blocking(move || builtin::make_ca(&name, addresses.as_ref(), now()));
    let made = made.await??;
    let made = BuiltInCa {
        root: made.root_certificate,
        root_key: made.root_key,
        issuing: made.issuing_certificate,
        issuing_key: made.issuing_key,
    };
    let kept = store.keep_built_in_ca(&made, "gateway", now()).await?;
    Ok(opened(kept))
}

fn opened(ca: BuiltInCa) -> Ca {
    Ca {
        root_certificate: ca.root,
        root_key: ca.root_key,
        issuing_certificate: ca.issuing,
        issuing_key: ca.issuing_key,
    }
}
