//! Serving: from the start to the end of the process.

use std::time::Duration;

use doyen_core::sync::lock;
use doyen_web::{Drained, ListenAddress, Server, ServerOptions, shutdown_signal};
use tokio_util::sync::CancellationToken;

use crate::built::Admin;
use crate::cli::{Failed, say};
use crate::inherited::Inherited;
use crate::registrar::Flush;
use crate::runtime::{Background, STOP_TIMEOUT};
use crate::{Built, Runtime, development, service_manager};

/// Maximum time for the plugins to stop after a second signal.
const HURRIED_STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Maximum time for the admin listener to end its requests.
const ADMIN_DRAIN: Duration = Duration::from_millis(500);

/// The listeners of an application.
struct Listeners {
    public: Server,
    /// The scheme of the public listener.
    scheme: &'static str,
    admin: Option<Server>,
}

pub(crate) async fn serve(built: Built) -> Result<(), Failed> {
    development::end_with_parent();
    let flush = start_logs(&built)?;
    log_start(&built);
    let done = Box::pin(run(built)).await;
    tracing::info!("stopped");
    flush();
    done
}

/// Starts logging if a plugin does so.
fn start_logs(built: &Built) -> Result<Flush, Failed> {
    let start = lock(&built.plan).start_logs.take();
    match start {
        Some(start) => Ok(start()?),
        None => Ok(Box::new(|| {})),
    }
}

/// Logs what starts, and the variables that it ignores.
fn log_start(built: &Built) {
    let info = &built.info;
    #[cfg(feature = "database")]
    let database = Some(built.database.target());
    #[cfg(not(feature = "database"))]
    let database = None::<String>;
    tracing::info!(
        name = info.name,
        version = info.version,
        environment = info.environment.as_str(),
        database,
        doyen = env!("CARGO_PKG_VERSION"),
        "starting"
    );
    for warning in &built.warnings {
        tracing::warn!("{warning}");
    }
    if let Some(warning) = built.core.server.socket_warning() {
        tracing::warn!("{warning}");
    }
}

