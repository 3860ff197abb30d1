//! Work after the response that a dependency adds.

use std::sync::{Arc, Mutex};

use doyen::domain::sync::lock;
use doyen::prelude::*;
use serde_json::{Value, json};

/// The log.
#[derive(Default)]
pub struct Log(pub Mutex<Vec<String>>);

struct Logged;

fn write(tasks: &BackgroundTasks, log: Arc<Log>, line: String) -> Result<(), Unexpected> {
    tasks.add("log", async move {
        lock(&log.0).push(line);
        Ok(())
    })
}

#[extractor]
async fn logged(
    #[query] q: Option<String>,
    log: Arc<Log>,
    tasks: BackgroundTasks,
) -> Result<Logged, Unexpected> {
    if let Some(q) = q {
        write(&tasks, log, format!("found query: {q}"))?;
    }
    Ok(Logged)
}

/// Send a notification
#[post("/send-notification/{email}", allow = anyone)]
async fn send(
    _q: Logged,
    email: String,
    log: Arc<Log>,
    tasks: BackgroundTasks,
) -> Result<Json<Value>, Unexpected> {
    write(&tasks, log, format!("message to {email}"))?;
    Ok(Json(json!({"message": "Message sent"})))
}

pub fn module() -> Module {
    Module::new("notifications")
        .routes(routes![send])
        .provide(Arc::new(Log::default()))
}
