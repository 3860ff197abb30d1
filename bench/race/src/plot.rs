//! The plot: a panel for each case and a bar for each server and database, on a logarithmic scale.
//!
//! It has no background and takes its colour from the colour scheme of the reader, so it suits
//! light and dark pages. Without a known scheme it uses the colour of the surrounding text.

use std::fmt::Write;

use crate::cases::{CASES, Case, Store};
use crate::contestants::{CONTESTANTS, Contestant};
use crate::results::Results;
use crate::table::number;

pub(crate) const PLOT: &str = "docs/reference/performance.svg";

const WIDTH: f64 = 1000.0;
const TOP: f64 = 64.0;
const PANEL: f64 = 480.0;
/// Width of the names left of the bars, and of the values right of them.
const NAMES: f64 = 122.0;
const VALUES: f64 = 58.0;
const BAR: f64 = 9.0;
const HEAD: f64 = 30.0;
const FOOT: f64 = 34.0;

const STYLE: &str = "text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: currentColor }\n\
    .title { font-weight: 600; font-size: 14px } .ours { font-weight: 700 } .small { font-size: 10.5px }\n\
    .grid { stroke: currentColor; stroke-opacity: 0.18 } .theirs { fill-opacity: 0.5 }\n\
    .none { fill: #6f7cba } .postgres { fill: #3f87c5 } .sqlite { fill: #d58a2a }\n\
    @media (prefers-color-scheme: light) { svg { color: #1f2328 } }\n\
    @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }\n";

/// Returns the plot as SVG.
pub(crate) fn svg(results: &Results) -> String {
    let panels: Vec<Panel<'_>> = CASES
        .iter()
        .filter_map(|case| Panel::new(results, case))
        .collect();
    let mut body = String::new();
    let mut top = TOP;
    for pair in panels.chunks(2) {
        for (panel, left) in pair.iter().zip([0.0, WIDTH - PANEL]) {
            panel.draw(&mut body, left, top);
        }
        top += pair.iter().map(Panel::height).fold(0.0, f64::max);
    }
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" width=\"{WIDTH}\" height=\"{top}\" role=\"img\">\n\
         <title>CPU time of a request, in microseconds, by case, server and database</title>\n<style>\n{STYLE}</style>\n\
         <text class=\"title\" x=\"0\" y=\"18\">CPU time of a request, in µs</text>\n\
         <text class=\"small\" x=\"0\" y=\"36\">Shorter is better. Logarithmic scale: each line is ten times the one to its left.</text>\n"
    );
    let stores = [
        (Store::None, 560.0),
        (Store::Postgres, 680.0),
        (Store::Sqlite, 800.0),
    ];
    for (store, left) in stores {
        let word = store.word();
        let _ = writeln!(
            text,
            "<rect class=\"{word}\" x=\"{left}\" y=\"9\" width=\"18\" height=\"10\" rx=\"1.5\"/><text x=\"{}\" y=\"18\">{}</text>",
            left + 24.0,
            store.title()
        );
    }
    text + &body + "</svg>\n"
}

/// A case with the cost of each server.
struct Panel<'a> {
    case: &'a Case,
    rows: Vec<(&'static Contestant, Vec<(Store, f64)>)>,
    /// Powers of ten at the ends of the scale.
    from: i32,
    to: i32,
}

impl<'a> Panel<'a> {
    /// Returns `None` if no server was measured.
    fn new(results: &Results, case: &'a Case) -> Option<Self> {
        let costs = |one: &Contestant| -> Vec<(Store, f64)> {
            let cost = |store| Some((store, results.summary(one.name, case.number, store)?.cost));
            Store::ALL.into_iter().filter_map(cost).collect()
        };
        let rows: Vec<_> = CONTESTANTS
            .iter()
            .map(|one| (one, costs(one)))
            .filter(|(_, costs)| !costs.is_empty())
            .collect();
        let all = || {
            rows.iter()
                .flat_map(|(_, costs)| costs)
                .map(|(_, cost)| *cost)
        };
        let (least, most) = (
            all().fold(f64::INFINITY, f64::min),
            all().fold(0.0, f64::max),
        );
        let power = |value: f64| format!("{value:.0}").parse::<i32>().ok();
        // Leave a tenth of space, so that the shortest bar is visible.
        let from = power((least * 0.9).log10().floor())?;
        let to = power(most.log10().ceil())?.max(from + 1);
        (!rows.is_empty()).then_some(Self {
            case,
            rows,
            from,
            to,
        })
    }

