//! Header fields and cookies are read like the query string.

use doyen::prelude::*;

/// What a client tells of itself.
#[derive(Input)]
struct Client {
    /// Its version, from `client-version`.
    #[validate(length(max = 20))]
    client_version: Option<String>,
}

/// What the browser keeps.
#[derive(Input)]
struct Kept {
    /// How the page looks.
    theme: Option<String>,
}

/// What was understood.
#[derive(Output)]
struct Understood {
    version: Option<String>,
    theme: Option<String>,
}

/// Tell what the client sent.
#[get("/client", allow = anyone)]
async fn client(Header(client): Header<Client>, Cookie(kept): Cookie<Kept>) -> Json<Understood> {
    let version = client.client_version;
    let theme = kept.theme;
    Json(Understood { version, theme })
}

/// Clients.
pub fn module() -> Module {
    Module::new("clients").routes(routes![client])
}
