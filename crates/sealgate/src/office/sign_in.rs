//! The portal's questions of somebody who is not signed in yet.

use std::time::Duration;

use async_trait::async_trait;
use sealgate_core::permission::UserId;
use sealgate_core::sign_in::{Lock, NewSession};
use sealgate_core::tenant::Language;
use sealgate_mail::Address;
use sealgate_net::call::{Call, Method};
use sealgate_portal::limits::{FOREIGN_OCTETS, FOREIGN_WAIT_SECONDS};
use sealgate_portal::office::Asked;
use sealgate_portal::office::accounts::{
    Accepting, Credentials, InvitedTo, OpenInvitation, Question, Session, SignIn, Vouched,
};
use sealgate_portal::problem::Problem;
use sealgate_store::{Accepting as How, By, Invited, StoreError, User};
use zeroize::Zeroizing;

use super::accounts::ENDS;
use super::{PortalOffice, problem};
use crate::gateway::now;

#[async_trait]
impl SignIn for PortalOffice {
    async fn credentials(&self, name: &Address) -> Asked<Option<Credentials>> {
        let found = self.0.store.user_named(name).await.map_err(problem)?;
        Ok(found.map(|(user, password)| credentials(user, password)))
    }

    async fn open_session(&self, new: NewSession) -> Asked<bool> {
        let opened = self.0.store.open_session(new, ENDS, now()).await;
        opened.map_err(problem)
    }

    async fn told_locked(&self, name: &Address, lock: Lock) -> Asked<()> {
        let told = self.0.store.told_locked(name, lock, now()).await;
        told.map_err(problem)
    }

    async fn half_session(&self, sha256: &[u8; 32]) -> Asked<Option<Session>> {
        let found = self.0.store.session(sha256, ENDS, now()).await;
        let found = found.map_err(problem)?;
        let half = found.filter(|session| !session.complete);
        Ok(half.map(|session| Session {
            user: session.user.id,
            name: session.user.name,
            grants: session.grants,
            language: session.user.language,
        }))
    }

    async fn end_session(&self, sha256: &[u8; 32]) -> Asked<()> {
        self.0.store.end_session(*sha256).await.map_err(problem)
    }

    async fn one_time_secret(&self, user: UserId) -> Asked<Option<Zeroizing<Vec<u8>>>> {
        let found = self.0.store.second_factor(user).await.map_err(problem)?;
        Ok(found.map(|factor| factor.secret))
    }

    async fn use_step(&self, user: UserId, step: i64) -> Asked<bool> {
        self.0.store.use_step(user, step).await.map_err(problem)
    }

    async fn use_recovery_code(&self, session: &Session, sha256: [u8; 32]) -> Asked<bool> {
        let by = By {
            who: session.name.clone(),
            at: now(),
        };
        let store = &self.0.store;
        let used = store.use_recovery_code(session.user, sha256, by).await;
        used.map_err(problem)
    }

    async fn invitation(&self, sha256: &[u8; 32]) -> Asked<Option<OpenInvitation>> {
        let found = self.0.store.invitation(sha256, now()).await;
        Ok(found.map_err(problem)?.map(|found| {
            let to = found.to.unwrap_or_default();
            OpenInvitation {
                name: found.invitation.name,
                to: match found.invitation.invited {
                    Invited::Member(_, role) => InvitedTo::Organisation(to, role),
                    Invited::Reseller(_) => InvitedTo::Reseller(to),
                    Invited::Operator => InvitedTo::Operator,
                    Invited::Reset { .. } => InvitedTo::Password,
                },
            }
        }))
    }

    async fn accept_invitation(&self, sha256: [u8; 32], how: Accepting) -> Asked<UserId> {
        let how = match how {
            Accepting::Password(hash, language) => How::Password(hash, language),
            Accepting::User(user) => How::User(user),
        };
        let accepted = self.0.store.accept_invitation(sha256, how, now()).await;
        accepted.map_err(|error| match error {
            StoreError::NotFound(_) => Problem::new("invitation"),
            other => problem(other),
        })
    }

    async fn ask_issuer(&self, question: Question) -> Result<Vec<u8>, String> {
        let (method, fields, body) = match &question.form {
            None => (Method::GET, Vec::new(), Vec::new()),
            Some((form, authorization)) => (
                Method::POST,
                vec![
                    ("authorization", authorization.to_string()),
                    (
                        "content-type",
                        "application/x-www-form-urlencoded".to_owned(),
                    ),
                ],
                form.as_bytes().to_vec(),
            ),
        };
        let mut fields = fields;
        fields.push(("accept", "application/json".to_owned()));
        let call = Call {
            method,
            url: &question.url,
            fields,
            body,
            octets: FOREIGN_OCTETS,
            received: 2 * FOREIGN_OCTETS,
            wait: Duration::from_secs(FOREIGN_WAIT_SECONDS),
            only_https: false,
        };
        let heard = self.0.caller.call(call).await;
        let heard = heard.map_err(|error| format!("{}: {error}", question.url))?;
        match heard.status {
            200 => Ok(heard.body),
            status => Err(format!("{} answers with {status}", question.url)),
        }
    }

    async fn vouched(&self, who: Vouched, language: Language) -> Asked<Option<Credentials>> {
        let store = &self.0.store;
        let known = store.user_of_issuer(&who.issuer, &who.subject).await;
        if let Some(user) = known.map_err(problem)? {
            return Ok(Some(credentials(user, None)));
        }
        let Some(address) = who.address else {
            return Ok(None);
        };
        let how = How::Foreign {
            issuer: who.issuer,
            subject: who.subject,
            language,
        };
        // Somebody who has an account of that name with a password is not taken for the same: whoever made it may be another.
        match store.accept_all_invitations(address, how, now()).await {
            Ok(user) => {
                let user = store.user(user).await.map_err(problem)?;
                Ok(user.map(|user| credentials(user, None)))
            }
            Err(StoreError::NotFound(_) | StoreError::Refused(_)) => Ok(None),
            Err(error) => Err(problem(error)),
        }
    }
}

fn credentials(user: User, password: Option<String>) -> Credentials {
    Credentials {
        user: user.id,
        name: user.name,
        password,
        second_factor: user.has_second_factor,
        disabled: user.disabled,
    }
}
