//! Users of the portal: who they are, what they may do, their passwords.
//!
//! Their sessions, second factors, API tokens, invitations, memberships and resellers stand in files of their own below. Every
//! change of an account ends its other sessions where it must, with a line in the audit log in the same transaction.

mod invitations;
mod members;
mod resellers;
mod second_factor;
mod sessions;
mod tokens;

use sealgate_core::permission::{Grants, ResellerId, Role, UserId};
use sealgate_core::saying::{Accounts as Said, Refusals, Saying};
use sealgate_core::sign_in::Lock;
use sealgate_core::tenant::{Language, OrganisationId};
use sealgate_mail::{Address, Timestamp};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::audit;
use crate::configuration::next_number;
use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::{Columns, word};
use crate::store::Store;
use crate::writer::{Weight, job};

pub use invitations::{
    Accepting, Invitation, InvitationScope, Invited, NewInvitation, OpenInvitation,
};
pub use members::Member;
pub use resellers::{Reseller, WhoseOrganisation};
pub use second_factor::SecondFactor;
pub use sessions::{Session, SessionEnds, SessionLine};
pub use tokens::{ApiToken, ApiTokenLine, ApiTokenScope, NewApiToken};

/// Who changes something, as the audit log writes it, and when.
#[derive(Clone, Debug)]
pub struct By {
    /// Who.
    pub who: String,
    /// When.
    pub at: Timestamp,
}

/// A user of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub id: UserId,
    /// The name that the user signs in with: a mail address.
    pub name: String,
    /// The language of the pages.
    pub language: Language,
    /// Whether the user runs the installation.
    pub operator: bool,
    /// The reseller that the user works for.
    pub reseller: Option<ResellerId>,
    /// Whether signing in is refused.
    pub disabled: bool,
    /// Whether there is a password.
    pub has_password: bool,
    /// Whether there is a second factor.
    pub has_second_factor: bool,
    /// Whether another server vouches for the user (OpenID Connect).
    pub is_foreign: bool,
    /// The organisation whose invitation made the account; none where it was the operator's.
    pub invited_by: Option<String>,
    /// When the account was made.
    pub created: Timestamp,
}

/// What of a user is to be changed; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Whether sign-ins are refused.
    pub disabled: Option<bool>,
    /// Whether the user runs the installation.
    pub operator: Option<bool>,
    /// The reseller that the user works for; inside, none takes them from whoever has them.
    pub reseller: Option<Option<ResellerId>>,
}

/// What a user is in organisations: names and roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLine {
    /// The user.
    pub user: User,
    /// Organisations by name, with the role in each.
    pub roles: Vec<(String, Role)>,
    /// When the user was last there.
    pub seen: Option<Timestamp>,
}

impl UserChange {
    /// What the audit log says of it.
    fn words(&self, name: &str, reseller: Option<&str>) -> Vec<Said> {
        let name = || name.to_owned();
        let disabled = self.disabled.map(|disabled| match disabled {
            true => Said::Disabled { name: name() },
            false => Said::Enabled { name: name() },
        });
        let operator = self.operator.map(|operator| match operator {
            true => Said::Operator { name: name() },
            false => Said::NoOperator { name: name() },
        });
        let works = self.reseller.map(|_| match reseller {
            Some(reseller) => Said::ForReseller {
                name: name(),
                reseller: reseller.to_owned(),
            },
            None => Said::ForNoReseller { name: name() },
        });
        [disabled, operator, works].into_iter().flatten().collect()
    }
}

/// Which users are listed.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// Whose name holds this text.
    pub search: Option<String>,
    /// Behind this name.
    pub after: Option<String>,
    /// Most rows.
    pub limit: u32,
}

/// A user to be made.
pub(crate) struct NewUser<'a> {
    pub name: &'a str,
    pub folded: &'a str,
    pub password: Option<&'a str>,
    pub foreign: Option<(&'a str, &'a str)>,
    pub language: Language,
    pub invited_by: Option<&'a str>,
}

