//! Work at the stop, after the last request.

use std::sync::{Arc, Mutex};

use doyen::domain::sync::lock;
use doyen::prelude::*;

/// The log.
#[derive(Default)]
pub struct Log(pub Mutex<Vec<&'static str>>);

/// List items
#[get("/items/", allow = anyone)]
async fn items() -> Json<Vec<&'static str>> {
    Json(vec!["Foo"])
}

pub fn app() -> App {
    App::new("items")
        .provide(Arc::new(Log::default()))
        .on_stop(|log: Arc<Log>| async move {
            lock(&log.0).push("Application shutdown");
            Ok(())
        })
        .module(Module::new("items").routes(routes![items]))
}
