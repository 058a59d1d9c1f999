//! Links that work once: into an organisation, to a reseller, to the operators, or to a new password.

use sealgate_core::permission::{ResellerId, Role, UserId};
use sealgate_core::saying::{Accounts as Said, Refusals};
use sealgate_core::tenant::{Language, OrganisationId};
use sealgate_mail::{Address, Timestamp};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::tokens::{maker, tell_of};
use super::{By, NewUser, members, name_of, resellers, role_word, second_factor, sessions};
use crate::configuration::{self, next_number};
use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::room::{self, Owner};
use crate::rows::Columns;
use crate::store::Store;
use crate::writer::{Weight, job};

/// What somebody is invited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invited {
    /// A role in an organisation.
    Member(OrganisationId, Role),
    /// To work for a reseller.
    Reseller(ResellerId),
    /// To run the installation.
    Operator,
    /// A user who gets a new password; without second factor if that goes, too.
    Reset {
        /// Whose.
        user: UserId,
        /// Whether the second factor goes.
        factor: bool,
    },
}

impl Invited {
    /// The organisation whose invitation it is; none if it is one of the installation.
    fn organisation(self) -> Option<i64> {
        match self {
            Self::Member(id, _) => Some(id.0),
            Self::Reseller(_) | Self::Operator | Self::Reset { .. } => None,
        }
    }

    /// Among whose invitations it counts; none if it lets nobody in who is not there already.
    fn owner(self) -> Option<Owner> {
        let reseller = match self {
            Self::Reset { .. } => return None,
            Self::Reseller(id) => Some(id),
            Self::Member(..) | Self::Operator => None,
        };
        Some(Owner {
            organisation: self.organisation(),
            reseller,
        })
    }
}

/// An invitation to be made.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// SHA-256 of the secret in the link.
    pub sha256: [u8; 32],
    /// Whom.
    pub name: Address,
    /// To what.
    pub invited: Invited,
    /// When it ends.
    pub expires: Timestamp,
    /// SHA-256 of the API token that makes it, if one does: it counts among what the maker of that one made.
    pub by_token: Option<[u8; 32]>,
    /// Whether only so many may be open; the operator at the command line may make more. A new password is never refused.
    pub bounded: bool,
}

/// An invitation that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its number.
    pub id: i64,
    /// Whom.
    pub name: String,
    /// To what.
    pub invited: Invited,
    /// By whom.
    pub created_by: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// An open invitation with the names of what it is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// Name of the organisation or reseller.
    pub to: Option<String>,
}

/// Whose invitations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationScope {
    /// Those into an organisation.
    Organisation(OrganisationId),
    /// Those to resellers, operators, and to new passwords.
    Installation,
}

/// How an invitation is accepted.
#[derive(Clone, Debug)]
pub enum Accepting {
    /// With a new account and this hash of its password, or with a new password of one's own for a reset.
    Password(String, Language),
    /// By a user who is signed in.
    User(UserId),
    /// With a new account for which `issuer` vouches as `subject`.
    Foreign {
        /// Who vouches.
        issuer: String,
        /// For whom.
        subject: String,
        /// The language of the pages.
        language: Language,
    },
}

