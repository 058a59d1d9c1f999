//! The authorities that an organisation orders certificates from. What is secret in their settings goes in and never comes out.

use std::fmt;

use async_trait::async_trait;
use sealgate_mail::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Applied, Asked};
use crate::auth::{Admin, Permitted};

/// An authority.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Authority {
    /// Its name.
    pub name: String,
    /// How it is spoken to.
    pub kind: AuthorityKind,
    /// Whether orders go there unless another is named.
    pub standard: bool,
    /// Days before the end of a certificate when the next one is ordered.
    pub renew_days: u32,
    /// What is known of it, without secrets; of ACME and of a command only.
    pub acme: Option<AcmeShown>,
    /// The command, for who runs the installation.
    pub command: Option<CommandShown>,
}

/// How an authority is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityKind {
    /// The CA of this installation.
    BuiltIn,
    /// ACME with email-reply-00 (RFC 8823).
    Acme,
    /// A program on the gateway's machine; only who runs the installation sets one.
    Command,
    /// Somebody carries requests there and chains back.
    ByHand,
}

/// What is shown of an ACME authority.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AcmeShown {
    /// URL of the directory.
    pub directory: String,
    /// Contact addresses of the account.
    #[schema(value_type = Vec<String>)]
    pub contact: Vec<Address>,
    /// Identifier of the external account; its key is never shown.
    pub external_account: Option<String>,
    /// Whether its TLS certificate is judged by roots of its own instead of the public ones.
    pub own_tls_roots: bool,
    /// Whether challenge mails count without a DKIM or S/MIME signature.
    pub unsigned_challenges: bool,
}

/// What is shown of a command.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommandShown {
    /// Path of the program.
    pub program: String,
    /// Arguments before the verb.
    pub arguments: Vec<String>,
    /// Seconds it may take for one verb.
    pub timeout: i64,
}

/// An authority as it is to be: a new one, or new settings of the one of that name. What it issued before it can still revoke.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct PutAuthority {
    /// How it is spoken to: `acme`, `command` or `by-hand`; as before if none.
    #[serde(default)]
    pub kind: Option<AuthorityKind>,
    /// Whether orders go there unless another is named.
    #[serde(default)]
    pub standard: bool,
    /// Days before the end of a certificate when the next one is ordered; as before if none.
    #[serde(default)]
    pub renew_days: Option<u32>,
    /// What ACME needs.
    #[serde(default)]
    pub acme: Option<PutAcme>,
    /// What a command needs.
    #[serde(default)]
    pub command: Option<PutCommand>,
}

/// Settings of an ACME authority.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct PutAcme {
    /// URL of the directory.
    pub directory: String,
    /// Contact addresses of the account.
    #[schema(value_type = Vec<String>)]
    pub contact: Vec<Address>,
    /// Identifier of an external account that the authority gave.
    pub external_account: Option<String>,
    /// The key of that account, in base64url; as before if none.
    pub external_key: Option<String>,
    /// Roots for its TLS certificate, PEM; as before if none, Mozilla's if there were none.
    pub tls_roots: Option<String>,
    /// Whether challenge mails count without a DKIM or S/MIME signature.
    pub unsigned_challenges: bool,
}

impl fmt::Debug for PutAcme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PutAcme({})", self.directory)
    }
}

/// Settings of a command.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct PutCommand {
    /// Path of the program.
    pub program: String,
    /// Arguments before the verb.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Seconds it may take for one verb; 60 if none.
    #[serde(default)]
    pub timeout: Option<i64>,
}

/// Questions and orders about authorities.
#[async_trait]
pub trait Authorities {
    /// All of them, by name.
    async fn authorities(&self, who: &Permitted<Admin>) -> Asked<Vec<Authority>>;

    /// Adds the authority of that name, or gives it new settings.
    async fn put_authority(
        &self,
        who: &Permitted<Admin>,
        name: &str,
        put: PutAuthority,
    ) -> Asked<Applied>;

    /// Orders nothing from it any more; what it issued it can still revoke.
    async fn remove_authority(&self, who: &Permitted<Admin>, name: &str) -> Asked<Applied>;
}
