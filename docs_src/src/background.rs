//! State of the application, work at start and stop, and work after the response.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use doyen::domain::sync::lock;
use doyen::prelude::*;

/// The state of the application: injected as `Arc<Greetings>`.
#[derive(Default)]
pub struct Greetings(Mutex<HashMap<&'static str, &'static str>>);

/// The invitations that were sent.
#[derive(Default)]
pub struct Outbox(pub Mutex<Vec<String>>);

/// Get a greeting
#[get("/greetings/{language}", allow = anyone)]
async fn greeting(language: String, greetings: Arc<Greetings>) -> Text {
    let known = lock(&greetings.0).get(&*language).copied();
    Text(known.unwrap_or("Hello").to_owned())
}

/// Invite a guest
///
/// The invitation is sent after the response.
#[post("/guests/{name}", allow = anyone)]
async fn invite(
    name: String,
    outbox: Arc<Outbox>,
    tasks: BackgroundTasks,
) -> Result<NoContent, Unexpected> {
    tasks.add("invitation", async move {
        lock(&outbox.0).push(format!("Dear {name}"));
        Ok(())
    })?;
    Ok(NoContent)
}

/// The application.
pub fn app() -> App {
    App::new("guide")
        .provide(Arc::new(Greetings::default()))
        .provide(Arc::new(Outbox::default()))
        .on_start(|greetings: Arc<Greetings>| async move {
            lock(&greetings.0).extend([("de", "Guten Tag"), ("fr", "Bonjour")]);
            Ok(())
        })
        .on_stop(|outbox: Arc<Outbox>| async move {
            lock(&outbox.0).push("Goodbye".to_owned());
            Ok(())
        })
        .module(Module::new("guests").routes(routes![greeting, invite]))
}
