//! Logs as a plugin.

use std::sync::{Arc, OnceLock};

use doyen_app::{Alert, Family, Flush, Manifest, Plugin, Registrar, SetupError};
use doyen_core::{AccessRecord, AccessSink};
use doyen_observe::{AccessLog, LogFilter, LogFormat, LogOptions, LogTap};
use doyen_settings::Settings;

use crate::log_filter;

const FAMILIES: &[Family] = &[
    Family::counter(
        "log_lines_dropped_total",
        "Log lines that were dropped because the output is too slow or closed.",
    )
    .alerts(&[Alert::warning(
        "LogLinesLost",
        "sum by (job) (increase(log_lines_dropped_total{$app}[10m])) > 0",
        "Log lines are lost, because what reads the standard output is too slow.",
    )]),
    Family::counter(
        "log_lines_left_out_total",
        "Log lines that were left out because of `log.lines_per_second`.",
    ),
];

/// Writes the application log and one line per request to standard output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Logs;

/// Log output.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct LogSettings {
    /// Log format. If not set, `json` in `prod` and `pretty` otherwise.
    pub format: Option<LogFormatSetting>,
    /// Log levels, such as `info,sqlx=warn`.
    #[setting(default = "info,sqlx=warn,hyper=warn")]
    pub filter: String,
    /// Maximum log lines per second of one kind: rejected requests with the same status and
    /// problem, requests that no limit counts, or lines from one place in the code. Further lines
    /// are dropped, and one line per second reports their number.
    #[setting(default = 100, min = 1, max = 1000000)]
    pub lines_per_second: u32,
}

/// Log format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum LogFormatSetting {
    /// One JSON object per line.
    Json,
    /// Human-readable lines.
    Pretty,
}

impl Plugin for Logs {
    const NAME: &'static str = "log";
    type Settings = LogSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("The application log and the access log");
    }

    fn register(self, settings: LogSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        let options = settings.options(app.info().environment.is_prod());
        let access = Arc::new(StartedLog::default());
        app.access_log(Arc::clone(&access) as Arc<dyn AccessSink>);
        app.admin(log_filter::module(Arc::clone(&access)));
        if options.format == LogFormat::Json {
            app.without_banner();
        }
        let counted = Arc::clone(&access);
        app.metrics(FAMILIES, move |samples| {
            let lost = counted
                .0
                .get()
                .map(|(log, _)| log.lost())
                .unwrap_or_default();
            samples.value("log_lines_dropped_total", &[], lost.dropped);
            samples.value("log_lines_left_out_total", &[], lost.left_out);
        });
        // Other plugins may receive warnings and errors: all are known after registration.
        app.finish(move |app| {
            let taps = app.contributions::<LogTap>();
            app.logs(move || {
                let logs = doyen_observe::init_with(&options, taps)
                    .map_err(|error| SetupError::setting("log.filter", error.to_string()))?;
                // Logs are started once.
                let _ = access.0.set((logs.access_log(), logs.filter()));
                let flush: Flush = Box::new(move || {
                    logs.flush();
                });
                Ok(flush)
            });
            Ok(())
        });
        Ok(())
    }
}

/// The access log and the levels, once the logs have started.
#[derive(Debug, Default)]
pub(crate) struct StartedLog(OnceLock<(AccessLog, LogFilter)>);

impl StartedLog {
    /// Returns the levels.
    pub(crate) fn filter(&self) -> Option<&LogFilter> {
        self.0.get().map(|(_, filter)| filter)
    }
}

impl AccessSink for StartedLog {
    fn write(&self, record: &AccessRecord<'_>) {
        if let Some((log, _)) = self.0.get() {
            log.write(record);
        }
    }
}

impl LogSettings {
    pub(crate) fn options(&self, prod: bool) -> LogOptions {
        let json = self
            .format
            .map_or(prod, |format| format == LogFormatSetting::Json);
        LogOptions {
            format: if json {
                LogFormat::Json
            } else {
                LogFormat::Pretty
            },
            filter: self.filter.clone(),
            lines_per_second: self.lines_per_second,
        }
    }
}
