//! Lines of `tracing` events.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex};

use doyen_core::sync::lock;
use doyen_core::{Clock as _, SystemClock};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Registry, reload};

use crate::layer::LogLayer;
use crate::lines::{Lines, Notes};
use crate::sample::LeftOut;
use crate::text;
use crate::{AccessLog, LogTap};

/// Format of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line: `time` (UTC), `level`, `target`, `message`, `fields`. The default.
    #[default]
    Json,
    /// A readable line; in colour on a terminal, unless `NO_COLOR` is set.
    Pretty,
}

/// What to log, and in which format.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Format of a line.
    pub format: LogFormat,
    /// Levels: one for all targets, and one for each target that differs:
    /// `info,shop=debug,hyper=warn`. The levels are `off`, `error`, `warn`, `info`, `debug`,
    /// `trace`; the default is `info`.
    pub filter: String,
    /// Maximum lines of one kind per second: refused requests with the same status and problem,
    /// requests that no limit counts, and lines from one location in the code. The rest are counted
    /// in a line of their own. Default 100.
    pub lines_per_second: u32,
}

/// Default of [`LogOptions::lines_per_second`].
pub(crate) const LINES_PER_SECOND: u32 = 100;

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            format: LogFormat::Json,
            filter: "info".to_owned(),
            lines_per_second: LINES_PER_SECOND,
        }
    }
}

/// The active logging. Keep it until the process ends: dropping it writes the remaining lines.
pub struct Logs {
    lines: Lines,
    look: LineStyle,
    filter: LogFilter,
}

/// The levels that are logged now. Clones share them.
#[derive(Clone, Debug)]
pub struct LogFilter {
    active: reload::Handle<Targets, Registry>,
    text: Arc<Mutex<String>>,
}

/// A format, and whether to use colours.
#[derive(Clone, Copy)]
pub(crate) struct LineStyle {
    pub(crate) format: LogFormat,
    pub(crate) colour: bool,
}

/// Sends the `tracing` events of this process to standard output. Call it once, before any event.
///
/// # Errors
///
/// Returns an error if the filter is invalid, logging is active already, or the thread cannot be
/// started.
pub fn init(options: &LogOptions) -> Result<Logs, LogError> {
    init_with(options, Vec::new())
}

/// The same, and hands warnings and errors to these receivers. They get what the filter and
/// [`LogOptions::lines_per_second`] let through.
///
/// # Errors
///
/// See [`init`].
pub fn init_with(options: &LogOptions, taps: Vec<LogTap>) -> Result<Logs, LogError> {
    let (filter, active) = reload::Layer::new(targets(&options.filter)?);
    let look = LineStyle::for_stdout(options.format);
    let lines = Lines::thread(io::stdout(), look.notes(), options.lines_per_second)
        .map_err(LogError::Thread)?;
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(LogLayer::new(lines.clone(), look, taps));
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
    let filter = LogFilter {
        active,
        text: Arc::new(Mutex::new(options.filter.clone())),
    };
    Ok(Logs {
        lines,
        look,
        filter,
    })
}

impl LogFilter {
    /// Returns the levels, as [`LogOptions::filter`].
    pub fn text(&self) -> String {
        lock(&self.text).clone()
    }

    /// Changes the levels, until the process ends.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a filter.
    pub fn set(&self, text: &str) -> Result<(), LogError> {
        let filter = targets(text)?;
        let mut current = lock(&self.text);
        // It fails only if the subscriber is gone, and it lives as long as the process.
        let _ = self.active.reload(filter);
        text.clone_into(&mut current);
        Ok(())
    }
}

impl Logs {
    /// Returns the access log, in the same format and through the same thread.
    pub fn access_log(&self) -> AccessLog {
        AccessLog::over(self.lines.clone(), self.look)
    }

    /// Returns the levels, to change them.
    pub fn filter(&self) -> LogFilter {
        self.filter.clone()
    }

    /// Waits until all lines so far are written. Returns false if the output is blocked for two
    /// seconds.
    pub fn flush(&self) -> bool {
        self.lines.flush()
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        // The global subscriber keeps a clone, so the thread never ends by itself.
        self.lines.flush();
    }
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs")
            .field("format", &self.look.format)
            .finish_non_exhaustive()
    }
}

impl LineStyle {
    pub(crate) fn for_stdout(format: LogFormat) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        Self {
            format,
            colour: format == LogFormat::Pretty && wanted && io::stdout().is_terminal(),
        }
    }

    pub(crate) const fn without_colour(format: LogFormat) -> Self {
        Self {
            format,
            colour: false,
        }
    }

    /// The reports about lines that were not written.
    pub(crate) fn notes(self) -> Notes {
        match self.format {
            LogFormat::Json => Notes {
                dropped: |lost| json_note("lines dropped", &format!("\"lines\":{lost}")),
                left_out: |LeftOut { kind, lines }| {
                    let mut fields = format!("\"lines\":{lines},\"kind\":");
                    text::json(&mut fields, kind, MAX_KIND_BYTES);
                    json_note("lines left out", &fields)
                },
            },
            LogFormat::Pretty => Notes {
                dropped: |lost| pretty_note(&format!("{lost} lines dropped")),
                left_out: |LeftOut { kind, lines }| {
                    let mut note = format!("{lines} lines left out: ");
                    text::plain(&mut note, kind, MAX_KIND_BYTES);
                    pretty_note(&note)
                },
            },
        }
    }
}

