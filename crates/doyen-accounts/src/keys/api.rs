//! `/me/api-keys`.

use doyen_core::{Id, Input, Output, Page, Paging, Restricted, Timestamp, Unexpected, signed_in};
use doyen_macros::{delete, get, post, routes};
use doyen_web::{Client, Created, Json, NoContent, Routes};

use super::problems::{MakeKey, RevokeKey};
use super::rows::{self, ApiKey};
use super::store::{KeyStore, Wanted};
use crate::person::Person;

/// The routes, for whoever may call them.
pub(crate) fn routes(own: Restricted) -> Routes {
    routes![create, list, revoke].allow(own)
}

/// An API key to be made.
#[derive(Input)]
struct NewApiKey {
    /// What it is for, so that you know it again.
    #[validate(length(min = 1, max = 100))]
    #[input(example = "nightly export")]
    name: String,
    /// What it may do: some of the scopes you have.
    #[validate(items(min = 1, max = 100), each(length(min = 1, max = 100)))]
    scopes: Vec<String>,
    /// From when on it is not accepted any more; never without it.
    expires_at: Option<Timestamp>,
}

/// An API key, without the key.
#[derive(Output)]
#[output(name = "ApiKey")]
struct KeyView {
    /// Its id.
    id: Id<ApiKey>,
    /// What it is for.
    #[output(example = "nightly export")]
    name: String,
    /// What it begins with.
    #[output(example = "helpdesk_x7Gq")]
    hint: String,
    /// What it may do, as far as you may do it.
    scopes: Vec<String>,
    /// When it was made.
    created_at: Timestamp,
    /// From when on it is not accepted any more.
    expires_at: Option<Timestamp>,
    /// When it was used last, give or take a minute.
    last_used_at: Option<Timestamp>,
    /// From which address it was used last.
    last_address: Option<String>,
}

/// An API key that was just made. Send it as `X-API-Key`.
#[derive(Output)]
#[output(name = "NewApiKey")]
struct NewKeyView {
    /// Its id.
    id: Id<ApiKey>,
    /// The key itself. It is shown this once: keep it where you keep passwords. It ends in `[0-9A-Za-z]{49}`, the last six of them a checksum, so
    /// that a secret scanner finds it.
    key: String,
    /// What it is for.
    name: String,
    /// What it begins with.
    hint: String,
    /// What it may do, as far as you may do it.
    scopes: Vec<String>,
    /// When it was made.
    created_at: Timestamp,
    /// From when on it is not accepted any more.
    expires_at: Option<Timestamp>,
}

/// Make an API key.
///
/// The key is in the answer and nowhere else. Send it in the field `X-API-Key`, never in an address. It goes on when you change your password,
/// and may never do more than you may. A key can not make or revoke keys.
#[post("/me/api-keys", allow = signed_in, id = "auth_create_api_key")]
async fn create(
    me: Person,
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

/// List your API keys, the newest first.
#[get("/me/api-keys", allow = signed_in, id = "auth_list_api_keys")]
async fn list(me: Person, keys: KeyStore, paging: Paging) -> Result<Page<KeyView>, Unexpected> {
    Ok(keys.list(&me.subject, &paging).await?.map(view))
}

/// Revoke an API key.
///
/// All nodes refuse it within five seconds.
#[delete("/me/api-keys/{id}", allow = signed_in, id = "auth_revoke_api_key")]
async fn revoke(
    me: Person,
    from: Client,
    keys: KeyStore,
    id: Id<ApiKey>,
) -> Result<NoContent, RevokeKey> {
    keys.revoke(&me, &from, id).await?;
    Ok(NoContent)
}

fn view(row: rows::Model) -> KeyView {
    KeyView {
        id: row.id.into(),
        name: row.name,
        hint: row.hint,
        scopes: rows::list(&row.scopes),
        created_at: row.created_at.into(),
        expires_at: row.expires_at.map(Into::into),
        last_used_at: row.last_used_at.map(Into::into),
        last_address: row.last_address,
    }
}
