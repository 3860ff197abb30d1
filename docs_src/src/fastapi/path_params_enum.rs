//! A path parameter of an enum.

use doyen::prelude::*;
use serde_json::{Value, json};

/// A model.
#[derive(Input, Output)]
enum ModelName {
    Alexnet,
    Resnet,
    Lenet,
}

/// Get a model
#[get("/models/{model_name}", allow = anyone)]
async fn model(model_name: ModelName) -> Json<Value> {
    let message = match model_name {
        ModelName::Alexnet => "Deep Learning FTW!",
        ModelName::Lenet => "LeCNN all the images",
        ModelName::Resnet => "Have some residuals",
    };
    Json(json!({"model_name": model_name, "message": message}))
}

pub fn module() -> Module {
    Module::new("models").routes(routes![model])
}
