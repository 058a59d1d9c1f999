//! Members of organisations, each with one role.

use sealgate_core::permission::{Role, UserId};
use sealgate_core::saying::{Accounts as Said, Refusals};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{By, role_word, sessions, tell};
use crate::configuration;
use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::Columns;
use crate::store::Store;
use crate::writer::{Weight, job};

/// A member of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: UserId,
    /// The user's name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
    /// Whether there is a second factor.
    pub has_second_factor: bool,
}

impl Store {
    /// Members of an organisation by name, behind the one of the name `after`.
    pub async fn members(
        &self,
        organisation: OrganisationId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Member>, StoreError> {
        let rows = sqlx::query(
            "SELECT users.id, name, role, since, totp IS NOT NULL AS has_second_factor FROM memberships JOIN users ON users.id = user
             WHERE organisation = $1 AND folded > $2 ORDER BY folded LIMIT $3",
        )
        .bind(organisation.0)
        .bind(after.to_ascii_lowercase())
        .bind(i64::from(limit.min(PAGE_ROWS)))
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(member).collect()
    }

    /// Gives a user a role in an organisation, whatever it was before; ends all their sessions.
    pub async fn grant_role(
        &self,
        organisation: OrganisationId,
        (user, role): (UserId, Role),
        by: By,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let name = super::name_of(connection, user).await?;
                lower(connection, (organisation, user), Some(role), true).await?;
                put(connection, organisation, (user, role), by.at).await?;
                sessions::end_others(connection, user, None).await?;
                let said = Said::HasRole { name, role };
                let organisation = configuration::name_of(connection, organisation).await?;
                tell(connection, &by, &organisation, said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Changes the role of a member, or ends the membership; ends all their sessions. Refused if no administrator would be left,
    /// unless `anyhow`.
    pub async fn change_member(
        &self,
        organisation: OrganisationId,
        (user, role): (UserId, Option<Role>),
        anyhow: bool,
        by: By,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let former = role_of(connection, organisation, user).await?;
                former
                    .ok_or_else(|| StoreError::NotFound(format!("user {} is no member", user.0)))?;
                lower(connection, (organisation, user), role, anyhow).await?;
                let name = super::name_of(connection, user).await?;
                let said = match role {
                    Some(role) => {
                        put(connection, organisation, (user, role), by.at).await?;
                        Said::HasRole { name, role }
                    }
                    None => {
                        delete(connection, organisation, user).await?;
                        Said::LeftOrganisation { name }
                    }
                };
                sessions::end_others(connection, user, None).await?;
                let organisation = configuration::name_of(connection, organisation).await?;
                tell(connection, &by, &organisation, said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

fn member(row: &SqliteRow) -> Result<Member, StoreError> {
    Ok(Member {
        user: UserId(row.field("id")?),
        name: row.field("name")?,
        role: row.word("role")?,
        since: row.time("since")?,
        has_second_factor: row.field("has_second_factor")?,
    })
}

async fn role_of(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    user: UserId,
) -> Result<Option<Role>, StoreError> {
    let row = sqlx::query("SELECT role FROM memberships WHERE organisation = $1 AND user = $2")
        .bind(organisation.0)
        .bind(user.0)
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.word("role")).transpose()
}

/// What must be before a member's role becomes a lower one, or none: another administrator, unless `anyhow`; and nothing is left
/// of what the higher one gave. Where the role is not lower, nothing.
pub(super) async fn lower(
    connection: &mut SqliteConnection,
    (organisation, user): (OrganisationId, UserId),
    role: Option<Role>,
    anyhow: bool,
) -> Result<(), StoreError> {
    let former = role_of(connection, organisation, user).await?;
    if role >= former {
        return Ok(());
    }
    if former == Some(Role::Admin) && !anyhow {
        must_not_be_last(connection, organisation, user).await?;
    }
    let name = super::name_of(connection, user).await?;
    forget_given(connection, organisation, &name).await
}

/// Ends what somebody made anywhere who runs the installation no more, or whose account goes: invitations and API tokens, but for
/// those of organisations that they administer; and the invitations for them that would make them more than a member.
pub(super) async fn forget_made(
    connection: &mut SqliteConnection,
    user: UserId,
) -> Result<(), StoreError> {
    let name = super::name_of(connection, user).await?;
    for statement in [
        "DELETE FROM invitations WHERE created_by = $1
         AND (organisation IS NULL OR organisation NOT IN
              (SELECT organisation FROM memberships WHERE user = $2 AND role = 'admin'))",
        "DELETE FROM invitations WHERE organisation IS NULL AND user IS NULL
         AND folded = (SELECT folded FROM users WHERE name = $1 AND id = $2)",
        "DELETE FROM api_tokens WHERE created_by = $1
         AND (organisation IS NULL OR organisation NOT IN
              (SELECT organisation FROM memberships WHERE user = $2 AND role = 'admin'))",
    ] {
        sqlx::query(statement)
            .bind(&name)
            .bind(user.0)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Ends what a member who may do less now made or was given before: invitations by and for them, and API tokens they made.
async fn forget_given(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    name: &str,
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM invitations WHERE organisation = $1 AND user IS NULL
         AND (created_by = $2 OR folded = (SELECT folded FROM users WHERE name = $2))",
        "DELETE FROM api_tokens WHERE organisation = $1 AND created_by = $2",
    ] {
        sqlx::query(statement)
            .bind(organisation.0)
            .bind(name)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Somebody must be able to administer the organisation.
async fn must_not_be_last(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    user: UserId,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS others FROM memberships JOIN users ON users.id = user
         WHERE organisation = $1 AND role = 'admin' AND user <> $2 AND disabled = 0",
    )
    .bind(organisation.0)
    .bind(user.0)
    .fetch_one(connection)
    .await?;
    match row.field::<i64>("others")? {
        0 => Err(StoreError::Refused(Refusals::LastAdministrator {}.into())),
        _ => Ok(()),
    }
}

/// Writes a role in place of the former one.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    (user, role): (UserId, Role),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO memberships (user, organisation, role, since) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user, organisation) DO UPDATE SET role = excluded.role",
    )
    .bind(user.0)
    .bind(organisation.0)
    .bind(role_word(role)?)
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    user: UserId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM memberships WHERE organisation = $1 AND user = $2")
        .bind(organisation.0)
        .bind(user.0)
        .execute(connection)
        .await?;
    Ok(())
}
