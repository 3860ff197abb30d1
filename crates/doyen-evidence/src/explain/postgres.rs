//! Plans of PostgreSQL.

use std::sync::atomic::{AtomicU32, Ordering};

use doyen_core::Access;
use doyen_data::Database;
use doyen_data::sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement};
use serde_json::Value as Json;

use super::plan::{Plan, Step};
use super::sql;

/// Numbers the prepared statements: one that fails stays on its server connection.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Returns the generic plan of a statement, as a prepared statement has it. This works on all
/// versions: `EXPLAIN (GENERIC_PLAN)` needs PostgreSQL 16.
pub(super) async fn plan(database: &Database, sql: &str) -> Result<Plan, DbErr> {
    // A transaction, so that all statements have the same server connection behind a pooler.
    let session = database.session(Access::Write);
    let name = format!("doyen_explain_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let result = async {
        session
            .execute_unprepared("SET LOCAL plan_cache_mode = force_generic_plan")
            .await?;
        let prepare = format!("PREPARE {name} AS {sql}");
        session.execute_unprepared(&prepare).await?;
        let values = match sql::placeholders(sql) {
            0 => String::new(),
            count => format!("({})", vec!["NULL"; count].join(", ")),
        };
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE {name} {values}");
        let statement = Statement::from_string(DbBackend::Postgres, explain);
        let row = session.query_one_raw(statement).await;
        // It belongs to the server connection, and a rollback does not remove it.
        if row.is_ok() {
            let deallocate = format!("DEALLOCATE {name}");
            session.execute_unprepared(&deallocate).await?;
        }
        row
    }
    .await;
    session.rollback().await;
    let json: Json = match result? {
        Some(row) => row.try_get_by_index(0)?,
        None => Json::Null,
    };
    let mut plan = Plan::default();
    node(&json[0]["Plan"], 0, &mut plan);
    Ok(plan)
}

/// Returns the kind of a node, its table and its index.
fn shape(node: &Json, depth: usize) -> String {
    let text = |key: &str| node[key].as_str().unwrap_or_default();
    let mut line = format!("{}{}", "  ".repeat(depth), text("Node Type"));
    if text("Scan Direction") == "Backward" {
        line.push_str(" Backward");
    }
    for (word, detail) in [("on", text("Relation Name")), ("using", text("Index Name"))] {
        if !detail.is_empty() {
            line.push_str(&format!(" {word} {detail}"));
        }
    }
    line
}

/// Adds a node and the nodes below it.
fn node(node: &Json, depth: usize, plan: &mut Plan) {
    let text = |key: &str| node[key].as_str().unwrap_or_default();
    let kind = text("Node Type");
    if kind.is_empty() {
        return;
    }
    let alias = match text("Alias") {
        "" => text("Relation Name"),
        alias => alias,
    };
    let mut line = format!("{}{kind}", "  ".repeat(depth));
    let details = [
        ("on", alias),
        ("using", text("Index Name")),
        ("by", text("Index Cond")),
        ("filter", text("Filter")),
    ];
    for (word, detail) in details {
        if !detail.is_empty() {
            line.push_str(&format!(" {word} {detail}"));
        }
    }
    if let Some(keys) = node["Sort Key"].as_array() {
        let keys: Vec<&str> = keys.iter().filter_map(Json::as_str).collect();
        line.push_str(&format!(" by {}", keys.join(", ")));
    }
    let rows = node["Plan Rows"].as_u64();
    if let Some(rows) = rows {
        line.push_str(&format!(" (about {rows} rows)"));
    }
    plan.lines.push(line);
    plan.shape.push(shape(node, depth));
    match kind {
        "Seq Scan" => plan.steps.push(Step::Scan(alias.to_owned())),
        "Sort" => {
            // The rows that are sorted, not those that a limit leaves.
            let below = node["Plans"][0]["Plan Rows"].as_u64();
            plan.steps.push(Step::Sort(below.or(rows)));
        }
        _ => {}
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        self::node(below, depth + 1, plan);
    }
}
