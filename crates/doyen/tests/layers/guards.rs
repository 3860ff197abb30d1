//! Guards: extractors that run first and describe themselves.

use std::sync::Arc;

use doyen::domain::problem::Plain;
use doyen::domain::{At, Place, ProblemInfo, Refusal};
use doyen::prelude::*;
use doyen::schema::Schema;
use doyen::schema::contract::{Contract, Parameter};
use doyen::web::Service;
use doyen::web::extract::{FromRequestParts, Injected};

use crate::kit::{Log, app, of, request};

static NO_TOKEN: ProblemInfo = ProblemInfo {
    code: "no_token",
    kind: Kind::Forbidden,
    title: "Forbidden",
    description: "The header `X-Token` is missing or wrong.",
};

/// The token that every request of a list must have.
struct VerifyToken;

impl FromRequestParts for VerifyToken {
    async fn from_request_parts(
        request: &mut doyen::web::Request,
    ) -> Result<Option<Self>, Refusal> {
        let log = request.parts.context.get::<Arc<Log>>().await?;
        log.note("guard");
        match request.parts.header("x-token") {
            Some("secret") => Ok(Some(Self)),
            Some(_) => {
                let at = At::root(Place::Header);
                let at = at.field("X-Token");
                at.fail(
                    &mut request.failures,
                    "pattern",
                    "is not a token".to_owned(),
                );
                Ok(None)
            }
            None => Err(Plain::new(&NO_TOKEN).into()),
        }
    }

    fn describe(contract: &mut Contract<'_>) {
        contract.operation.parameter(Parameter {
            place: Place::Header,
            name: "X-Token".to_owned(),
            required: true,
            schema: Schema::of("string"),
            description: "The shared token.".to_owned(),
            deprecated: false,
            commas: false,
        });
        contract.operation.fails([&NO_TOKEN]);
    }
}

/// A number.
#[derive(Input)]
struct Number {
    /// The number.
    number: u8,
}

/// Get one
#[get("/one", allow = anyone)]
async fn one(log: Arc<Log>, number: Query<Number>) -> Text {
    log.note("handler");
    Text(number.into_inner().number.to_string())
}

/// Get another one
#[get("/other", allow = anyone)]
async fn other() -> Text {
    Text("other".to_owned())
}

fn module() -> Module {
    Module::new("m")
        .routes(routes![one].guard::<VerifyToken>())
        .routes(routes![other])
}

#[tokio::test]
async fn a_guard_runs_first_and_its_refusal_is_the_response() {
    let app = of(module());
    let answer = app.get("/one?number=x").await;
    app.is_problem(&answer, 403, "no_token");
    assert_eq!(app.log.take(), ["guard"]);

    let right = [("x-token", "secret")];
    let answer = app.send(request("GET", "/one?number=7", &right, "")).await;
    app.has_frame(&answer, 200);
    assert_eq!(answer.text(), "7");
    assert_eq!(app.log.take(), ["guard", "handler"]);

    let answer = app.get("/other").await;
    assert_eq!((answer.status, app.log.take()), (200, vec![]));
}

#[tokio::test]
async fn the_failures_of_a_guard_and_of_the_handler_are_reported_together() {
    let app = of(module());
    let wrong = [("x-token", "wrong")];
    let answer = app
        .send(request("GET", "/one?number=x&odd=1", &wrong, ""))
        .await;
    app.is_problem(&answer, 422, "invalid");
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    let places: Vec<&str> = errors
        .iter()
        .map(|one| one["in"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["query", "header", "query"]);
    assert_eq!(app.log.take(), ["guard"]);
}

#[tokio::test]
async fn a_guard_describes_itself_in_each_route_that_it_guards() {
    let app = of(module());
    let operations = app.service.operations();
    for (path, guarded) in [("/one", true), ("/other", false)] {
        let operation = operations.iter().find(|one| one.path == path).unwrap();
        let header = operation.parameters.iter().any(|one| one.name == "X-Token");
        let problem = operation.problems.iter().any(|one| one.code == "no_token");
        assert_eq!((header, problem), (guarded, guarded), "{path}");
    }
}

/// A license, which is checked once for each request.
#[derive(Clone)]
struct Licensed;

/// Why there is no license.
#[derive(Debug, Problem)]
enum NoLicense {
    /// It has expired.
    #[problem(gone, code = "license_expired")]
    Expired,
}

#[provider]
async fn licensed(log: Arc<Log>) -> Result<Licensed, NoLicense> {
    log.note("provider");
    Err(NoLicense::Expired)
}

#[tokio::test]
async fn an_injected_type_guards_a_module_and_its_problems_are_in_the_document() {
    let module = module().guard::<Injected<Licensed>>();
    let app = app(Service::builder().module(module));
    let answer = app.get("/other").await;
    app.is_problem(&answer, 410, "license_expired");
    assert_eq!(app.log.take(), ["provider"]);
    for operation in app.service.operations() {
        let problems = &operation.problems;
        assert!(problems.iter().any(|one| one.code == "license_expired"));
    }
}
