//! The plugins that an application has unless it leaves them out.

use doyen_app::{Defaults, PluginList};

/// The default plugins: `log`, `admin`, and those of the Cargo features `docs`, `evidence`,
/// `otlp`, `limits`, `cache`, `idempotency`, `jobs`, `files`, `mail`, `events`, `live`, `outbound`
/// and `accounts`.
/// Accounts themselves are added with [`App::plugin`](doyen_app::App::plugin), as they need to know
/// the users of the application.
#[derive(Clone, Copy, Debug)]
pub struct DefaultPlugins;

impl Defaults for DefaultPlugins {
    fn add(plugins: &mut PluginList) {
        plugins.add(doyen_telemetry::Logs);
        plugins.add(doyen_telemetry::Admin);
        // Early, because it stops in reverse: after the plugins whose work it records.
        #[cfg(feature = "otlp")]
        plugins.add(doyen_otlp::Otlp);
        #[cfg(feature = "docs")]
        plugins.add(doyen_console::Docs);
        #[cfg(feature = "evidence")]
        plugins.add(doyen_evidence::Evidence);
        #[cfg(feature = "limits")]
        plugins.add(doyen_limit::Limits);
        #[cfg(feature = "cache")]
        plugins.add(doyen_cache::CachePlugin);
        #[cfg(feature = "idempotency")]
        plugins.add(doyen_idempotency::IdempotencyPlugin);
        #[cfg(feature = "jobs")]
        plugins.add(doyen_jobs::JobsPlugin);
        #[cfg(feature = "files")]
        plugins.add(doyen_files::FilesPlugin);
        #[cfg(feature = "mail")]
        plugins.add(doyen_mail::MailPlugin);
        #[cfg(feature = "events")]
        plugins.add(doyen_events::Events);
        #[cfg(feature = "live")]
        plugins.add(doyen_live::LivePlugin);
        #[cfg(feature = "outbound")]
        plugins.add(doyen_outbound::Outbound);
        #[cfg(feature = "accounts")]
        plugins.add(doyen_accounts::AccessTokens::default());
    }

    fn absent() -> &'static [(&'static str, &'static str)] {
        &[
            #[cfg(not(feature = "docs"))]
            (
                "docs",
                "add the feature `docs` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "evidence"))]
            (
                "evidence",
                "add the feature `evidence` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "limits"))]
            (
                "limits",
                "add the feature `limits` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "cache"))]
            (
                "cache",
                "add the feature `cache` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "idempotency"))]
            (
                "idempotency",
                "add the feature `idempotency` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "jobs"))]
            (
                "jobs",
                "add the feature `jobs` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "files"))]
            (
                "files",
                "add the feature `files` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "mail"))]
            (
                "mail",
                "add the feature `mail` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "events"))]
            (
                "events",
                "add the feature `events` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "live"))]
            (
                "live",
                "add the feature `live` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "otlp"))]
            (
                "otlp",
                "add the feature `otlp` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "outbound"))]
            (
                "outbound",
                "add the feature `outbound` of `doyen`, or remove the setting",
            ),
            #[cfg(not(feature = "database"))]
            (
                "database",
                "add the feature `sqlite` or `postgres` of `doyen`, or remove the setting",
            ),
        ]
    }
}
