//! The results: every sample, and the medians for the tables.

use serde_json::json;

use crate::cases::Store;
use crate::load::Measured;
use crate::machine::Facts;
use crate::options::Options;

/// A measurement.
pub(crate) struct Sample {
    pub(crate) contestant: &'static str,
    pub(crate) case: u8,
    pub(crate) store: Store,
    pub(crate) round: usize,
    pub(crate) requests: u64,
    /// CPU time per request in microseconds.
    pub(crate) cost: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) peak_kib: u64,
    /// Share of its core that the server used.
    pub(crate) share: f64,
    /// Share of the core that other processes used.
    pub(crate) disturbance: f64,
}

impl Sample {
    pub(crate) fn new(
        contestant: &'static str,
        case: u8,
        store: Store,
        round: usize,
        measured: &Measured,
    ) -> Self {
        Self {
            contestant,
            case,
            store,
            round,
            requests: measured.window.requests,
            cost: measured.window.cost(),
            requests_per_second: measured.window.requests_per_second(),
            p50_us: measured.p50_us,
            p99_us: measured.p99_us,
            peak_kib: measured.peak_kib,
            share: measured.window.share(),
            disturbance: measured.window.disturbance(),
        }
    }
}

/// A start of a server.
pub(crate) struct Start {
    pub(crate) contestant: &'static str,
    pub(crate) store: Store,
    pub(crate) round: usize,
    pub(crate) milliseconds: f64,
    pub(crate) idle_kib: u64,
}

/// The results of a run.
pub(crate) struct Results {
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) facts: Facts,
    pub(crate) samples: Vec<Sample>,
    pub(crate) starts: Vec<Start>,
}

/// A server in a case: medians over the rounds, and the range of the cost.
pub(crate) struct Summary {
    pub(crate) cost: f64,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) peak_kib: f64,
    pub(crate) share: f64,
}

