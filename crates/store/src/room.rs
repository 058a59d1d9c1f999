//! How many of each thing an organisation may have, counted in the transaction that adds them: whoever asks for several at the
//! same moment does not get more.

use std::collections::HashMap;

use sealgate_core::change::Change;
use sealgate_core::permission::ResellerId;
use sealgate_mail::Timestamp;
use sqlx::SqliteConnection;

use crate::apply::Instruction;
use crate::error::StoreError;
use crate::limits::{
    API_TOKENS, AUTHORITIES, BLOCKED, CLIENTS, DESTINATIONS, INVITATIONS, PARTNERS, ROUTES,
    TRUST_ROOTS,
};
use crate::rows::Columns;

/// What is counted: a query with the organisation as `$1`, and how many there may be.
type Counted = (&'static str, i64);

/// What this change adds one of.
fn counted(change: &Change) -> Option<Counted> {
    match change {
        Change::PutRoute(_) => Some((
            "SELECT COUNT(*) AS count FROM routes WHERE organisation = $1",
            ROUTES,
        )),
        Change::PutAuthority(_) | Change::EditAuthority { .. } => Some((
            "SELECT COUNT(*) AS count FROM authorities WHERE organisation = $1 AND current = 1",
            AUTHORITIES,
        )),
        Change::PutTrustRoot(_) => Some((
            "SELECT COUNT(*) AS count FROM trust_roots WHERE organisation = $1",
            TRUST_ROOTS,
        )),
        Change::Block(_) => Some((
            "SELECT COUNT(*) AS count FROM blocked WHERE organisation = $1",
            BLOCKED,
        )),
        Change::PutPartner(_) => Some((
            "SELECT COUNT(*) AS count FROM partners WHERE organisation = $1",
            PARTNERS,
        )),
        Change::PutDestination(..) | Change::EditDestination { .. } => Some((
            "SELECT COUNT(*) AS count FROM destinations WHERE organisation = $1",
            DESTINATIONS,
        )),
        Change::PutClient(_) | Change::AddClient(_) => Some((
            "SELECT COUNT(*) AS count FROM clients WHERE organisation = $1",
            CLIENTS,
        )),
        _ => None,
    }
}

/// API tokens of one owner that are not over. The query has the owner as `$1` and `$2`, and the time as `$3`.
pub(crate) const TOKENS: Counted = (
    "SELECT COUNT(*) AS count FROM api_tokens WHERE organisation IS $1 AND reseller IS $2 AND expires > $3",
    API_TOKENS,
);
/// Invitations of one owner that are not over; none that only sets a new password.
pub(crate) const INVITED: Counted = (
    "SELECT COUNT(*) AS count FROM invitations
     WHERE organisation IS $1 AND reseller IS $2 AND expires > $3 AND user IS NULL",
    INVITATIONS,
);

/// Whose tokens or invitations: of an organisation, of a reseller, or of the operator if neither.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    pub organisation: Option<i64>,
    pub reseller: Option<ResellerId>,
}

/// How many there were before changes. An organisation that was given more than it may have keeps what it has.
pub(crate) struct Room(HashMap<Counted, i64>);

impl Room {
    pub(crate) async fn before(
        connection: &mut SqliteConnection,
        organisation: i64,
        instruction: &Instruction,
    ) -> Result<Self, StoreError> {
        let mut before = HashMap::new();
        for what in instruction.changes.iter().filter_map(counted) {
            if instruction.bounded && !before.contains_key(&what) {
                before.insert(what, count(connection, organisation, what.0).await?);
            }
        }
        Ok(Self(before))
    }

    /// Refuses what came to be too many by the changes.
    pub(crate) async fn after(
        &self,
        connection: &mut SqliteConnection,
        organisation: i64,
    ) -> Result<(), StoreError> {
        for ((query, most), before) in &self.0 {
            let after = count(connection, organisation, query).await?;
            if after > *most && after > *before {
                return Err(StoreError::TooMany { most: *most });
            }
        }
        Ok(())
    }
}

/// Refuses one more beside those that the owner has now.
pub(crate) async fn for_one_more(
    connection: &mut SqliteConnection,
    owner: Owner,
    (query, most): Counted,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = sqlx::query(query)
        .bind(owner.organisation)
        .bind(owner.reseller.map(|reseller| reseller.0))
        .bind(now.0)
        .fetch_one(connection)
        .await?;
    match row.field::<i64>("count")? < most {
        true => Ok(()),
        false => Err(StoreError::TooMany { most }),
    }
}

async fn count(
    connection: &mut SqliteConnection,
    organisation: i64,
    query: &'static str,
) -> Result<i64, StoreError> {
    let row = sqlx::query(query).bind(organisation).fetch_one(connection);
    row.await?.field("count")
}
