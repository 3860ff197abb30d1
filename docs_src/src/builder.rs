//! Routes that are generated with the builder instead of an attribute.

use doyen::prelude::*;

async fn ping() -> Text {
    Text("pong".to_owned())
}

/// A module with one ping route for each place.
pub fn module(places: &[&str]) -> Module {
    let routes = places.iter().map(|place| {
        Route::get(&format!("/ping/{place}"))
            .name(&format!("ping_{place}"))
            .summary("Return pong")
            .allow(anyone)
            .handler(ping)
    });
    Module::new("pings").routes(Routes::new(routes.collect()))
}
