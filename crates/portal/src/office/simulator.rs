//! The simulator: what would be done with a mail, decided as the gateway decides.

use async_trait::async_trait;
use sealgate_core::journal::{Direction, Trace};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Asked;
use crate::auth::{Permitted, Read};

/// A mail that is thought of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct MailQuestion {
    /// `inbound` or `outbound`; outbound if absent.
    #[param(value_type = Option<String>)]
    pub direction: Direction,
    /// The address of this organisation: who sends, or who gets it.
    #[param(value_type = String)]
    pub managed: String,
    /// The external address.
    #[param(value_type = String)]
    pub external: String,
    /// Whether it is encrypted as it comes: inbound to a key of the recipient, outbound by the sender's mail program.
    #[param(value_type = Option<bool>)]
    pub encrypted: bool,
}

impl Default for MailQuestion {
    fn default() -> Self {
        Self {
            direction: Direction::Outbound,
            managed: String::new(),
            external: String::new(),
            encrypted: false,
        }
    }
}

/// What would be done with a mail, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailAnswer {
    /// How it was decided: rules passed over, the rule that decided, facts, outcome; as the journal writes it.
    #[schema(value_type = Object)]
    pub trace: Trace,
    /// In one sentence in German.
    pub de: String,
    /// In one sentence in English.
    pub en: String,
}

/// The question.
#[async_trait]
pub trait Simulator {
    /// What would be done with that mail now.
    async fn simulate(&self, who: &Permitted<Read>, question: &MailQuestion) -> Asked<MailAnswer>;
}
