//! The lines that the code itself writes with `tracing`.

use std::fmt;
use std::io::{self, IsTerminal as _};

use doyen_core::{Clock as _, SystemClock};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::AccessLog;
use crate::layer::LogLayer;
use crate::lines::{Lines, Note};
use crate::text;

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line: `time` (UTC), `level`, `target`, `message`, `fields`. For machines, the default.
    #[default]
    Json,
    /// A line for a person; in colour on a terminal, unless `NO_COLOR` is set.
    Pretty,
}

/// What to log, and how it looks.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// How a line looks.
    pub format: LogFormat,
    /// Levels, one for all and one for each target that differs: `info,shop=debug,hyper=warn`. The levels are `off`, `error`, `warn`,
    /// `info`, `debug`, `trace`; the default is `info`.
    pub filter: String,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            format: LogFormat::Json,
            filter: "info".to_owned(),
        }
    }
}

/// Logging, while it is on. Keep it until the process ends: dropping it writes what is still waiting.
pub struct Logs {
    lines: Lines,
    look: Look,
}

/// A format, and whether it may use colours.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) format: LogFormat,
    pub(crate) colour: bool,
}

/// Sends `tracing` events of this process to standard output. Call it once, before anything logs.
///
/// # Errors
///
/// The filter can not be read, logging is on already, or no thread can be started.
pub fn init(options: &LogOptions) -> Result<Logs, LogError> {
    let filter = targets(&options.filter)?;
    let look = Look::for_stdout(options.format);
    let lines = Lines::thread(io::stdout(), look.note()).map_err(LogError::Thread)?;
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(LogLayer::new(lines.clone(), look));
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
    Ok(Logs { lines, look })
}

impl Logs {
    /// The line per request, in the same format and through the same thread.
    pub fn access_log(&self) -> AccessLog {
        AccessLog::over(self.lines.clone(), self.look)
    }

    /// Waits until all lines so far are written. False when the output is stuck for two seconds.
    pub fn flush(&self) -> bool {
        self.lines.flush()
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        // The global subscriber keeps a clone, so the thread itself never ends.
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

impl Look {
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

    /// The line about lines that were dropped.
    pub(crate) fn note(self) -> Note {
        match self.format {
            LogFormat::Json => |lost| {
                let mut line = String::from("{\"time\":\"");
                text::time(&mut line, SystemClock.now());
                line + &format!(
                    "\",\"level\":\"warn\",\"target\":\"doyen::log\",\"message\":\"lines dropped\",\"fields\":{{\"lines\":{lost}}}}}\n"
                )
            },
            LogFormat::Pretty => |lost| {
                let mut line = String::new();
                text::time_of_day(&mut line, SystemClock.now());
                line + &format!(" WARN  doyen::log: {lost} lines dropped\n")
            },
        }
    }
}

/// Why logging could not be switched on.
#[derive(Debug)]
pub enum LogError {
    /// The filter can not be read.
    Filter {
        /// The part that is wrong.
        part: String,
    },
    /// It is on already.
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
            LogError::Twice => f.write_str("logging is switched on already; call `init` once"),
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

/// Reads a filter. Stricter than the library's own reader, which takes the misspelt level in `inof` for the name of a target and so
/// switches the log off.
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
    fn the_note_about_dropped_lines_is_a_line_of_its_format() {
        let json = (Look::without_colour(LogFormat::Json).note())(3);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&json).unwrap()["fields"]["lines"],
            3
        );
        assert!(
            (Look::without_colour(LogFormat::Pretty).note())(3)
                .ends_with("doyen::log: 3 lines dropped\n")
        );
    }
}
