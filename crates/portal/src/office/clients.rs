//! Sending clients: who may hand in outbound mail, and as whom (spec.md section 2).

use async_trait::async_trait;
use ipnet::IpNet;
use sealgate_core::rules::Entry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Applied, Asked};
use crate::auth::{Admin, Permitted};

/// A sending client; its secrets are never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Client {
    /// Its name, unique in the installation.
    pub name: String,
    /// How it proves itself.
    pub proof: ClientProof,
    /// Addresses and domains it may send as; all domains of the organisation if empty.
    #[schema(value_type = Vec<String>)]
    pub may_send_as: Vec<Entry>,
    /// Whether it is a mail server, from which a foreign From passes, never signed (A4).
    pub mail_server: bool,
}

/// How a sending client proves itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum ClientProof {
    /// User name and password.
    Password {
        /// User name.
        user: String,
    },
    /// A TLS client certificate.
    Certificate {
        /// Its SHA-256 in hexadecimal digits.
        sha256: String,
    },
    /// Its network.
    Network {
        /// The networks.
        #[schema(value_type = Vec<String>)]
        networks: Vec<IpNet>,
    },
    /// A network that others send from too, and a secret in each mail.
    Connector {
        /// The networks.
        #[schema(value_type = Vec<String>)]
        networks: Vec<IpNet>,
    },
}

/// A sending client as it is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// Its name: one word.
    pub name: String,
    /// How it proves itself.
    pub proof: NewClientProof,
    /// Addresses and domains it may send as; all domains of the organisation if empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub may_send_as: Vec<Entry>,
    /// Whether it is a mail server.
    #[serde(default)]
    pub mail_server: bool,
}

/// How a sending client is to prove itself. Passwords and secrets are made here, by chance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum NewClientProof {
    /// User name and password.
    Password {
        /// User name, unique in the installation; the name of the client if absent.
        #[serde(default)]
        user: Option<String>,
    },
    /// A TLS client certificate.
    Certificate {
        /// The certificate in PEM, or its SHA-256 in hexadecimal digits.
        certificate: String,
    },
    /// Its network.
    Network {
        /// The networks.
        #[schema(value_type = Vec<String>)]
        networks: Vec<IpNet>,
    },
    /// A network that others send from too, and a secret in each mail.
    Connector {
        /// The networks.
        #[schema(value_type = Vec<String>)]
        networks: Vec<IpNet>,
    },
}

/// What a sending client may do.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientRights {
    /// Addresses and domains it may send as; all domains of the organisation if empty.
    #[schema(value_type = Vec<String>)]
    pub may_send_as: Vec<Entry>,
    /// Whether it is a mail server.
    pub mail_server: bool,
}

/// A sending client that was made, or has a new secret.
#[derive(Clone, Serialize, ToSchema)]
pub struct ClientSecret {
    /// Its user name, if it proves itself by a password.
    pub user: Option<String>,
    /// Its password or connector secret, shown this once; none if it has none.
    pub secret: Option<String>,
    /// What was made of the change.
    #[serde(flatten)]
    pub applied: Applied,
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSecret(...)")
    }
}

/// Questions and orders about sending clients.
#[async_trait]
pub trait Clients {
    /// All of them, by name.
    async fn clients(&self, who: &Permitted<Admin>) -> Asked<Vec<Client>>;

    /// The client of that name.
    async fn client(&self, who: &Permitted<Admin>, name: &str) -> Asked<Client>;

    /// Makes a client of a name that is free.
    async fn add_client(&self, who: &Permitted<Admin>, client: NewClient) -> Asked<ClientSecret>;

    /// Sets what a client may do.
    async fn set_client(
        &self,
        who: &Permitted<Admin>,
        name: &str,
        rights: ClientRights,
    ) -> Asked<Applied>;

    /// Gives a client another password or connector secret; the former one counts no more.
    async fn new_client_secret(&self, who: &Permitted<Admin>, name: &str) -> Asked<ClientSecret>;

    /// Removes a client: it can hand in no mail any more.
    async fn remove_client(&self, who: &Permitted<Admin>, name: &str) -> Asked<Applied>;
}
