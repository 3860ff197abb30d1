//! A resource from the start to the stop: here a model.

use std::sync::{Arc, OnceLock};

use doyen::prelude::*;
use serde_json::{Value, json};

#[derive(Default)]
struct Model(OnceLock<fn(f64) -> f64>);

/// Predict
#[get("/predict", allow = anyone)]
async fn predict(#[query] x: f64, model: Arc<Model>) -> Json<Value> {
    Json(json!({"result": model.0.get().map(|model| model(x))}))
}

pub fn app() -> App {
    App::new("models")
        .provide(Arc::new(Model::default()))
        .on_start(|model: Arc<Model>| async move {
            model.0.get_or_init(|| |x| x * 42.0);
            Ok(())
        })
        .module(Module::new("models").routes(routes![predict]))
}
