//! Changes that concern the world outside an organisation: correspondents, trust, ways out, sending clients.

use sealgate_core::queue::{Destination, NextHop};
use sealgate_core::rules::Entry;
use sealgate_core::saying::Refusals;
use sealgate_core::tenant::{
    Blocked, ClientEdit, CorrespondentState, Origin, Partner, Proof, SendingClient,
};
use sealgate_mail::Domain;
use sealgate_smime::certificate::Certificate;
use sqlx::sqlite::SqliteRow;

use super::{Run, refused};
use crate::configuration::{
    destination_record, open_client, open_setting, seal_client, seal_setting, smarthost_record,
};
use crate::correspondents::{self, Certificates, has_namesake};
use crate::error::StoreError;
use crate::rows::{Columns, word};

/// Refuses what was thought of for another state than the `stored` one.
fn must_be<T: PartialEq>(stored: Option<&T>, was: Option<&T>) -> Result<(), StoreError> {
    match stored == was {
        true => Ok(()),
        false => Err(StoreError::ChangedMeanwhile),
    }
}

impl Run<'_> {
    pub(super) async fn put_correspondent(
        &mut self,
        certificate: &Certificate,
    ) -> Result<(), StoreError> {
        if let Some(reason) = certificate.import_refusal() {
            return refused(Refusals::NotImportable {
                why: Refusals::from(reason).into(),
            });
        }
        let among = Certificates::Correspondents;
        if has_namesake(self.connection, among, self.organisation, certificate).await? {
            return refused(Refusals::Namesake {
                name: certificate.subject_name(),
            });
        }
        for address in certificate.addresses() {
            let row = correspondents::row(
                address,
                certificate,
                (Origin::Manual, CorrespondentState::Preferred),
            )?;
            correspondents::insert(self.connection, self.organisation, None, (row, self.now))
                .await?;
        }
        Ok(())
    }

    pub(super) async fn remove_correspondent(
        &mut self,
        fingerprint: &[u8; 32],
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM correspondents WHERE organisation = $1 AND fingerprint = $2 AND origin = 'manual'")
            .bind(self.organisation)
            .bind(fingerprint.as_slice())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn put_trust_root(
        &mut self,
        certificate: &Certificate,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO trust_roots (organisation, fingerprint, certificate) VALUES ($1, $2, $3)
             ON CONFLICT (organisation, fingerprint) DO NOTHING",
        )
        .bind(self.organisation)
        .bind(certificate.fingerprint().as_slice())
        .bind(certificate.der())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn remove_trust_root(
        &mut self,
        fingerprint: &[u8; 32],
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM trust_roots WHERE organisation = $1 AND fingerprint = $2")
            .bind(self.organisation)
            .bind(fingerprint.as_slice())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn block(&mut self, blocked: &Blocked) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO blocked (organisation, fingerprint, subject, reason) VALUES ($1, $2, $3, $4)
             ON CONFLICT (organisation, fingerprint) DO UPDATE SET subject = COALESCE(excluded.subject, subject),
                 reason = COALESCE(excluded.reason, reason)",
        )
        .bind(self.organisation)
        .bind(blocked.sha256.as_slice())
        .bind(&blocked.subject)
        .bind(&blocked.reason)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn unblock(&mut self, fingerprint: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM blocked WHERE organisation = $1 AND fingerprint = $2")
            .bind(self.organisation)
            .bind(fingerprint.as_slice())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn put_partner(&mut self, partner: &Partner) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO partners (organisation, external, profile) VALUES ($1, $2, $3)
             ON CONFLICT (organisation, external) DO UPDATE SET profile = excluded.profile",
        )
        .bind(self.organisation)
        .bind(partner.external.to_string())
        .bind(word(&partner.profile)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn remove_partner(&mut self, external: &Entry) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM partners WHERE organisation = $1 AND external = $2")
            .bind(self.organisation)
            .bind(external.to_string())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn put_destination(
        &mut self,
        domain: &Domain,
        destination: &Destination,
    ) -> Result<(), StoreError> {
        let record = destination_record(self.organisation, domain);
        let sealed = seal_setting(&self.inner.sealer, &record, destination)?;
        sqlx::query(
            "INSERT INTO destinations (organisation, domain, sealed) VALUES ($1, $2, $3)
             ON CONFLICT (organisation, domain) DO UPDATE SET sealed = excluded.sealed",
        )
        .bind(self.organisation)
        .bind(domain.as_str())
        .bind(sealed)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn edit_destination(
        &mut self,
        domain: &Domain,
        was: Option<&Destination>,
        becomes: &Destination,
    ) -> Result<(), StoreError> {
        let row =
            sqlx::query("SELECT sealed FROM destinations WHERE organisation = $1 AND domain = $2")
                .bind(self.organisation)
                .bind(domain.as_str())
                .fetch_optional(&mut *self.connection)
                .await?;
        let record = destination_record(self.organisation, domain);
        let open = |row: SqliteRow| open_setting(&self.inner.sealer, &record, row.field("sealed")?);
        let stored: Option<Destination> = row.map(open).transpose()?;
        must_be(stored.as_ref(), was)?;
        self.put_destination(domain, becomes).await
    }

    pub(super) async fn remove_destination(&mut self, domain: &Domain) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM destinations WHERE organisation = $1 AND domain = $2")
            .bind(self.organisation)
            .bind(domain.as_str())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn smarthost(&mut self, hop: Option<&NextHop>) -> Result<(), StoreError> {
        let record = smarthost_record(self.organisation);
        let sealed = hop
            .map(|hop| seal_setting(&self.inner.sealer, &record, hop))
            .transpose()?;
        sqlx::query("UPDATE organisations SET smarthost = $1 WHERE id = $2")
            .bind(sealed)
            .bind(self.organisation)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn edit_smarthost(
        &mut self,
        was: Option<&NextHop>,
        becomes: Option<&NextHop>,
    ) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT smarthost FROM organisations WHERE id = $1")
            .bind(self.organisation)
            .fetch_one(&mut *self.connection)
            .await?;
        let record = smarthost_record(self.organisation);
        let open = |sealed: &[u8]| open_setting(&self.inner.sealer, &record, sealed);
        let stored: Option<NextHop> = row
            .field::<Option<&[u8]>>("smarthost")?
            .map(open)
            .transpose()?;
        must_be(stored.as_ref(), was)?;
        self.smarthost(becomes).await
    }

    pub(super) async fn put_client(&mut self, client: &SendingClient) -> Result<(), StoreError> {
        let user = match &client.proof {
            Proof::Password { user, .. } => Some(user),
            Proof::Network(_) | Proof::Certificate(_) | Proof::Connector { .. } => None,
        };
        // Names are the organisation's own; a user name is looked up before anybody knows whose it is.
        let taken = sqlx::query(
            "SELECT 1 FROM clients WHERE user_name = $3 AND NOT (organisation = $2 AND name = $1)",
        )
        .bind(&client.name)
        .bind(self.organisation)
        .bind(user)
        .fetch_optional(&mut *self.connection)
        .await?;
        if taken.is_some() {
            let name = client.name.clone();
            return refused(Refusals::UserNameTaken { name });
        }
        sqlx::query(
            "INSERT INTO clients (name, organisation, user_name, sealed) VALUES ($1, $2, $3, $4)
             ON CONFLICT (organisation, name) DO UPDATE SET user_name = excluded.user_name, sealed = excluded.sealed",
        )
        .bind(&client.name)
        .bind(self.organisation)
        .bind(user)
        .bind(seal_client(&self.inner.sealer, self.organisation, client)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn add_client(&mut self, client: &SendingClient) -> Result<(), StoreError> {
        match self.sealed_client(&client.name).await? {
            None => self.put_client(client).await,
            Some(_) => refused(Refusals::ClientTaken {
                name: client.name.clone(),
            }),
        }
    }

    pub(super) async fn edit_client(
        &mut self,
        name: &str,
        edit: &ClientEdit,
    ) -> Result<(), StoreError> {
        let Some(sealed) = self.sealed_client(name).await? else {
            return Err(StoreError::NotFound(format!(
                "there is no sending client {name}"
            )));
        };
        let mut client = open_client(&self.inner.sealer, self.organisation, name, &sealed)?;
        if let Some(entries) = &edit.may_send_as {
            client.may_send_as.clone_from(entries);
        }
        client.mail_server = edit.mail_server.unwrap_or(client.mail_server);
        if let Some(secret) = &edit.secret {
            let Some(proof) = client.proof.with_secret(secret.clone()) else {
                return refused(Refusals::ClientChanged { name: name.into() });
            };
            client.proof = proof;
        }
        sqlx::query("UPDATE clients SET sealed = $1 WHERE organisation = $2 AND name = $3")
            .bind(seal_client(&self.inner.sealer, self.organisation, &client)?)
            .bind(self.organisation)
            .bind(name)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn sealed_client(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT sealed FROM clients WHERE organisation = $1 AND name = $2")
            .bind(self.organisation)
            .bind(name)
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| row.field("sealed")).transpose()
    }

    pub(super) async fn remove_client(&mut self, name: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM clients WHERE organisation = $1 AND name = $2")
            .bind(self.organisation)
            .bind(name)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}
