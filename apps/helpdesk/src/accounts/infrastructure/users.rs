//! The users that the framework needs for login.

use std::sync::Arc;

use doyen::auth::{UserRecord, Users};
use doyen::data::sea_orm::sea_query::{Expr, ExprTrait as _};
use doyen::data::sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, Set};
use doyen::data::{Session, Violation as _};
use doyen::prelude::*;

use super::rows::account;
use crate::access::{self, Role, User, UserId};

/// [`Users`] backed by the table `users`.
#[derive(Clone, Inject)]
pub(crate) struct SqlUsers {
    session: Session,
    clock: Arc<dyn Clock>,
}

#[port]
impl Users for SqlUsers {
    /// Reads outside the transaction, so that the slow password check does not hold one open.
    async fn by_email(&self, email: &str) -> Result<Option<UserRecord>, Unexpected> {
        let found = account::Entity::find()
            .filter(account::Column::Email.eq(email))
            .one(&self.session.autocommit())
            .await?;
        found.map(record).transpose()
    }

    async fn by_subject(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected> {
        let Ok(id) = subject.parse::<UserId>() else {
            return Ok(None);
        };
        let found = account::Entity::find_by_id(id.uuid())
            .one(&self.session)
            .await?;
        found.map(record).transpose()
    }

    async fn set_password(&self, subject: &str, hash: &str) -> Result<(), Unexpected> {
        let row = account::ActiveModel {
            password_hash: Set(hash.to_owned()),
            ..Default::default()
        };
        Ok(self.set(subject, row, 0).await?)
    }

    async fn set_email(&self, subject: &str, email: &str) -> Result<bool, Unexpected> {
        let row = account::ActiveModel {
            email: Set(email.to_owned()),
            verified_at: Set(Some(self.clock.now().into())),
            updated_at: Set(self.clock.now().into()),
            ..Default::default()
        };
        let changed = self
            .session
            .savepoint(async |_| self.set(subject, row, 1).await)
            .await;
        match changed {
            Ok(()) => Ok(true),
            Err(error) if error.is_unique("users.email") => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn set_verified(&self, subject: &str) -> Result<(), Unexpected> {
        let row = account::ActiveModel {
            verified_at: Set(Some(self.clock.now().into())),
            ..Default::default()
        };
        Ok(self.set(subject, row, 0).await?)
    }
}

impl SqlUsers {
    /// Updates the columns that are set and adds `step` to the version: 1 if clients can see the
    /// change, otherwise 0.
    async fn set(&self, subject: &str, row: account::ActiveModel, step: i64) -> Result<(), DbErr> {
        let Ok(id) = subject.parse::<UserId>() else {
            return Err(DbErr::RecordNotFound(subject.to_owned()));
        };
        account::Entity::update_many()
            .set(row)
            .col_expr(
                account::Column::Version,
                Expr::col(account::Column::Version).add(step),
            )
            .filter(account::Column::Id.eq(id.uuid()))
            .exec(&self.session)
            .await?;
        Ok(())
    }
}

fn record(row: account::Model) -> Result<UserRecord, Unexpected> {
    let role = Role::named(&row.role)
        .ok_or_else(|| Unexpected::new(format!("unknown role `{}`", row.role)))?;
    let caller = access::caller(User {
        id: row.id.into(),
        role,
    });
    Ok(UserRecord {
        subject: caller.subject,
        email: row.email,
        password_hash: Some(row.password_hash),
        scopes: caller.scopes,
        roles: caller.roles,
        verified: row.verified_at.is_some(),
        disabled: row.disabled_at.is_some(),
    })
}
