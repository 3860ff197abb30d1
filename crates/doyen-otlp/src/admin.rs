//! The share of sampled traces, on the admin address.

use std::sync::Arc;

use doyen_core::anyone;
use doyen_macros::{get, put, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Json, Module};

use crate::observer::Shared;

/// The routes.
pub(crate) fn module() -> Module {
    Module::new("otlp").routes(routes![sample, set_sample])
}

/// The share of the traces that begin here and are sampled.
#[derive(Input, Output)]
struct Sample {
    /// From 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    sample: f64,
}

/// Get the share of sampled traces
#[get("/otlp/sample", allow = anyone, hidden)]
async fn sample(shared: Arc<Shared>) -> Json<Sample> {
    Json(Sample {
        sample: shared.sample(),
    })
}

/// Set the share of sampled traces, until the process ends
#[put("/otlp/sample", allow = anyone, hidden)]
async fn set_sample(shared: Arc<Shared>, Json(new): Json<Sample>) -> Json<Sample> {
    shared.set_sample(new.sample);
    let sample = shared.sample();
    tracing::warn!(target: "otlp", sample, "the share of sampled traces was changed");
    Json(Sample { sample })
}
