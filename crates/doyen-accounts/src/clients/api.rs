//! The routes `/clients`, for administrators.

use doyen_core::{Id, Page, Paging, Restricted, Timestamp, Unexpected, signed_in};
use doyen_macros::{delete, get, post, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Client, Created, Json, LinkMap, Links, NoContent, NoStore, Routes, none};

use super::problems::{ChangeClient, MakeClient};
use super::rows::{self, MachineClient};
use super::store::ClientStore;
use crate::session_user::{SessionUser, without_api_keys};

/// Returns the routes with this access policy.
pub(crate) fn routes(admin: Restricted) -> Routes {
    routes![create, list, revoke, replace_secret]
        .allow(admin)
        .document(without_api_keys)
}

/// A machine client to create.
#[derive(Input)]
#[input(name = "NewClient")]
struct NewClient {
    /// Display name of the client.
    #[validate(length(min = 1, max = 100), display_name)]
    #[input(example = "billing")]
    name: String,
    /// Scopes of the client. Each must be one of your own scopes.
    #[validate(items(min = 1, max = 100), each(length(min = 1, max = 100)))]
    scopes: Vec<String>,
}

/// A machine client, without its secret.
#[derive(Output)]
#[output(name = "MachineClient")]
struct ClientView {
    /// Id of the client, used as `client_id`.
    id: Id<MachineClient>,
    /// Display name of the client.
    #[output(example = "billing")]
    name: String,
    /// Scopes of the client.
    scopes: Vec<String>,
    /// Creation time.
    created_at: Timestamp,
    /// Id of the user who created the client.
    created_by: String,
    /// Creation time of the current secret.
    secret_at: Timestamp,
    /// Time of the last token request, accurate to about a minute.
    last_used_at: Option<Timestamp>,
    /// Links to the actions available to the caller.
    #[output(rename = "_links")]
    links: LinkMap,
}

/// Credentials with which a program gets tokens.
#[derive(Output)]
#[output(name = "ClientSecret")]
struct SecretView {
    /// Id of the client, used as `client_id`.
    client_id: Id<MachineClient>,
    /// Client secret. It is shown only once.
    client_secret: String,
    /// Display name of the client.
    name: String,
    /// Scopes of the client.
    scopes: Vec<String>,
}

/// Create a machine client
///
/// The secret is shown only in this response. The program exchanges it for access tokens with the
/// operation `auth_client_token`.
#[post("/clients", allow = signed_in, id = "auth_create_client", idempotent(if_supported))]
async fn create(
    me: SessionUser,
    from: Client,
    clients: ClientStore,
    Json(new): Json<NewClient>,
) -> Result<Created<SecretView>, MakeClient> {
    let (row, secret) = clients.make(&me, &from, new.name, &new.scopes).await?;
    Ok(Created(shown(row, secret.expose())))
}

/// List machine clients
///
/// The newest clients come first.
#[get("/clients", allow = signed_in, id = "auth_list_clients", cache = none)]
async fn list(
    _me: SessionUser,
    clients: ClientStore,
    links: Links,
    paging: Paging,
) -> Result<Page<ClientView>, Unexpected> {
    Ok(clients.list(&paging).await?.map(|row| view(row, &links)))
}

/// Revoke a machine client
///
/// The client cannot get new tokens. Its existing tokens are rejected on every node within five
/// seconds.
#[delete("/clients/{id}", allow = signed_in, id = "auth_revoke_client")]
async fn revoke(
    me: SessionUser,
    from: Client,
    clients: ClientStore,
    /// Id of the client.
    #[path]
    id: Id<MachineClient>,
) -> Result<NoContent, ChangeClient> {
    clients.revoke(&me, &from, id).await?;
    Ok(NoContent)
}

/// Replace the secret of a machine client
///
/// The old secret and the existing tokens of the client are rejected from now on, so update the
/// program at the same time. To avoid downtime, create a second client first.
#[post("/clients/{id}/secret", allow = signed_in, id = "auth_replace_client_secret", idempotent(if_supported), returns = "The new secret. The response must not be cached.")]
async fn replace_secret(
    me: SessionUser,
    from: Client,
    clients: ClientStore,
    /// Id of the client.
    #[path]
    id: Id<MachineClient>,
) -> Result<NoStore<SecretView>, ChangeClient> {
    let (row, secret) = clients.replace(&me, &from, id).await?;
    Ok(NoStore(shown(row, secret.expose())))
}

fn scopes(row: &rows::Model) -> Vec<String> {
    row.scopes.split_whitespace().map(str::to_owned).collect()
}

fn shown(row: rows::Model, secret: &str) -> SecretView {
    SecretView {
        client_id: row.id.into(),
        client_secret: secret.to_owned(),
        scopes: scopes(&row),
        name: row.name,
    }
}

fn view(row: rows::Model, links: &Links) -> ClientView {
    let id: Id<MachineClient> = row.id.into();
    let values: &[&dyn std::fmt::Display] = &[&id];
    let links = links.map().to::<revoke>("delete", values);
    ClientView {
        id,
        links: links.to::<replace_secret>("secret", values).done(),
        scopes: scopes(&row),
        name: row.name,
        created_at: row.created_at.into(),
        created_by: row.created_by,
        secret_at: row.secret_at.into(),
        last_used_at: row.last_used_at.map(Into::into),
    }
}
