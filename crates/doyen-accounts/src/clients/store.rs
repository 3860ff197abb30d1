//! Machine clients in the database.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use doyen_auth::REVOKED;
use doyen_core::{
    Caller, Clock, Inject, Page, Paging, Secret, SecurityEvent, SecurityLog, Timestamp, Unexpected,
    security,
};
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set,
};
use doyen_data::{Order, Session};
use doyen_web::Client;

use super::problems::{ChangeClient, ClientNotFound, MakeClient, NoToken};
use super::rows::{self, ClientId};
use crate::keys::{self, ApiKeys};
use crate::sessions::Revocations;

/// Minimum time between two updates of the last use.
const RECORD_INTERVAL: Duration = Duration::from_secs(60);

/// Machine clients, in the unit of work of a request.
#[derive(Clone, Inject)]
pub(crate) struct ClientStore {
    session: Session,
    clock: Arc<dyn Clock>,
    keys: Arc<ApiKeys>,
    revocations: Arc<Revocations>,
    log: Arc<dyn SecurityLog>,
}

impl ClientStore {
    /// Creates a client and returns its secret, which is not stored. A caller cannot grant scopes
    /// that they do not have.
    pub(super) async fn make(
        &self,
        by: &Caller,
        from: &Client,
        name: String,
        scopes: &[String],
    ) -> Result<(rows::Model, Secret<String>), MakeClient> {
        let scopes = keys::granted(by, scopes)?;
        let (now, secret) = (DateTimeUtc::from(self.clock.now()), self.mint()?);
        let row = rows::Model {
            id: ClientId::new().uuid(),
            name,
            scopes: scopes.join(" "),
            secret_hash: keys::fingerprint(secret.expose()).to_vec(),
            generation: 0,
            created_at: now,
            created_by: by.subject.to_string(),
            secret_at: now,
            last_used_at: None,
            revoked_at: None,
        };
        rows::Entity::insert(rows::ActiveModel::from(row.clone()).reset_all())
            .exec_without_returning(&self.session)
            .await
            .map_err(Unexpected::from)?;
        self.record_event("created", by, from, row.id.into());
        Ok((row, secret))
    }

    /// Returns the clients that are not revoked, the newest first.
    pub(super) async fn list(&self, paging: &Paging) -> Result<Page<rows::Model>, Unexpected> {
        let select = rows::Entity::find().filter(rows::Column::RevokedAt.is_null());
        let order = Order::by(rows::Column::CreatedAt)
            .desc()
            .then(rows::Column::Id)
            .desc();
        self.session.page(select, order, paging, "").await
    }

    /// Revokes a client and its tokens.
    pub(super) async fn revoke(
        &self,
        by: &Caller,
        from: &Client,
        id: ClientId,
    ) -> Result<(), ChangeClient> {
        let now = DateTimeUtc::from(self.clock.now());
        let changed = rows::Entity::update_many()
            .set(rows::ActiveModel {
                revoked_at: Set(Some(now)),
                ..Default::default()
            })
            .filter(rows::Column::Id.eq(id.uuid()))
            .filter(rows::Column::RevokedAt.is_null())
            .exec(&self.session)
            .await
            .map_err(Unexpected::from)?;
        if changed.rows_affected == 0 {
            return Err(ClientNotFound.into());
        }
        self.revocations
            .revoke(&self.session, &id.to_string(), REVOKED)
            .await?;
        self.record_event("revoked", by, from, id);
        Ok(())
    }

    /// Replaces the secret and returns the new one. The old secret and its tokens are rejected from
    /// now on.
    pub(super) async fn replace(
        &self,
        by: &Caller,
        from: &Client,
        id: ClientId,
    ) -> Result<(rows::Model, Secret<String>), ChangeClient> {
        let secret = self.mint()?;
        let sql = "UPDATE auth_clients SET secret_hash = $1, secret_at = $2, generation = generation + 1 WHERE id = $3 AND revoked_at IS NULL";
        let hash = keys::fingerprint(secret.expose()).to_vec();
        let now = DateTimeUtc::from(self.clock.now());
        let changed = self
            .session
            .execute_sql(sql, [hash.into(), now.into(), id.uuid().into()])
            .await
            .map_err(Unexpected::from)?;
        let row = rows::Entity::find_by_id(id.uuid())
            .one(&self.session)
            .await
            .map_err(Unexpected::from)?;
        let row = row.filter(|_| changed > 0).ok_or(ClientNotFound)?;
        self.revocations
            .revoke(&self.session, &id.to_string(), generation(&row))
            .await?;
        self.record_event("secret replaced", by, from, id);
        Ok((row, secret))
    }

    /// Verifies id and secret, and returns the client as a caller with all its scopes.
    pub(super) async fn proven(
        &self,
        from: &Client,
        id: &str,
        secret: &Secret<String>,
    ) -> Result<Caller, NoToken> {
        let row = self.find(id).await?;
        let given = keys::fingerprint(secret.expose());
        // An unknown client is compared too, so that the timing does not reveal it.
        let kept = row.as_ref().map_or(&[0; 32][..], |row| &row.secret_hash);
        let same = verify_slices_are_equal(&given, kept).is_ok();
        let Some(row) = row.filter(|row| same && row.revoked_at.is_none()) else {
            // Logs only well-formed ids: anything else may be a password in the wrong field.
            let mut event = SecurityEvent::new(security::CLIENT_REFUSED)
                .from(from.address, from.agent.as_deref());
            if let Ok(id) = id.parse::<ClientId>() {
                event = event.subject(&id.to_string());
            }
            self.log.record(event);
            return Err(NoToken::Client);
        };
        self.used(&row).await?;
        let id = ClientId::from(row.id).to_string();
        let mut caller = Caller::new(&id);
        caller.key = Some(id.into());
        caller.scopes = row.scopes.split_whitespace().map(Arc::from).collect();
        caller.generation = generation(&row);
        Ok(caller)
    }

    async fn find(&self, id: &str) -> Result<Option<rows::Model>, Unexpected> {
        let Ok(id) = id.parse::<ClientId>() else {
            return Ok(None);
        };
        // Outside of the transaction, so that a client without valid credentials holds none.
        let found = rows::Entity::find_by_id(id.uuid())
            .one(&self.session.autocommit())
            .await?;
        Ok(found)
    }

    async fn used(&self, row: &rows::Model) -> Result<(), Unexpected> {
        let now = self.clock.now();
        let last = row.last_used_at.map(Timestamp::from);
        if last.is_some_and(|last| now.since(last) < RECORD_INTERVAL) {
            return Ok(());
        }
        let sql = "UPDATE auth_clients SET last_used_at = $1 WHERE id = $2";
        let parameters = [DateTimeUtc::from(now).into(), row.id.into()];
        self.session.execute_sql(sql, parameters).await?;
        Ok(())
    }

    fn mint(&self) -> Result<Secret<String>, Unexpected> {
        keys::mint(self.keys.prefix())
    }

    fn record_event(&self, what: &str, by: &Caller, from: &Client, id: ClientId) {
        let mut event = SecurityEvent::new(security::CLIENT_CHANGED)
            .subject(&id.to_string())
            .by(&by.subject)
            .from(from.address, from.agent.as_deref())
            .detail("what", what);
        event.session.clone_from(&by.session);
        self.log.record_on_commit(event);
    }
}

fn generation(row: &rows::Model) -> u32 {
    u32::try_from(row.generation).unwrap_or(0)
}
