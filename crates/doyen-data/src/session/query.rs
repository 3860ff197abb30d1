//! Statements of our own, and reads into structs of our own.

use sea_orm::{
    ConnectionTrait as _, DbErr, EntityTrait, PrimaryKeyTrait, QuerySelect, QueryTrait, Statement,
    Value,
};

use super::{Session, texts};
use crate::Row;

impl Session {
    /// Runs a query and reads each row as a `T`. Parameters are `$1`, `$2` ... on both databases.
    ///
    /// ```
    /// # extern crate doyen_data as doyen;
    /// use doyen_data::sea_orm::{self, DbErr, FromQueryResult};
    /// use doyen_data::{Row, Session};
    ///
    /// #[derive(FromQueryResult, Row)]
    /// struct Count {
    ///     status: String,
    ///     tickets: i64,
    /// }
    ///
    /// async fn counts(session: &Session, assignee: i64) -> Result<Vec<Count>, DbErr> {
    ///     let sql = "SELECT status, count(*) AS tickets FROM tickets WHERE assignee = $1 GROUP BY status";
    ///     session.query_as(sql, [assignee.into()]).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The database's, or a column that is missing or of another type.
    pub async fn query_as<T: Row>(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, DbErr> {
        self.all_rows(sql, parameters.into_iter().collect()).await
    }

    /// Like [`query_as`](Self::query_as), for at most one row: the first.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn query_one_as<T: Row>(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, DbErr> {
        self.first_row(sql, parameters.into_iter().collect()).await
    }

    /// The row of an entity with this primary key: `session.get::<ticket::Entity>(7)`.
    ///
    /// It is `find_by_id(7).one(&session)` for an entity whose model derives [`Row`], and costs less: the text of the statement is made
    /// once. There is no cache of rows, so each call asks the database.
    ///
    /// # Errors
    ///
    /// The database's, or a column that is missing or of another type.
    pub async fn get<E: EntityTrait<Model: Row>>(
        &self,
        id: impl Into<<E::PrimaryKey as PrimaryKeyTrait>::ValueType>,
    ) -> Result<Option<E::Model>, DbErr> {
        let (sql, values) = texts::by_key::<E>(self.backend(), id.into());
        self.first_row(&sql, values).await
    }

    /// All rows of a SeaORM select, each read as a `T`: an entity's model, or any struct with a field for each column it wants.
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
    /// The database's, or a column that is missing or of another type.
    pub async fn all_as<T: Row>(&self, select: &impl QueryTrait) -> Result<Vec<T>, DbErr> {
        let statement = select.build(self.backend());
        self.all_rows(&statement.sql, values(statement.values))
            .await
    }

    /// The first row of a SeaORM select, read as a `T`. The statement gets a `LIMIT 1`.
    ///
    /// # Errors
    ///
    /// The same as of [`all_as`](Self::all_as).
    pub async fn one_as<T: Row>(
        &self,
        select: &(impl QuerySelect + QueryTrait + Clone),
    ) -> Result<Option<T>, DbErr> {
        let mut statement = select.build(self.backend());
        // As a number in the text: with a bound limit PostgreSQL plans the statement anew each time.
        if texts::takes_limit(&statement.sql) {
            statement.sql.push_str(" LIMIT 1");
        } else {
            statement = select.clone().limit(1).build(self.backend());
        }
        self.first_row(&statement.sql, values(statement.values))
            .await
    }

    /// Runs a statement; gives the number of rows it touched. Parameters are `$1`, `$2` ... on both databases.
    ///
    /// # Errors
    ///
    /// The database's.
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
