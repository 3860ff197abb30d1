//! axum with the duties of production, each by the part that most would take for it.

mod api;
mod auth;
mod bodies;
mod database;
mod duties;
mod metrics;
mod problem;
mod telemetry;

use axum::{Router, serve::ListenerExt};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{auth::Verifier, database::Database};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _telemetry = telemetry::start()?;
    let metrics = metrics::start()?;
    let verifier = Verifier::from_environment()?;

    let mut app = Router::new().merge(api::without_database());
    if let Some(database) = Database::from_environment().await? {
        app = app.merge(api::with_database(database));
    }
    // Its reader has no token: it is added outside of the duties.
    let app = duties::add(app, verifier).route("/metrics", metrics);

    let listener = TcpListener::bind(settings::address())
        .await?
        .tap_io(|stream| _ = stream.set_nodelay(true));
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = axum::serve(listener, app) => ended?,
        // The lines of the log that are still in memory are written when `_telemetry` goes.
        _ = terminate.recv() => {}
    }
    Ok(())
}