    fn row_height(&self) -> f64 {
        let bars = self
            .rows
            .iter()
            .map(|(_, costs)| costs.len())
            .max()
            .unwrap_or(1);
        if bars > 1 {
            2.0 * BAR + 8.0
        } else {
            BAR + 11.0
        }
    }

    fn height(&self) -> f64 {
        HEAD + self.row_height() * self.rows.len() as f64 + FOOT
    }

    /// Returns the position of a cost on the scale.
    fn place(&self, cost: f64) -> f64 {
        let (from, to) = (f64::from(self.from), f64::from(self.to));
        (cost.log10() - from) / (to - from) * (PANEL - NAMES - VALUES)
    }

    fn draw(&self, text: &mut String, left: f64, top: f64) {
        let zero = left + NAMES;
        let (head, foot) = (top + HEAD, top + self.height() - FOOT);
        let _ = writeln!(
            text,
            "<text class=\"title\" x=\"{left:.1}\" y=\"{:.1}\">{}. {}</text>",
            top + 14.0,
            self.case.number,
            self.case.title
        );
        for power in self.from..=self.to {
            let value = 10_f64.powi(power);
            let x = zero + self.place(value);
            let label = if power < 0 {
                value.to_string()
            } else {
                number(value)
                    .trim_end_matches(".00")
                    .trim_end_matches(".0")
                    .to_owned()
            };
            let _ = writeln!(
                text,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{foot:.1}\"/>\
                 <text class=\"small\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                head - 6.0,
                foot + 13.0
            );
        }
        for (at, (one, costs)) in self.rows.iter().enumerate() {
            let middle = head + self.row_height() * (at as f64 + 0.5) - 3.0;
            let whose = if one.is_doyen() { "ours" } else { "theirs" };
            let _ = writeln!(
                text,
                "<text class=\"{whose}\" style=\"fill-opacity: 1\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                zero - 8.0,
                middle + 4.0,
                one.name
            );
            let mut y = middle - (BAR + 1.0) * costs.len() as f64 / 2.0 + 0.5;
            for (store, cost) in costs {
                let width = self.place(*cost).max(1.0);
                let _ = writeln!(
                    text,
                    "<rect class=\"{} {whose}\" x=\"{zero:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"1.5\"/>\
                     <text class=\"small {whose}\" style=\"fill-opacity: 1\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    store.word(),
                    zero + width + 5.0,
                    y + BAR - 0.8,
                    number(*cost)
                );
                y += BAR + 1.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{fake_results, sample};

    #[test]
    fn every_measured_value_has_a_bar() {
        let plot = svg(&fake_results());
        let legend = 3;
        assert_eq!(plot.matches("<rect").count(), 9 * (2 + 4 + 4) + legend);
        assert_eq!(plot.matches("class=\"title\"").count(), 6 + 1);
        assert!(plot.contains("currentColor") && !plot.contains("NaN") && !plot.contains("inf"));
    }

    #[test]
    fn the_scale_includes_every_bar() {
        let mut results = fake_results();
        results.samples = vec![
            sample("axum", 1, Store::None, 10.0),
            sample("poem", 1, Store::None, 1000.0),
        ];
        let panel = Panel::new(&results, &CASES[0]).unwrap();
        assert_eq!((panel.from, panel.to), (0, 3));
        assert!((panel.place(1000.0) - (PANEL - NAMES - VALUES)).abs() < 1e-9);
        assert!(panel.place(10.0) > 0.0);
        assert!(Panel::new(&results, &CASES[1]).is_none());
    }
}
