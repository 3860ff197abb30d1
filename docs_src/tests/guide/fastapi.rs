//! `docs/guide/fastapi-chapters.md`: each chapter as a client of FastAPI's program sees it. Where
//! the contract differs, a comment or the table of the page says why.

mod advanced;
mod application;
mod bodies;
mod dependencies;
pub(super) mod length;
mod page;
mod parameters;
mod proxy;
mod responses;
mod security;
mod streams;

use doyen::App;
use doyen::web::Module;
use doyen_test::{Call, Setup, TestApp};
use serde_json::Value;

use super::subject;

subject!(Chapters, App::new("chapters"));

impl Chapters {
    /// Starts an application with the module of a chapter.
    async fn with(&self, module: Module) -> TestApp {
        self.another(Setup::new().module(module)).await
    }

    /// Starts the application of a chapter, with settings.
    async fn app(&self, make: fn() -> App, settings: &[(&str, &str)]) -> TestApp {
        let setup = Setup::new().edit(move |_| make());
        let set = |setup: Setup, (key, value): &(&str, &str)| setup.set(key, value);
        self.another(settings.iter().fold(setup, set)).await
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Returns the body of a 200.
async fn sent(call: Call) -> Value {
    call.send().await.expect(200).json()
}

async fn get(app: &TestApp, path: &str) -> Value {
    sent(app.get(path)).await
}

/// Returns the errors of a 422.
async fn invalid(call: Call) -> Vec<String> {
    call.send().await.expect_problem(422, "invalid").failures()
}

/// Returns the errors of a 422 for a `GET`.
async fn refused(app: &TestApp, path: &str) -> Vec<String> {
    invalid(app.get(path)).await
}