impl Results {
    pub(crate) fn new(options: &Options, facts: Facts) -> Self {
        Self {
            rounds: options.rounds,
            seconds: options.measured.as_secs_f64(),
            facts,
            samples: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// Returns `None` if there is no measurement.
    pub(crate) fn summary(&self, contestant: &str, case: u8, store: Store) -> Option<Summary> {
        let wanted = |sample: &&Sample| {
            sample.contestant == contestant && sample.case == case && sample.store == store
        };
        let samples: Vec<&Sample> = self.samples.iter().filter(wanted).collect();
        let middle =
            |of: fn(&Sample) -> f64| median(samples.iter().map(|sample| of(sample)).collect());
        let costs = samples.iter().map(|sample| sample.cost);
        Some(Summary {
            cost: middle(|sample| sample.cost)?,
            lowest: costs.clone().fold(f64::INFINITY, f64::min),
            highest: costs.fold(0.0, f64::max),
            requests_per_second: middle(|sample| sample.requests_per_second)?,
            p50_us: middle(|sample| sample.p50_us as f64)?,
            p99_us: middle(|sample| sample.p99_us as f64)?,
            peak_kib: middle(|sample| sample.peak_kib as f64)?,
            share: middle(|sample| sample.share)?,
        })
    }

    /// Returns the cost of the first server divided by the cost of the second.
    pub(crate) fn ratio(&self, of: &str, to: &str, case: u8, store: Store) -> Option<f64> {
        Some(self.summary(of, case, store)?.cost / self.summary(to, case, store)?.cost)
    }

    /// Returns the medians of the milliseconds to the first response and of the idle memory in KiB.
    pub(crate) fn start(&self, contestant: &str, store: Store) -> Option<(f64, f64)> {
        let wanted = |start: &&Start| start.contestant == contestant && start.store == store;
        let starts = || self.starts.iter().filter(wanted);
        Some((
            median(starts().map(|start| start.milliseconds).collect())?,
            median(starts().map(|start| start.idle_kib as f64).collect())?,
        ))
    }

    /// Returns the share of the core of the servers that other processes used: median and maximum.
    pub(crate) fn disturbance(&self) -> Option<(f64, f64)> {
        let all = || self.samples.iter().map(|sample| sample.disturbance);
        Some((median(all().collect())?, all().fold(0.0, f64::max)))
    }

    /// Returns all samples as JSON, for other evaluations.
    pub(crate) fn json(&self) -> String {
        let samples = self.samples.iter().map(|sample| {
            json!({
                "contestant": sample.contestant, "case": sample.case, "store": sample.store.word(), "round": sample.round + 1,
                "requests": sample.requests, "cpu_us_per_request": sample.cost,
                "requests_per_second": sample.requests_per_second, "p50_us": sample.p50_us, "p99_us": sample.p99_us,
                "peak_kib": sample.peak_kib, "share_of_core": sample.share,
                "share_of_others": sample.disturbance,
            })
        });
        let starts = self.starts.iter().map(|start| {
            json!({
                "contestant": start.contestant, "store": start.store.word(), "round": start.round + 1,
                "milliseconds": start.milliseconds, "idle_kib": start.idle_kib,
            })
        });
        let all = json!({
            "rounds": self.rounds, "seconds": self.seconds,
            "machine": pairs(&self.facts.machine), "versions": pairs(&self.facts.versions),
            "samples": samples.collect::<Vec<_>>(), "starts": starts.collect::<Vec<_>>(),
        });
        format!("{all:#}\n")
    }
}

fn pairs(list: &[(String, String)]) -> serde_json::Map<String, serde_json::Value> {
    list.iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect()
}

/// Returns the median.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let upper = *values.get(half)?;
    if values.len() % 2 == 1 {
        Some(upper)
    } else {
        Some(f64::midpoint(values[half - 1], upper))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns results of one round with invented costs for every server and case.
    pub(crate) fn fake_results() -> Results {
        use crate::cases::CASES;
        use crate::contestants::CONTESTANTS;
        let mut results = Results {
            rounds: 1,
            seconds: 2.0,
            facts: Facts {
                machine: vec![("cores".into(), "2".into())],
                versions: vec![("axum".into(), "0.8.9".into())],
            },
            samples: Vec::new(),
            starts: Vec::new(),
        };
        for store in Store::ALL {
            for (at, one) in CONTESTANTS.iter().enumerate() {
                for case in CASES.iter().filter(|case| store.has(case)) {
                    let weight = if store == Store::Postgres { 3.0 } else { 1.0 };
                    results.samples.push(sample(
                        one.name,
                        case.number,
                        store,
                        7.5 * weight * 1.9_f64.powi(i32::try_from(at).unwrap()),
                    ));
                }
                results.starts.push(Start {
                    contestant: one.name,
                    store,
                    round: 0,
                    milliseconds: 42.0,
                    idle_kib: 20 * 1024,
                });
            }
        }
        results
    }

    pub(crate) fn sample(contestant: &'static str, case: u8, store: Store, cost: f64) -> Sample {
        Sample {
            contestant,
            case,
            store,
            round: 0,
            requests: 1,
            cost,
            requests_per_second: 1e6 / cost,
            p50_us: 100,
            p99_us: 900,
            peak_kib: 2048,
            share: 0.95,
            disturbance: 0.02,
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn the_summary_has_the_median_and_the_range() {
        let mut results = fake_results();
        results.samples.clear();
        for cost in [30.0, 10.0, 20.0] {
            results.samples.push(sample("axum", 1, Store::None, cost));
            results
                .samples
                .push(sample("fastapi", 1, Store::None, cost * 10.0));
        }
        let axum = results.summary("axum", 1, Store::None).unwrap();
        assert_eq!((axum.cost, axum.lowest, axum.highest), (20.0, 10.0, 30.0));
        assert_eq!(results.ratio("fastapi", "axum", 1, Store::None), Some(10.0));
        assert!(results.summary("axum", 2, Store::None).is_none());
    }

    #[test]
    fn the_raw_results_are_json() {
        let all: serde_json::Value = serde_json::from_str(&fake_results().json()).unwrap();
        assert_eq!(all["samples"].as_array().unwrap().len(), 9 * (2 + 4 + 4));
        assert_eq!(all["versions"]["axum"], "0.8.9");
    }
}
