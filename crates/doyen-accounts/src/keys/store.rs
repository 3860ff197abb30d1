//! The keys of a user: create, list, revoke.

use std::sync::Arc;

use doyen_core::{
    Caller, Clock, Inject, Page, Paging, Secret, SecurityEvent, SecurityLog, Timestamp, Unexpected,
    security,
};
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DbBackend, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, Set,
};
use doyen_data::{Order, Session};
use doyen_web::Client;

use super::problems::{KeyNotFound, MakeKey, RevokeKey, TooManyKeys, Ungranted};
use super::rows::{self, KeyId};
use super::{ApiKeys, pattern};

/// The keys of users, in the unit of work of a request.
#[derive(Clone, Inject)]
pub(crate) struct KeyStore {
    session: Session,
    clock: Arc<dyn Clock>,
    keys: Arc<ApiKeys>,
    log: Arc<dyn SecurityLog>,
}

/// A key to create.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires_at: Option<Timestamp>,
}

impl KeyStore {
    /// Creates a key and returns it, which is not stored.
    pub(super) async fn make(
        &self,
        me: &Caller,
        from: &Client,
        wanted: Wanted,
    ) -> Result<(rows::Model, Secret<String>), MakeKey> {
        let now = self.clock.now();
        let scopes = granted(me, &wanted.scopes)?;
        if wanted.expires_at.is_some_and(|end| end <= now) {
            return Err(Ungranted::past().into());
        }
        let key = pattern::mint(&self.keys.prefix)?;
        self.one_at_a_time(&me.subject).await?;
        if self.count(&me.subject).await? >= self.keys.most {
            return Err(TooManyKeys.into());
        }
        let id = KeyId::new();
        let row = rows::Model {
            id: id.uuid(),
            owner: me.subject.to_string(),
            name: wanted.name,
            hint: pattern::hint(key.expose()),
            hash: pattern::fingerprint(key.expose()).to_vec(),
            scopes: rows::words(&scopes),
            created_at: now.into(),
            expires_at: wanted.expires_at.map(Into::into),
            last_used_at: None,
            last_address: None,
            revoked_at: None,
        };
        rows::Entity::insert(rows::ActiveModel::from(row.clone()).reset_all())
            .exec_without_returning(&self.session)
            .await
            .map_err(Unexpected::from)?;
        self.record_event(security::KEY_CREATED, me, from, id);
        Ok((row, key))
    }

    /// Returns the keys of the caller, the newest first.
    pub(super) async fn list(
        &self,
        owner: &str,
        paging: &Paging,
    ) -> Result<Page<rows::Model>, Unexpected> {
        // So that the list includes earlier uses.
        self.keys.flush().await;
        let select = rows::Entity::find()
            .filter(rows::Column::Owner.eq(owner))
            .filter(rows::Column::RevokedAt.is_null());
        let order = Order::by(rows::Column::CreatedAt)
            .desc()
            .then(rows::Column::Id)
            .desc();
        self.session.page(select, order, paging, owner).await
    }

    /// Revokes a key of the caller.
    pub(super) async fn revoke(
        &self,
        me: &Caller,
        from: &Client,
        id: KeyId,
    ) -> Result<(), RevokeKey> {
        let now = DateTimeUtc::from(self.clock.now());
        let changed = rows::Entity::update_many()
            .set(rows::ActiveModel {
                revoked_at: Set(Some(now)),
                ..Default::default()
            })
            .filter(rows::Column::Id.eq(id.uuid()))
            .filter(rows::Column::Owner.eq(&*me.subject))
            .filter(rows::Column::RevokedAt.is_null())
            .exec(&self.session)
            .await
            .map_err(Unexpected::from)?;
        if changed.rows_affected == 0 {
            return Err(KeyNotFound.into());
        }
        let keys = Arc::clone(&self.keys);
        self.session.after_commit(async move { keys.forget(id) });
        self.record_event(security::KEY_REVOKED, me, from, id);
        Ok(())
    }

    async fn count(&self, owner: &str) -> Result<u64, Unexpected> {
        Ok(rows::Entity::find()
            .filter(rows::Column::Owner.eq(owner))
            .filter(rows::Column::RevokedAt.is_null())
            .count(&self.session)
            .await?)
    }

    /// Locks the count, so that concurrent requests cannot exceed the limit. SQLite has one writer
    /// anyway.
    async fn one_at_a_time(&self, owner: &str) -> Result<(), Unexpected> {
        if self.session.backend() == DbBackend::Postgres {
            let sql = "SELECT pg_advisory_xact_lock(hashtextextended('doyen.api_keys.' || $1, 0))";
            self.session.execute_sql(sql, [owner.into()]).await?;
        }
        Ok(())
    }

    fn record_event(&self, event: &'static str, me: &Caller, from: &Client, id: KeyId) {
        let mut event = SecurityEvent::new(event)
            .subject(&me.subject)
            .from(from.address, from.agent.as_deref())
            .detail("key", id.to_string());
        event.session.clone_from(&me.session);
        self.log.record_on_commit(event);
    }
}

/// Returns the requested scopes, each once and in the order of the caller, who must have all of
/// them.
pub(crate) fn granted(me: &Caller, wanted: &[String]) -> Result<Vec<Arc<str>>, Ungranted> {
    let foreign: Vec<usize> = (0..wanted.len())
        .filter(|place| !me.has_scope(&wanted[*place]))
        .collect();
    if !foreign.is_empty() {
        return Err(Ungranted::scopes(&foreign, &me.scopes));
    }
    let own = me.scopes.iter();
    Ok(own
        .filter(|own| wanted.iter().any(|wanted| *wanted == ***own))
        .cloned()
        .collect())
}
