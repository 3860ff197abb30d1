//! Rows of the table `users`.

use doyen::data::sea_orm::Set;
use doyen::prelude::*;

use crate::access::Role;
use crate::accounts::domain::Account;

/// The table `users`.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod account {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(unique)]
        pub email: String,
        pub name: String,
        pub role: String,
        pub password_hash: String,
        pub verified_at: Option<DateTimeUtc>,
        pub disabled_at: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
    }
}

/// Returns the row of a new account.
pub(crate) fn new(account: &Account, password_hash: &str) -> account::ActiveModel {
    account::ActiveModel {
        password_hash: Set(password_hash.to_owned()),
        // Accounts from here need no verification: they are created by an administrator, by the
        // seed, or without email verification.
        verified_at: Set(Some(account.created_at.into())),
        version: Set(account.version),
        ..changed(account)
    }
}

/// Returns the columns that can change, and the key.
pub(super) fn changed(account: &Account) -> account::ActiveModel {
    account::ActiveModel {
        id: Set(account.id.uuid()),
        email: Set(account.email.to_string()),
        name: Set(account.name.clone()),
        role: Set(account.role.name().to_owned()),
        disabled_at: Set(account.disabled_at.map(Into::into)),
        created_at: Set(account.created_at.into()),
        updated_at: Set(account.updated_at.into()),
        ..Default::default()
    }
}

/// Converts a row to an account.
pub(super) fn read(row: account::Model) -> Result<Account, Unexpected> {
    let role = Role::named(&row.role)
        .ok_or_else(|| Unexpected::new(format!("unknown role `{}`", row.role)))?;
    Ok(Account {
        id: row.id.into(),
        email: row.email.parse()?,
        name: row.name,
        role,
        disabled_at: row.disabled_at.map(Into::into),
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        version: row.version,
    })
}
