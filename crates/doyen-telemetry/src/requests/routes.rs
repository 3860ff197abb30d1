//! The paths on the admin address, and the link to them in each response.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use doyen_app::StatementPlans;
use doyen_core::{Problem, anyone, chain, current_request};
use doyen_macros::{get, routes};
use doyen_schema::Input;
use doyen_web::around::{BoxLayer, Next, Request};
use doyen_web::{Body, Module, Query, Response};
use http::{HeaderName, HeaderValue, header};

use super::{Recent, view};

/// The header with the link. Developers know its name from Symfony, and extensions of browsers
/// read it.
const LINK: HeaderName = HeaderName::from_static("x-debug-token-link");

/// The routes.
pub(crate) fn module(recent: Arc<Recent>, plans: Arc<Plans>) -> Module {
    Module::new("requests")
        .routes(routes![list, show, plan])
        .provide(recent)
        .provide(plans)
}

/// Adds the address of its page to each response. The port must be fixed: 0 is known too late.
pub(crate) fn link(admin: SocketAddr) -> BoxLayer {
    let host = match admin.ip() {
        ip if ip.is_unspecified() => format!("localhost:{}", admin.port()),
        _ => admin.to_string(),
    };
    BoxLayer::around(move |request: Request, next: Next| {
        let id = current_request().map(|(id, _)| id);
        let link = id.map(|id| format!("http://{host}/console#request={}", id.as_str()));
        async move {
            let mut response = next.run(request).await;
            if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
                response.headers_mut().insert(LINK, link);
            }
            response
        }
    })
}

/// Which work to list.
#[derive(Input)]
struct Select {
    /// The number of the newest that is known.
    after: Option<u64>,
    /// The id of a request, which its jobs share.
    request_id: Option<String>,
}

/// Errors of one piece of work.
#[derive(Debug, Problem)]
enum FindWork {
    /// There is no work of this number, or it is no longer kept.
    #[problem(not_found, code = "not_found")]
    Missing,
}

/// What shows plans; empty until all plugins have registered, and if none does.
#[derive(Debug, Default)]
pub(crate) struct Plans(pub(crate) OnceLock<StatementPlans>);

/// Errors of a plan.
#[derive(Debug, Problem)]
enum ShowPlan {
    /// There is no such statement, or it is no longer kept.
    #[problem(not_found, code = "not_found")]
    Missing,
    /// No plugin shows plans. Add the plugin `evidence` and a database.
    #[problem(not_found, code = "no_plans")]
    NoPlans,
    /// The database has no plan for the statement.
    #[problem(conflict, code = "no_plan", detail = "{reason}")]
    NoPlan {
        /// The error of the database.
        reason: String,
    },
}

/// List the recent work, the newest last
#[get("/requests", allow = anyone, hidden)]
async fn list(recent: Arc<Recent>, Query(select): Query<Select>) -> Response {
    let (last, work) = recent.select(|work| {
        let id = select.request_id.as_deref();
        work.number > select.after.unwrap_or_default()
            && id.is_none_or(|id| id == work.request_id.as_str())
    });
    let items: Vec<_> = work.iter().map(|work| view::summary(work)).collect();
    json(&serde_json::json!({"max": recent.max(), "last": last, "items": items}))
}

/// Show one piece of work
#[get("/requests/{number}", allow = anyone, hidden)]
async fn show(recent: Arc<Recent>, number: u64) -> Result<Response, FindWork> {
    let (_, found) = recent.select(|work| work.number == number);
    let work = found.first().ok_or(FindWork::Missing)?;
    let (_, others) = recent
        .select(|other| other.number != number && other.trace.trace_id() == work.trace.trace_id());
    let others: Vec<_> = others.iter().map(|other| view::summary(other)).collect();
    Ok(json(&view::detail(work, &others)))
}

/// Show the plan of a statement
#[get("/requests/{number}/steps/{step}/plan", allow = anyone, hidden)]
async fn plan(
    recent: Arc<Recent>,
    plans: Arc<Plans>,
    number: u64,
    step: u32,
) -> Result<Response, ShowPlan> {
    let (_, found) = recent.select(|work| work.number == number);
    let work = found.first().ok_or(ShowPlan::Missing)?;
    let step = work.steps.steps.get(step as usize);
    let sql = step.and_then(view::statement).ok_or(ShowPlan::Missing)?;
    let plans = plans.0.get().ok_or(ShowPlan::NoPlans)?;
    let text = plans.explain(sql).await.map_err(|error| ShowPlan::NoPlan {
        reason: chain(error.error()),
    })?;
    let mut response = Response::new(Body::whole(text));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    Ok(response)
}

fn json(value: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::whole(value.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
