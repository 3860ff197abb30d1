//! A custom extractor reads the request and describes itself in the OpenAPI document.

use doyen::domain::{Place, Refusal};
use doyen::prelude::*;
use doyen::schema::Schema;
use doyen::schema::contract::{Contract, Parameter};
use doyen::web::Request;
use doyen::web::extract::FromRequestParts;

/// The client's preferred language.
struct Language(String);

impl FromRequestParts for Language {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let wanted = request.parts.header("accept-language").unwrap_or("en");
        let first = wanted.split([',', ';']).next().unwrap_or("en");
        Ok(Some(Self(first.trim().to_owned())))
    }

    fn describe(contract: &mut Contract<'_>) {
        contract.operation.parameter(Parameter {
            place: Place::Header,
            name: "Accept-Language".to_owned(),
            required: false,
            schema: Schema::of("string"),
            description: "Accepted languages, in order of preference.".to_owned(),
            deprecated: false,
            commas: false,
        });
    }
}

/// Get a greeting in the preferred language
#[get("/greeting", allow = anyone)]
async fn greet(language: Language) -> Text {
    Text(match language.0.as_str() {
        "de" => "Guten Tag".to_owned(),
        _ => "Good day".to_owned(),
    })
}

/// The module with greetings.
pub fn module() -> Module {
    Module::new("greetings").routes(routes![greet])
}
