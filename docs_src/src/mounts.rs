//! An axum application below a path, next to routes of Doyen.

use axum::routing::get as axum_get;
use doyen::prelude::*;

/// The application that existed before.
fn legacy() -> axum::Router {
    axum::Router::new().route("/reports/{year}", axum_get(report))
}

async fn report(axum::extract::Path(year): axum::extract::Path<u16>) -> String {
    format!("The report of {year}")
}

/// Get the version
#[get("/version", allow = anyone)]
async fn version() -> Text {
    Text("2".to_owned())
}

/// The module with both.
pub fn module() -> Module {
    let legacy = Route::mount("/legacy", legacy())
        .allow(signed_in)
        .limit(per_user(100, MINUTE))
        .body_limit(64 << 10);
    Module::new("all").routes(routes![version]).route(legacy)
}
