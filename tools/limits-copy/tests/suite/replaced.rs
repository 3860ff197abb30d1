//! The copy takes the place of the original: its settings, tables, bindings and quotas.

use std::sync::Arc;

use doyen::prelude::*;
use doyen_test::Setup;

use crate::subject;

/// Count
#[get("/count", allow = anyone)]
async fn count() -> NoContent {
    NoContent
}

fn app() -> doyen::App {
    doyen::App::new("copied").module(Module::new("counts").routes(routes![count]))
}

subject!(Copied, app());

#[doyen_test::test]
async fn the_copy_reads_the_settings_and_counts(app: Copied) {
    let small = app
        .another(Setup::new().set("limits.anonymous", "3/1m"))
        .await;
    for _ in 0..3 {
        small.get("/count").send().await.expect(204);
    }
    small
        .get("/count")
        .send()
        .await
        .expect_problem(429, "quota_exceeded");
}

#[doyen_test::test]
async fn the_engines_in_use_are_those_of_the_copy(app: Copied) {
    // The type of the copy is injected: the original would be another type.
    let _book: Arc<doyen_limit::QuotaBook> = app.inject().await;
    assert_eq!(app.count("limit_quotas").await, 0);
    let report = app.runtime().plugins();
    let limits = report.all().iter().find(|one| one.name == "limits");
    assert_eq!(limits.expect("the plugin is listed").origin, "replacement");
}
