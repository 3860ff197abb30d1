//! The goals as data, and their verdicts.

use crate::cases::{CASES, Store};
use crate::contestants::{
    AXUM, AXUM_USUAL, DOYEN_BARE, DOYEN_FULL, FASTAPI_BARE, FASTAPI_EQUIPPED,
};
use crate::results::Results;

/// One goal.
struct Goal {
    text: &'static str,
    criterion: Criterion,
}

enum Criterion {
    /// Cost of `of` divided by the cost of `to`, in each of these cases and on each database.
    Ratio {
        of: &'static str,
        to: &'static str,
        cases: &'static [u8],
        bound: Bound,
    },
    /// Idle memory of Doyen in MiB.
    Idle(Bound),
    /// Time from the start of Doyen to its first response in milliseconds, with a database.
    Start(Bound),
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

const SMALL: &[u8] = &[1, 2];
const DATA: &[u8] = &[3, 4, 5, 6];
const EVERY: &[u8] = &[1, 2, 3, 4, 5, 6];

const GOALS: [Goal; 9] = [
    Goal {
        text: "doyen-bare costs at most 1.10 times axum, cases 1 and 2",
        criterion: ratio(DOYEN_BARE, AXUM, SMALL, Bound::AtMost(1.10)),
    },
    Goal {
        text: "doyen-full costs at most 1.3 times axum, cases 1 and 2",
        criterion: ratio(DOYEN_FULL, AXUM, SMALL, Bound::AtMost(1.3)),
    },
    Goal {
        text: "axum-usual costs at least 6 times doyen-full, cases 1 and 2",
        criterion: ratio(AXUM_USUAL, DOYEN_FULL, SMALL, Bound::AtLeast(6.0)),
    },
    Goal {
        text: "doyen-full costs at most 1.25 times axum, cases 3 to 6",
        criterion: ratio(DOYEN_FULL, AXUM, DATA, Bound::AtMost(1.25)),
    },
    Goal {
        text: "fastapi costs at least 9 times doyen-bare, cases 1 and 2",
        criterion: ratio(FASTAPI_BARE, DOYEN_BARE, SMALL, Bound::AtLeast(9.0)),
    },
    Goal {
        text: "fastapi costs at least 20 times doyen-bare, cases 3 to 6",
        criterion: ratio(FASTAPI_BARE, DOYEN_BARE, DATA, Bound::AtLeast(20.0)),
    },
    Goal {
        text: "fastapi-equipped costs at least 20 times doyen-full, every case",
        criterion: ratio(FASTAPI_EQUIPPED, DOYEN_FULL, EVERY, Bound::AtLeast(20.0)),
    },
    Goal {
        text: "doyen uses at most 25 MiB of memory when idle",
        criterion: Criterion::Idle(Bound::AtMost(25.0)),
    },
    Goal {
        text: "doyen responds within 100 ms of its start",
        criterion: Criterion::Start(Bound::AtMost(100.0)),
    },
];

const fn ratio(
    of: &'static str,
    to: &'static str,
    cases: &'static [u8],
    bound: Bound,
) -> Criterion {
    Criterion::Ratio {
        of,
        to,
        cases,
        bound,
    }
}

/// Returns the rows of a table: goal, measured values, verdict.
pub(crate) fn rows(results: &Results) -> Vec<Vec<String>> {
    GOALS.iter().map(|goal| row(goal, results)).collect()
}

fn row(goal: &Goal, results: &Results) -> Vec<String> {
    let measured = measured(&goal.criterion, results);
    let bound = match goal.criterion {
        Criterion::Ratio { bound, .. } | Criterion::Idle(bound) | Criterion::Start(bound) => bound,
    };
    let mut values = Vec::new();
    let (mut missed, mut unknown) = (0, 0);
    for (label, value) in &measured {
        match value {
            None => unknown += 1,
            Some(value) if bound.holds(*value) => values.push(format!("{label} {value:.2}")),
            Some(value) => {
                missed += 1;
                values.push(format!("**{label} {value:.2}**"));
            }
        }
    }
    let verdict = match (missed, unknown) {
        (0, 0) => "met".to_owned(),
        (0, _) if values.is_empty() => "not measured".to_owned(),
        (0, _) => format!("met where measured, {unknown} not measured"),
        _ => format!("**missed** in {missed} of {}", measured.len()),
    };
    vec![goal.text.to_owned(), values.join(", "), verdict]
}

/// Returns the value of each case and database that the goal covers.
fn measured(criterion: &Criterion, results: &Results) -> Vec<(String, Option<f64>)> {
    match criterion {
        Criterion::Ratio { of, to, cases, .. } => {
            let cases = CASES.iter().filter(|case| cases.contains(&case.number));
            let measured = cases.flat_map(|case| {
                Store::ALL
                    .into_iter()
                    .filter(|store| store.has(case))
                    .map(move |store| (case.number, store))
            });
            measured
                .map(|(case, store)| (label(case, store), results.ratio(of, to, case, store)))
                .collect()
        }
        Criterion::Idle(_) => starts(results, |(_, idle_kib)| idle_kib / 1024.0),
        Criterion::Start(_) => starts(results, |(milliseconds, _)| milliseconds),
    }
}

fn starts(results: &Results, value: fn((f64, f64)) -> f64) -> Vec<(String, Option<f64>)> {
    let with_data = [Store::Postgres, Store::Sqlite];
    let measured = [DOYEN_BARE, DOYEN_FULL]
        .into_iter()
        .flat_map(|one| with_data.map(|store| (one, store)));
    measured
        .map(|(one, store)| {
            (
                format!("{one} {}", store.title()),
                results.start(one, store).map(value),
            )
        })
        .collect()
}

/// `1:` or `3 SQLite:`.
fn label(case: u8, store: Store) -> String {
    match store {
        Store::None => format!("{case}:"),
        _ => format!("{case} {}:", store.title()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{fake_results, sample};

    fn verdict(results: &Results, text: &str) -> (String, String) {
        let row = rows(results)
            .into_iter()
            .find(|row| row[0].starts_with(text))
            .unwrap();
        (row[1].clone(), row[2].clone())
    }

    #[test]
    fn a_goal_is_met_only_if_every_value_meets_it() {
        let mut results = fake_results();
        results.samples.clear();
        results.samples.push(sample(AXUM, 1, Store::None, 10.0));
        results
            .samples
            .push(sample(DOYEN_BARE, 1, Store::None, 11.0));
        let (values, verdict_text) = verdict(&results, "doyen-bare costs");
        assert_eq!(
            (values.as_str(), verdict_text.as_str()),
            ("1: 1.10", "met where measured, 1 not measured")
        );
        results.samples.push(sample(AXUM, 2, Store::None, 10.0));
        results
            .samples
            .push(sample(DOYEN_BARE, 2, Store::None, 10.0));
        assert_eq!(verdict(&results, "doyen-bare costs").1, "met");
        results
            .samples
            .push(sample(DOYEN_BARE, 2, Store::None, 20.0));
        let (values, verdict_text) = verdict(&results, "doyen-bare costs");
        assert_eq!(
            (values.as_str(), verdict_text.as_str()),
            ("1: 1.10, **2: 1.50**", "**missed** in 1 of 2")
        );
    }

    #[test]
    fn a_goal_without_values_is_not_met() {
        let mut results = fake_results();
        results.samples.clear();
        assert_eq!(verdict(&results, "fastapi-equipped").1, "not measured");
    }

    #[test]
    fn memory_and_startup_are_measured_with_a_database() {
        let results = fake_results();
        let (values, verdict_text) = verdict(&results, "doyen uses");
        assert_eq!(verdict_text, "met");
        assert_eq!(values.matches("20.00").count(), 4, "{values}");
        assert_eq!(verdict(&results, "doyen responds").1, "met");
    }
}
