//! Doyen with its policies off: no authentication, no logging, no security headers. Routing,
//! extractors, the Session and the edge stay.

use std::sync::Arc;

use doyen::data::{Database, DatabaseOptions};
use doyen::domain::{Clock, SystemClock};
use doyen::web::{EdgeOptions, Server, ServerOptions, Service};

use crate::api;

/// Serves on 127.0.0.1 at this port until SIGTERM.
///
/// # Errors
///
/// The database or the address is not available.
pub async fn serve(port: u16, url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut options = DatabaseOptions::new(url);
    options.max_connections = 8;
    let database = Database::connect(&options).await?;
    let service = service(database)?;
    let options = ServerOptions::new(([127, 0, 0, 1], port).into());
    Server::bind(service, options)
        .await?
        .run_until(doyen::web::shutdown_signal())
        .await;
    Ok(())
}

/// The six routes on this database, for anyone.
///
/// # Errors
///
/// The graph does not fit together.
pub fn service(database: Database) -> Result<Service, String> {
    let options = EdgeOptions {
        security_headers: false,
        compression: false,
        ..EdgeOptions::default()
    };
    let mut builder = Service::builder()
        .options(options)
        .module(api::bare::module());
    builder.container().provide(Arc::new(database));
    builder
        .container()
        .provide::<dyn Clock>(Arc::new(SystemClock));
    let service = builder.build();
    service.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}
