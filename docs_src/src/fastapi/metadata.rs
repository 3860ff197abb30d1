//! Metadata: what the document says about the application, its tags, and where it is.

use doyen::prelude::*;

/// Get the items
#[get("/items", allow = anyone)]
async fn items() -> Text {
    Text("Katana".to_owned())
}

/// Builds the application.
pub fn app() -> App {
    App::new("chimichang")
        .title("ChimichangApp")
        .summary("Deadpool's favorite app. Nuff said.")
        .description("ChimichangApp API helps you do awesome stuff.")
        .version("0.0.1")
        .terms_of_service("https://example.com/terms/")
        .contact(
            "Deadpoolio the Amazing",
            "https://x-force.example.com/contact/",
        )
        .licence("Apache 2.0", "Apache-2.0")
        .module(
            Module::new("items")
                .describe("Manage items. So _fancy_ they have their own docs.")
                .routes(routes![items]),
        )
}
