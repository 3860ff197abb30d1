//! The levels of the log, on the admin address.

use std::sync::Arc;

use doyen_core::{Problem, anyone};
use doyen_macros::{get, put, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Json, Module};

use crate::logs::StartedLog;

/// The routes.
pub(crate) fn module(log: Arc<StartedLog>) -> Module {
    Module::new("log")
        .routes(routes![filter, set_filter])
        .provide(log)
}

/// The levels of the log.
#[derive(Input, Output)]
struct Filter {
    /// As the setting `log.filter`: `info,shop=debug`.
    #[validate(length(max = 1000))]
    filter: String,
}

/// Errors of the levels of the log.
#[derive(Debug, Problem)]
enum FilterError {
    /// The application does not log.
    #[problem(not_found, code = "not_found")]
    NoLog,
    /// This is not a filter of log levels.
    #[problem(malformed, code = "invalid_log_filter", detail = "{reason}.")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
}

/// Get the levels of the log
#[get("/log/filter", allow = anyone, hidden)]
async fn filter(log: Arc<StartedLog>) -> Result<Json<Filter>, FilterError> {
    let filter = log.filter().ok_or(FilterError::NoLog)?.text();
    Ok(Json(Filter { filter }))
}

/// Set the levels of the log, until the process ends
#[put("/log/filter", allow = anyone, hidden)]
async fn set_filter(
    log: Arc<StartedLog>,
    Json(new): Json<Filter>,
) -> Result<Json<Filter>, FilterError> {
    let levels = log.filter().ok_or(FilterError::NoLog)?;
    levels
        .set(&new.filter)
        .map_err(|error| FilterError::Invalid {
            reason: error.to_string(),
        })?;
    let filter = levels.text();
    tracing::warn!(target: "log", filter, "the levels of the log were changed");
    Ok(Json(Filter { filter }))
}
