//! The graph of a family of metrics: what its type, its labels and the end of its name say of it.

use crate::metrics::{Family, FamilyKind};

/// A graph.
pub(super) struct Graph {
    pub(super) title: String,
    pub(super) about: String,
    /// A unit of Grafana.
    pub(super) unit: &'static str,
    pub(super) queries: Vec<Query>,
}

/// An expression, and the text of the legend for each of its series.
pub(super) struct Query {
    pub(super) expression: String,
    pub(super) legend: String,
}

/// The percentiles of a distribution without labels.
const PERCENTILES: [(&str, &str); 3] = [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")];

/// Returns the graph of a family.
pub(super) fn of(family: &Family) -> Graph {
    let expressions = match family.graph {
        Some(expression) => vec![(expression.to_owned(), None)],
        None => expressions(family),
    };
    let queries = expressions.into_iter().map(|(expression, name)| Query {
        legend: name.unwrap_or_else(|| legend(family, &expression)),
        expression,
    });
    Graph {
        title: title(family.name),
        about: format!(
            "{} ({}, {})",
            family.help,
            family.name,
            family.kind.as_str()
        ),
        unit: unit(family),
        queries: queries.collect(),
    }
}

/// The expressions for the type of a family, and the name of each in the legend.
fn expressions(family: &Family) -> Vec<(String, Option<String>)> {
    let Family { name, labels, .. } = family;
    let by = match labels {
        [] => "instance".to_owned(),
        labels => labels.join(", "),
    };
    let rate = |suffix: &str| format!("rate({name}{suffix}{{$app}}[$__rate_interval])");
    let quantile = |share: &str, by: &str| {
        let buckets = rate("_bucket");
        format!("histogram_quantile({share}, sum by (le{by}) ({buckets}))")
    };
    match family.kind {
        FamilyKind::Counter => vec![(format!("sum by ({by}) ({})", rate("")), None)],
        // Of each process: the sum of a gauge is not always a meaningful value.
        FamilyKind::Gauge => vec![(format!("{name}{{$app}}"), None)],
        FamilyKind::Histogram if labels.is_empty() => PERCENTILES
            .iter()
            .map(|(share, name)| (quantile(share, ""), Some((*name).to_owned())))
            .collect(),
        FamilyKind::Histogram => vec![(quantile("0.95", &format!(", {by}")), None)],
    }
}

/// The labels that remain in the result of an expression.
fn legend(family: &Family, expression: &str) -> String {
    let is_aggregated = expression.contains(" by (");
    let own = family.labels.iter().copied();
    let own = own.filter(|label| !is_aggregated || is_kept(expression, label));
    let process = ["instance"].into_iter();
    let process = process.filter(|label| !is_aggregated || is_kept(expression, label));
    let labels = own.chain(process).map(|label| format!("{{{{{label}}}}}"));
    labels.collect::<Vec<_>>().join(" ")
}

/// True if the first aggregation of an expression keeps a label.
fn is_kept(expression: &str, label: &str) -> bool {
    let kept = expression.split(" by (").nth(1).unwrap_or_default();
    let kept = kept.split(')').next().unwrap_or_default();
    kept.split(',').any(|one| one.trim() == label)
}

/// The unit that the end of the name says, as Grafana writes it.
fn unit(family: &Family) -> &'static str {
    let name = family.name;
    match family.kind {
        FamilyKind::Histogram => "s",
        // Seconds for each second.
        FamilyKind::Counter if name.ends_with("_seconds_total") => "percentunit",
        FamilyKind::Counter if name.ends_with("_bytes_total") => "Bps",
        FamilyKind::Counter => "cps",
        FamilyKind::Gauge if name.ends_with("_seconds") => "s",
        FamilyKind::Gauge if name.ends_with("_bytes") => "bytes",
        FamilyKind::Gauge => "short",
    }
}

/// The name in words, without its unit: `Db pool connections`.
fn title(name: &str) -> String {
    let name = name.trim_end_matches("_total");
    let name = name.trim_end_matches("_seconds").trim_end_matches("_bytes");
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
