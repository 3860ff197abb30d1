//! Rules for SQLite, which has one writer, and rewrites a table for most changes of it.

use super::{is_created_after, is_replaced_after};
use crate::Code;
use crate::change::{Action, Change, ColumnDefault, Kind};
use crate::lint::{Findings, Source};

pub(super) fn check(source: &Source<'_>, findings: &mut Findings<'_>) {
    for (index, step) in source.steps.iter().enumerate() {
        if step.is_on_new {
            continue;
        }
        match &step.change {
            Change::CreateIndex { .. } => findings.add(Code::IndexBlocksWriter, step.statement),
            Change::Alter { name, actions, .. } => {
                for action in actions {
                    if let Some(code) = of_action(source, index, name, action) {
                        findings.add(code, step.statement);
                    }
                }
            }
            Change::Drop { kind, names, .. } => {
                for name in names {
                    if let Some(code) = of_drop(source, index, *kind, name) {
                        findings.add(code, step.statement);
                    }
                }
            }
            Change::Pragma(name) if name == "foreign_keys" => {
                findings.add(Code::ForeignKeysPragma, step.statement);
            }
            _ => {}
        }
    }
}

fn of_action(source: &Source<'_>, index: usize, table: &str, action: &Action) -> Option<Code> {
    match action {
        Action::AddColumn {
            is_required: true, ..
        } => Some(Code::RequiredColumn),
        Action::AddColumn {
            default: ColumnDefault::Expression,
            ..
        } => Some(Code::NonConstantDefault),
        Action::DropColumn => Some(Code::DropColumn),
        Action::RenameColumn => Some(Code::RenameColumn),
        Action::RenameTo(_) if is_created_after(source, index, Kind::Table, table) => {
            Some(Code::RebuildRenamesOld)
        }
        Action::RenameTo(_) => Some(Code::RenameTable),
        _ => None,
    }
}

fn of_drop(source: &Source<'_>, index: usize, kind: Kind, name: &str) -> Option<Code> {
    match kind {
        Kind::Table if is_replaced_after(source, index, name) => Some(Code::TableRebuild),
        Kind::Table if is_renamed_before(source, index, name) => None,
        Kind::Table => Some(Code::DropTable),
        Kind::View if is_created_after(source, index, kind, name) => None,
        Kind::View => Some(Code::DropView),
        _ => None,
    }
}

/// Returns true if an earlier statement gave the table this name: the finding is about that one.
fn is_renamed_before(source: &Source<'_>, index: usize, name: &str) -> bool {
    source.steps[..index].iter().any(|step| match &step.change {
        Change::Alter { actions, .. } => actions.contains(&Action::RenameTo(name.to_owned())),
        _ => false,
    })
}
