//! Compares the counted numbers with the recorded ones and prints them.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::case::{CASES, FULL_JSON, MANY_JSON};

/// Increase that counts as a regression. Counts of one program differ by up to 1 %, a third of this
/// value.
const MAX_INCREASE: f64 = 0.03;

/// Smallest gain that must be recorded: without a record, the same amount could be lost again
/// unnoticed.
const CHEAPER: f64 = 0.10;

/// Maximum difference that 1,000 other routes may make.
const ROUTES: f64 = 0.02;

pub(super) type Costs = BTreeMap<String, u64>;

/// The finding.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) text: String,
    /// Cases to count again, if a lower count would change the finding.
    pub(super) doubtful: &'static [&'static str],
}

/// Returns every finding.
pub(super) fn findings(recorded: &Costs, counted: &Costs) -> Vec<Finding> {
    let cases = CASES
        .iter()
        .filter_map(|case| judge(case, recorded, counted));
    let gone = recorded
        .keys()
        .filter(|case| !CASES.contains(&case.as_str()));
    let gone = gone.map(|case| Finding {
        text: format!("{case} is recorded, but there is no such case: --record"),
        doubtful: &[],
    });
    cases.chain(gone).chain(routes(counted)).collect()
}

/// Returns a finding if the case is not as recorded.
fn judge(case: &'static &'static str, recorded: &Costs, counted: &Costs) -> Option<Finding> {
    let now = *counted.get(*case)?;
    let Some(&then) = recorded.get(*case) else {
        return Some(Finding {
            text: format!("{case} has no recorded number: --record"),
            doubtful: &[],
        });
    };
    let change = change(then, now);
    let summary = format!("{case} costs {} ({then} → {now})", percent(change));
    if change > MAX_INCREASE {
        Some(Finding {
            text: format!("{summary}: find the reason; if the cost is justified, --record"),
            doubtful: std::slice::from_ref(case),
        })
    } else if change < -CHEAPER {
        Some(Finding {
            text: format!("{summary}: record the gain with --record, so that it is not lost again"),
            doubtful: &[],
        })
    } else {
        None
    }
}

/// Returns a finding if a request costs more, or less, because of other routes.
pub(super) fn routes(counted: &Costs) -> Option<Finding> {
    let (few, many) = (*counted.get(FULL_JSON)?, *counted.get(MANY_JSON)?);
    let change = change(few, many);
    (change.abs() > ROUTES).then(|| Finding {
        text: format!(
            "{MANY_JSON} costs {} against {FULL_JSON} ({few} → {many}): a request must not depend on how many routes there are",
            percent(change)
        ),
        doubtful: &[FULL_JSON, MANY_JSON],
    })
}

/// Returns a line for each case.
pub(super) fn table(recorded: &Costs, counted: &Costs) -> String {
    let mut text = format!(
        "{:<10} {:>9} {:>9} {:>8}\n",
        "case", "recorded", "counted", "change"
    );
    for case in CASES {
        let (then, now) = (recorded.get(case), counted.get(case));
        let change = then
            .zip(now)
            .map(|(&then, &now)| percent(change(then, now)));
        let cell = |number: Option<&u64>| number.map_or("-".into(), u64::to_string);
        let _ = writeln!(
            text,
            "{case:<10} {:>9} {:>9} {:>8}",
            cell(then),
            cell(now),
            change.unwrap_or("-".into())
        );
    }
    text
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a request costs fewer than 2^52 instructions"
)]
fn change(then: u64, now: u64) -> f64 {
    now as f64 / then as f64 - 1.0
}

/// `+3.1 %`
fn percent(change: f64) -> String {
    format!("{:+.1} %", change * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(cases: &[(&str, u64)]) -> Costs {
        cases
            .iter()
            .map(|(case, cost)| ((*case).to_owned(), *cost))
            .collect()
    }

    fn verdict(then: u64, now: u64) -> Vec<Finding> {
        findings(
            &costs(&[("bare-json", then)]),
            &costs(&[("bare-json", now)]),
        )
    }

    #[test]
    fn a_little_more_or_less_is_the_same() {
        for now in [25_000, 25_740, 22_510] {
            assert!(verdict(25_000, now).is_empty(), "{now}");
        }
    }

    #[test]
    fn a_regression_says_how_much_and_is_counted_again() {
        let findings = verdict(25_000, 25_775);
        assert_eq!(findings.len(), 1);
        let Finding { text, doubtful } = &findings[0];
        assert!(
            text.starts_with("bare-json costs +3.1 % (25000 → 25775)"),
            "{text}"
        );
        assert_eq!(*doubtful, ["bare-json"]);
    }

    #[test]
    fn a_gain_wants_to_be_recorded() {
        let Finding { text, doubtful } = &verdict(25_000, 22_000)[0];
        assert!(
            text.contains("-12.0 %") && text.contains("record the gain with --record"),
            "{text}"
        );
        assert!(doubtful.is_empty(), "a lower count would not change it");
    }

    #[test]
    fn file_and_cases_agree() {
        let findings = findings(&costs(&[("old", 1)]), &costs(&[("bare-json", 1)]));
        let texts: Vec<&str> = findings.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "bare-json has no recorded number: --record",
                "old is recorded, but there is no such case: --record"
            ]
        );
    }

    #[test]
    fn other_routes_do_not_matter() {
        let with = |many| routes(&costs(&[(FULL_JSON, 40_000), (MANY_JSON, many)]));
        assert!(with(40_790).is_none());
        assert!(with(40_810).unwrap().text.contains("+2.0 %"));
        let cheaper = with(39_100).expect("a lower cost is a finding too");
        assert_eq!(cheaper.doubtful, [FULL_JSON, MANY_JSON]);
    }

    #[test]
    fn the_table_has_every_case() {
        let text = table(
            &costs(&[("bare-json", 25_000)]),
            &costs(&[("bare-json", 25_250)]),
        );
        assert!(
            text.contains("bare-json      25000     25250   +1.0 %\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1 + CASES.len());
    }
}
