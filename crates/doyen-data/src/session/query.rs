//! SQL statements and typed reads.

use sea_orm::{
    ConnectionTrait as _, DbErr, EntityTrait, PrimaryKeyTrait, QuerySelect, QueryTrait, Statement,
    Value,
};

use super::{Session, sql_cache};
use crate::Row;

impl Session {
    /// Runs a query and reads each row as a `T`. Parameters are `$1`, `$2` … on both databases.
    ///
    /// ```
    /// # extern crate doyen_data as doyen;
    /// use doyen_data::sea_orm::DbErr;
    /// use doyen_data::{Row, Session};
    ///
    /// #[derive(Row)]
    /// struct Count {
    ///     status: String,
    ///     tickets: i64,
    /// }
    ///
    /// async fn counts(session: &Session, assignee: i64) -> Result<Vec<Count>, DbErr> {
    ///     let sql = "SELECT status, count(*) AS tickets FROM tickets
    ///                WHERE assignee = $1 GROUP BY status";
    ///     session.query_as(sql, [assignee.into()]).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails, or a column is missing or of another type.
    pub async fn query_as<T: Row>(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, DbErr> {
        self.all_rows(sql, parameters.into_iter().collect()).await
    }

    /// Like [`query_as`](Self::query_as), for the first row only.
    ///
    /// # Errors
    ///
    /// The same as for [`query_as`](Self::query_as).
    pub async fn query_one_as<T: Row>(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, DbErr> {
        self.first_row(sql, parameters.into_iter().collect()).await
    }

    /// Returns the entity with this primary key: `session.get::<ticket::Entity>(7)`.
    ///
    /// It equals `find_by_id(7).one(&session)` for a model that derives [`Row`], but builds the
    /// statement only once. Rows are not cached.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails, or a column is missing or of another type.
    pub async fn get<E: EntityTrait<Model: Row>>(
        &self,
        id: impl Into<<E::PrimaryKey as PrimaryKeyTrait>::ValueType>,
    ) -> Result<Option<E::Model>, DbErr> {
        let (sql, values) = sql_cache::by_key::<E>(self.backend(), id.into());
        self.first_row(&sql, values).await
    }

    /// Returns all rows of a SeaORM select, each read as a `T`: a model, or a struct with a field
    /// for each wanted column.
    ///
    /// ```
    /// # extern crate doyen_data as doyen;
    /// use doyen_data::sea_orm::entity::prelude::*;
    /// use doyen_data::sea_orm::{self, FromQueryResult};
    /// use doyen_data::{Row, Session};
    ///
    /// mod ticket {
    ///     # use doyen_data::sea_orm;
    ///     use doyen_data::sea_orm::entity::prelude::*;
    ///
    ///     #[derive(Clone, Debug, DeriveEntityModel, doyen_data::Entity, doyen_data::Row)]
    ///     #[sea_orm(table_name = "tickets")]
    ///     pub struct Model {
    ///         #[sea_orm(primary_key)]
    ///         pub id: i64,
    ///         pub open: bool,
    ///     }
    /// }
    ///
    /// async fn open(session: &Session) -> Result<Vec<ticket::Model>, DbErr> {
    ///     session.all_as(&ticket::Entity::find().filter(ticket::Column::Open.eq(true))).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails, or a column is missing or of another type.
    pub async fn all_as<T: Row>(&self, select: &impl QueryTrait) -> Result<Vec<T>, DbErr> {
        let statement = select.build(self.backend());
        self.all_rows(&statement.sql, values(statement.values))
            .await
    }

    /// Returns the first row of a SeaORM select, read as a `T`. Adds `LIMIT 1` to the statement.
    ///
    /// # Errors
    ///
    /// The same as for [`all_as`](Self::all_as).
    pub async fn one_as<T: Row>(
        &self,
        select: &(impl QuerySelect + QueryTrait + Clone),
    ) -> Result<Option<T>, DbErr> {
        let mut statement = select.build(self.backend());
        // As text: PostgreSQL would plan a statement with a bound limit each time.
        if sql_cache::takes_limit(&statement.sql) {
            statement.sql.push_str(" LIMIT 1");
        } else {
            statement = select.clone().limit(1).build(self.backend());
        }
        self.first_row(&statement.sql, values(statement.values))
            .await
    }

    /// Runs a statement and returns the number of affected rows. Parameters are `$1`, `$2` … on
    /// both databases.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn execute_sql(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<u64, DbErr> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, parameters);
        Ok(self.execute_raw(statement).await?.rows_affected())
    }
}

fn values(values: Option<sea_orm::Values>) -> Vec<Value> {
    values.map_or_else(Vec::new, |values| values.0)
}
