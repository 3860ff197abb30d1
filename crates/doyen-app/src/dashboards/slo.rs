//! Service level objectives: what share of the requests succeeds and is fast, and how fast the
//! rest, the error budget, is used up.
//!
//! Health checks do not count. The windows and burn rates are those of the workbook on site
//! reliability engineering: a budget for 30 days that is used up in two days is an emergency, and
//! one that is used up in ten days a task for working hours. An alert needs a long window, so that
//! few errors do not fire it, and a short one, so that it ends soon after the errors.

use super::rules::{Rule, RuleGroup, RuleKind};
use super::{Options, selector};

/// Routes that do not count.
const EXCLUDED: &str = "route!~\"/livez|/readyz\"";

/// An objective.
pub(super) struct Objective {
    /// Its name in recorded series: `availability`.
    pub(super) name: &'static str,
    /// The beginning of the names of its alerts.
    pub(super) alert: &'static str,
    /// What the objective is.
    pub(super) about: String,
    /// The share of requests that may miss it.
    pub(super) budget: f64,
    /// The rate of requests that miss it, and of all requests; `$window` is the window.
    missed: String,
    all: String,
}

/// Two windows and the burn rate at which an alert fires.
pub(super) struct Burn {
    pub(super) long: &'static str,
    pub(super) short: &'static str,
    pub(super) rate: f64,
}

const fn burn(long: &'static str, short: &'static str, rate: f64) -> Burn {
    Burn { long, short, rate }
}

/// The budget of 30 days is used up in two days, or in five.
pub(super) const FAST: [Burn; 2] = [burn("1h", "5m", 14.4), burn("6h", "30m", 6.0)];
/// The budget of 30 days is used up in ten days, or in 30.
pub(super) const SLOW: [Burn; 2] = [burn("1d", "2h", 3.0), burn("3d", "6h", 1.0)];

/// Every window of the alerts.
const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

/// Returns the objectives.
pub(super) fn objectives(options: &Options) -> [Objective; 2] {
    let app = selector(options);
    let requests = format!("http_server_requests_total{{{app},{EXCLUDED}");
    let durations = "http_server_request_duration_seconds";
    let bound = options.latency.to_string();
    // Newer versions of Prometheus store the bound 1 as 1.0.
    let bound = match bound.contains('.') {
        true => format!("le=\"{bound}\""),
        false => format!("le=~\"{bound}(\\\\.0)?\""),
    };
    [
        Objective {
            name: "availability",
            alert: "AvailabilityBudgetBurns",
            about: format!(
                "{} % of the requests of 30 days end without a status of 5xx",
                options.availability
            ),
            budget: share(options.availability),
            // Without an error, there is no series with its status.
            missed: format!("(sum(rate({requests},status=~\"5..\"}}[$window])) or vector(0))"),
            all: format!("sum(rate({requests}}}[$window]))"),
        },
        Objective {
            name: "latency",
            alert: "LatencyBudgetBurns",
            about: format!(
                "{} % of the requests of 30 days take at most {} s",
                options.fast, options.latency
            ),
            budget: share(options.fast),
            missed: format!(
                "(sum(rate({durations}_count{{{app},{EXCLUDED}}}[$window])) \
                 - sum(rate({durations}_bucket{{{app},{EXCLUDED},{bound}}}[$window])))"
            ),
            all: format!("sum(rate({durations}_count{{{app},{EXCLUDED}}}[$window]))"),
        },
    ]
}

fn share(percentage: f64) -> f64 {
    (100.0 - percentage) / 100.0
}

/// A number without the noise of its last digits.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.8}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Objective {
    /// The name of the recorded share of requests that missed the objective.
    pub(super) fn ratio(&self, window: &str) -> String {
        format!("slo:{}_errors:ratio_{window}", self.name)
    }

    /// The condition of an alert for some windows.
    pub(super) fn burns(&self, app: &str, burns: &[Burn]) -> String {
        let both = burns.iter().map(|Burn { long, short, rate }| {
            let limit = number(rate * self.budget);
            let (long, short) = (self.ratio(long), self.ratio(short));
            format!("({long}{{{app}}} > {limit} and {short}{{{app}}} > {limit})")
        });
        both.collect::<Vec<_>>().join(" or ")
    }

    /// The share of the budget of 30 days that is left.
    pub(super) fn budget_left(&self, app: &str) -> String {
        format!("slo:{}_budget:left_30d{{{app}}}", self.name)
    }
}

/// Returns the rules that record the shares of each window, and what is left of the budgets.
pub(super) fn recordings(app: &str, options: &Options, objectives: &[Objective]) -> Vec<RuleGroup> {
    let groups = objectives.iter().map(|objective| RuleGroup {
        name: format!("{app} {} objective", objective.name),
        rules: rules(options, objective),
    });
    groups.collect()
}

fn rules(options: &Options, objective: &Objective) -> Vec<Rule> {
    let Objective {
        name, missed, all, ..
    } = objective;
    let rule = |record: String, expression: String| Rule {
        expression,
        job: options.job.clone(),
        kind: RuleKind::Record(record),
    };
    let ratios = WINDOWS.into_iter().map(|window| {
        let of = |rate: &str| rate.replace("$window", window);
        // No requests are no errors: the series has a gap.
        let ratio = format!("{} / ({} > 0)", of(missed), of(all));
        rule(objective.ratio(window), ratio)
    });
    let five = |rate: &str| rate.replace("$window", "5m");
    let (lost, total) = (
        format!("slo:{name}_errors:rate5m"),
        format!("slo:{name}_requests:rate5m"),
    );
    let app = selector(options);
    // From the recorded rates: a rate of 30 days over all series is slow. `> 0` leaves out months
    // without a request.
    let left = format!(
        "1 - (sum_over_time({lost}{{{app}}}[30d]) / (sum_over_time({total}{{{app}}}[30d]) > 0)) / {}",
        number(objective.budget)
    );
    let budget = [
        rule(lost, five(missed)),
        rule(total, five(all)),
        rule(format!("slo:{name}_budget:left_30d"), left),
    ];
    ratios.chain(budget).collect()
}