/// Maximum length of the name of a kind, in bytes.
const MAX_KIND_BYTES: usize = 200;

fn json_note(message: &str, fields: &str) -> String {
    let mut line = String::from("{\"time\":\"");
    text::time(&mut line, SystemClock.now());
    line + "\",\"level\":\"warn\",\"target\":\"doyen::log\",\"message\":\""
        + message
        + "\",\"fields\":{"
        + fields
        + "}}\n"
}

fn pretty_note(note: &str) -> String {
    let mut line = String::new();
    text::time_of_day(&mut line, SystemClock.now());
    line + " WARN  doyen::log: " + note + "\n"
}

/// An error at the start of logging.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogError {
    /// The filter is invalid.
    Filter {
        /// The invalid part.
        part: String,
    },
    /// Logging is active already.
    Twice,
    /// The writing thread could not be started.
    Thread(io::Error),
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Filter { part } => write!(
                f,
                "setting `log.filter`: {part:?} is neither a level nor `target=level`. The levels are off, error, warn, info, debug and \
                 trace; write for example `info,shop=debug`"
            ),
            LogError::Twice => f.write_str("logging is active already; call `init` once"),
            LogError::Thread(_) => {
                f.write_str("the thread that writes the log could not be started")
            }
        }
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LogError::Thread(error) => Some(error),
            _ => None,
        }
    }
}

/// Parses a filter. It is stricter than the parser of the library, which takes the misspelt level
/// in `inof` for the name of a target and so disables the log.
fn targets(filter: &str) -> Result<Targets, LogError> {
    let mut targets = Targets::new();
    let mut general = None;
    for part in filter.split(',').map(str::trim) {
        let wrong = || LogError::Filter {
            part: part.to_owned(),
        };
        let level = |text: &str| level(text).ok_or_else(wrong);
        match part.split_once('=') {
            None if general.is_none() => general = Some(level(part)?),
            None => return Err(wrong()),
            Some((target, text)) if is_target(target.trim()) => {
                targets = targets.with_target(target.trim(), level(text.trim())?)
            }
            Some(_) => return Err(wrong()),
        }
    }
    Ok(targets.with_default(general.unwrap_or(LevelFilter::INFO)))
}

fn level(text: &str) -> Option<LevelFilter> {
    let levels = [
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    levels
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|(_, level)| level)
}

fn is_target(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_filter_has_one_level_for_all_and_one_for_each_target() {
        let filter = targets("warn, shop=debug ,hyper=off").unwrap();
        assert!(filter.would_enable("other", &Level::WARN));
        assert!(!filter.would_enable("other", &Level::INFO));
        assert!(filter.would_enable("shop::orders", &Level::DEBUG));
        assert!(!filter.would_enable("hyper::proto", &Level::ERROR));
        assert!(
            targets("shop=debug")
                .unwrap()
                .would_enable("other", &Level::INFO)
        );
    }

    #[test]
    fn a_wrong_filter_names_the_setting_and_the_part() {
        for (filter, part) in [
            ("inof", "inof"),
            ("info,shop=loud", "shop=loud"),
            ("info,debug", "debug"),
            ("=info", "=info"),
            ("", ""),
            ("a b=info", "a b=info"),
        ] {
            let message = targets(filter).unwrap_err().to_string();
            assert!(
                message.contains("`log.filter`") && message.contains(&format!("{part:?}")),
                "{message}"
            );
        }
    }

    #[test]
    fn notes_are_lines_of_their_format() {
        let left_out = LeftOut {
            kind: "404 \"not_found\"\n".to_owned(),
            lines: 7,
        };
        let parsed = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let json = LineStyle::without_colour(LogFormat::Json).notes();
        assert_eq!(parsed(&(json.dropped)(3))["fields"]["lines"], 3);
        let line = parsed(&(json.left_out)(&left_out));
        assert_eq!(line["fields"]["lines"], 7);
        assert_eq!(line["fields"]["kind"], left_out.kind);
        let pretty = LineStyle::without_colour(LogFormat::Pretty).notes();
        assert!((pretty.dropped)(3).ends_with("doyen::log: 3 lines dropped\n"));
        let line = (pretty.left_out)(&left_out);
        assert!(line.contains("doyen::log: 7 lines left out: 404"), "{line}");
        assert_eq!(line.matches('\n').count(), 1, "{line}");
    }
}
