//! The keys of an application, on one node.

use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::{Access, Caller, Clock, Unexpected};
use doyen_data::Database;
use doyen_data::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::cache::{Cache, Known};
use super::owners::Owners;
use super::rows::{self, KeyId};
use super::usage::{UsageWriter, Use};
use super::{ApiKeySettings, InvalidKey, KeyPrefix, pattern};
use crate::UserRecord;
use crate::security::SecurityWriter;

/// API keys: what they look like, what this node knows of them, and who writes down that they are used. One for an application.
pub struct ApiKeys {
    pub(super) prefix: KeyPrefix,
    pub(super) most: u64,
    clock: Arc<dyn Clock>,
    database: Database,
    cache: Cache,
    usage: UsageWriter,
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKeys")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl ApiKeys {
    /// The keys of the application of this name.
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
            usage: UsageWriter::new(database.clone(), log),
            cache: Cache::default(),
            clock,
            database,
        }
    }

    /// What keys and the secrets of clients begin with.
    pub fn prefix(&self) -> &KeyPrefix {
        &self.prefix
    }

    /// Waits until every use so far is written: before the list is read, and before the application ends.
    pub async fn flush(&self) {
        self.usage.flush().await;
    }

    /// Forgets what this node knows of a key.
    pub(super) fn forget(&self, id: KeyId) {
        self.cache.forget(id);
    }

    /// Who comes with this key. The database is asked only when the key is not known or no longer believed.
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
        if known.told.is_news(address, now) {
            self.usage.write(Use {
                key: known.id.uuid(),
                owner: Arc::clone(&known.owner),
                at: now,
                address,
            });
        }
        Ok(Ok(caller))
    }

    /// Reads a key and its owner, once for all who wait for it.
    async fn read(
        &self,
        hash: [u8; 32],
        owners: &Owners,
    ) -> Result<Option<Arc<Known>>, Unexpected> {
        let _turn = self.cache.turn(&hash).await;
        // Before the question: what is changed while it is answered must not be believed for longer.
        let read_at = self.clock.now();
        if let Some(known) = self.cache.get(&hash, read_at) {
            return Ok(Some(known));
        }
        let row = rows::Entity::find()
            .filter(rows::Column::Hash.eq(hash.to_vec()))
            .one(&self.database.session(Access::Read))
            .await?;
        let Some(row) = row else {
            self.cache.drop_hash(&hash);
            return Ok(None);
        };
        let told = self.cache.old(&hash).map(|old| Arc::clone(&old.told));
        let subject: Arc<str> = row.owner.as_str().into();
        let verdict = if row.revoked_at.is_some() {
            Err(InvalidKey::Revoked)
        } else {
            let user = owners.find(&subject).await?;
            user.filter(|user| !user.disabled)
                .map(|user| Arc::new(caller(&row, &user)))
                .ok_or(InvalidKey::Owner)
        };
        let known = Arc::new(Known {
            id: row.id.into(),
            owner: subject,
            verdict,
            expires_at: row.expires_at.map(Into::into),
            read_at,
            told: told.unwrap_or_default(),
        });
        self.cache.put(hash, Arc::clone(&known));
        Ok(Some(known))
    }
}

/// The owner, as far as the key goes: its scopes that are still the owner's.
fn caller(row: &rows::Model, user: &UserRecord) -> Caller {
    let mut caller = user.caller();
    let id: KeyId = row.id.into();
    caller
        .scopes
        .retain(|own| row.scopes.split(' ').any(|given| given == &**own));
    caller.key = Some(id.to_string().into());
    caller
}
