//! Secrets of webhooks, encrypted in the database.

use std::sync::Arc;

use doyen::data::sea_orm::prelude::DateTimeUtc;
use doyen::prelude::*;
use doyen::webhooks::WebhookSecret;

use super::rows::webhook;
use crate::webhooks::domain::{SecretSource, WebhookId};

/// The key that encrypts secrets, derived from the root secret. Injectable as `Arc<WebhookKey>`.
pub(crate) struct WebhookKey(pub(crate) [u8; 32]);

/// Creates random secrets.
#[derive(Clone, Inject)]
pub(crate) struct NewSecrets {}

#[port]
impl SecretSource for NewSecrets {
    async fn secret(&self) -> Result<Secret<String>, Unexpected> {
        Ok(WebhookSecret::generate()?.to_text())
    }
}

/// Encrypts and decrypts the secrets of webhooks.
#[derive(Clone, Inject)]
pub(super) struct Sealed {
    key: Arc<WebhookKey>,
}

impl Sealed {
    /// Encrypts the secret of a webhook.
    pub(super) fn seal(
        &self,
        id: WebhookId,
        secret: &Secret<String>,
    ) -> Result<Vec<u8>, Unexpected> {
        let secret = WebhookSecret::parse(secret.expose())?;
        secret.seal(&self.key.0, &id.to_string())
    }

    /// Returns the secrets that sign at this time, the newest first.
    pub(super) fn live(
        &self,
        row: &webhook::Model,
        now: Timestamp,
    ) -> Result<Vec<WebhookSecret>, Unexpected> {
        let id = WebhookId::from(row.id).to_string();
        let open = |sealed: &[u8]| WebhookSecret::open(&self.key.0, &id, sealed.to_vec());
        let mut secrets = vec![open(&row.secret)?];
        let is_live = row
            .previous_until
            .is_some_and(|until| DateTimeUtc::from(now) < until);
        if let Some(previous) = row.previous_secret.as_ref().filter(|_| is_live) {
            secrets.push(open(previous)?);
        }
        Ok(secrets)
    }
}
