//! The tables for the terminal and for the generated part of the reference page.

use toolkit::{Context, Failure, Result, workspace};

use crate::cases::{CASES, Case, Store};
use crate::contestants::{AXUM, CONTESTANTS, FASTAPI_BARE};
use crate::plot;
use crate::results::{Results, Summary};
use crate::table::{number, table};
use crate::{contestants, goals};

pub(crate) const PAGE: &str = "docs/reference/performance.md";
const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";
/// Below this share of its core, a server was waiting for something else.
const MIN_BUSY_SHARE: f64 = 0.6;

/// Returns the generated part of the page, without the plot.
pub(crate) fn page(results: &Results) -> String {
    let mut machine = pairs(&results.facts.machine);
    if let Some((median, most)) = results.disturbance() {
        let share = format!(
            "median {:.0} %, at most {:.0} %",
            median * 100.0,
            most * 100.0
        );
        machine.push(vec!["other load on the server core".into(), share]);
    }
    let mut parts = vec![
        format!("## This run\n\n{}", table(&["", "value"], machine)),
        format!(
            "## Goals\n\n{}",
            table(&["goal", "measured", "verdict"], goals::rows(results))
        ),
    ];
    for case in &CASES {
        for store in Store::ALL.into_iter().filter(|store| store.has(case)) {
            parts.extend(case_table(results, case, store));
        }
    }
    parts.push(format!("## Startup and idle memory\n\n{}", starts(results)));
    parts.push(format!(
        "## Versions\n\n{}",
        table(&["", "version"], pairs(&results.facts.versions))
    ));
    parts.join("\n")
}

/// Writes the page and the plot to `docs/reference`.
pub(crate) fn write(results: &Results) -> Result {
    let path = workspace::root().join(plot::PLOT);
    std::fs::write(&path, plot::svg(results)).context(|| format!("writing {}", plot::PLOT))?;
    let generated = format!(
        "![CPU time of a request, by case](performance.svg)\n\n{}",
        page(results)
    );
    let text = between_marks(&workspace::read(PAGE)?, &generated)?;
    std::fs::write(workspace::root().join(PAGE), text).context(|| format!("writing {PAGE}"))
}

/// Replaces the text between the marks.
fn between_marks(text: &str, new: &str) -> Result<String> {
    let missing = || Failure::new(format!("{PAGE} has no {BEGIN} followed by {END}"));
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", new.trim()))
}

fn case_table(results: &Results, case: &Case, store: Store) -> Option<String> {
    let number = case.number;
    let cost = |name| {
        results
            .summary(name, number, store)
            .map(|summary| summary.cost)
    };
    let (axum, fastapi) = (cost(AXUM), cost(FASTAPI_BARE));
    let mut waited = false;
    let mut rows = Vec::new();
    for one in &CONTESTANTS {
        if let Some(summary) = results.summary(one.name, number, store) {
            waited |= summary.share < MIN_BUSY_SHARE;
            rows.push(row(one.name, &summary, axum, fastapi));
        }
    }
    if rows.is_empty() {
        return None;
    }
    let place = if case.data {
        format!(", {}", store.title())
    } else {
        String::new()
    };
    let head = [
        "",
        "CPU µs/request",
        "range",
        "ratio to axum",
        "FastAPI ratio",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "peak MiB",
        "core use",
    ];
    let mut text = format!(
        "## {number}. {}{place}\n\n{}",
        case.title,
        table(&head, rows)
    );
    if waited {
        text += &format!(
            "\n\\* The server used less than {:.0} % of its core, because it waited for the database, the disk or\nthe load generator. Requests/s and latency then describe those.\n",
            MIN_BUSY_SHARE * 100.0
        );
    }
    Some(text)
}

fn row(name: &str, summary: &Summary, axum: Option<f64>, fastapi: Option<f64>) -> Vec<String> {
    let ratio = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
    let waited = if summary.share < MIN_BUSY_SHARE {
        " \\*"
    } else {
        ""
    };
    vec![
        name.to_owned(),
        number(summary.cost),
        format!("{} – {}", number(summary.lowest), number(summary.highest)),
        ratio(axum.map(|axum| summary.cost / axum)),
        ratio(fastapi.map(|fastapi| fastapi / summary.cost)),
        number(summary.requests_per_second),
        number(summary.p50_us / 1e3),
        number(summary.p99_us / 1e3),
        number(summary.peak_kib / 1024.0),
        format!("{:.0} %{waited}", summary.share * 100.0),
    ]
}

fn starts(results: &Results) -> String {
    let mut rows = Vec::new();
    for one in &contestants::CONTESTANTS {
        for store in Store::ALL {
            if let Some((milliseconds, idle_kib)) = results.start(one.name, store) {
                rows.push(vec![
                    one.name.to_owned(),
                    store.title().to_owned(),
                    number(milliseconds),
                    number(idle_kib / 1024.0),
                ]);
            }
        }
    }
    table(&["", "database", "ms to first response", "idle MiB"], rows)
}

fn pairs(pairs: &[(String, String)]) -> Vec<Vec<String>> {
    pairs
        .iter()
        .map(|(name, value)| vec![name.clone(), value.clone()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{fake_results, sample};

    #[test]
    fn only_the_text_between_the_marks_is_replaced() {
        let text = format!("above\n{BEGIN}\nold\n{END}\nbelow\n");
        let new = between_marks(&text, "new").unwrap();
        assert_eq!(new, format!("above\n{BEGIN}\n\nnew\n\n{END}\nbelow\n"));
        assert_eq!(between_marks(&new, "new").unwrap(), new);
        assert!(between_marks(&format!("{END}{BEGIN}"), "new").is_err());
    }

    #[test]
    fn a_case_is_compared_with_axum_and_fastapi() {
        let mut results = fake_results();
        results.samples.clear();
        for (name, cost) in [("axum", 10.0), ("doyen-bare", 11.0), ("fastapi", 110.0)] {
            results.samples.push(sample(name, 3, Store::Sqlite, cost));
        }
        results.samples[2].share = 0.4;
        let text = page(&results);
        let (_, table) = text
            .split_once("## 3. One row by primary key, SQLite")
            .unwrap();
        let line = |name: &str| {
            let start = format!("| {name} ");
            let line = table.lines().find(|line| line.starts_with(&start)).unwrap();
            line.split('|')
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert!(
            !text.contains("## 3. One row by primary key, PostgreSQL"),
            "a case that was not measured has no table"
        );
        assert_eq!(
            line("doyen-bare"),
            "doyen-bare 11.0 11.0 – 11.0 1.10 10.00 90,909 0.10 0.90 2.00 95 %"
        );
        assert!(
            line("fastapi").ends_with("40 % \\*") && text.contains("it waited for"),
            "{text}"
        );
    }

    #[test]
    fn the_page_has_marks_for_the_tables() {
        assert!(between_marks(&workspace::read(PAGE).unwrap(), "new").is_ok());
    }
}
