//! A response of your own, which describes itself.

use doyen::domain::Refusal;
use doyen::prelude::*;
use doyen::schema::Schema;
use doyen::schema::contract::{Answer, Contract};
use doyen::web::{Body, Parts};

struct Pretty(serde_json::Value);

impl IntoResponse for Pretty {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        let response = http::Response::builder().header("content-type", "application/json");
        let response = response.body(Body::whole(format!("{:#}", self.0)));
        response.map_err(|error| Unexpected::from(error).into())
    }

    fn describe(contract: &mut Contract<'_>) {
        let answer = Answer::with_body(200, "Indented JSON.", "application/json", Schema::any());
        contract.operation.answers.push(answer);
    }
}

/// Say hello
#[get("/", allow = anyone)]
async fn main() -> Pretty {
    Pretty(serde_json::json!({"message": "Hello World"}))
}

pub fn module() -> Module {
    Module::new("hello").routes(routes![main])
}
