//! The API keys of an application, on one node.

use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::{Access, Caller, Clock, Unexpected};
use doyen_data::Database;
use doyen_data::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::cache::{CachedKey, KeyCache};
use super::owners::Owners;
use super::rows::{self, KeyId};
use super::usage::{KeyUse, UsageSink};
use super::{ApiKeySettings, InvalidKey, KeyPrefix, pattern};
use crate::UserRecord;
use crate::batch::BatchWriter;
use crate::security::SecurityWriter;

/// API keys: format, cache and usage records. One per application.
pub struct ApiKeys {
    pub(super) prefix: KeyPrefix,
    pub(super) most: u64,
    clock: Arc<dyn Clock>,
    database: Database,
    cache: KeyCache,
    usage: BatchWriter<UsageSink>,
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKeys")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl ApiKeys {
    /// Creates the keys of the application with this name.
    pub fn new(
        name: &str,
        settings: &ApiKeySettings,
        database: Database,
        clock: Arc<dyn Clock>,
        log: Arc<SecurityWriter>,
    ) -> Self {
        let prefix = settings.prefix.clone();
        Self {
            prefix: prefix.unwrap_or_else(|| KeyPrefix::of(name)),
            most: settings.per_user.into(),
            usage: BatchWriter::new(UsageSink {
                database: database.clone(),
                log,
            }),
            cache: KeyCache::default(),
            clock,
            database,
        }
    }

    /// Returns the prefix of keys and client secrets.
    pub fn prefix(&self) -> &KeyPrefix {
        &self.prefix
    }

    /// Waits until every use so far is recorded.
    pub async fn flush(&self) {
        self.usage.flush().await;
    }

    /// Removes a key from the cache.
    pub(super) fn forget(&self, id: KeyId) {
        self.cache.forget(id);
    }

    /// Returns the caller of this key. Reads the database only if the key is not cached.
    pub(super) async fn caller(
        &self,
        key: &str,
        address: Option<IpAddr>,
        owners: &Owners,
    ) -> Result<Result<Arc<Caller>, InvalidKey>, Unexpected> {
        if !pattern::is_well_formed(key) {
            return Ok(Err(InvalidKey::Malformed));
        }
        let hash = pattern::fingerprint(key);
        let now = self.clock.now();
        let known = match self.cache.get(&hash, now) {
            Some(known) => known,
            None => match self.read(hash, owners).await? {
                Some(known) => known,
                None => return Ok(Err(InvalidKey::Unknown)),
            },
        };
        let caller = match known.caller(now) {
            Ok(caller) => Arc::clone(caller),
            Err(invalid) => return Ok(Err(invalid)),
        };
        if known.usage.should_record(address, now) {
            self.usage.write(KeyUse {
                key: known.id.uuid(),
                owner: Arc::clone(&known.owner),
                at: now,
                address,
            });
        }
        Ok(Ok(caller))
    }

    /// Reads a key and its owner, once for all concurrent requests.
    async fn read(
        &self,
        hash: [u8; 32],
        owners: &Owners,
    ) -> Result<Option<Arc<CachedKey>>, Unexpected> {
        let _turn = self.cache.read_permit(&hash).await;
        // Before the read, so that a concurrent change is not cached for longer.
        let read_at = self.clock.now();
        if let Some(known) = self.cache.get(&hash, read_at) {
            return Ok(Some(known));
        }
        let row = rows::Entity::find()
            .filter(rows::Column::Hash.eq(hash.to_vec()))
            .one(&self.database.session(Access::Read))
            .await?;
        let Some(row) = row else {
            self.cache.remove_hash(&hash);
            return Ok(None);
        };
        let usage = self.cache.stale(&hash).map(|old| Arc::clone(&old.usage));
        let subject: Arc<str> = row.owner.as_str().into();
        let verdict = if row.revoked_at.is_some() {
            Err(InvalidKey::Revoked)
        } else {
            let user = owners.find(&subject).await?;
            user.filter(|user| !user.disabled)
                .map(|user| Arc::new(caller(&row, &user)))
                .ok_or(InvalidKey::Owner)
        };
        let known = Arc::new(CachedKey {
            id: row.id.into(),
            owner: subject,
            verdict,
            expires_at: row.expires_at.map(Into::into),
            read_at,
            usage: usage.unwrap_or_default(),
        });
        self.cache.put(hash, Arc::clone(&known));
        Ok(Some(known))
    }
}

/// Returns the owner with those scopes of the key that the owner still has.
fn caller(row: &rows::Model, user: &UserRecord) -> Caller {
    let mut caller = user.caller();
    let id: KeyId = row.id.into();
    caller
        .scopes
        .retain(|own| row.scopes.split(' ').any(|given| given == &**own));
    caller.key = Some(id.to_string().into());
    caller
}
