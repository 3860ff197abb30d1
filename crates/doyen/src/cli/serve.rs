//! Serving.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::limit::Quotas as _;
use doyen_settings::{Environment, Loaded};
use doyen_web::{Server, ServerOptions};

use super::{Failed, say};
use crate::app::App;
use crate::assemble::{AssembleError, Assembled, Overrides};
use crate::settings::{AdminSettings, Whole};
use crate::system;

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
    if let Some(redis) = &assembled.redis
        && let Err(error) = redis.ping().await
    {
        tracing::warn!(
            error,
            "Redis does not answer (`redis.url`): until it does, each node limits for itself"
        );
    }
    let seeded = if environment.is_dev() {
        seed_once(&assembled).await?
    } else {
        None
    };
    let server = Server::bind(assembled.service.clone(), framework.server.server())
        .await
        .map_err(|error| format!("`server.bind`: {error}"))?;
    let admin = admin(&assembled, &framework.admin).await?;
    if environment.is_prod() {
        tracing::info!(address = %server.address(), admin = ?admin.as_ref().map(Server::address), "serving");
    } else {
        say(&greeting(
            &title,
            &server,
            admin.as_ref(),
            environment,
            seeded.as_deref(),
        ));
    }
    // The admin address stays up through the drain, so that it can be watched.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let watching = tokio::spawn(async move {
        if let Some(admin) = admin {
            // The sender goes away when the public server is done: that is the signal.
            let gone = async move { drop(stopped.await) };
            admin.run_until(gone).await;
        }
    });
    server.run().await;
    drop(stop);
    watching.await?;
    assembled.api_keys.flush().await;
    // Mails that wait are sent now or never.
    assembled.post.flush(Duration::from_secs(5)).await;
    assembled.security.flush().await;
    assembled.quotas.flush().await;
    assembled.database.close().await;
    tracing::info!("stopped");
    logs.flush();
    Ok(())
}

/// The admin address, unless it is switched off. It lets nothing wait at the end.
async fn admin(assembled: &Assembled, settings: &AdminSettings) -> Result<Option<Server>, Failed> {
    if !settings.enabled {
        return Ok(None);
    }
    let service = system::admin::service(&assembled.service, &assembled.database)
        .map_err(AssembleError::Program)?;
    let mut options = ServerOptions::new(settings.bind);
    options.drain_deadline = Duration::from_millis(500);
    let server = Server::bind(service, options).await;
    Ok(Some(
        server.map_err(|error| format!("`admin.bind`: {error}"))?,
    ))
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
    admin: Option<&Server>,
    environment: Environment,
    seeded: Option<&str>,
) -> String {
    let address = server.address();
    let mut text = format!(
        "\n  {title} ({environment})\n\n  API   http://{address}\n  Docs  http://{address}/docs\n"
    );
    if let Some(admin) = admin {
        text.push_str(&format!("  Admin http://{}/metrics\n", admin.address()));
    }
    if let Some(line) = seeded {
        text.push_str(&format!("\n  {}\n", line.replace('\n', "\n  ")));
    }
    text
}
