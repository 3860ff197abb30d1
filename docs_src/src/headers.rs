//! Headers and cookies are read like the query string.

use doyen::prelude::*;

/// Information about the client.
#[derive(Input)]
struct Client {
    /// Client version, from the header `client-version`.
    #[validate(length(max = 20))]
    client_version: Option<String>,
}

/// Preferences stored in cookies.
#[derive(Input)]
struct Kept {
    /// Colour theme of the page.
    theme: Option<String>,
}

/// The values that were read.
#[derive(Output)]
struct Understood {
    version: Option<String>,
    theme: Option<String>,
}

/// Get the values that the client sent
#[get("/client", allow = anyone)]
async fn client(Header(client): Header<Client>, Cookie(kept): Cookie<Kept>) -> Json<Understood> {
    let version = client.client_version;
    let theme = kept.theme;
    Json(Understood { version, theme })
}

/// The module with clients.
pub fn module() -> Module {
    Module::new("clients").routes(routes![client])
}
