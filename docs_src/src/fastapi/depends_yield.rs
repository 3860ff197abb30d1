//! A dependency with cleanup, which runs at the end of the request.

use std::sync::{Arc, Mutex};

use doyen::domain::inject::Teardown;
use doyen::domain::sync::lock;
use doyen::prelude::*;

/// What happened to the connections.
#[derive(Default)]
pub struct Log(pub Mutex<Vec<&'static str>>);

#[derive(Clone)]
struct Db(&'static str);

#[provider]
async fn db(log: Arc<Log>, teardown: Teardown) -> Db {
    lock(&log.0).push("open");
    teardown.push(async move { lock(&log.0).push("close") });
    Db("Foo")
}

/// Read the item
#[get("/item", allow = anyone)]
async fn read(db: Db) -> Text {
    Text(db.0.to_owned())
}

pub fn module() -> Module {
    Module::new("items")
        .routes(routes![read])
        .provide(Arc::new(Log::default()))
}
