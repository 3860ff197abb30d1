//! Metrics: registered by plugins, rendered in the Prometheus text format, version 0.0.4.

use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use doyen_core::sync::lock;

use crate::Health;

/// A family of metrics: one name with one meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    pub(crate) name: &'static str,
    kind: &'static str,
    help: &'static str,
}

impl Family {
    /// A value that only grows. Its name ends in `_total`.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: "counter",
            help,
        }
    }

    /// A value that grows and shrinks.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: "gauge",
            help,
        }
    }

    /// A distribution.
    pub const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: "histogram",
            help,
        }
    }
}

/// The results of the health checks.
pub(crate) const HEALTH: Family = Family::gauge(
    "health_check_up",
    "1 if the health check succeeds, otherwise 0.",
);

/// The metrics of the application. Injectable as `Arc<Metrics>`.
#[derive(Default)]
pub struct Metrics {
    collectors: Mutex<Vec<Arc<Collector>>>,
}

struct Collector {
    families: &'static [Family],
    collect: CollectFn,
}

pub(crate) type CollectFn = Box<dyn Fn(&mut Samples) + Send + Sync>;

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    pub(crate) fn add(&self, families: &'static [Family], collect: CollectFn) {
        let collector = Collector { families, collect };
        lock(&self.collectors).push(Arc::new(collector));
    }

    /// Returns all metrics in the Prometheus text format, with the results of all health checks.
    pub async fn render(&self, health: &Health) -> String {
        let mut out = self.text();
        let name = HEALTH.name;
        let _ = write!(out, "# HELP {name} {}\n# TYPE {name} gauge\n", HEALTH.help);
        for status in health.run().await {
            let up = u8::from(status.error.is_none());
            let labels = [("check", status.name.as_str())];
            let _ = writeln!(out, "{name}{} {up}", Labels(&labels, None));
        }
        out
    }

    fn text(&self) -> String {
        let collectors = lock(&self.collectors).clone();
        let mut out = String::with_capacity(8 << 10);
        for collector in collectors {
            let mut samples = Samples {
                families: collector.families,
                texts: vec![String::new(); collector.families.len()],
            };
            (collector.collect)(&mut samples);
            for (family, text) in collector.families.iter().zip(&samples.texts) {
                let Family { name, kind, help } = family;
                let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{text}");
            }
        }
        out
    }
}

/// Collects the samples of some families.
#[derive(Debug)]
pub struct Samples {
    families: &'static [Family],
    texts: Vec<String>,
}

// Writing to a string cannot fail, so the results of `write!` are ignored.
impl Samples {
    fn text(&mut self, name: &str) -> Option<&mut String> {
        let index = self.families.iter().position(|family| family.name == name);
        debug_assert!(index.is_some(), "`{name}` is not a declared family");
        index.map(|index| &mut self.texts[index])
    }

    /// Adds the value of a counter or gauge. A family that was not declared is ignored.
    pub fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        if let Some(text) = self.text(name) {
            let _ = writeln!(text, "{name}{} {value}", Labels(labels, None));
        }
    }

    /// Adds a histogram: the upper bounds of its buckets, the counts of each bucket and of the
    /// rest, and the sum of all values.
    pub fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        bounds: &[&str],
        counts: &[u64],
        sum: f64,
    ) {
        let Some(text) = self.text(name) else { return };
        let mut up_to = 0;
        for (bound, count) in bounds.iter().zip(counts) {
            up_to += count;
            let _ = writeln!(text, "{name}_bucket{} {up_to}", Labels(labels, Some(bound)));
        }
        let all: u64 = counts.iter().sum();
        let _ = writeln!(text, "{name}_bucket{} {all}", Labels(labels, Some("+Inf")));
        let _ = writeln!(text, "{name}_sum{} {sum}", Labels(labels, None));
        let _ = writeln!(text, "{name}_count{} {all}", Labels(labels, None));
    }
}

/// Labels in braces; the bound of a bucket is the last one.
struct Labels<'a>(&'a [(&'a str, &'a str)], Option<&'a str>);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self
            .0
            .iter()
            .copied()
            .chain(self.1.map(|bound| ("le", bound)));
        let mut before = '{';
        for (name, value) in all {
            write!(f, "{before}{name}=\"")?;
            for c in value.chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    '\n' => f.write_str("\\n")?,
                    c => f.write_char(c)?,
                }
            }
            f.write_char('"')?;
            before = ',';
        }
        if before == ',' {
            f.write_char('}')?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILIES: &[Family] = &[
        Family::counter("mails_total", "Mails sent."),
        Family::histogram("mail_seconds", "Time to send a mail."),
    ];

    #[test]
    fn labels_are_escaped_and_buckets_add_up() {
        let metrics = Metrics::default();
        metrics.add(
            FAMILIES,
            Box::new(|samples| {
                samples.value("mails_total", &[("to", "a\"b\\c\nd")], 3);
                samples.histogram("mail_seconds", &[], &["0.1", "1"], &[1, 2, 4], 9.5);
            }),
        );
        assert_eq!(
            metrics.text(),
            "# HELP mails_total Mails sent.\n# TYPE mails_total counter\n\
             mails_total{to=\"a\\\"b\\\\c\\nd\"} 3\n\
             # HELP mail_seconds Time to send a mail.\n# TYPE mail_seconds histogram\n\
             mail_seconds_bucket{le=\"0.1\"} 1\nmail_seconds_bucket{le=\"1\"} 3\n\
             mail_seconds_bucket{le=\"+Inf\"} 7\nmail_seconds_sum 9.5\nmail_seconds_count 7\n"
        );
    }
}
