//! UUIDs, times and durations.

use chrono::NaiveTime;
use doyen::prelude::*;
use doyen::schema::IsoDuration;
use serde_json::{Value, json};
use uuid::Uuid;

/// Plan a process
#[put("/items/{item_id}", allow = anyone)]
async fn plan(
    item_id: Uuid,
    #[body] start_datetime: Timestamp,
    #[body] end_datetime: Timestamp,
    #[body] process_after: IsoDuration,
    #[body] repeat_at: Option<NaiveTime>,
) -> Json<Value> {
    let start = start_datetime.micros() + process_after.as_micros();
    Json(json!({
        "item_id": item_id,
        "start_datetime": start_datetime,
        "end_datetime": end_datetime,
        "process_after": process_after,
        "repeat_at": repeat_at,
        "start_process": Timestamp::from_micros(start),
        "duration": IsoDuration::from_micros(end_datetime.micros() - start),
    }))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![plan])
}
