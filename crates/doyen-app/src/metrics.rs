//! Metrics: registered by plugins, rendered in the Prometheus text format, version 0.0.4.

mod alert;
mod family;

use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_core::sync::lock;

use crate::{Health, Impact};
pub use alert::Alert;
pub(crate) use alert::Severity;
pub use family::Family;
pub(crate) use family::FamilyKind;

/// The results of the health checks.
pub(crate) const HEALTH: &[Family] = &[
    Family::gauge(
        "health_ready",
        "1 if every required health check succeeds, otherwise 0.",
    )
    .alerts(&[Alert::critical(
        "NotReady",
        "health_ready{$app} == 0",
        "A process cannot serve requests: a required health check fails, such as that of the database, \
         which also fails if its disk is full. See /readyz?verbose on the admin address.",
    )
    .lasting(Duration::from_mins(1))]),
    Family::gauge(
        "health_check_up",
        "1 if the health check succeeds, otherwise 0.",
    )
    .labels(&["check"])
    .alerts(&[Alert::warning(
        "HealthCheckFails",
        "health_check_up{$app} == 0",
        "A health check fails, and the application works with restrictions. See /readyz?verbose on \
         the admin address.",
    )
    .lasting(Duration::from_mins(5))]),
];

/// The metrics of the application. Injectable as `Arc<Metrics>`.
#[derive(Default)]
pub struct Metrics {
    collectors: Mutex<Vec<Arc<Collector>>>,
}

struct Collector {
    group: &'static str,
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
    /// Adds families. The group is the plugin that they belong to, or the part of the framework.
    pub(crate) fn add(&self, group: &'static str, families: &'static [Family], collect: CollectFn) {
        let collector = Collector {
            group,
            families,
            collect,
        };
        lock(&self.collectors).push(Arc::new(collector));
    }

    /// Returns all families by group, in the order in which they were added.
    pub(crate) fn families(&self) -> Vec<(&'static str, &'static [Family])> {
        let collectors = lock(&self.collectors);
        let all = collectors.iter().map(|one| (one.group, one.families));
        all.collect()
    }

    /// Returns all metrics in the Prometheus text format, with the results of all health checks.
    pub async fn render(&self, health: &Health) -> String {
        let health = health.run().await;
        let mut samples = Samples::of(HEALTH);
        let is_down =
            |one: &crate::HealthStatus| one.error.is_some() && one.impact == Impact::Required;
        let is_ready = !health.iter().any(is_down);
        samples.value(HEALTH[0].name, &[], u8::from(is_ready));
        for status in health {
            let labels = [("check", status.name.as_str())];
            samples.value(HEALTH[1].name, &labels, u8::from(status.error.is_none()));
        }
        self.text() + &samples.text()
    }

    fn text(&self) -> String {
        let collectors = lock(&self.collectors).clone();
        let mut out = String::with_capacity(8 << 10);
        for collector in collectors {
            let mut samples = Samples::of(collector.families);
            (collector.collect)(&mut samples);
            out.push_str(&samples.text());
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
    fn of(families: &'static [Family]) -> Self {
        Self {
            families,
            texts: vec![String::new(); families.len()],
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (family, text) in self.families.iter().zip(&self.texts) {
            let (name, kind) = (family.name, family.kind.as_str());
            let _ = write!(
                out,
                "# HELP {name} {}\n# TYPE {name} {kind}\n{text}",
                family.help
            );
        }
        out
    }

    fn text_of(&mut self, name: &str, labels: &[(&str, &str)]) -> Option<&mut String> {
        let index = self.families.iter().position(|family| family.name == name);
        debug_assert!(index.is_some(), "`{name}` is not a declared family");
        let index = index?;
        let declared = self.families[index].labels;
        debug_assert!(
            declared.is_empty() || declared.iter().eq(labels.iter().map(|(label, _)| label)),
            "`{name}` has other labels than it declares: {labels:?}"
        );
        Some(&mut self.texts[index])
    }

    /// Adds the value of a counter or gauge. A family that was not declared is ignored.
    pub fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        if let Some(text) = self.text_of(name, labels) {
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
        let Some(text) = self.text_of(name, labels) else {
            return;
        };
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
            "post",
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
