//! The list of organisations that whoever signs in may choose from.

use sealgate_core::tenant::OrganisationId;
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteRow};

use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::Columns;
use crate::store::Store;

/// Which organisations; every field narrows it.
#[derive(Clone, Debug, Default)]
pub struct OrganisationQuery {
    /// Only these; none for all.
    pub only: Option<Vec<OrganisationId>>,
    /// Whose name holds this text, in any case.
    pub search: Option<String>,
    /// After this name, in their order.
    pub after: Option<String>,
    /// Most rows.
    pub limit: u32,
}

impl Store {
    /// One page of the organisations, in the order of their names.
    pub async fn organisation_page(
        &self,
        query: &OrganisationQuery,
    ) -> Result<Vec<(OrganisationId, String)>, StoreError> {
        let mut sql =
            QueryBuilder::<Sqlite>::new("SELECT id, name FROM organisations WHERE name > ");
        sql.push_bind(query.after.clone().unwrap_or_default());
        if let Some(only) = &query.only {
            let list = serde_json::to_string(only).unwrap_or_default();
            sql.push(" AND id IN (SELECT value FROM json_each(")
                .push_bind(list)
                .push("))");
        }
        if let Some(search) = &query.search {
            sql.push(" AND instr(lower(name), ")
                .push_bind(search.to_lowercase())
                .push(") > 0");
        }
        sql.push(" ORDER BY name LIMIT ")
            .push_bind(i64::from(query.limit.min(PAGE_ROWS)));
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        let one = |row: &SqliteRow| Ok((row.organisation("id")?, row.field("name")?));
        rows.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use sealgate_core::tenant::Settings;

    use super::*;
    use crate::testing::{NOW, world};

    #[tokio::test]
    async fn organisations_are_paged_searched_and_narrowed() {
        let world = world().await;
        for name in ["alpha", "beta", "gamma"] {
            let made = world
                .store
                .create_organisation(name, Settings::default(), "test", NOW);
            made.await.unwrap();
        }
        let all = OrganisationQuery {
            limit: 10,
            ..OrganisationQuery::default()
        };
        let names = async |query: &OrganisationQuery| {
            let rows = world.store.organisation_page(query).await.unwrap();
            rows.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&all).await, ["alpha", "beta", "example", "gamma"]);
        let own = OrganisationQuery {
            only: Some(vec![world.organisation]),
            ..all.clone()
        };
        assert_eq!(names(&own).await, ["example"]);
        let of_nobody = OrganisationQuery {
            only: Some(Vec::new()),
            ..all.clone()
        };
        assert!(names(&of_nobody).await.is_empty());
        let searched = OrganisationQuery {
            search: Some("AM".to_owned()),
            ..all.clone()
        };
        assert_eq!(names(&searched).await, ["example", "gamma"]);
        let second = OrganisationQuery {
            after: Some("beta".to_owned()),
            limit: 1,
            ..all
        };
        assert_eq!(names(&second).await, ["example"]);
    }
}
