//! UUIDs, dates, times with and without an offset, and durations.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use doyen::prelude::*;
use doyen::schema::IsoDuration;
use uuid::Uuid;

/// When something happens.
#[derive(Input, Output)]
struct Times {
    start: Timestamp,
    local: Option<NaiveDateTime>,
    day: Option<NaiveDate>,
    repeat_at: Option<NaiveTime>,
    process_after: IsoDuration,
}

/// Read times
#[put("/items/{item_id}", allow = anyone)]
async fn times(_item_id: Uuid, Json(times): Json<Times>) -> Json<Times> {
    Json(times)
}

/// The module with times.
pub fn module() -> Module {
    Module::new("times").routes(routes![times])
}
