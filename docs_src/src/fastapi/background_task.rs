//! Work after the response.

use std::sync::{Arc, Mutex};

use doyen::domain::sync::lock;
use doyen::prelude::*;
use serde_json::{Value, json};

/// The notifications that were sent.
#[derive(Default)]
pub struct Sent(pub Mutex<Vec<String>>);

/// Send a notification
#[post("/send-notification/{email}", allow = anyone)]
async fn send(
    email: String,
    sent: Arc<Sent>,
    tasks: BackgroundTasks,
) -> Result<Json<Value>, Unexpected> {
    tasks.add("notification", async move {
        lock(&sent.0).push(format!("notification for {email}: some notification"));
        Ok(())
    })?;
    Ok(Json(
        json!({"message": "Notification sent in the background"}),
    ))
}

pub fn module() -> Module {
    Module::new("notifications")
        .routes(routes![send])
        .provide(Arc::new(Sent::default()))
}
