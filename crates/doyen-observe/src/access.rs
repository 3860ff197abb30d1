//! One line per request.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::path::Path;
use std::{fmt, io};

use doyen_core::{AccessRecord, AccessSink, causes};

use crate::LogFormat;
use crate::lines::{Lines, LostLines};
use crate::logs::{LINES_PER_SECOND, LineStyle};
use crate::text;

/// Maximum length of a text from the client, in bytes.
const MAX_TEXT_BYTES: usize = 1024;
/// Maximum size of a line buffer that is kept for the next line, in bytes.
const MAX_BUFFER_BYTES: usize = 8192;

/// Writes one line per request. Clones write to the same output.
///
/// Failures of the service (5xx) have the level `error` and are written at once. Requests refused
/// because of overload have the level `warn`, all others `info`. An error is written with its chain
/// of causes. The query string is never written, because it may contain a secret.
///
/// Refused requests with the same route, status and problem, and anonymous requests that no limit
/// counts, are sampled: 100 a second are written. The rest are counted in a line of their own.
///
/// ```
/// use doyen_core::{AccessRecord, AccessSink as _, Timestamp};
/// use doyen_observe::AccessLog;
///
/// let log = AccessLog::memory();
/// log.write(&AccessRecord {
///     path: "/livez",
///     ..AccessRecord::at(Timestamp::from_micros(0))
/// });
/// assert!(log.lines()[0].contains(r#""path":"/livez""#));
/// ```
#[derive(Clone)]
pub struct AccessLog {
    lines: Lines,
    look: LineStyle,
}

impl AccessLog {
    /// Writes to standard output, through its own thread. After [`init`](crate::init), use
    /// [`Logs::access_log`](crate::Logs::access_log) instead, so that both kinds of lines keep
    /// their order.
    ///
    /// # Errors
    ///
    /// Returns an error if the thread cannot be started.
    pub fn stdout(format: LogFormat) -> io::Result<Self> {
        let look = LineStyle::for_stdout(format);
        Ok(Self::over(
            Lines::thread(io::stdout(), look.notes(), LINES_PER_SECOND)?,
            look,
        ))
    }

    /// Appends to a file, which is created if necessary.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be opened or the thread cannot be started.
    pub fn to_file(path: impl AsRef<Path>, format: LogFormat) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let look = LineStyle::without_colour(format);
        Ok(Self::over(
            Lines::thread(file, look.notes(), LINES_PER_SECOND)?,
            look,
        ))
    }

    /// Keeps the lines in memory, as JSON, for tests that read them with [`lines`](Self::lines).
    pub fn memory() -> Self {
        Self::over(Lines::memory(), LineStyle::without_colour(LogFormat::Json))
    }

    pub(crate) const fn over(lines: Lines, look: LineStyle) -> Self {
        Self { lines, look }
    }

    /// Returns the lines of a log created with [`memory`](Self::memory). Other logs return no
    /// lines.
    pub fn lines(&self) -> Vec<String> {
        self.lines.kept()
    }

    /// Returns the number of lines that were not written so far, of this log and of others that
    /// write to the same output.
    pub fn lost(&self) -> LostLines {
        self.lines.lost()
    }

    /// Waits until all lines so far are written. Returns false if the output is blocked for two
    /// seconds.
    pub fn flush(&self) -> bool {
        self.lines.flush()
    }
}

impl AccessSink for AccessLog {
    fn write(&self, record: &AccessRecord<'_>) {
        thread_local! {
            static LINE: Cell<String> = const { Cell::new(String::new()) };
        }
        if record.sampled && !self.admits(record) {
            return;
        }
        // Take the buffer out while it is used: the `Display` of a cause may write a line too.
        let mut line = LINE.take();
        line.clear();
        match self.look.format {
            LogFormat::Json => json_line(&mut line, record),
            LogFormat::Pretty => pretty_line(&mut line, record, self.look.colour),
        }
        line.push('\n');
        self.lines.push(&line, record.is_fault());
        // Do not keep the memory of a long line.
        if line.capacity() <= MAX_BUFFER_BYTES {
            LINE.set(line);
        }
    }
}

impl AccessLog {
    fn admits(&self, record: &AccessRecord<'_>) -> bool {
        let problem = record.problem.unwrap_or_default();
        let route = record.route.unwrap_or_default();
        // A flood without credentials must not displace the lines of authenticated callers.
        let is_identified = record.user.is_some();
        let kind = || {
            let who = if is_identified {
                "identified"
            } else {
                "anonymous"
            };
            let parts = [&record.status.to_string(), problem, who, route];
            parts.join(" ").trim_end().to_owned()
        };
        self.lines
            .admits((record.status, problem, route, is_identified), kind)
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog")
            .field("format", &self.look.format)
            .finish_non_exhaustive()
    }
}

