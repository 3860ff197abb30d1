//! Statements of our own, in SQL.

use sea_orm::{ConnectionTrait as _, DbErr, FromQueryResult, Statement, Value};

use super::Session;

impl Session {
    /// Runs a query and reads each row as a `T`. Parameters are `$1`, `$2` ... on both databases.
    ///
    /// ```
    /// use doyen_data::Session;
    /// use doyen_data::sea_orm::{self, DbErr, FromQueryResult};
    ///
    /// #[derive(FromQueryResult)]
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
    pub async fn query_as<T: FromQueryResult>(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, DbErr> {
        let rows = self.query_all_raw(self.statement(sql, parameters)).await?;
        rows.iter()
            .map(|row| T::from_query_result(row, ""))
            .collect()
    }

    /// Like [`query_as`](Self::query_as), for at most one row: the first.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn query_one_as<T: FromQueryResult>(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, DbErr> {
        let row = self.query_one_raw(self.statement(sql, parameters)).await?;
        row.map(|row| T::from_query_result(&row, "")).transpose()
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
        Ok(self
            .execute_raw(self.statement(sql, parameters))
            .await?
            .rows_affected())
    }

    fn statement(&self, sql: &str, parameters: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.backend(), sql, parameters)
    }
}