impl Store {
    /// The user of that number.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = sqlx::query("SELECT * FROM users WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.0.readers)
            .await?;
        row.as_ref().map(user).transpose()
    }

    /// The user of that name, with the hash of the password.
    pub async fn user_named(
        &self,
        name: &Address,
    ) -> Result<Option<(User, Option<String>)>, StoreError> {
        let row = sqlx::query("SELECT * FROM users WHERE folded = $1")
            .bind(name.key())
            .fetch_optional(&self.0.readers)
            .await?;
        row.map(|row| Ok((user(&row)?, row.field("password")?)))
            .transpose()
    }

    /// The hash of a user's password.
    pub async fn password_of(&self, id: UserId) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT password FROM users WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.0.readers)
            .await?;
        Ok(row.map(|row| row.field("password")).transpose()?.flatten())
    }

    /// The user for whom `issuer` vouches as `subject`.
    pub async fn user_of_issuer(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        let row = sqlx::query("SELECT * FROM users WHERE issuer = $1 AND subject = $2")
            .bind(issuer)
            .bind(subject)
            .fetch_optional(&self.0.readers)
            .await?;
        row.as_ref().map(user).transpose()
    }

    /// Users of the installation by name.
    pub async fn users(&self, query: &UserQuery) -> Result<Vec<UserLine>, StoreError> {
        let mut reading = self.0.readers.begin().await?;
        let rows = sqlx::query(
            "SELECT users.*, (SELECT MAX(seen) FROM sessions WHERE user = users.id) AS last_seen FROM users
             WHERE folded > $1 AND ($2 IS NULL OR instr(folded, $2) > 0) ORDER BY folded LIMIT $3",
        )
        .bind(query.after.as_deref().unwrap_or_default().to_ascii_lowercase())
        .bind(query.search.as_ref().map(|text| text.to_ascii_lowercase()))
        .bind(i64::from(query.limit.min(PAGE_ROWS)))
        .fetch_all(&mut *reading)
        .await?;
        let mut lines = Vec::with_capacity(rows.len());
        for row in &rows {
            let user = user(row)?;
            lines.push(UserLine {
                roles: named_roles(&mut reading, user.id).await?,
                seen: row.optional_time("last_seen")?,
                user,
            });
        }
        Ok(lines)
    }

    /// Sets a user's password and ends all sessions but `kept`.
    pub async fn set_password(
        &self,
        id: UserId,
        password: String,
        kept: Option<[u8; 32]>,
        by: By,
    ) -> Result<(), StoreError> {
        self.change_user(id, by, move |connection, name| {
            Box::pin(async move {
                sqlx::query("UPDATE users SET password = $1 WHERE id = $2")
                    .bind(password)
                    .bind(id.0)
                    .execute(&mut *connection)
                    .await?;
                sessions::end_others(connection, id, kept).await?;
                Ok(Some(Said::PasswordSet { name }))
            })
        })
        .await
    }

    /// Sets the language of a user's pages.
    pub async fn set_language(
        &self,
        id: UserId,
        language: Language,
        by: By,
    ) -> Result<(), StoreError> {
        self.change_user(id, by, move |connection, name| {
            Box::pin(async move {
                sqlx::query("UPDATE users SET language = $1 WHERE id = $2")
                    .bind(language.as_str())
                    .bind(id.0)
                    .execute(connection)
                    .await?;
                let to = language.as_str().to_owned();
                Ok(Some(Said::LanguageSet { name, to }))
            })
        })
        .await
    }

    /// Changes what a user may do in the installation; all their sessions end. The last operator stays.
    pub async fn change_rights(
        &self,
        id: UserId,
        change: UserChange,
        by: By,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let name = name_of(connection, id).await?;
                if change.disabled == Some(true) || change.operator == Some(false) {
                    must_not_be_last_operator(connection, id).await?;
                }
                let reseller = change.reseller.flatten();
                let reseller_name = match reseller {
                    Some(id) => Some(resellers::name_of(connection, id).await?),
                    None => None,
                };
                sqlx::query(
                    "UPDATE users SET disabled = COALESCE($1, disabled), operator = COALESCE($2, operator),
                            reseller = CASE WHEN $3 THEN $4 ELSE reseller END WHERE id = $5",
                )
                .bind(change.disabled)
                .bind(change.operator)
                .bind(change.reseller.is_some())
                .bind(reseller.map(|id| id.0))
                .bind(id.0)
                .execute(&mut *connection)
                .await?;
                if change.operator == Some(false) {
                    members::forget_made(connection, id).await?;
                }
                for said in change.words(&name, reseller_name.as_deref()) {
                    tell(connection, &by, "", said).await?;
                }
                sessions::end_others(connection, id, None).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Tells the organisations of an account, or the operator if it is in none, that its sign-ins are refused for a while. Of a
    /// name without account nothing is told.
    pub async fn told_locked(
        &self,
        name: &Address,
        lock: Lock,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let folded = name.key();
        let work = job(move |connection| {
            Box::pin(async move {
                let row = sqlx::query("SELECT * FROM users WHERE folded = $1")
                    .bind(folded)
                    .fetch_optional(&mut *connection)
                    .await?;
                let Some(user) = row.as_ref().map(user).transpose()? else {
                    return Ok(());
                };
                let mut told = named_roles(connection, user.id).await?;
                if told.is_empty() {
                    told.push((String::new(), Role::Read));
                }
                let (address, seconds) = (lock.address, lock.seconds);
                let said = match lock.second_factor {
                    true => Said::SecondFactorsLocked { address, seconds },
                    false => Said::PasswordsLocked { address, seconds },
                };
                let by = By { who: user.name, at };
                for (organisation, _) in told {
                    tell(connection, &by, &organisation, said.clone()).await?;
                }
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Removes a user with all that is theirs.
    pub async fn remove_user(&self, id: UserId, by: By) -> Result<(), StoreError> {
        self.change_user(id, by, move |connection, name| {
            Box::pin(async move {
                must_not_be_last_operator(connection, id).await?;
                // Where they administer, what they made would stay.
                sqlx::query("DELETE FROM memberships WHERE user = $1")
                    .bind(id.0)
                    .execute(&mut *connection)
                    .await?;
                members::forget_made(connection, id).await?;
                sqlx::query("DELETE FROM users WHERE id = $1")
                    .bind(id.0)
                    .execute(connection)
                    .await?;
                Ok(Some(Said::Removed { name }))
            })
        })
        .await
    }

    /// Changes something of a user; `change` is told the name and gives the line for the audit log, if there is one.
    pub(crate) async fn change_user<F>(
        &self,
        id: UserId,
        by: By,
        change: F,
    ) -> Result<(), StoreError>
    where
        F: for<'c> FnOnce(
                &'c mut SqliteConnection,
                String,
            ) -> crate::writer::Running<'c, Option<Said>>
            + Send
            + 'static,
    {
        let work = job(move |connection| {
            Box::pin(async move {
                let name = name_of(connection, id).await?;
                match change(&mut *connection, name).await? {
                    Some(said) => tell(connection, &by, "", said).await,
                    None => Ok(()),
                }
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

/// A line in the audit log; `organisation` is empty where it is about the installation.
pub(crate) async fn tell(
    connection: &mut SqliteConnection,
    by: &By,
    organisation: &str,
    said: impl Into<Saying>,
) -> Result<(), StoreError> {
    let entry = audit::Entry {
        at: by.at,
        who: &by.who,
        organisation,
        said: said.into(),
    };
    audit::insert(connection, entry).await
}

/// The name of a user.
pub(crate) async fn name_of(
    connection: &mut SqliteConnection,
    id: UserId,
) -> Result<String, StoreError> {
    let row = sqlx::query("SELECT name FROM users WHERE id = $1")
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    row.ok_or_else(|| StoreError::NotFound(format!("there is no user {}", id.0)))?
        .field("name")
}

/// Makes a user; refused if there is one of that name.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    new: NewUser<'_>,
    now: Timestamp,
) -> Result<UserId, StoreError> {
    let id = next_number(connection, "user").await?;
    let made = sqlx::query(
        "INSERT INTO users (id, name, folded, password, language, operator, issuer, subject, invited_by, created)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9) ON CONFLICT (folded) DO NOTHING",
    )
    .bind(id)
    .bind(new.name)
    .bind(new.folded)
    .bind(new.password)
    .bind(new.language.as_str())
    .bind(new.foreign.map(|(issuer, _)| issuer))
    .bind(new.foreign.map(|(_, subject)| subject))
    .bind(new.invited_by)
    .bind(now.0)
    .execute(connection)
    .await?;
    match made.rows_affected() {
        1 => Ok(UserId(id)),
        _ => Err(StoreError::refused(Refusals::HasAccount {
            name: new.name.to_owned(),
        })),
    }
}

/// Somebody must be able to run the installation by the portal.
async fn must_not_be_last_operator(
    connection: &mut SqliteConnection,
    id: UserId,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS others, (SELECT operator FROM users WHERE id = $1) AS own
         FROM users WHERE operator = 1 AND disabled = 0 AND id <> $1",
    )
    .bind(id.0)
    .fetch_one(connection)
    .await?;
    let (others, own): (i64, Option<bool>) = (row.field("others")?, row.field("own")?);
    match others == 0 && own == Some(true) {
        true => Err(StoreError::Refused(Refusals::LastOperator {}.into())),
        false => Ok(()),
    }
}

/// What a user was given.
pub(crate) async fn grants_of(
    connection: &mut SqliteConnection,
    user: &User,
) -> Result<Grants, StoreError> {
    let rows = sqlx::query("SELECT organisation, role FROM memberships WHERE user = $1")
        .bind(user.id.0)
        .fetch_all(connection)
        .await?;
    let role = |row: &SqliteRow| {
        Ok::<_, StoreError>((row.organisation("organisation")?, row.word("role")?))
    };
    Ok(Grants {
        operator: user.operator,
        reseller: user.reseller,
        roles: rows
            .iter()
            .map(role)
            .collect::<Result<Vec<(OrganisationId, Role)>, _>>()?,
    })
}

async fn named_roles(
    connection: &mut SqliteConnection,
    id: UserId,
) -> Result<Vec<(String, Role)>, StoreError> {
    let rows = sqlx::query(
        "SELECT name, role FROM memberships JOIN organisations ON organisations.id = organisation
         WHERE user = $1 ORDER BY name",
    )
    .bind(id.0)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.field("name")?, row.word("role")?)))
        .collect()
}

pub(crate) fn user(row: &SqliteRow) -> Result<User, StoreError> {
    Ok(User {
        id: UserId(row.field("id")?),
        name: row.field("name")?,
        language: row.word("language")?,
        operator: row.field("operator")?,
        reseller: row.field::<Option<i64>>("reseller")?.map(ResellerId),
        disabled: row.field("disabled")?,
        has_password: row.field::<Option<&str>>("password")?.is_some(),
        has_second_factor: row.field::<Option<&[u8]>>("totp")?.is_some(),
        is_foreign: row.field::<Option<&str>>("issuer")?.is_some(),
        invited_by: row.field("invited_by")?,
        created: row.time("created")?,
    })
}

/// A role as its column holds it.
fn role_word(role: Role) -> Result<String, StoreError> {
    word(&role)
}
