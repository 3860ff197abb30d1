//! What we want to reach, as data, and whether we did.

use super::cases::{CASES, Store};
use super::contestants::{
    AXUM, AXUM_USUAL, DOYEN_BARE, DOYEN_FULL, FASTAPI_BARE, FASTAPI_EQUIPPED,
};
use super::results::Results;

/// One goal.
struct Goal {
    says: &'static str,
    wants: Wants,
}

enum Wants {
    /// The cost of the first over that of the second, in each of these cases and on each store.
    Ratio {
        of: &'static str,
        to: &'static str,
        cases: &'static [u8],
        bound: Bound,
    },
    /// Idle memory of Doyen, in MiB.
    Idle(Bound),
    /// Its way to the first answer, in milliseconds, with a database that is there.
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
        says: "doyen-bare costs at most 1.10 times axum, cases 1 and 2",
        wants: ratio(DOYEN_BARE, AXUM, SMALL, Bound::AtMost(1.10)),
    },
    Goal {
        says: "doyen-full costs at most 1.3 times axum, cases 1 and 2",
        wants: ratio(DOYEN_FULL, AXUM, SMALL, Bound::AtMost(1.3)),
    },
    Goal {
        says: "axum-usual costs at least 6 times doyen-full, cases 1 and 2",
        wants: ratio(AXUM_USUAL, DOYEN_FULL, SMALL, Bound::AtLeast(6.0)),
    },
    Goal {
        says: "doyen-full costs at most 1.25 times axum, cases 3 to 6",
        wants: ratio(DOYEN_FULL, AXUM, DATA, Bound::AtMost(1.25)),
    },
    Goal {
        says: "fastapi costs at least 9 times doyen-bare, cases 1 and 2",
        wants: ratio(FASTAPI_BARE, DOYEN_BARE, SMALL, Bound::AtLeast(9.0)),
    },
    Goal {
        says: "fastapi costs at least 20 times doyen-bare, cases 3 to 6",
        wants: ratio(FASTAPI_BARE, DOYEN_BARE, DATA, Bound::AtLeast(20.0)),
    },
    Goal {
        says: "fastapi-equipped costs at least 20 times doyen-full, every case",
        wants: ratio(FASTAPI_EQUIPPED, DOYEN_FULL, EVERY, Bound::AtLeast(20.0)),
    },
    Goal {
        says: "doyen idles in at most 25 MiB",
        wants: Wants::Idle(Bound::AtMost(25.0)),
    },
    Goal {
        says: "doyen answers at most 100 ms after its start",
        wants: Wants::Start(Bound::AtMost(100.0)),
    },
];

const fn ratio(of: &'static str, to: &'static str, cases: &'static [u8], bound: Bound) -> Wants {
    Wants::Ratio {
        of,
        to,
        cases,
        bound,
    }
}

/// Rows of a table: the goal, what was measured, the verdict.
pub(super) fn rows(results: &Results) -> Vec<Vec<String>> {
    GOALS.iter().map(|goal| row(goal, results)).collect()
}

fn row(goal: &Goal, results: &Results) -> Vec<String> {
    let places = measured(&goal.wants, results);
    let bound = match goal.wants {
        Wants::Ratio { bound, .. } | Wants::Idle(bound) | Wants::Start(bound) => bound,
    };
    let mut values = Vec::new();
    let (mut missed, mut unknown) = (0, 0);
    for (place, value) in &places {
        match value {
            None => unknown += 1,
            Some(value) if bound.holds(*value) => values.push(format!("{place} {value:.2}")),
            Some(value) => {
                missed += 1;
                values.push(format!("**{place} {value:.2}**"));
            }
        }
    }
    let verdict = match (missed, unknown) {
        (0, 0) => "met".to_owned(),
        (0, _) if values.is_empty() => "not measured".to_owned(),
        (0, _) => format!("met where measured, {unknown} missing"),
        _ => format!("**missed** in {missed} of {}", places.len()),
    };
    vec![goal.says.to_owned(), values.join(", "), verdict]
}

/// Each place where the goal is judged, and the value there.
fn measured(wants: &Wants, results: &Results) -> Vec<(String, Option<f64>)> {
    match wants {
        Wants::Ratio { of, to, cases, .. } => {
            let cases = CASES.iter().filter(|case| cases.contains(&case.number));
            let places = cases.flat_map(|case| {
                Store::ALL
                    .into_iter()
                    .filter(|store| store.has(case))
                    .map(move |store| (case.number, store))
            });
            places
                .map(|(case, store)| (place(case, store), results.ratio(of, to, case, store)))
                .collect()
        }
        Wants::Idle(_) => starts(results, |(_, idle_kib)| idle_kib / 1024.0),
        Wants::Start(_) => starts(results, |(milliseconds, _)| milliseconds),
    }
}

fn starts(results: &Results, value: fn((f64, f64)) -> f64) -> Vec<(String, Option<f64>)> {
    let with_data = [Store::Postgres, Store::Sqlite];
    let places = [DOYEN_BARE, DOYEN_FULL]
        .into_iter()
        .flat_map(|one| with_data.map(|store| (one, store)));
    places
        .map(|(one, store)| {
            (
                format!("{one} {}", store.title()),
                results.start(one, store).map(value),
            )
        })
        .collect()
}

/// `1:` or `3 SQLite:`.
fn place(case: u8, store: Store) -> String {
    match store {
        Store::Nowhere => format!("{case}:"),
        _ => format!("{case} {}:", store.title()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::{made_up, sample};
    use super::*;

    fn verdict(results: &Results, says: &str) -> (String, String) {
        let row = rows(results)
            .into_iter()
            .find(|row| row[0].starts_with(says))
            .unwrap();
        (row[1].clone(), row[2].clone())
    }

    #[test]
    fn a_goal_is_met_only_when_it_is_met_everywhere() {
        let mut results = made_up();
        results.samples.clear();
        results.samples.push(sample(AXUM, 1, Store::Nowhere, 10.0));
        results
            .samples
            .push(sample(DOYEN_BARE, 1, Store::Nowhere, 11.0));
        let (values, said) = verdict(&results, "doyen-bare costs");
        assert_eq!(
            (values.as_str(), said.as_str()),
            ("1: 1.10", "met where measured, 1 missing")
        );
        results.samples.push(sample(AXUM, 2, Store::Nowhere, 10.0));
        results
            .samples
            .push(sample(DOYEN_BARE, 2, Store::Nowhere, 10.0));
        assert_eq!(verdict(&results, "doyen-bare costs").1, "met");
        results
            .samples
            .push(sample(DOYEN_BARE, 2, Store::Nowhere, 20.0));
        let (values, said) = verdict(&results, "doyen-bare costs");
        assert_eq!(
            (values.as_str(), said.as_str()),
            ("1: 1.10, **2: 1.50**", "**missed** in 1 of 2")
        );
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        let mut results = made_up();
        results.samples.clear();
        assert_eq!(verdict(&results, "fastapi-equipped").1, "not measured");
    }

    #[test]
    fn memory_and_start_are_judged_with_a_database() {
        let results = made_up();
        let (values, said) = verdict(&results, "doyen idles");
        assert_eq!(said, "met");
        assert_eq!(values.matches("20.00").count(), 4, "{values}");
        assert_eq!(verdict(&results, "doyen answers").1, "met");
    }
}
