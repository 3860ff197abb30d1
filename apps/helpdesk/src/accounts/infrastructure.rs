//! Storage of accounts in the database, and password hashing with argon2.

mod logins;
mod registration;
pub(super) mod rows;
mod secrets;
mod users;

use doyen::data::sea_orm::prelude::Uuid;
use doyen::data::sea_orm::sea_query::LockType;
use doyen::data::sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use doyen::data::{Order, Session, UpdateError, Violation as _};
use doyen::prelude::*;

pub(super) use logins::FrameworkLogins;
pub(super) use registration::SqlRegistry;
pub(super) use rows::account;
pub(super) use secrets::Argon2;
pub(crate) use users::SqlUsers;

use super::domain::{Account, AccountFilter, AccountRepository, EmailTaken, Register};
use crate::access::UserId;

/// Stores accounts in the table `users`.
#[derive(Clone, Inject)]
pub(crate) struct SqlAccounts {
    session: Session,
}

#[port]
impl AccountRepository for SqlAccounts {
    async fn insert(&self, account: &Account, password_hash: &str) -> Result<(), Register> {
        let row = rows::new(account, password_hash);
        match account::Entity::insert(row)
            .exec_without_returning(&self.session)
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.is_unique("users.email") => Err(EmailTaken.into()),
            Err(error) => Err(Unexpected::new(error).into()),
        }
    }

    async fn find(&self, id: UserId) -> Result<Option<Account>, Unexpected> {
        let row = account::Entity::find_by_id(id.uuid())
            .one(&self.session)
            .await?;
        row.map(rows::read).transpose()
    }

    async fn list(
        &self,
        filter: &AccountFilter,
        paging: &Paging,
    ) -> Result<Page<Account>, Unexpected> {
        let mut select = account::Entity::find();
        let AccountFilter { role } = *filter;
        if let Some(role) = role {
            select = select.filter(account::Column::Role.eq(role.name()));
        }
        let order = Order::by(account::Column::CreatedAt)
            .desc()
            .then(account::Column::Id)
            .desc();
        let page = self
            .session
            .page(select, order, paging, &role.map(|role| role.name()))
            .await?;
        page.try_map(rows::read)
    }

    async fn lock(&self, id: UserId) -> Result<(), Unexpected> {
        // SQLite has no row locks: its transaction holds every other writer back.
        // A missing account is reported when it is read.
        let _found: Option<Uuid> = account::Entity::find_by_id(id.uuid())
            .select_only()
            .column(account::Column::Id)
            .lock(LockType::NoKeyUpdate)
            .into_tuple()
            .one(&self.session)
            .await?;
        Ok(())
    }

    async fn replace(
        &self,
        version: i64,
        changed: &Account,
    ) -> Result<Option<Account>, Unexpected> {
        match self
            .session
            .update_version(rows::changed(changed), account::Column::Version, version)
            .await
        {
            Ok(row) => rows::read(row).map(Some),
            Err(UpdateError::Stale | UpdateError::Missing) => Ok(None),
            Err(UpdateError::Database(error)) => Err(error.into()),
        }
    }
}
