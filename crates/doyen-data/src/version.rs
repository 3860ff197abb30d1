//! Optimistic versions: an update that finds the row changed does nothing and says so.

use std::fmt;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, Iterable, PrimaryKeyToColumn, QueryFilter,
};

use crate::Session;

/// Why a versioned update did not happen.
#[derive(Debug)]
pub enum UpdateError {
    /// The row exists, but not in the version expected: somebody else changed it.
    Stale,
    /// There is no such row.
    Missing,
    /// The database failed.
    Database(DbErr),
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UpdateError::Stale => "the row was changed by somebody else",
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
    /// Writes the changed columns of one row if it still has this version, and counts the version up:
    /// `UPDATE .. SET .., version = n + 1 WHERE id = .. AND version = n`.
    ///
    /// The primary key must be set in the model; it is not changed. Gives the row as it is now.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Stale`] when another version is there, [`UpdateError::Missing`] when no row is.
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
