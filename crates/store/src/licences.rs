//! Licences: what is booked for an organisation, and how much of it is used.

use sealgate_core::licence::{Licence, Quota};
use sealgate_core::saying::Changes as Said;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use sqlx::SqliteConnection;

use crate::audit::tell;
use crate::error::StoreError;
use crate::rows::Columns;
use crate::store::Store;
use crate::writer::{Weight, job};

/// What is booked, and how many mailboxes hold a licence, those out of sight too (S14).
pub(crate) async fn quota(
    connection: &mut SqliteConnection,
    organisation: i64,
) -> Result<Quota, StoreError> {
    let booked = sqlx::query("SELECT * FROM licences WHERE organisation = $1")
        .bind(organisation)
        .fetch_optional(&mut *connection)
        .await?;
    let licence = booked.map(|row| {
        Ok::<_, StoreError>(Licence {
            base: row.field("base")?,
            smime: row.field("smime")?,
            until: row.optional_time("until")?,
        })
    });
    let held = sqlx::query(
        "SELECT COUNT(*) AS held FROM mailboxes WHERE organisation = $1 AND state <> 'inactive'",
    )
    .bind(organisation)
    .fetch_one(connection)
    .await?;
    Ok(Quota {
        licence: licence.transpose()?,
        held: held.field("held")?,
    })
}

impl Store {
    /// What is booked for an organisation, and how many mailboxes hold a licence.
    pub async fn quota(&self, organisation: OrganisationId) -> Result<Quota, StoreError> {
        let mut reading = self.0.readers.begin().await?;
        quota(&mut reading, organisation.0).await
    }

    /// Books licences for an organisation, in place of what was booked; none ends the counting.
    pub async fn book(
        &self,
        organisation: OrganisationId,
        licence: Option<Licence>,
        who: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let who = who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("DELETE FROM licences WHERE organisation = $1")
                    .bind(organisation.0)
                    .execute(&mut *connection)
                    .await?;
                if let Some(licence) = licence {
                    insert(connection, organisation.0, licence, (&who, now)).await?;
                }
                tell(connection, organisation, (&who, now), described(licence)).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    organisation: i64,
    licence: Licence,
    (who, now): (&str, Timestamp),
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO licences (organisation, base, smime, until, booked, booked_by) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(organisation)
    .bind(licence.base)
    .bind(licence.smime)
    .bind(licence.until.map(|until| until.0))
    .bind(now.0)
    .bind(who)
    .execute(connection)
    .await?;
    Ok(())
}

fn described(licence: Option<Licence>) -> Said {
    let Some(licence) = licence else {
        return Said::NotCounted {};
    };
    let (base, smime) = (licence.base.into(), licence.smime.into());
    match licence.until {
        Some(until) => Said::LicencesUntil { base, smime, until },
        None => Said::Licences { base, smime },
    }
}
