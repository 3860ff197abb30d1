//! The session as a connection of SeaORM.

use async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult,
    Statement, TransactionError, TransactionOptions, TransactionSession, TransactionTrait,
};

use super::{Savepoint, Session};
use crate::connection::{Outcome, SqlStatement};

type BoxedWork<'c, T, E> = std::pin::Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

pub(super) fn unexpected_outcome() -> DbErr {
    DbErr::Custom("a connection gave an answer of another kind".to_owned())
}

#[async_trait]
impl ConnectionTrait for Session {
    fn get_database_backend(&self) -> DbBackend {
        self.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self.run(SqlStatement::Execute(statement)).await? {
            Outcome::Executed(result) => Ok(result),
            _ => Err(unexpected_outcome()),
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self.run(SqlStatement::Script(sql.to_owned())).await? {
            Outcome::Executed(result) => Ok(result),
            _ => Err(unexpected_outcome()),
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self.run(SqlStatement::FetchOne(statement)).await? {
            Outcome::Row(row) => Ok(row),
            _ => Err(unexpected_outcome()),
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self.run(SqlStatement::FetchAll(statement)).await? {
            Outcome::Rows(rows) => Ok(rows),
            _ => Err(unexpected_outcome()),
        }
    }
}

// SeaORM's transactions are savepoints here: the transaction belongs to the session.
macro_rules! savepoint_transactions {
    ($name:ident) => {
        #[async_trait]
        impl TransactionTrait for $name {
            type Transaction = Savepoint;

            async fn begin(&self) -> Result<Savepoint, DbErr> {
                self.enter().await
            }

            async fn begin_with_config(
                &self,
                _: Option<IsolationLevel>,
                _: Option<AccessMode>,
            ) -> Result<Savepoint, DbErr> {
                self.enter().await
            }

            async fn begin_with_options(&self, _: TransactionOptions) -> Result<Savepoint, DbErr> {
                self.enter().await
            }

            async fn transaction<F, T, E>(&self, work: F) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(&'c Savepoint) -> BoxedWork<'c, T, E> + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                let savepoint = self.enter().await.map_err(TransactionError::Connection)?;
                match work(&savepoint).await {
                    Ok(value) => savepoint
                        .commit()
                        .await
                        .map(|()| value)
                        .map_err(TransactionError::Connection),
                    Err(error) => {
                        savepoint
                            .rollback()
                            .await
                            .map_err(TransactionError::Connection)?;
                        Err(TransactionError::Transaction(error))
                    }
                }
            }

            async fn transaction_with_config<F, T, E>(
                &self,
                work: F,
                _: Option<IsolationLevel>,
                _: Option<AccessMode>,
            ) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(&'c Savepoint) -> BoxedWork<'c, T, E> + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                self.transaction(work).await
            }
        }
    };
}

savepoint_transactions!(Session);
savepoint_transactions!(Savepoint);

#[async_trait]
impl ConnectionTrait for Savepoint {
    fn get_database_backend(&self) -> DbBackend {
        self.session().backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.session().execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.session().execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.session().query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.session().query_all_raw(statement).await
    }
}

#[async_trait]
impl TransactionSession for Savepoint {
    async fn commit(self) -> Result<(), DbErr> {
        self.release().await
    }

    async fn rollback(self) -> Result<(), DbErr> {
        self.roll_back().await
    }
}
