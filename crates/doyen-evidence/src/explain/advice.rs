//! Advice about a plan.

use doyen_core::Access;
use doyen_data::sea_orm::{ConnectionTrait as _, DbBackend, DbErr, QueryResult, Statement};
use doyen_data::{Database, Session};

use super::plan::{Plan, Step};
use super::sql::{self, Column, Facts, Source};

/// Returns a line for each thing to improve.
pub(super) async fn advice(
    database: &Database,
    plan: &Plan,
    sql: &str,
    scan_rows: u32,
) -> Result<Vec<String>, DbErr> {
    let facts = sql::facts(sql);
    let session = database.session(Access::Read);
    let mut lines = Vec::new();
    for source in &facts.tables {
        let Some(table) = Table::read(&session, &source.table, scan_rows).await? else {
            continue;
        };
        let is_here = |alias: &str| alias == source.alias || alias == source.table;
        let uses = |step: &Step| match step {
            Step::Scan(alias) => is_here(alias) && !stops_early(plan, &facts),
            Step::TemporaryIndex(alias) => is_here(alias),
            Step::Sort(_) | Step::Search(_) => false,
        };
        let is_searched = plan
            .steps
            .iter()
            .any(|step| matches!(step, Step::Search(alias) if is_here(alias)));
        let problem = plan.steps.iter().find(|step| uses(step));
        // The number of sorted rows is known, or many are likely: a few of many are wanted.
        let sorts = plan.steps.iter().any(|step| match step {
            Step::Sort(Some(rows)) => *rows >= u64::from(scan_rows),
            Step::Sort(None) => problem.is_some() || (is_searched && facts.has_limit),
            _ => false,
        });
        let sorts = sorts
            && facts
                .order
                .iter()
                .any(|one| source.has(&one.column, &table));
        let rows = format!("at least {scan_rows} rows");
        match problem {
            Some(Step::TemporaryIndex(_)) => lines.push(format!(
                "creates an index on `{}` ({rows}) for each run",
                source.table
            )),
            Some(_) => lines.push(format!("reads all rows of `{}` ({rows})", source.table)),
            None => {}
        }
        if sorts {
            let keys: Vec<&str> = facts
                .order
                .iter()
                .map(|one| one.column.name.as_str())
                .collect();
            lines.push(format!("sorts without an index: {}", keys.join(", ")));
        }
        if problem.is_some() || sorts {
            lines.push(index(source, &table, &facts));
        }
    }
    Ok(lines)
}

/// True if a scan ends after a few rows.
fn stops_early(plan: &Plan, facts: &Facts) -> bool {
    let sorts = plan.steps.iter().any(|step| matches!(step, Step::Sort(_)));
    facts.has_limit && !sorts && facts.conditions.is_empty()
}

/// A table with many rows.
struct Table {
    columns: Vec<String>,
    indexes: Vec<Vec<String>>,
}

impl Table {
    /// Reads a table; `None` if it has few rows, or is none.
    async fn read(session: &Session, name: &str, rows: u32) -> Result<Option<Self>, DbErr> {
        let (columns_sql, indexes_sql) = match session.backend() {
            DbBackend::Postgres => (
                "SELECT attname::text FROM pg_attribute
                 WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped",
                "SELECT i.indexrelid::regclass::text, a.attname::text
                 FROM pg_index i
                 JOIN pg_attribute a ON a.attrelid = i.indexrelid
                 WHERE i.indrelid = to_regclass(quote_ident($1)) ORDER BY i.indexrelid, a.attnum",
            ),
            _ => (
                "SELECT name FROM pragma_table_info($1)",
                "SELECT i.name, c.name FROM pragma_index_list($1) i, pragma_index_info(i.name) c
                 WHERE c.name IS NOT NULL ORDER BY i.name, c.seqno",
            ),
        };
        let query =
            |sql: &str| Statement::from_sql_and_values(session.backend(), sql, [name.into()]);
        let text = |row: &QueryResult, at| row.try_get_by_index::<String>(at);
        let columns = session.query_all_raw(query(columns_sql)).await?;
        if columns.is_empty() || !has_rows(session, name, rows).await? {
            return Ok(None);
        }
        let columns = columns
            .iter()
            .map(|row| text(row, 0))
            .collect::<Result<_, _>>()?;
        let mut indexes: Vec<(String, Vec<String>)> = Vec::new();
        for row in session.query_all_raw(query(indexes_sql)).await? {
            let (index, column) = (text(&row, 0)?, text(&row, 1)?);
            match indexes.last_mut() {
                Some((last, columns)) if *last == index => columns.push(column),
                _ => indexes.push((index, vec![column])),
            }
        }
        Ok(Some(Self {
            columns,
            indexes: indexes.into_iter().map(|(_, columns)| columns).collect(),
        }))
    }
}

/// Returns true if a table has at least this many rows, without counting more.
async fn has_rows(session: &Session, table: &str, rows: u32) -> Result<bool, DbErr> {
    let table = quoted(table);
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {rows}) AS some_rows");
    let statement = Statement::from_string(session.backend(), sql);
    let row = session.query_one_raw(statement).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(count >= i64::from(rows))
}

impl Source {
    /// True if the column belongs to this table.
    fn has(&self, column: &Column, table: &Table) -> bool {
        let is_mine = |alias: &String| *alias == self.alias || *alias == self.table;
        column.alias.as_ref().is_none_or(is_mine) && table.columns.contains(&column.name)
    }
}

/// Returns the line about the index that the statement needs.
fn index(source: &Source, table: &Table, facts: &Facts) -> String {
    let mut columns: Vec<String> = Vec::new();
    let mut terms: Vec<String> = Vec::new();
    let mut add = |name: &str, descends: bool| {
        if !columns.iter().any(|known| known == name) {
            columns.push(name.to_owned());
            terms.push(format!(
                "{}{}",
                quoted(name),
                if descends { " DESC" } else { "" }
            ));
        }
    };
    let mine = |is_equality: bool| {
        facts
            .conditions
            .iter()
            .filter(move |one| one.is_equality == is_equality && source.has(&one.column, table))
    };
    mine(true).for_each(|one| add(&one.column.name, false));
    let order = &facts.order;
    let is_ordered = !order.is_empty() && order.iter().all(|one| source.has(&one.column, table));
    // An index can be read backwards: directions matter only if they differ.
    let differs = order.iter().any(|one| one.descends != order[0].descends);
    match mine(false).next() {
        Some(range) if !(is_ordered && order[0].column.name == range.column.name) => {
            add(&range.column.name, false);
        }
        _ if is_ordered => order
            .iter()
            .for_each(|one| add(&one.column.name, differs && one.descends)),
        _ => {}
    }
    let name = &source.table;
    if columns.is_empty() {
        return format!(
            "no index helps: no column of `{name}` is compared. Add a condition or return pages"
        );
    }
    if table
        .indexes
        .iter()
        .any(|index| index.starts_with(&columns))
    {
        return format!(
            "an index on ({}) exists and is not used: the condition selects many rows, or the statistics are old (`ANALYZE`)",
            columns.join(", ")
        );
    }
    let index = format!("{name}_by_{}", columns.join("_"));
    format!(
        "CREATE INDEX {} ON {} ({});",
        quoted(&index),
        quoted(name),
        terms.join(", ")
    )
}

/// Quotes a name if it needs quotes.
fn quoted(name: &str) -> String {
    let is_plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
