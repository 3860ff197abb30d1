//! The command `explain`: plans of statements, and the indexes that they lack.
//!
//! | file | contents |
//! | --- | --- |
//! | `plan` | a plan, in the form that both databases have in common |
//! | `postgres`, `sqlite` | get the plan of a statement |
//! | `sql` | what the text of a statement shows: tables, conditions, order |
//! | `advice` | compares both, and suggests an index |
//!
//! No statement is run. A plan is the one for unknown values of the parameters.

mod advice;
mod plan;
mod postgres;
mod sql;
mod sqlite;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use doyen_app::Command;
use doyen_core::Unexpected;
use doyen_data::Database;
use doyen_data::sea_orm::{DbBackend, DbErr};

use self::plan::Plan;
use crate::record;

/// Number of recorded statements that are explained: those with the most time.
const MAX_STATEMENTS: usize = 10;

/// Explains statements. Injectable as `Arc<Explainer>`.
#[derive(Debug)]
pub(crate) struct Explainer {
    pub(crate) database: Database,
    pub(crate) record: Option<PathBuf>,
    pub(crate) scan_rows: u32,
}

pub(crate) fn command() -> Command {
    let explain = |explainer: Arc<Explainer>, arguments: Vec<String>| async move {
        let statement = arguments.into_iter().next().unwrap_or_default();
        match statement.trim() {
            "" => explainer.recorded().await,
            statement => explainer.one(statement).await,
        }
    };
    let about = "Shows plans of statements, and the indexes that they lack; runs no statement";
    let help = "The statement, with parameters as $1; without it, the recorded statements with the most time";
    Command::new("explain", about, &[], explain)
        .optional("statement", help)
        .before_start()
}

/// Returns the shape of the plan of a statement: the kinds of its nodes, their tables and indexes,
/// without numbers. `None` if it is a statement that has no plan. The statement is not run.
///
/// # Errors
///
/// Returns an error if the database cannot plan the statement.
pub async fn plan_shape(database: &Database, sql: &str) -> Result<Option<Vec<String>>, DbErr> {
    if !sql::is_explainable(sql) {
        return Ok(None);
    }
    Ok(Some(plan(database, sql).await?.shape))
}

async fn plan(database: &Database, sql: &str) -> Result<Plan, DbErr> {
    match database.backend() {
        DbBackend::Postgres => postgres::plan(database, sql).await,
        _ => sqlite::plan(database, sql).await,
    }
}

impl Explainer {
    /// Explains the recorded statements with the most time.
    async fn recorded(&self) -> Result<String, Unexpected> {
        let Some(file) = &self.record else {
            return Err(Unexpected::new(
                "no statements are recorded: set `evidence.record` to a file, or name a statement",
            ));
        };
        let mut out = String::new();
        let statements = record::read(file).map_err(Unexpected::new)?;
        let explained = statements
            .iter()
            .filter(|one| sql::is_explainable(&one.sql));
        for recorded in explained.take(MAX_STATEMENTS) {
            let millis = recorded.micros / 1000;
            let _ = writeln!(out, "{} runs, {millis} ms", recorded.count);
            match self.one(&recorded.sql).await {
                Ok(text) => out.push_str(&text),
                // A table of a migration that was reverted, for example.
                Err(error) => {
                    let _ = writeln!(out, "{}\n  not explained: {}", recorded.sql, error.error());
                }
            }
            out.push('\n');
        }
        if out.is_empty() {
            out.push_str("the record has no statements\n");
        }
        Ok(out.trim_end().to_owned())
    }

    /// Explains one statement.
    pub(crate) async fn one(&self, sql: &str) -> Result<String, Unexpected> {
        if !sql::is_explainable(sql) {
            return Err(Unexpected::new(
                "only SELECT, WITH, INSERT, UPDATE and DELETE have plans",
            ));
        }
        let sql = sql.trim_end().trim_end_matches(';');
        let plan = plan(&self.database, sql).await?;
        let mut out = format!("{}\n", doyen_data::statement_shape(sql));
        for line in &plan.lines {
            let _ = writeln!(out, "  | {line}");
        }
        let advice = advice::advice(&self.database, &plan, sql, self.scan_rows).await?;
        for line in &advice {
            let _ = writeln!(out, "  {line}");
        }
        if advice.is_empty() {
            out.push_str("  nothing to improve was found\n");
        }
        Ok(out)
    }
}
