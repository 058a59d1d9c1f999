//! The portal's questions about sending clients.

use async_trait::async_trait;
use ipnet::IpNet;
use rand_core::RngCore;
use sealgate_core::change::Change;
use sealgate_core::saying::Inputs;
use sealgate_core::tenant::{ClientEdit, ClientSecret as Kept, Proof, SendingClient};
use sealgate_portal::auth::{Admin, Permitted};
use sealgate_portal::office::clients::{
    Client, ClientProof, ClientRights, ClientSecret, Clients, NewClient, NewClientProof,
};
use sealgate_portal::office::{Applied, Asked};
use sealgate_portal::problem::Problem;
use sealgate_smime::algorithms::DigestAlgorithm;
use sealgate_smime::aws::Digest;
use sealgate_smime::certificate::Certificate;
use zeroize::Zeroizing;

use super::{PortalOffice, is_plain};
use crate::description::block_by_fingerprint;
use crate::limits::{
    CLIENT_ENTRIES, CLIENT_NAME_CHARS, CLIENT_NETWORKS, CLIENT_SECRET_OCTETS, SHORTEST_PREFIX_V4,
    SHORTEST_PREFIX_V6,
};
use crate::passwords::password_hash;
use crate::random::SystemRandom;

#[async_trait]
impl Clients for PortalOffice {
    async fn clients(&self, who: &Permitted<Admin>) -> Asked<Vec<Client>> {
        let installation = self.0.installation();
        let own = installation.organisation(who.organisation());
        let clients = own.map(|own| own.clients.as_slice()).unwrap_or_default();
        let mut clients: Vec<Client> = clients.iter().map(shown).collect();
        clients.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(clients)
    }

    async fn client(&self, who: &Permitted<Admin>, name: &str) -> Asked<Client> {
        Ok(shown(&self.sending_client(who, name)?))
    }

    async fn add_client(&self, who: &Permitted<Admin>, client: NewClient) -> Asked<ClientSecret> {
        must_be_name("name", &client.name)?;
        judge(&client.may_send_as)?;
        if self.sending_client(who, &client.name).is_ok() {
            return Err(Problem::wrong("name", Inputs::NameTaken {}));
        }
        let (proof, user, secret) = self.proof(who, &client).await?;
        let new = SendingClient {
            name: client.name,
            proof,
            may_send_as: client.may_send_as,
            mail_server: client.mail_server,
        };
        let applied = self.change(who, vec![Change::AddClient(new)]).await?;
        Ok(ClientSecret {
            user,
            secret,
            applied,
        })
    }

    async fn set_client(
        &self,
        who: &Permitted<Admin>,
        name: &str,
        rights: ClientRights,
    ) -> Asked<Applied> {
        judge(&rights.may_send_as)?;
        let before = self.sending_client(who, name)?;
        let edit = ClientEdit {
            may_send_as: (rights.may_send_as != before.may_send_as).then_some(rights.may_send_as),
            mail_server: (rights.mail_server != before.mail_server).then_some(rights.mail_server),
            secret: None,
        };
        self.change(who, vec![Change::EditClient(before.name, edit)])
            .await
    }

    async fn new_client_secret(&self, who: &Permitted<Admin>, name: &str) -> Asked<ClientSecret> {
        let client = self.sending_client(who, name)?;
        let secret = new_secret();
        let (kept, user) = match client.proof {
            Proof::Password { user, .. } => (Kept::Password(self.hash(&secret).await?), Some(user)),
            Proof::Connector { .. } => (Kept::Connector(digest(&secret)?), None),
            Proof::Certificate(_) | Proof::Network(_) => {
                return Err(Problem::new("client-without-secret"));
            }
        };
        let edit = ClientEdit {
            secret: Some(kept),
            ..ClientEdit::default()
        };
        let change = Change::EditClient(client.name, edit);
        let applied = self.change(who, vec![change]).await?;
        Ok(ClientSecret {
            user,
            secret: Some(secret.to_string()),
            applied,
        })
    }

    async fn remove_client(&self, who: &Permitted<Admin>, name: &str) -> Asked<Applied> {
        let client = self.sending_client(who, name)?;
        self.change(who, vec![Change::RemoveClient(client.name)])
            .await
    }
}

type Made = (Proof, Option<String>, Option<String>);

impl PortalOffice {
    fn sending_client(&self, who: &Permitted<Admin>, name: &str) -> Asked<SendingClient> {
        let installation = self.0.installation();
        let own = installation.organisation(who.organisation());
        let mut clients = own.into_iter().flat_map(|own| &own.clients);
        let found = clients.find(|client| client.name == name);
        found.cloned().ok_or_else(Problem::not_found)
    }

    /// Where several organisations share the installation, the operator says whose a network or a client's certificate is:
    /// whoever had that of another one would get its mail. Certificates are no secret, and nobody shows here that he has the key.
    fn may_have_networks(&self, who: &Permitted<Admin>) -> Asked<()> {
        match self.is_free(who) {
            true => Ok(()),
            false => Err(Problem::new("client-network")),
        }
    }

    /// A user name for the client of that name: it is one for all organisations, so that theirs stands in it where there are
    /// several.
    fn user_name(&self, who: &Permitted<Admin>, client: &str) -> String {
        match self.0.installation().organisations().len() {
            0 | 1 => client.to_owned(),
            _ => format!("{client}.{}", who.organisation_name()),
        }
    }

