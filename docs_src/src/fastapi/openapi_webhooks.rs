//! A request that the service sends on its own.

use doyen::prelude::*;
use doyen::schema::contract::OutboundCall;
use serde_json::{Value, json};

/// A new subscription.
#[derive(Output)]
struct Subscription {
    username: String,
    monthly_fee: f64,
    start_date: Timestamp,
}

/// List users
#[get("/users/", allow = anyone)]
async fn users() -> Json<Value> {
    Json(json!(["Rick", "Morty"]))
}

pub fn app() -> App {
    App::new("subscriptions")
        .webhook(OutboundCall::post::<Subscription>("new-subscription"))
        .module(Module::new("users").routes(routes![users]))
}
