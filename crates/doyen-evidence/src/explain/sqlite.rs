//! Plans of SQLite.

use std::sync::atomic::{AtomicU32, Ordering};

use doyen_core::Access;
use doyen_data::Database;
use doyen_data::sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement};

use super::plan::{Plan, Step};

/// Numbers the texts.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Returns the plan of a statement. Parameters without a value are NULL for SQLite.
///
/// `EXPLAIN` does not notice that the schema has changed: it is prepared again each time, after a
/// statement that notices.
pub(super) async fn plan(database: &Database, sql: &str) -> Result<Plan, DbErr> {
    let session = database.session(Access::Read);
    let notice = "SELECT count(*) FROM sqlite_master";
    let notice = Statement::from_string(DbBackend::Sqlite, notice);
    session.query_one_raw(notice).await?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let explain = format!("EXPLAIN QUERY PLAN {sql}\n-- {number}");
    let statement = Statement::from_string(DbBackend::Sqlite, explain);
    let mut plan = Plan::default();
    for row in session.query_all_raw(statement).await? {
        let line: String = row.try_get_by_index(3)?;
        plan.steps.extend(step(&line));
        // SQLite prints no numbers of rows.
        plan.shape.push(line.clone());
        plan.lines.push(line);
    }
    Ok(plan)
}

/// Reads a line, as described at <https://sqlite.org/eqp.html>.
fn step(line: &str) -> Option<Step> {
    if line.starts_with("USE TEMP B-TREE FOR") && line.ends_with("ORDER BY") {
        return Some(Step::Sort(None));
    }
    let mut words = line.split(' ');
    let kind = words.next()?;
    let table = words.next()?.to_owned();
    let is_unique = line.contains("PRIMARY KEY") || line.contains("INDEX sqlite_autoindex_");
    match kind {
        // A scan that uses an index reads it in order, which a limit can stop.
        "SCAN" if !line.contains(" USING ") && words.next().is_none() => Some(Step::Scan(table)),
        "SEARCH" if line.contains(" USING AUTOMATIC ") => Some(Step::TemporaryIndex(table)),
        "SEARCH" if !is_unique => Some(Step::Search(table)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let table = || "t".to_owned();
        for (line, expected) in [
            ("SCAN t", Some(Step::Scan(table()))),
            ("SCAN t USING INDEX t_by_x", None),
            ("SCAN CONSTANT ROW", None),
            ("SEARCH t USING INTEGER PRIMARY KEY (rowid=?)", None),
            (
                "SEARCH t USING INDEX t_by_x (x=?)",
                Some(Step::Search(table())),
            ),
            (
                "SEARCH t USING AUTOMATIC COVERING INDEX (x=?)",
                Some(Step::TemporaryIndex(table())),
            ),
            ("USE TEMP B-TREE FOR ORDER BY", Some(Step::Sort(None))),
            (
                "USE TEMP B-TREE FOR LAST TERM OF ORDER BY",
                Some(Step::Sort(None)),
            ),
            ("USE TEMP B-TREE FOR DISTINCT", None),
        ] {
            assert_eq!(step(line), expected, "{line}");
        }
    }
}