    /// How a new client proves itself, its user name, and the secret that is told once.
    async fn proof(&self, who: &Permitted<Admin>, client: &NewClient) -> Asked<Made> {
        match &client.proof {
            NewClientProof::Password { user } => {
                let user = user.clone().filter(|user| !user.is_empty());
                let user = user.unwrap_or_else(|| self.user_name(who, &client.name));
                must_be_name("user", &user)?;
                let secret = new_secret();
                let proof = Proof::Password {
                    user: user.clone(),
                    hash: self.hash(&secret).await?,
                };
                Ok((proof, Some(user), Some(secret.to_string())))
            }
            NewClientProof::Certificate { certificate } => {
                let proof = Proof::Certificate(fingerprint(certificate)?);
                self.may_have_networks(who)?;
                Ok((proof, None, None))
            }
            NewClientProof::Network { networks } => {
                judge_networks(networks)?;
                self.may_have_networks(who)?;
                Ok((Proof::Network(networks.clone()), None, None))
            }
            NewClientProof::Connector { networks } => {
                judge_networks(networks)?;
                let secret = new_secret();
                let proof = Proof::Connector {
                    networks: networks.clone(),
                    secret: digest(&secret)?,
                };
                Ok((proof, None, Some(secret.to_string())))
            }
        }
    }

    /// Hashing takes memory and time: it has a thread of its own and a place among few.
    async fn hash(&self, secret: &Zeroizing<String>) -> Asked<String> {
        let place = self.0.password_checks.acquire().await;
        let _place = place.map_err(Problem::internal)?;
        let secret = secret.clone();
        let hashed = tokio::task::spawn_blocking(move || password_hash(&secret));
        let hashed = hashed.await.map_err(Problem::internal)?;
        hashed.map_err(|failure| Problem::internal(failure.message))
    }
}

/// A secret by chance, in letters and digits that every program takes.
fn new_secret() -> Zeroizing<String> {
    let mut octets = Zeroizing::new([0; CLIENT_SECRET_OCTETS]);
    SystemRandom.fill_bytes(octets.as_mut());
    Zeroizing::new(base64_simd::URL_SAFE_NO_PAD.encode_to_string(octets.as_ref()))
}

/// What is kept of a connector's secret.
fn digest(secret: &str) -> Asked<[u8; 32]> {
    let digest = Digest::of(DigestAlgorithm::Sha256, secret.as_bytes());
    let digest = digest.try_into();
    digest.map_err(|_| Problem::internal("no SHA-256"))
}

/// Of a certificate in PEM, or as it was written down.
fn fingerprint(text: &str) -> Asked<[u8; 32]> {
    let text = text.trim();
    if !text.contains("-----BEGIN") {
        let digits = text.replace([':', ' '], "").to_lowercase();
        let read = block_by_fingerprint(&digits);
        let read =
            read.map_err(|_| Problem::wrong("certificate", Inputs::Fingerprint { text: digits }))?;
        return Ok(read.sha256);
    }
    let read = Certificate::read_all(text.as_bytes());
    let read = read.map_err(|error| Problem::wrong("certificate", error))?;
    match read.as_slice() {
        [only] => Ok(only.fingerprint()),
        several => Err(Problem::wrong(
            "certificate",
            Inputs::ManyCertificates {
                count: several.len(),
            },
        )),
    }
}

fn must_be_name(field: &'static str, name: &str) -> Asked<()> {
    match name.chars().count() {
        1..=CLIENT_NAME_CHARS if is_plain(name) && !name.contains(char::is_whitespace) => Ok(()),
        _ => Err(Problem::wrong(
            field,
            Inputs::OneWord {
                most: CLIENT_NAME_CHARS,
            },
        )),
    }
}

fn judge<T>(entries: &[T]) -> Asked<()> {
    match entries.len() {
        0..=CLIENT_ENTRIES => Ok(()),
        _ => Err(Problem::wrong(
            "may_send_as",
            Inputs::Entries {
                most: CLIENT_ENTRIES,
            },
        )),
    }
}

/// A network of everybody would make an open relay of this gateway.
fn judge_networks(networks: &[IpNet]) -> Asked<()> {
    let is_small = |network: &IpNet| match network {
        IpNet::V4(_) => network.prefix_len() >= SHORTEST_PREFIX_V4,
        IpNet::V6(_) => network.prefix_len() >= SHORTEST_PREFIX_V6,
    };
    match networks.len() {
        0 => Err(Problem::wrong("networks", Inputs::NoNetwork {})),
        1..=CLIENT_NETWORKS if networks.iter().all(is_small) => Ok(()),
        1..=CLIENT_NETWORKS => Err(Problem::wrong("networks", Inputs::WideNetwork {})),
        _ => Err(Problem::wrong(
            "networks",
            Inputs::Networks {
                most: CLIENT_NETWORKS,
            },
        )),
    }
}

fn shown(client: &SendingClient) -> Client {
    let hex = |sha256: &[u8; 32]| sha256.iter().map(|octet| format!("{octet:02x}")).collect();
    Client {
        name: client.name.clone(),
        proof: match &client.proof {
            Proof::Password { user, .. } => ClientProof::Password { user: user.clone() },
            Proof::Certificate(sha256) => ClientProof::Certificate {
                sha256: hex(sha256),
            },
            Proof::Network(networks) => ClientProof::Network {
                networks: networks.clone(),
            },
            Proof::Connector { networks, .. } => ClientProof::Connector {
                networks: networks.clone(),
            },
        },
        may_send_as: client.may_send_as.clone(),
        mail_server: client.mail_server,
    }
}
