//! Optimistic locking: an update fails if the row has changed.

use std::fmt;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, Iterable, PrimaryKeyToColumn, QueryFilter,
};

use crate::Session;

/// Why a versioned update failed.
#[derive(Debug)]
pub enum UpdateError {
    /// The row exists in another version: it was changed concurrently.
    Stale,
    /// The row does not exist.
    Missing,
    /// The database failed.
    Database(DbErr),
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UpdateError::Stale => "the row was changed concurrently",
            UpdateError::Missing => "there is no such row",
            UpdateError::Database(_) => "the update failed",
        })
    }
}

impl std::error::Error for UpdateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            UpdateError::Database(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DbErr> for UpdateError {
    fn from(error: DbErr) -> Self {
        UpdateError::Database(error)
    }
}

impl Session {
    /// Updates the changed columns of a row if it still has this version, and increments the
    /// version:
    ///
    /// The primary key must be set in the model; it is not changed. Returns the updated row.
    ///
    /// # Errors
    ///
    /// Returns [`UpdateError::Stale`] if the row has another version, [`UpdateError::Missing`] if
    /// it does not exist.
    pub async fn update_version<A>(
        &self,
        mut changes: A,
        version: <A::Entity as EntityTrait>::Column,
        expected: i64,
    ) -> Result<<A::Entity as EntityTrait>::Model, UpdateError>
    where
        A: ActiveModelTrait,
    {
        let mut same = sea_orm::Condition::all();
        for key in <A::Entity as EntityTrait>::PrimaryKey::iter() {
            let column = key.into_column();
            let Some(value) = changes.take(column).into_value() else {
                return Err(DbErr::PrimaryKeyNotSet {
                    ctx: "update_version",
                }
                .into());
            };
            same = same.add(column.eq(value));
        }
        changes.not_set(version);
        let next = Expr::col((A::Entity::default(), version)).add(1);
        let updated = A::Entity::update_many()
            .set(changes)
            .col_expr(version, next)
            .filter(same.clone())
            .filter(version.eq(expected))
            .exec_with_returning(self)
            .await?;
        match updated.into_iter().next() {
            Some(row) => Ok(row),
            None if A::Entity::find().filter(same).one(self).await?.is_some() => {
                Err(UpdateError::Stale)
            }
            None => Err(UpdateError::Missing),
        }
    }
}
