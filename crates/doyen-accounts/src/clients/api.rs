//! `/clients`: for administrators.

use doyen_core::{Id, Input, Output, Page, Paging, Restricted, Timestamp, Unexpected, signed_in};
use doyen_macros::{delete, get, post, routes};
use doyen_web::{Client, Created, Json, NoContent, NoStore, Routes};

use super::problems::{ChangeClient, MakeClient};
use super::rows::{self, MachineClient};
use super::store::ClientStore;
use crate::person::Person;

/// The routes, for whoever may call them.
pub(crate) fn routes(admin: Restricted) -> Routes {
    routes![create, list, revoke, replace_secret].allow(admin)
}

/// A machine client to be made.
#[derive(Input)]
#[input(name = "NewClient")]
struct NewClient {
    /// What it is, so that you know it again.
    #[validate(length(min = 1, max = 100))]
    #[input(example = "billing")]
    name: String,
    /// What it may do: some of the scopes you have.
    #[validate(items(min = 1, max = 100), each(length(min = 1, max = 100)))]
    scopes: Vec<String>,
}

/// A machine client, without its secret.
#[derive(Output)]
#[output(name = "MachineClient")]
struct ClientView {
    /// Its id: the `client_id`.
    id: Id<MachineClient>,
    /// What it is.
    #[output(example = "billing")]
    name: String,
    /// What it may do.
    scopes: Vec<String>,
    /// When it was made.
    created_at: Timestamp,
    /// By whom.
    created_by: String,
    /// Since when its secret is the one it is.
    secret_at: Timestamp,
    /// When it last got a token, give or take a minute.
    last_used_at: Option<Timestamp>,
}

/// What a program needs to get tokens.
#[derive(Output)]
#[output(name = "ClientSecret")]
struct SecretView {
    /// The `client_id`.
    client_id: Id<MachineClient>,
    /// The secret. It is shown this once.
    client_secret: String,
    /// What the client is.
    name: String,
    /// What it may do.
    scopes: Vec<String>,
}

/// Make a machine client.
///
/// The secret is in the answer and nowhere else. With it the program asks for access tokens (`/oauth/token`).
#[post("/clients", allow = signed_in, id = "auth_create_client")]
async fn create(
    me: Person,
    from: Client,
    clients: ClientStore,
    Json(new): Json<NewClient>,
) -> Result<Created<SecretView>, MakeClient> {
    let (row, secret) = clients.make(&me, &from, new.name, &new.scopes).await?;
    Ok(Created(shown(row, secret.expose())))
}

/// List machine clients, the newest first.
#[get("/clients", allow = signed_in, id = "auth_list_clients")]
async fn list(
    _me: Person,
    clients: ClientStore,
    paging: Paging,
) -> Result<Page<ClientView>, Unexpected> {
    Ok(clients.list(&paging).await?.map(view))
}

/// Revoke a machine client.
///
/// It gets no tokens any more; those it has are refused within five seconds on every node.
#[delete("/clients/{id}", allow = signed_in, id = "auth_revoke_client")]
async fn revoke(
    me: Person,
    from: Client,
    clients: ClientStore,
    id: Id<MachineClient>,
) -> Result<NoContent, ChangeClient> {
    clients.revoke(&me, &from, id).await?;
    Ok(NoContent)
}

/// Give a machine client another secret.
///
/// The old secret, and the tokens that the client has, are refused from now on: change it where the program waits for you. For a change without
/// a gap make a second client first.
#[post("/clients/{id}/secret", allow = signed_in, id = "auth_replace_client_secret")]
async fn replace_secret(
    me: Person,
    from: Client,
    clients: ClientStore,
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

fn view(row: rows::Model) -> ClientView {
    ClientView {
        id: row.id.into(),
        scopes: scopes(&row),
        name: row.name,
        created_at: row.created_at.into(),
        created_by: row.created_by,
        secret_at: row.secret_at.into(),
        last_used_at: row.last_used_at.map(Into::into),
    }
}
