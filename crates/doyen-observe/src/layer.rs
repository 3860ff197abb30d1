//! Turns a `tracing` event into a line.

use std::error::Error;
use std::fmt::{self, Write as _};

use doyen_core::{Clock as _, SystemClock, chain, current_request};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::lines::Lines;
use crate::logs::{LineStyle, LogFormat};
use crate::text;
use crate::{LogEvent, LogTap};

/// Maximum length of a value, in bytes.
const MAX_VALUE_BYTES: usize = 16 << 10;

pub(crate) struct LogLayer {
    lines: Lines,
    look: LineStyle,
    taps: Vec<LogTap>,
}

impl LogLayer {
    pub(crate) const fn new(lines: Lines, look: LineStyle, taps: Vec<LogTap>) -> Self {
        Self { lines, look, taps }
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        if let Some(span) = cx.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        if let Some(span) = cx.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        if !self.admits(event) {
            return;
        }
        let mut own = Fields::default();
        event.record(&mut own);
        // The request first, then the fields of the spans, from the outermost to the innermost; the
        // innermost wins.
        let mut all = Fields::default();
        if let Some((request, trace)) = current_request() {
            all.put("request_id", Value::Text(request.to_string()));
            all.put("trace_id", Value::Text(trace.trace_id().to_owned()));
        }
        for span in cx
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(fields) = span.extensions().get::<Fields>() {
                fields
                    .values
                    .iter()
                    .for_each(|(name, value)| all.put(name, value.clone()));
            }
        }
        all.message = own.message;
        own.values
            .into_iter()
            .for_each(|(name, value)| all.put(name, value));

        self.hand_over(event, &all);
        let mut line = String::with_capacity(256);
        match self.look.format {
            LogFormat::Json => json_line(&mut line, event, &all),
            LogFormat::Pretty => pretty_line(&mut line, event, &all, self.look.colour),
        }
        line.push('\n');
        self.lines
            .push(&line, *event.metadata().level() <= Level::WARN);
    }
}

impl LogLayer {
    fn hand_over(&self, event: &Event<'_>, all: &Fields) {
        let level = *event.metadata().level();
        let taps = self.taps.iter().filter(|tap| level <= tap.0.max_level());
        let mut taps = taps.peekable();
        if taps.peek().is_none() {
            return;
        }
        let fields: Vec<_> = all
            .values
            .iter()
            .map(|(name, value)| match value {
                Value::Text(text) | Value::Literal(text) => (*name, text.as_str()),
            })
            .collect();
        let handed = LogEvent {
            level,
            target: event.metadata().target(),
            message: &all.message,
            fields: &fields,
            trace: current_request().map(|(_, trace)| trace),
        };
        for LogTap(receiver) in taps {
            receiver.receive(&handed);
        }
    }

    /// Samples by the location in the code that logs. Security events share one location and have a
    /// name. Events that a client can cause must not displace the others.
    fn admits(&self, event: &Event<'_>) -> bool {
        let place = event.metadata();
        let mut name = EventName::default();
        if place.target() == "security" {
            event.record(&mut name);
        }
        let kind = || {
            let line = place.line().unwrap_or_default();
            let file = place.file().unwrap_or(place.target());
            format!("{} {file}:{line} {}", place.level(), name.0)
                .trim_end()
                .to_owned()
        };
        self.lines.admits((place.callsite(), &name.0), kind)
    }
}

/// The field `event`.
#[derive(Default)]
struct EventName(String);