impl Store {
    /// Invites somebody.
    pub async fn invite(&self, new: NewInvitation, by: By) -> Result<i64, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                delete_expired(connection, by.at).await?;
                if let Some(owner) = new.invited.owner().filter(|_| new.bounded) {
                    room::for_one_more(connection, owner, room::INVITED, by.at).await?;
                }
                let id = next_number(connection, "invitation").await?;
                insert(connection, id, &new, &by).await?;
                let (organisation, what) = words(connection, new.invited).await?;
                let said = Said::Invited {
                    name: new.name.to_string(),
                    what: what.into(),
                };
                tell_of(connection, organisation, &by, said).await?;
                Ok(id)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// The open invitation with that secret.
    pub async fn invitation(
        &self,
        sha256: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<OpenInvitation>, StoreError> {
        let mut reading = self.0.readers.begin().await?;
        let Some(invitation) = find(&mut reading, sha256, now).await? else {
            return Ok(None);
        };
        let to = match invitation.invited {
            Invited::Member(id, _) => Some(configuration::name_of(&mut reading, id).await?),
            Invited::Reseller(id) => Some(resellers::name_of(&mut reading, id).await?),
            Invited::Operator | Invited::Reset { .. } => None,
        };
        Ok(Some(OpenInvitation { invitation, to }))
    }

    /// Open invitations by number, behind the one numbered `after`.
    pub async fn invitations(
        &self,
        scope: InvitationScope,
        after: i64,
        now: Timestamp,
    ) -> Result<Vec<Invitation>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM invitations WHERE organisation IS $1 AND id > $2 AND expires > $3 ORDER BY id LIMIT $4",
        )
        .bind(scope.organisation())
        .bind(after)
        .bind(now.0)
        .bind(i64::from(PAGE_ROWS))
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(invitation).collect()
    }

    /// Takes an invitation back.
    pub async fn withdraw_invitation(
        &self,
        scope: InvitationScope,
        id: i64,
        by: By,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let row = sqlx::query(
                    "DELETE FROM invitations WHERE organisation IS $1 AND id = $2 RETURNING name",
                )
                .bind(scope.organisation())
                .bind(id)
                .fetch_optional(&mut *connection)
                .await?;
                let row = row
                    .ok_or_else(|| StoreError::NotFound(format!("there is no invitation {id}")))?;
                let said = Said::InvitationTaken {
                    name: row.field("name")?,
                };
                tell_of(connection, scope.organisation(), &by, said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Accepts the invitation with that secret, which ends it; gives the user. Refused for an address that has an account, unless
    /// its own user accepts.
    pub async fn accept_invitation(
        &self,
        sha256: [u8; 32],
        acceptance: Accepting,
        now: Timestamp,
    ) -> Result<UserId, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let found = find(connection, &sha256, now).await?;
                let found = found.ok_or_else(|| StoreError::NotFound("no invitation".into()))?;
                let user = match (found.invited, &acceptance) {
                    (Invited::Reset { user, factor }, Accepting::Password(password, _)) => {
                        reset(connection, (user, factor), password).await?;
                        user
                    }
                    (Invited::Reset { .. }, _) => {
                        return Err(StoreError::refused(Refusals::PasswordNeeded {}));
                    }
                    (_, acceptance) => {
                        let user = account(connection, &found, acceptance, now).await?;
                        give(connection, user, found.invited, now).await?;
                        user
                    }
                };
                delete(connection, found.id).await?;
                told_accepted(connection, &found, now).await?;
                Ok(user)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Makes the account of somebody for whom another server vouches, with everything that this address is invited to.
    pub async fn accept_all_invitations(
        &self,
        name: Address,
        acceptance: Accepting,
        now: Timestamp,
    ) -> Result<UserId, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "SELECT * FROM invitations WHERE folded = $1 AND expires > $2 AND user IS NULL
                     AND NOT EXISTS (SELECT 1 FROM users WHERE name = created_by AND disabled = 1) ORDER BY id",
                )
                .bind(name.key())
                .bind(now.0)
                .fetch_all(&mut *connection)
                .await?;
                let all = rows.iter().map(invitation).collect::<Result<Vec<_>, _>>()?;
                let first = all.first();
                let first = first.ok_or_else(|| StoreError::NotFound("no invitation".into()))?;
                let user = account(connection, first, &acceptance, now).await?;
                for found in &all {
                    give(connection, user, found.invited, now).await?;
                    delete(connection, found.id).await?;
                    told_accepted(connection, found, now).await?;
                }
                Ok(user)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

impl InvitationScope {
    fn organisation(self) -> Option<i64> {
        match self {
            Self::Organisation(id) => Some(id.0),
            Self::Installation => None,
        }
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    id: i64,
    new: &NewInvitation,
    by: &By,
) -> Result<(), StoreError> {
    let (organisation, role) = match new.invited {
        Invited::Member(id, role) => (Some(id.0), Some(role_word(role)?)),
        _ => (None, None),
    };
    let reseller = match new.invited {
        Invited::Reseller(id) => Some(id.0),
        _ => None,
    };
    let (user, factor) = match new.invited {
        Invited::Reset { user, factor } => (Some(user.0), factor),
        _ => (None, false),
    };
    let maker = maker(connection, new.by_token, by).await?;
    sqlx::query(
        "INSERT INTO invitations (id, sha256, name, folded, organisation, role, reseller, operator, user, factor,
                                  created, created_by, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(id)
    .bind(new.sha256.as_slice())
    .bind(new.name.to_string())
    .bind(new.name.key())
    .bind(organisation)
    .bind(role)
    .bind(reseller)
    .bind(new.invited == Invited::Operator)
    .bind(user)
    .bind(factor)
    .bind(by.at.0)
    .bind(maker)
    .bind(new.expires.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// The organisation it is about, and what the audit log says of it.
async fn words(
    connection: &mut SqliteConnection,
    invited: Invited,
) -> Result<(Option<i64>, Said), StoreError> {
    Ok(match invited {
        Invited::Member(id, role) => (Some(id.0), Said::ToRole { role }),
        Invited::Reseller(id) => (
            None,
            Said::ToReseller {
                name: resellers::name_of(connection, id).await?,
            },
        ),
        Invited::Operator => (None, Said::ToOperator {}),
        Invited::Reset { user, factor } => {
            let name = name_of(connection, user).await?;
            let what = match factor {
                true => Said::ToNewPasswordAlone { name },
                false => Said::ToNewPassword { name },
            };
            (None, what)
        }
    })
}

async fn find(
    connection: &mut SqliteConnection,
    sha256: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Invitation>, StoreError> {
    let row = sqlx::query(
        "SELECT * FROM invitations WHERE sha256 = $1 AND expires > $2
         AND NOT EXISTS (SELECT 1 FROM users WHERE name = created_by AND disabled = 1)",
    )
    .bind(sha256.as_slice())
    .bind(now.0)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(invitation).transpose()
}

fn invitation(row: &SqliteRow) -> Result<Invitation, StoreError> {
    let organisation = row.field::<Option<i64>>("organisation")?;
    let reseller = row.field::<Option<i64>>("reseller")?;
    let user = row.field::<Option<i64>>("user")?;
    let invited = match (organisation, reseller, user) {
        (Some(id), _, _) => Invited::Member(OrganisationId(id), row.word("role")?),
        (None, Some(id), _) => Invited::Reseller(ResellerId(id)),
        (None, None, Some(id)) => Invited::Reset {
            user: UserId(id),
            factor: row.field("factor")?,
        },
        (None, None, None) => match row.field("operator")? {
            true => Invited::Operator,
            false => return Err(StoreError::damaged("an invitation to nothing")),
        },
    };
    Ok(Invitation {
        id: row.field("id")?,
        name: row.field("name")?,
        invited,
        created_by: row.field("created_by")?,
        expires: row.time("expires")?,
    })
}

/// The account of whoever accepts.
async fn account(
    connection: &mut SqliteConnection,
    found: &Invitation,
    acceptance: &Accepting,
    now: Timestamp,
) -> Result<UserId, StoreError> {
    let name = found.name.as_str();
    let address = Address::parse(name).map_err(|error| StoreError::damaged(error.to_string()))?;
    let folded = address.key();
    let (password, foreign, language) = match acceptance {
        Accepting::User(user) => {
            let own = sqlx::query("SELECT 1 FROM users WHERE id = $1 AND folded = $2")
                .bind(user.0)
                .bind(&folded)
                .fetch_optional(connection)
                .await?;
            return match own {
                Some(_) => Ok(*user),
                None => Err(StoreError::refused(Refusals::InvitationOfOther {
                    name: name.to_owned(),
                })),
            };
        }
        Accepting::Password(password, language) => (Some(password.as_str()), None, *language),
        Accepting::Foreign {
            issuer,
            subject,
            language,
        } => (None, Some((issuer.as_str(), subject.as_str())), *language),
    };
    let invited_by = match found.invited {
        Invited::Member(id, _) => Some(configuration::name_of(connection, id).await?),
        _ => None,
    };
    let new = NewUser {
        name,
        folded: &folded,
        password,
        foreign,
        language,
        invited_by: invited_by.as_deref(),
    };
    super::insert(connection, new, now).await
}

/// Gives a user what they were invited to.
async fn give(
    connection: &mut SqliteConnection,
    user: UserId,
    invited: Invited,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (column, value) = match invited {
        Invited::Member(organisation, role) => {
            members::lower(connection, (organisation, user), Some(role), false).await?;
            return members::put(connection, organisation, (user, role), now).await;
        }
        Invited::Reset { .. } => return Ok(()),
        Invited::Operator => ("UPDATE users SET operator = $1 WHERE id = $2", 1),
        Invited::Reseller(id) => ("UPDATE users SET reseller = $1 WHERE id = $2", id.0),
    };
    sqlx::query(column)
        .bind(value)
        .bind(user.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// A new password, and no session of the former one.
async fn reset(
    connection: &mut SqliteConnection,
    (user, factor): (UserId, bool),
    password: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE users SET password = $1 WHERE id = $2")
        .bind(password)
        .bind(user.0)
        .execute(&mut *connection)
        .await?;
    if factor {
        second_factor::remove(connection, user).await?;
    }
    sqlx::query("DELETE FROM invitations WHERE user = $1")
        .bind(user.0)
        .execute(&mut *connection)
        .await?;
    sessions::end_others(connection, user, None).await
}

async fn delete(connection: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM invitations WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

async fn delete_expired(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM invitations WHERE expires <= $1")
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}

async fn told_accepted(
    connection: &mut SqliteConnection,
    found: &Invitation,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (organisation, what) = words(connection, found.invited).await?;
    let by = By {
        who: found.name.clone(),
        at: now,
    };
    tell_of(
        connection,
        organisation,
        &by,
        Said::Accepted { what: what.into() },
    )
    .await
}
