//! Serving.

use std::sync::Arc;

use doyen_core::settings::{Environment, Loaded};
use doyen_web::Server;

use super::{Failed, say};
use crate::app::App;
use crate::assemble::{Assembled, Overrides};
use crate::settings::Whole;

pub(super) async fn serve(app: App, loaded: Loaded<Whole>) -> Result<(), Failed> {
    let environment = loaded.environment;
    let framework = loaded.value.framework.clone();
    let logs = doyen_observe::init(&framework.log.options(environment.is_prod()))?;
    let overrides = Overrides {
        access_log: Some(Arc::new(logs.access_log())),
        ..Overrides::default()
    };
    let title = app.info.title.clone();
    let assembled = app.assemble(loaded.value, environment, overrides).await?;
    assembled.prepare(environment).await?;
    let seeded = if environment.is_dev() {
        seed_once(&assembled).await?
    } else {
        None
    };
    let server = Server::bind(assembled.service.clone(), framework.server.server()).await?;
    if environment.is_prod() {
        tracing::info!(address = %server.address(), "serving");
    } else {
        say(&greeting(&title, &server, environment, seeded.as_deref()));
    }
    server.run().await;
    assembled.database.close().await;
    tracing::info!("stopped");
    logs.flush();
    Ok(())
}

/// Fills an empty database with demo data. The seed itself says whether there was anything to do.
async fn seed_once(assembled: &Assembled) -> Result<Option<String>, Failed> {
    let Some(seed) = &assembled.seed else {
        return Ok(None);
    };
    let line = assembled
        .run(seed, Vec::new())
        .await
        .map_err(|error| error.error().to_string())?;
    Ok(Some(line))
}

fn greeting(
    title: &str,
    server: &Server,
    environment: Environment,
    seeded: Option<&str>,
) -> String {
    let address = server.address();
    let mut text = format!(
        "\n  {title} ({environment})\n\n  API   http://{address}\n  Docs  http://{address}/docs\n"
    );
    if let Some(line) = seeded {
        text.push_str(&format!("\n  {}\n", line.replace('\n', "\n  ")));
    }
    text
}
