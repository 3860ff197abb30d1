//! Storage of unverified accounts, and the mails about them.

use doyen::auth::Mailbox;
use doyen::data::sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use doyen::data::{Session, Violation as _};
use doyen::prelude::*;

use super::rows::{self, account};
use crate::access::UserId;
use crate::accounts::domain::{Account, Email, Holder, Registry};

/// Stores registrations in the table `users` and sends mails through the framework.
#[derive(Clone, Inject)]
pub(crate) struct SqlRegistry {
    session: Session,
    mailbox: Mailbox,
}

#[port]
impl Registry for SqlRegistry {
    async fn claim(&self, account: &Account, password_hash: &str) -> Result<bool, Unexpected> {
        let row = account::ActiveModel {
            verified_at: Set(None),
            ..rows::new(account, password_hash)
        };
        let kept = self
            .session
            .savepoint(async |session| {
                account::Entity::insert(row)
                    .exec_without_returning(&session)
                    .await
            })
            .await;
        match kept {
            Ok(_) => Ok(true),
            Err(error) if error.is_unique("users.email") => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn holder(&self, email: &Email) -> Result<Option<Holder>, Unexpected> {
        let found = account::Entity::find()
            .filter(account::Column::Email.eq(email.as_str()))
            .one(&self.session)
            .await?;
        Ok(found.map(|row| Holder {
            id: row.id.into(),
            waits: row.verified_at.is_none(),
        }))
    }

    async fn take_over(
        &self,
        id: UserId,
        name: &str,
        password_hash: &str,
    ) -> Result<(), Unexpected> {
        let row = account::ActiveModel {
            name: Set(name.to_owned()),
            password_hash: Set(password_hash.to_owned()),
            ..Default::default()
        };
        account::Entity::update_many()
            .set(row)
            .filter(account::Column::Id.eq(id.uuid()))
            // The address may have been verified in the meantime.
            .filter(account::Column::VerifiedAt.is_null())
            .exec(&self.session)
            .await?;
        Ok(())
    }

    async fn ask(&self, id: UserId, email: &Email) -> Result<bool, Unexpected> {
        self.mailbox
            .ask_to_verify(&id.to_string(), email.as_str())
            .await
    }

    async fn tell(&self, id: UserId, email: &Email) -> Result<(), Unexpected> {
        self.mailbox
            .has_account(&id.to_string(), email.as_str())
            .await
    }
}
