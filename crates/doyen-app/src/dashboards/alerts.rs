//! The alerts: those of the objectives, and those that the families of metrics declare.

use std::time::Duration;

use super::rules::{Rule, RuleGroup, RuleKind};
use super::slo::{FAST, Objective, SLOW};
use super::{Catalogue, Group, Options, selector};
use crate::metrics::Severity;

/// How long an alert of an objective must hold. The windows are what makes it steady.
const OBJECTIVE_LASTING: Duration = Duration::from_mins(2);

/// Returns the groups of alerts: the objectives first, then each plugin.
pub(super) fn groups(
    catalogue: &Catalogue,
    options: &Options,
    objectives: &[Objective],
) -> Vec<RuleGroup> {
    let app = catalogue.app;
    let objectives = RuleGroup {
        name: format!("{app} objectives"),
        rules: objectives
            .iter()
            .flat_map(|objective| of_objective(options, objective))
            .collect(),
    };
    let families = catalogue.groups.iter().map(|group| RuleGroup {
        name: format!("{app} {}", group.name),
        rules: of_group(options, group),
    });
    let groups = [objectives].into_iter().chain(families);
    groups.filter(|group| !group.rules.is_empty()).collect()
}

fn of_objective(options: &Options, objective: &Objective) -> [Rule; 2] {
    let app = selector(options);
    let rule = |speed: &str, severity, burns, when: &str| Rule {
        expression: objective.burns(&app, burns),
        job: options.job.clone(),
        kind: RuleKind::Alert {
            name: format!("{}{speed}", objective.alert),
            severity,
            summary: format!(
                "The objective is that {}. At this rate the budget of errors is used up within {when}.",
                objective.about
            ),
            lasting: OBJECTIVE_LASTING,
        },
    };
    [
        rule("Fast", Severity::Critical, &FAST[..], "five days"),
        rule("Slowly", Severity::Warning, &SLOW[..], "30 days"),
    ]
}

fn of_group(options: &Options, group: &Group) -> Vec<Rule> {
    let app = selector(options);
    let alerts = group.families.iter().flat_map(|family| family.alerts);
    let rules = alerts.map(|alert| Rule {
        expression: alert.expression.replace("$app", &app),
        job: options.job.clone(),
        kind: RuleKind::Alert {
            name: alert.name.to_owned(),
            severity: alert.severity,
            summary: alert.summary.to_owned(),
            lasting: alert.lasting,
        },
    });
    rules.collect()
}
