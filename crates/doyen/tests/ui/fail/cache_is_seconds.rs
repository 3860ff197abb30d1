//! `cache` states who may keep the response, and not only for how long.

use doyen::prelude::*;

#[get("/", allow = anyone, cache = secs(30))]
async fn list() -> NoContent {
    NoContent
}

fn main() {}
