//! Tables for the terminal.

#[cfg(feature = "database")]
use doyen_data::migrate::{State, Status};
use doyen_schema::contract::Operation;
use doyen_settings::{Environment, Row};

use crate::report::Plugins;

/// Each setting with its value and its source.
pub(super) fn settings(report: &[Row], environment: Environment) -> String {
    let rows = report
        .iter()
        .map(|row| [row.key.clone(), row.value.clone(), row.origin.to_string()])
        .collect();
    format!(
        "environment: {environment}\n\n{}",
        align(["SETTING", "VALUE", "FROM"], rows)
    )
}

/// Each route with its limits and who may call it.
pub(super) fn routes(operations: &[Operation]) -> String {
    let rows = operations
        .iter()
        .map(|one| {
            [
                format!("{} {}", one.method, one.path),
                one.id.clone(),
                limits(one),
                access(one),
            ]
        })
        .collect();
    align(["ROUTE", "OPERATION", "LIMIT", "ALLOW"], rows)
}

/// Each migration and its state.
#[cfg(feature = "database")]
pub(super) fn status(all: &[Status]) -> String {
    let rows = all
        .iter()
        .map(|one| {
            [
                format!("{} {}", one.version, one.name),
                one.owner.to_owned(),
                state(one.state),
            ]
        })
        .collect();
    align(["MIGRATION", "OF", "STATE"], rows)
}

#[cfg(feature = "database")]
fn state(state: State) -> String {
    match state {
        State::Applied { at } => format!("applied {at}"),
        State::Pending => "pending".to_owned(),
        State::Changed => "CHANGED: its file is not the one that was applied".to_owned(),
        State::Unfinished {
            completed,
            statements,
        } => format!("UNFINISHED: at least {completed} of {statements} statements completed"),
        State::Missing => "MISSING: it was applied, and its file is gone".to_owned(),
        State::Newer => "applied by a newer release".to_owned(),
    }
}

fn limits(operation: &Operation) -> String {
    match operation.unlimited {
        Some(_) => "unlimited".to_owned(),
        None => operation.limits.join(", "),
    }
}

fn access(operation: &Operation) -> String {
    let allow = &operation.allow;
    if allow.is_public() {
        return "anyone".to_owned();
    }
    let roles: Vec<&str> = allow.roles().collect();
    let scopes: Vec<&str> = allow.scopes().collect();
    let scope = match scopes.as_slice() {
        [] => "signed in".to_owned(),
        all => all.join(" and "),
    };
    if roles.is_empty() {
        scope
    } else {
        format!("{scope} ({})", roles.join(" or "))
    }
}

/// Each plugin, in the order in which they start.
pub(super) fn plugins(plugins: &Plugins) -> String {
    let rows = plugins
        .all()
        .iter()
        .map(|plugin| {
            [
                plugin.name.to_owned(),
                plugin.origin.to_owned(),
                plugin.requires.join(", "),
                plugin.about.to_owned(),
            ]
        })
        .collect();
    let table = align(["PLUGIN", "ORIGIN", "REQUIRES", "ABOUT"], rows);
    let absent = plugins.absent().iter();
    absent.fold(table, |table, (name, why)| {
        format!("{table}\n`{name}`: {why}")
    })
}

/// Returns rows below a head, in columns that are as wide as their widest cell.
pub fn align<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let all: Vec<[String; N]> = std::iter::once(head.map(str::to_owned))
        .chain(rows)
        .collect();
    let width = |column: usize| {
        all.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let lines = all.iter().map(|row| {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}
