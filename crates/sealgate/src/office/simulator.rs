//! The portal's simulator: a mail that is thought of, decided as the gateway decides.

use async_trait::async_trait;
use sealgate_core::journal::Direction;
use sealgate_core::saying::Inputs;
use sealgate_core::tenant::{Language, Organisation};
use sealgate_mail::Address;
use sealgate_portal::auth::{Permitted, Read};
use sealgate_portal::office::Asked;
use sealgate_portal::office::simulator::{MailAnswer, MailQuestion, Simulator};
use sealgate_portal::problem::Problem;
use sealgate_portal::trace;
use sealgate_smime::certificate::Certificate;

use super::{PortalOffice, problem};
use crate::explaining::Thought;
use crate::gateway::now;
use crate::lookups::Seen;
use crate::sources;

#[async_trait]
impl Simulator for PortalOffice {
    async fn simulate(&self, who: &Permitted<Read>, question: &MailQuestion) -> Asked<MailAnswer> {
        let address = |field: &'static str, text: &str| {
            Address::parse(text.trim()).map_err(|error| Problem::wrong(field, error))
        };
        let managed = address("managed", &question.managed)?;
        let external = address("external", &question.external)?;
        let installation = self.0.installation();
        let organisation = installation.organisation(who.organisation());
        let organisation = organisation.ok_or_else(Problem::not_found)?;
        if !organisation.manages(&managed) {
            return Err(Problem::wrong("managed", Inputs::NotManaged {}));
        }
        let (from, to) = match question.direction {
            Direction::Inbound => (&external, &managed),
            Direction::Outbound => (&managed, &external),
        };
        let mut seen = Seen::assumed(from.clone());
        if question.encrypted {
            let named = self.named(organisation, question.direction, to).await?;
            seen.assume_encrypted(&named);
        }
        let thought = Thought {
            organisation,
            direction: question.direction,
            seen: &seen,
            sender: Some(from),
            recipient: to,
            now: now(),
        };
        if question.direction == Direction::Inbound && !thought.is_taken() {
            return Err(Problem::wrong("managed", Inputs::NoMailbox {}));
        }
        let store = &self.0.store;
        let unknown = thought.unknown(store).await.map_err(problem)?;
        let words = match unknown.is_empty() {
            true => Vec::new(),
            false => {
                let asked = sources::ask(&self.0, organisation, unknown).await;
                let mut asked = asked.map_err(|failure| Problem::internal(failure.message))?;
                asked.remove(to).unwrap_or_default()
            }
        };
        let trace = thought.trace(store, &words).await.map_err(problem)?;
        Ok(MailAnswer {
            de: trace::why(&trace, Language::De),
            en: trace::why(&trace, Language::En),
            trace,
        })
    }
}

impl PortalOffice {
    /// Whom an encrypted mail names: inbound the keys of the recipient that we have, outbound those of the recipient that we
    /// know.
    async fn named(
        &self,
        organisation: &Organisation,
        direction: Direction,
        to: &Address,
    ) -> Asked<Vec<Certificate>> {
        let (store, id) = (&self.0.store, organisation.id);
        if direction == Direction::Inbound {
            let ring = store.ring(id, to).await.map_err(problem)?;
            return Ok(ring.into_iter().map(|entry| entry.certificate).collect());
        }
        let known = store.correspondents(id, std::slice::from_ref(to)).await;
        let keys = known.map_err(problem)?.remove(to).unwrap_or_default();
        Ok(keys.into_iter().map(|key| key.certificate).collect())
    }
}
