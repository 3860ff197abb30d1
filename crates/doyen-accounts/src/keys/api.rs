//! The routes `/me/api-keys`.

use doyen_core::{Id, Page, Paging, Restricted, Timestamp, Unexpected, signed_in};
use doyen_macros::{delete, get, post, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Client, Created, Json, LinkMap, Links, NoContent, Routes, none};

use super::problems::{MakeKey, RevokeKey};
use super::rows::{self, ApiKey};
use super::store::{KeyStore, Wanted};
use crate::session_user::{SessionUser, without_api_keys};

/// Returns the routes with this access policy.
pub(crate) fn routes(own: Restricted) -> Routes {
    routes![create, list, revoke]
        .allow(own)
        .document(without_api_keys)
}

/// An API key to create.
#[derive(Input)]
struct NewApiKey {
    /// Display name of the key.
    #[validate(length(min = 1, max = 100), display_name)]
    #[input(example = "nightly export")]
    name: String,
    /// Scopes of the key. Each must be one of your own scopes.
    #[validate(items(min = 1, max = 100), each(length(min = 1, max = 100)))]
    scopes: Vec<String>,
    /// Expiry time. If omitted, the key does not expire.
    expires_at: Option<Timestamp>,
}

/// An API key, without its secret value.
#[derive(Output)]
#[output(name = "ApiKey")]
struct KeyView {
    /// Id of the key.
    id: Id<ApiKey>,
    /// Display name of the key.
    #[output(example = "nightly export")]
    name: String,
    /// First characters of the key.
    #[output(example = "helpdesk_x7Gq")]
    hint: String,
    /// Scopes of the key. A scope that you lose no longer applies.
    scopes: Vec<String>,
    /// Creation time.
    created_at: Timestamp,
    /// Expiry time.
    expires_at: Option<Timestamp>,
    /// Time of the last use, accurate to about a minute.
    last_used_at: Option<Timestamp>,
    /// Client address of the last use.
    last_address: Option<String>,
    /// Links to the actions available to the caller.
    #[output(rename = "_links")]
    links: LinkMap,
}

/// A new API key. Send it in the `X-API-Key` header.
#[derive(Output)]
#[output(name = "NewApiKey")]
struct NewKeyView {
    /// Id of the key.
    id: Id<ApiKey>,
    /// Secret value of the key. It is shown only once; store it like a password. It ends in
    /// `[0-9A-Za-z]{49}`, of which the last six characters are a checksum, so that secret scanners
    /// can detect it.
    key: String,
    /// Display name of the key.
    name: String,
    /// First characters of the key.
    hint: String,
    /// Scopes of the key. A scope that you lose no longer applies.
    scopes: Vec<String>,
    /// Creation time.
    created_at: Timestamp,
    /// Expiry time.
    expires_at: Option<Timestamp>,
}

/// Create an API key
///
/// The key is shown only in this response. Send it in the `X-API-Key` header, never in a URL. The
/// key stays valid when you change your password, and its permissions never exceed yours. An API
/// key cannot create or revoke API keys.
#[post("/me/api-keys", allow = signed_in, id = "auth_create_api_key", idempotent(if_supported))]
async fn create(
    me: SessionUser,
    from: Client,
    keys: KeyStore,
    Json(new): Json<NewApiKey>,
) -> Result<Created<NewKeyView>, MakeKey> {
    let wanted = Wanted {
        name: new.name,
        scopes: new.scopes,
        expires_at: new.expires_at,
    };
    let (row, key) = keys.make(&me, &from, wanted).await?;
    Ok(Created(NewKeyView {
        id: row.id.into(),
        key: key.expose().clone(),
        name: row.name,
        hint: row.hint,
        scopes: rows::list(&row.scopes),
        created_at: row.created_at.into(),
        expires_at: row.expires_at.map(Into::into),
    }))
}

/// List your API keys
///
/// The newest keys come first.
#[get("/me/api-keys", allow = signed_in, id = "auth_list_api_keys", cache = none)]
async fn list(
    me: SessionUser,
    keys: KeyStore,
    links: Links,
    paging: Paging,
) -> Result<Page<KeyView>, Unexpected> {
    Ok(keys
        .list(&me.subject, &paging)
        .await?
        .map(|row| view(row, &links)))
}

/// Revoke an API key
///
/// The key is rejected on every node within a second.
#[delete("/me/api-keys/{id}", allow = signed_in, id = "auth_revoke_api_key")]
async fn revoke(
    me: SessionUser,
    from: Client,
    keys: KeyStore,
    /// Id of the key.
    #[path]
    id: Id<ApiKey>,
) -> Result<NoContent, RevokeKey> {
    keys.revoke(&me, &from, id).await?;
    Ok(NoContent)
}

fn view(row: rows::Model, links: &Links) -> KeyView {
    let id: Id<ApiKey> = row.id.into();
    KeyView {
        links: links.map().to::<revoke>("delete", &[&id]).done(),
        id,
        name: row.name,
        hint: row.hint,
        scopes: rows::list(&row.scopes),
        created_at: row.created_at.into(),
        expires_at: row.expires_at.map(Into::into),
        last_used_at: row.last_used_at.map(Into::into),
        last_address: row.last_address,
    }
}