impl Visit for EventName {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

fn json_line(line: &mut String, event: &Event<'_>, fields: &Fields) {
    line.push_str("{\"time\":\"");
    text::time(line, SystemClock.now());
    line.push_str("\",\"level\":\"");
    line.push_str(level_name(event.metadata().level()).trim_end());
    line.push_str("\",\"target\":");
    text::json(line, event.metadata().target(), MAX_VALUE_BYTES);
    line.push_str(",\"message\":");
    text::json(line, &fields.message, MAX_VALUE_BYTES);
    if !fields.values.is_empty() {
        line.push_str(",\"fields\":{");
        for (n, (name, value)) in fields.values.iter().enumerate() {
            if n > 0 {
                line.push(',');
            }
            text::json(line, name, MAX_VALUE_BYTES);
            line.push(':');
            value.json(line);
        }
        line.push('}');
    }
    line.push('}');
}

fn pretty_line(line: &mut String, event: &Event<'_>, fields: &Fields, colour: bool) {
    let level = event.metadata().level();
    text::time_of_day(line, SystemClock.now());
    let (on, off) = if colour {
        (code(level), "\x1b[0m")
    } else {
        ("", "")
    };
    _ = write!(line, " {on}{}{off} ", level_name(level).to_uppercase());
    text::plain(line, event.metadata().target(), MAX_VALUE_BYTES);
    line.push_str(": ");
    text::plain(line, &fields.message, MAX_VALUE_BYTES);
    for (name, value) in &fields.values {
        line.push(' ');
        text::plain(line, name, MAX_VALUE_BYTES);
        line.push('=');
        match value {
            Value::Text(value) => text::value(line, value, MAX_VALUE_BYTES),
            Value::Literal(value) => line.push_str(value),
        }
    }
}

const fn level_name(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "error",
        Level::WARN => "warn ",
        Level::INFO => "info ",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

const fn code(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[36m",
        Level::TRACE => "\x1b[90m",
    }
}

/// The fields of a span or an event.
#[derive(Default)]
struct Fields {
    message: String,
    values: Vec<(&'static str, Value)>,
}

#[derive(Clone)]
enum Value {
    Text(String),
    /// A number or a boolean: the same in both formats.
    Literal(String),
}

impl Value {
    fn json(&self, line: &mut String) {
        match self {
            Value::Text(text) => text::json(line, text, MAX_VALUE_BYTES),
            Value::Literal(literal) => line.push_str(literal),
        }
    }
}

impl Fields {
    fn put(&mut self, name: &'static str, value: Value) {
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some((_, place)) => *place = value,
            None => self.values.push((name, value)),
        }
    }

    fn text(&mut self, field: &Field, text: String) {
        match field.name() {
            "message" => self.message = text,
            name => self.put(name, Value::Text(text)),
        }
    }

    fn literal(&mut self, field: &Field, value: impl ToString) {
        self.put(field.name(), Value::Literal(value.to_string()));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.literal(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.literal(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.literal(field, value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity.
        if value.is_finite() {
            self.literal(field, value);
        } else {
            self.text(field, value.to_string());
        }
    }
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, chain(value));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn logged(format: LogFormat, colour: bool, code: impl FnOnce()) -> Vec<String> {
        let lines = Lines::memory();
        let layer = LogLayer::new(lines.clone(), LineStyle { format, colour }, Vec::new());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), code);
        lines.kept()
    }

    fn json(code: impl FnOnce()) -> serde_json::Value {
        let lines = logged(LogFormat::Json, false, code);
        assert_eq!(lines.len(), 1);
        serde_json::from_str(&lines[0]).unwrap()
    }

    #[test]
    fn a_line_has_the_id_of_its_request() {
        let (id, trace) = (
            doyen_core::RequestId::accept("order-7").unwrap(),
            doyen_core::TraceContext::start(false),
        );
        let line = json(|| doyen_core::within_request(id, trace, || tracing::info!("on the way")));
        assert_eq!(line["fields"]["request_id"], "order-7");
        assert_eq!(line["fields"]["trace_id"], trace.trace_id());
        let outside = json(|| tracing::info!("elsewhere"));
        assert_eq!(outside.get("fields"), None);
    }

    #[test]
    fn each_receiver_gets_its_levels() {
        struct Kept(Level, std::sync::Mutex<Vec<String>>);
        impl crate::LogReceiver for Kept {
            fn max_level(&self) -> Level {
                self.0
            }

            fn receive(&self, event: &LogEvent<'_>) {
                let trace = event.trace.map(|trace| trace.trace_id().to_owned());
                let text = format!("{} {:?} {trace:?}", event.message, event.fields);
                self.1.lock().unwrap().push(text);
            }
        }
        let kept = |level| std::sync::Arc::new(Kept(level, std::sync::Mutex::default()));
        let [few, all] = [Level::WARN, Level::INFO].map(kept);
        let look = LineStyle::without_colour(LogFormat::Json);
        let layer = LogLayer::new(
            Lines::memory(),
            look,
            vec![LogTap(few.clone()), LogTap(all.clone())],
        );
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::debug!("too detailed");
            tracing::info!("of one");
            tracing::warn!(n = 1, "of both");
        });
        let warning = "of both [(\"n\", \"1\")] None";
        assert_eq!(*few.1.lock().unwrap(), [warning]);
        assert_eq!(*all.1.lock().unwrap(), ["of one [] None", warning]);
    }

    #[test]
    fn a_json_line_has_its_parts_with_their_types() {
        let line = json(
            || tracing::info!(target: "shop", port = 8000, ok = true, ratio = 0.5, bad = f64::NAN, name = "x", "listening on {}", 1),
        );
        assert_eq!(line["level"], "info");
        assert_eq!(line["target"], "shop");
        assert_eq!(line["message"], "listening on 1");
        assert_eq!(
            line["fields"],
            serde_json::json!({"port": 8000, "ok": true, "ratio": 0.5, "bad": "NaN", "name": "x"})
        );
        let time = line["time"].as_str().unwrap();
        assert!(
            time.ends_with('Z') && time.parse::<doyen_core::Timestamp>().is_ok(),
            "{time}"
        );
    }

    #[test]
    fn a_line_cannot_be_forged() {
        let attack = "x\r\n{\"level\":\"info\"}\u{1b}[2J\u{2028}";
        let line = json(|| tracing::warn!(user = attack, "{attack}"));
        assert_eq!(line["message"], attack);
        assert_eq!(line["fields"]["user"], attack);
        let lines = logged(LogFormat::Pretty, true, || {
            tracing::warn!(user = attack, "{attack}")
        });
        assert_eq!(lines.len(), 1);
        assert!(!lines[0].contains(['\r', '\n', '\u{2028}']), "{}", lines[0]);
        assert!(!lines[0].contains("\u{1b}[2J"), "{}", lines[0]);
    }

    #[test]
    fn fields_of_the_spans_around_are_part_of_the_line() {
        let line = json(|| {
            let outer = tracing::info_span!(
                "outer",
                order = 1,
                step = "begin",
                late = tracing::field::Empty
            );
            outer.record("late", "now");
            let _in_outer = outer.entered();
            let _in_inner = tracing::info_span!("inner", step = "pay").entered();
            tracing::info!("hello");
        });
        assert_eq!(
            line["fields"],
            serde_json::json!({"order": 1, "step": "pay", "late": "now"})
        );
    }

    #[test]
    fn an_error_brings_its_causes() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("no number")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Outer("x".parse::<u8>().unwrap_err());
        let line = json(|| tracing::error!(error = &error as &(dyn Error + 'static), "failed"));
        assert_eq!(
            line["fields"]["error"],
            "no number: invalid digit found in string"
        );
    }

    #[test]
    fn a_pretty_line_is_for_a_person() {
        let line = &logged(
            LogFormat::Pretty,
            false,
            || tracing::info!(target: "shop", path = "a b", n = 2, "ready"),
        )[0];
        assert_eq!(&line[12..], " INFO  shop: ready path=\"a b\" n=2");
    }
}
