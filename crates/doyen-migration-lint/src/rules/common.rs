//! Rules for both databases.

use doyen_data::migrate::Script;
use doyen_data::sea_orm::DbBackend;

use crate::Code;
use crate::change::{Action, Change, Kind};
use crate::lint::{Findings, Source, Step};

pub(super) fn check(source: &Source<'_>, findings: &mut Findings<'_>) {
    if let Some(statement) = source.script.transaction_control() {
        findings.add(Code::TransactionControl, statement);
    }
    let needs_revert = source.steps.iter().any(|step| step.change.needs_revert());
    let down = Script::parse(source.file.down, source.file.backend);
    if needs_revert && down.statements.is_empty() {
        findings.add_down(Code::MissingDown);
    }
    backfills(source, findings);
}

fn backfills(source: &Source<'_>, findings: &mut Findings<'_>) {
    let holds_locks = !source.script.without_transaction && source.steps.iter().any(locks);
    let code = match holds_locks {
        true => Code::BackfillWithSchemaChange,
        false => Code::BackfillAtOnce,
    };
    for step in &source.steps {
        let is_backfill = match &step.change {
            Change::Rows { is_limited, .. } => !is_limited && !step.is_on_new,
            Change::Insert {
                table, is_limited, ..
            } => !is_limited && step.copies_existing && !is_rebuild(source, table),
            _ => false,
        };
        if is_backfill {
            findings.add(code, step.statement);
        }
    }
}

/// Returns true for a change of an existing table.
fn locks(step: &Step<'_>) -> bool {
    let makes = match &step.change {
        Change::Create { kind, .. } => *kind != Kind::Other,
        _ => step.is_on_new,
    };
    step.change.is_schema() && !makes
}

/// Returns true if the table is renamed in this file: it takes the place of another one, or another
/// one takes its place. A rule of SQLite is about that.
fn is_rebuild(source: &Source<'_>, table: &str) -> bool {
    let is_renamed = |step: &Step<'_>| match &step.change {
        Change::Alter { name, actions, .. } => {
            let renames = |action: &Action| matches!(action, Action::RenameTo(_));
            name == table && actions.iter().any(renames)
        }
        _ => false,
    };
    source.file.backend == DbBackend::Sqlite && source.steps.iter().any(is_renamed)
}