const fn level(record: &AccessRecord<'_>) -> &'static str {
    match (record.is_fault(), record.shed) {
        (true, _) => "error",
        (false, true) => "warn",
        (false, false) => "info",
    }
}

fn json_line(line: &mut String, record: &AccessRecord<'_>) {
    line.push_str("{\"time\":\"");
    text::time(line, record.at);
    line.push_str("\",\"level\":\"");
    line.push_str(level(record));
    line.push_str("\",\"target\":\"access\"");
    let mut string = |name: &str, value: &str| {
        if !value.is_empty() {
            line.push_str(name);
            text::json(line, value, MAX_TEXT_BYTES);
        }
    };
    string(",\"request_id\":", record.request_id);
    string(",\"trace_id\":", record.trace_id);
    string(",\"method\":", record.method);
    string(",\"path\":", record.bare_path());
    string(",\"route\":", record.route.unwrap_or_default());
    string(",\"user\":", record.user.unwrap_or_default());
    string(",\"problem\":", record.problem.unwrap_or_default());
    string(
        ",\"denied_because\":",
        record.denied_because.unwrap_or_default(),
    );
    if let Some(client) = record.client {
        line.push_str(",\"client\":\"");
        text::address(line, client);
        line.push('"');
    }
    line.push_str(",\"status\":");
    text::number(line, record.status.into());
    line.push_str(",\"bytes\":");
    text::number(line, record.bytes);
    line.push_str(",\"duration_ms\":");
    text::millis(line, record.duration);
    if record.aborted {
        line.push_str(",\"aborted\":true");
    }
    line.push_str(",\"queries\":");
    text::number(line, record.queries.into());
    line.push_str(",\"query_ms\":");
    text::millis(line, record.query_time);
    if let Some(cause) = record.cause {
        line.push_str(",\"cause\":[");
        for (n, cause) in causes(cause).into_iter().enumerate() {
            if n > 0 {
                line.push(',');
            }
            text::json(line, &cause, MAX_TEXT_BYTES);
        }
        line.push(']');
    }
    line.push('}');
}

/// `08:30:00.250 ERROR GET /v1/tickets 500 12.345 ms, 2 queries 1.200 ms user=usr_1
/// problem=internal id=4f.. <- cause <- its cause`
fn pretty_line(line: &mut String, record: &AccessRecord<'_>, colour: bool) {
    text::time_of_day(line, record.at);
    _ = write!(line, " {:<5} ", level(record).to_uppercase());
    text::plain(line, record.method, MAX_TEXT_BYTES);
    line.push(' ');
    text::plain(line, record.bare_path(), MAX_TEXT_BYTES);
    let (on, off) = if colour {
        (code(record.status), "\x1b[0m")
    } else {
        ("", "")
    };
    _ = write!(line, " {on}{}{off} ", record.status);
    text::millis(line, record.duration);
    line.push_str(" ms");
    if record.aborted {
        line.push_str(", aborted");
    }
    if record.queries > 0 {
        _ = write!(
            line,
            ", {} {} ",
            record.queries,
            if record.queries == 1 {
                "query"
            } else {
                "queries"
            }
        );
        text::millis(line, record.query_time);
        line.push_str(" ms");
    }
    for (name, value) in [
        ("user", record.user),
        ("problem", record.problem),
        ("denied_because", record.denied_because),
        ("id", Some(record.request_id)),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            _ = write!(line, " {name}=");
            text::value(line, value, MAX_TEXT_BYTES);
        }
    }
    for cause in record.cause.into_iter().flat_map(causes) {
        line.push_str(" <- ");
        text::plain(line, &cause, MAX_TEXT_BYTES);
    }
}