async fn run(mut built: Built) -> Result<(), Failed> {
    doyen_web::ignore_other_signals();
    // From here on a signal is noticed, also while the application starts.
    let signal = shutdown_signal();
    tokio::pin!(signal);
    let listeners = bind(&mut built).await?;
    let tls = built.tls.clone();
    let drain_delay = built.core.server.drain_delay;
    let drain_limit = built.core.server.drain_deadline;
    built.connect().await?;
    let runtime = built.start_until(&mut signal, Background::All).await?;
    let stop = CancellationToken::new();
    let seeded = seed(&runtime).await?;
    announce(&runtime, &listeners, seeded.as_deref());
    warn_of_failed_checks(&runtime).await;
    service_manager::ready();

    let serving = async {
        let renewing = async {
            match &tls {
                Some(tls) => tls.keep_current().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            drained = serve_until(listeners, &stop) => drained,
            never = renewing => match never {},
        }
    };
    let ending = async {
        let failure = tokio::select! {
            () = signal => None,
            reason = runtime.failed() => Some(reason),
        };
        service_manager::stopping();
        // Registered before the drain begins, so that a second signal is not lost.
        let mut second = Box::pin(shutdown_signal());
        stop.cancel();
        let drain = async {
            tokio::time::sleep(drain_delay).await;
            runtime.drain(drain_limit).await;
        };
        let limit = tokio::select! {
            () = drain => STOP_TIMEOUT,
            () = &mut second => HURRIED_STOP_TIMEOUT,
        };
        (failure, second, limit)
    };
    let (drained, (failure, second, limit)) = tokio::join!(serving, ending);
    tokio::select! {
        _hanging = runtime.stop_within(limit) => {}
        () = second, if limit == STOP_TIMEOUT => {
            tracing::warn!("a second signal ends the stop of the plugins");
        }
    }
    match failure {
        Some(reason) => Err(reason.into()),
        None if drained.cut > 0 => Err(format!(
            "{} connections were closed before their requests had finished. Increase \
             `server.drain_deadline` if requests take longer",
            drained.cut
        )
        .into()),
        None => Ok(()),
    }
}

/// Binds the addresses. Connections wait until the application serves.
async fn bind(built: &mut Built) -> Result<Listeners, Failed> {
    let mut inherited = Inherited::take()?;
    let mut options = built.core.server.server();
    if let Some(tls) = &built.tls {
        tls.apply(&mut options)?;
    }
    let scheme = built.core.server.scheme();
    let public = inherited
        .server(built.service.clone(), options, "server.bind")
        .await?;
    let Some(Admin { service, listener }) = built.admin.take() else {
        inherited.finish()?;
        return Ok(Listeners {
            public,
            scheme,
            admin: None,
        });
    };
    let options = ServerOptions {
        drain_deadline: ADMIN_DRAIN,
        ..listener.options
    };
    let admin = inherited.server(service, options, listener.key).await?;
    inherited.finish()?;
    Ok(Listeners {
        public,
        scheme,
        admin: Some(admin),
    })
}

/// Serves until `stop` is cancelled and the requests have ended. The admin listener stays open
/// until then, so that the drain can be watched.
async fn serve_until(listeners: Listeners, stop: &CancellationToken) -> Drained {
    let ended = CancellationToken::new();
    let public = async {
        let drained = listeners.public.run_until(stop.cancelled()).await;
        ended.cancel();
        drained
    };
    let admin = async {
        if let Some(admin) = listeners.admin {
            admin.run_until(ended.cancelled()).await;
        }
    };
    tokio::join!(public, admin).0
}

/// Writes the demo data in development. The seed itself checks whether it exists.
async fn seed(runtime: &Runtime) -> Result<Option<String>, Failed> {
    let Some(seed) = runtime
        .seed()
        .filter(|_| runtime.info().environment.is_dev())
    else {
        return Ok(None);
    };
    match runtime.run_seed(seed, Vec::new()).await {
        Ok(line) => Ok(Some(line)),
        Err(error) => {
            runtime.stop().await;
            Err(crate::command::text(&error).into())
        }
    }
}

/// Logs each health check that fails at startup. The application serves all the same.
async fn warn_of_failed_checks(runtime: &Runtime) {
    for status in runtime.health().run().await {
        if let Some(error) = status.error {
            tracing::warn!(error, "health check `{}` fails", status.name);
        }
    }
}

/// Prints or logs where the application serves.
fn announce(runtime: &Runtime, listeners: &Listeners, seeded: Option<&str>) {
    let public = listeners.public.address();
    let admin = listeners.admin.as_ref().map(Server::address);
    let info = runtime.info();
    let Some(links) = &runtime.banner else {
        let admin = admin.map(tracing::field::display);
        tracing::info!(address = %public, scheme = listeners.scheme, admin, "serving");
        if let Some(line) = seeded {
            tracing::info!("{line}");
        }
        return;
    };
    let url = |scheme: &str, address: &ListenAddress| {
        // A browser cannot open a Unix socket: its pages have no links.
        address.tcp().map(|address| format!("{scheme}://{address}"))
    };
    let admin = admin.and_then(|admin| url("http", &admin));
    let api = url(listeners.scheme, &public);
    let mut text = format!(
        "\n  {} ({})\n\n  {:5} {}\n",
        info.title,
        info.environment,
        "API",
        api.clone().unwrap_or_else(|| public.to_string())
    );
    for link in links {
        if let Some(url) = if link.admin { &admin } else { &api } {
            text.push_str(&format!("  {:5} {url}{}\n", link.label, link.path));
        }
    }
    if let Some(line) = seeded {
        text.push_str(&format!("\n  {}\n", line.replace('\n', "\n  ")));
    }
    say(&text);
}
