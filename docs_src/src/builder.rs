//! A route without an attribute, for those that are generated.

use doyen::prelude::*;

async fn ping() -> Text {
    Text("pong".to_owned())
}

/// One ping for each of these places.
pub fn module(places: &[&str]) -> Module {
    let routes = places.iter().map(|place| {
        Route::get(&format!("/ping/{place}"))
            .name(&format!("ping_{place}"))
            .summary("Say pong.")
            .allow(anyone)
            .handler(ping)
    });
    Module::new("pings").routes(Routes::new(routes.collect()))
}