const fn code(status: u16) -> &'static str {
    match status {
        500.. => "\x1b[31m",
        400..500 => "\x1b[33m",
        _ => "\x1b[32m",
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::time::Duration;

    use doyen_core::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug)]
    struct Layered(u8);
    impl fmt::Display for Layered {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "layer {}\nnext", self.0)
        }
    }
    impl Error for Layered {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            const BELOW: Layered = Layered(0);
            (self.0 > 0).then_some(&BELOW)
        }
    }

    fn record() -> AccessRecord<'static> {
        AccessRecord {
            request_id: "r1",
            trace_id: "0af7651916cd43dd8448eb211c80319c",
            method: "GET",
            path: "/v1/tickets/tkt_1?access_token=secret",
            route: Some("/v1/tickets/{id}"),
            status: 200,
            duration: Duration::from_micros(12_345),
            bytes: 80,
            client: Some([127, 0, 0, 1].into()),
            user: Some("usr_1"),
            queries: 2,
            query_time: Duration::from_micros(1_200),
            ..AccessRecord::at("2026-11-22T08:30:00.25Z".parse::<Timestamp>().unwrap())
        }
    }

    fn line(record: &AccessRecord<'_>) -> Value {
        let log = AccessLog::memory();
        log.write(record);
        serde_json::from_str(&log.lines()[0]).unwrap()
    }

    #[test]
    fn a_line_has_every_part_and_no_query_string() {
        let expected = json!({
            "time": "2026-11-22T08:30:00.250000Z", "level": "info", "target": "access", "request_id": "r1",
            "trace_id": "0af7651916cd43dd8448eb211c80319c", "method": "GET", "path": "/v1/tickets/tkt_1", "route": "/v1/tickets/{id}",
            "user": "usr_1", "client": "127.0.0.1", "status": 200, "bytes": 80, "duration_ms": 12.345, "queries": 2, "query_ms": 1.2,
        });
        assert_eq!(line(&record()), expected);
    }

    #[test]
    fn a_fault_is_an_error_with_all_its_causes() {
        let line = line(&AccessRecord {
            status: 500,
            problem: Some("internal"),
            cause: Some(&Layered(1)),
            ..record()
        });
        assert_eq!(line["level"], "error");
        assert_eq!(line["problem"], "internal");
        assert_eq!(line["cause"], json!(["layer 1\nnext", "layer 0\nnext"]));
    }

    #[test]
    fn an_overloaded_service_warns() {
        let line = line(&AccessRecord {
            status: 503,
            problem: Some("overloaded"),
            shed: true,
            ..record()
        });
        assert_eq!(line["level"], "warn");
    }

    #[test]
    fn of_many_refused_requests_some_are_written_and_the_rest_counted() {
        let path =
            std::env::temp_dir().join(format!("access-{}.log", doyen_core::RequestId::new()));
        let log = AccessLog::to_file(&path, LogFormat::Json).unwrap();
        for at in 0..1_000 {
            log.write(&AccessRecord {
                status: 404,
                user: None,
                problem: Some("not_found"),
                sampled: true,
                ..record()
            });
            if at % 10 == 0 {
                log.write(&record());
            }
        }
        assert!(log.flush());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let count = |status| lines.iter().filter(|line| line["status"] == status).count();
        assert_eq!((count(404), count(200)), (100, 100));
        assert_eq!(lines.len(), 201);
        let report = lines
            .iter()
            .find(|line| line["target"] == "doyen::log")
            .unwrap();
        assert_eq!(
            report["fields"],
            json!({"lines": 900, "kind": "404 not_found anonymous /v1/tickets/{id}"})
        );
    }

    #[test]
    fn the_client_cannot_forge_a_line() {
        let path = "/x\r\n{\"level\":\"error\"}\u{1b}[2J\u{2028}\u{202e}";
        let record = AccessRecord {
            path,
            user: Some("a b=c\n"),
            cause: Some(&Layered(0)),
            ..record()
        };
        assert_eq!(line(&record)["path"], path);
        let mut text = String::new();
        pretty_line(&mut text, &record, false);
        assert!(
            !text.contains(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{202e}'),
            "{text}"
        );
        assert!(text.contains(r#"user="a b=c\n""#), "{text}");
    }

    #[test]
    fn long_text_is_cut() {
        let path = "/".repeat(100_000);
        let line = line(&AccessRecord {
            path: &path,
            ..record()
        });
        assert_eq!(
            line["path"].as_str().unwrap().len(),
            MAX_TEXT_BYTES + '…'.len_utf8()
        );
    }

    #[test]
    fn a_pretty_line_is_for_a_person() {
        let mut text = String::new();
        pretty_line(&mut text, &record(), false);
        assert_eq!(
            text,
            "08:30:00.250 INFO  GET /v1/tickets/tkt_1 200 12.345 ms, 2 queries 1.200 ms user=usr_1 id=r1"
        );
    }

    #[test]
    fn a_file_gets_its_lines_at_flush_and_is_appended_to() {
        let path =
            std::env::temp_dir().join(format!("access-{}.log", doyen_core::RequestId::new()));
        for _ in 0..2 {
            let log = AccessLog::to_file(&path, LogFormat::Json).unwrap();
            log.write(&record());
            assert!(log.flush());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            text.lines()
                .filter(|line| serde_json::from_str::<Value>(line).is_ok())
                .count(),
            2
        );
    }
}
