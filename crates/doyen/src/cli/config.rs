//! Tables for people.

use doyen_data::migrate::{State, Status};
use doyen_schema::contract::Operation;
use doyen_settings::{Environment, Row};

/// Each setting, its value, its origin.
pub(super) fn table(report: &[Row], environment: Environment) -> String {
    let rows = report
        .iter()
        .map(|row| [row.key.clone(), row.value.clone(), row.origin.to_string()])
        .collect();
    format!(
        "environment: {environment}\n\n{}",
        align(["SETTING", "VALUE", "FROM"], rows)
    )
}

/// Each route and who may call it.
pub(super) fn routes(operations: &[Operation]) -> String {
    let rows = operations
        .iter()
        .map(|one| {
            [
                format!("{} {}", one.method, one.path),
                one.id.clone(),
                how_often(one),
                who(one),
            ]
        })
        .collect();
    align(["ROUTE", "OPERATION", "LIMIT", "ALLOW"], rows)
}

/// Each migration and how it stands.
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

fn state(state: State) -> String {
    match state {
        State::Applied { at } => format!("applied {at}"),
        State::Pending => "pending".to_owned(),
        State::Changed => "CHANGED: its file is not the one that was applied".to_owned(),
        State::Missing => "MISSING: it was applied, and its file is gone".to_owned(),
    }
}

fn how_often(operation: &Operation) -> String {
    match operation.unlimited {
        Some(_) => "unlimited".to_owned(),
        None => operation.limits.join(", "),
    }
}

fn who(operation: &Operation) -> String {
    let allow = &operation.allow;
    if allow.is_public() {
        return "anyone".to_owned();
    }
    let roles: Vec<&str> = allow.roles().collect();
    let scope = allow.scope().unwrap_or("signed in");
    if roles.is_empty() {
        scope.to_owned()
    } else {
        format!("{scope} ({})", roles.join(" or "))
    }
}

/// Rows below a head, each column as wide as its widest.
pub(super) fn align<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
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
