//! Rules for PostgreSQL: those of Squawk that are about locks and running code, and our own.
//!
//! Squawk's rules about style are left out, and those that the migrator settles: it sets the
//! timeouts, and each file is one transaction.

use doyen_data::migrate::Lexer;
use doyen_data::sea_orm::DbBackend;
use squawk_linter::{Linter, Rule, Violation};
use squawk_syntax::SourceFile;

use super::is_created_after;
use crate::Code;
use crate::change::{Change, Kind};
use crate::lint::{Findings, Source, Step};

const RULES: &[(Rule, Code)] = &[
    (
        Rule::RequireConcurrentIndexCreation,
        Code::IndexNotConcurrent,
    ),
    (
        Rule::RequireConcurrentIndexDeletion,
        Code::DropIndexNotConcurrent,
    ),
    (Rule::RequireConcurrentReindex, Code::ReindexNotConcurrent),
    (
        Rule::RequireConcurrentPartitionDetach,
        Code::DetachPartition,
    ),
    (
        Rule::ConstraintMissingNotValid,
        Code::ConstraintCheckedAtOnce,
    ),
    (
        Rule::AddingForeignKeyConstraint,
        Code::ConstraintCheckedAtOnce,
    ),
    (
        Rule::BanAlterDomainWithAddConstraint,
        Code::ConstraintCheckedAtOnce,
    ),
    (Rule::DisallowedUniqueConstraint, Code::IndexByConstraint),
    (Rule::AddingSerialPrimaryKeyField, Code::IndexByConstraint),
    (Rule::AddingNotNullableField, Code::NotNullScan),
    (Rule::AddingFieldWithDefault, Code::ColumnRewritesTable),
    (Rule::ChangingColumnType, Code::ColumnType),
    (Rule::AddingRequiredField, Code::RequiredColumn),
    (Rule::RenamingColumn, Code::RenameColumn),
    (Rule::RenamingTable, Code::RenameTable),
    (Rule::RenamingObject, Code::RenameObject),
    (Rule::BanSetSchema, Code::RenameObject),
    (Rule::BanDropColumn, Code::DropColumn),
    (Rule::BanDropTable, Code::DropTable),
    (Rule::BanDropView, Code::DropView),
    (Rule::BanDropFunction, Code::DropObject),
    (Rule::BanDropType, Code::DropObject),
    (Rule::BanDropSequence, Code::DropObject),
    (Rule::BanDropSchema, Code::DropObject),
    (Rule::BanDropDomain, Code::DropObject),
    (Rule::BanDropExtension, Code::DropObject),
    (Rule::BanDropDatabase, Code::DropObject),
    (Rule::BanDropNotNull, Code::DropNotNull),
];

pub(super) fn check(source: &Source<'_>, findings: &mut Findings<'_>) {
    let text = &without_comments(source.script.text);
    let parsed = SourceFile::parse(text);
    for error in parsed.errors() {
        if let Some((_, step)) = step_at(source, error.range().start().into()) {
            findings.add(Code::NotParsed, step.statement);
        }
    }
    let mut linter = Linter::from(RULES.iter().map(|(rule, _)| *rule));
    linter.settings.assume_in_transaction = !source.script.without_transaction;
    let violations = linter.lint(&parsed, text);
    for violation in &violations {
        let rule = RULES.iter().find(|(rule, _)| *rule == violation.code);
        let step = step_at(source, violation.text_range.start().into());
        if let (Some((_, code)), Some((index, step))) = (rule, step)
            && !step.is_on_new
            && !is_covered(violation, &violations)
            && !is_replaced(source, index, &step.change)
        {
            findings.add(*code, step.statement);
        }
    }
    for step in &source.steps {
        if let Some(code) = own(source, step) {
            findings.add(code, step.statement);
        }
    }
}

/// Returns the text with spaces in the place of comments: Squawk has comments of its own that
/// switch rules off, without a reason.
fn without_comments(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut end = 0;
    let blank = |text: &mut String, from: usize, to: usize| {
        text.extend(sql[from..to].bytes().map(|byte| match byte {
            b'\n' => '\n',
            _ => ' ',
        }));
    };
    for (range, _) in Lexer::new(sql, DbBackend::Postgres) {
        blank(&mut text, end, range.start);
        text.push_str(&sql[range.clone()]);
        end = range.end;
    }
    blank(&mut text, end, sql.len());
    text
}

/// Returns the last statement that begins at or before this byte.
fn step_at<'a>(source: &'a Source<'a>, byte: usize) -> Option<(usize, &'a Step<'a>)> {
    let mut steps = source.steps.iter().enumerate().rev();
    steps.find(|(_, step)| step.statement.start <= byte)
}

/// Returns true if the violation is about a constraint that another rule describes better: `NOT
/// VALID` is no rewrite for a unique constraint.
fn is_covered(violation: &Violation, all: &[Violation]) -> bool {
    let by_index = [
        Rule::DisallowedUniqueConstraint,
        Rule::AddingSerialPrimaryKeyField,
    ];
    violation.code == Rule::ConstraintMissingNotValid
        && all.iter().any(|other| {
            let overlap = violation.text_range.intersect(other.text_range);
            by_index.contains(&other.code) && overlap.is_some_and(|part| !part.is_empty())
        })
}

/// Returns true for a view that the same file creates again.
fn is_replaced(source: &Source<'_>, index: usize, change: &Change) -> bool {
    match change {
        Change::Drop { kind, names, .. } if *kind == Kind::View => names
            .iter()
            .all(|name| is_created_after(source, index, *kind, name)),
        _ => false,
    }
}

/// Our own rules.
fn own(source: &Source<'_>, step: &Step<'_>) -> Option<Code> {
    match &step.change {
        change if change.is_concurrent() && !source.script.without_transaction => {
            Some(Code::ConcurrentlyInTransaction)
        }
        Change::Rewrite => Some(Code::TableRewrite),
        Change::Lock(_) if !step.is_on_new => Some(Code::LockTable),
        Change::Truncate(_) if !step.is_on_new => Some(Code::Truncate),
        Change::Set(name) if matches!(name.as_str(), "lock_timeout" | "statement_timeout") => {
            Some(Code::TimeoutChanged)
        }
        _ => None,
    }
}
