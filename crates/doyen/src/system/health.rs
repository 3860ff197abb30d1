//! `/livez` and `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::problem::Plain;
use doyen_core::{Kind, Output, ProblemInfo, Refusal, anyone, unlimited};
use doyen_data::Database;
use doyen_macros::get;
use doyen_web::{IntoResponse, Json, Parts, Response};

use super::Pages;

/// How it is.
#[derive(Output)]
pub(super) struct Health {
    /// `ok`.
    status: String,
}

static NOT_READY: ProblemInfo = ProblemInfo {
    code: "not_ready",
    kind: Kind::Unavailable,
    title: "Not Ready",
    description: "The server cannot accept requests: it is shutting down, or a dependency is unavailable. Try again later.",
};

fn ok() -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
    })
}

/// The process is alive. Asks nothing else, so that a dependency that is away does not get it restarted.
#[get(
    "/livez",
    allow = anyone,
    hidden,
    limit = unlimited("supervisors ask, and must be answered")
)]
pub(super) async fn livez() -> Json<Health> {
    ok()
}

/// The process can take requests: not draining, and the database answers within a second.
#[get(
    "/readyz",
    allow = anyone,
    hidden,
    limit = unlimited("balancers ask, and must be answered")
)]
pub(super) async fn readyz(database: Arc<Database>, pages: Arc<Pages>) -> Ready {
    let draining = pages.get().is_some_and(|filled| filled.drain.has_begun());
    if draining {
        return Ready(Err(Plain::new(&NOT_READY).detail("draining").into()));
    }
    match tokio::time::timeout(Duration::from_secs(1), database.ping()).await {
        Ok(Ok(())) => Ready(Ok(ok())),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the database");
            Ready(Err(Plain::new(&NOT_READY)
                .detail("the database does not answer")
                .into()))
        }
        Err(_) => Ready(Err(Plain::new(&NOT_READY)
            .detail("the database does not answer in time")
            .into())),
    }
}

/// Ready, or why not.
pub(super) struct Ready(Result<Json<Health>, Refusal>);

impl IntoResponse for Ready {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        self.0?.into_response(parts)
    }
    fn describe(contract: &mut doyen_core::contract::Contract<'_>) {
        Json::<Health>::describe(contract);
        contract.operation.fails([&NOT_READY]);
    }
}
