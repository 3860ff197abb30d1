//! Reads a table from the catalog of SQLite.

use sea_orm::{DbErr, Value};

use super::found::{FoundColumn, FoundIndex, FoundReference, FoundTable};
use crate::migrate::History;

const COLUMNS: &str = "SELECT name, type, \"notnull\" <> 0, pk, hidden, dflt_value IS NOT NULL \
                       FROM pragma_table_xinfo($1) WHERE hidden <> 1 ORDER BY cid";
const INDEXES: &str = "SELECT name, \"unique\" <> 0, origin, partial <> 0 \
                       FROM pragma_index_list($1) WHERE origin <> 'pk' ORDER BY name";
const INDEX_COLUMNS: &str =
    "SELECT coalesce(name, '') FROM pragma_index_xinfo($1) WHERE key = 1 ORDER BY seqno";
// References of several columns are not compared.
const REFERENCES: &str = "SELECT \"from\", \"table\" FROM pragma_foreign_key_list($1) \
                          GROUP BY id HAVING count(*) = 1 ORDER BY id";

pub(super) async fn read(history: &mut History, name: &str) -> Result<Option<FoundTable>, DbErr> {
    let value = || -> Vec<Value> { vec![name.into()] };
    let sql = "SELECT type FROM sqlite_master WHERE type IN ('table', 'view') AND name = $1";
    let Some(row) = history.rows(sql, value()).await?.into_iter().next() else {
        return Ok(None);
    };
    let kind: String = row.try_get_by_index(0)?;
    let mut table = FoundTable {
        name: name.to_owned(),
        is_view: kind == "view",
        ..FoundTable::default()
    };
    let mut key: Vec<(i64, String)> = Vec::new();
    for row in history.rows(COLUMNS, value()).await? {
        let column: String = row.try_get_by_index(0)?;
        let position: i64 = row.try_get_by_index(3)?;
        let hidden: i64 = row.try_get_by_index(4)?;
        if position > 0 {
            key.push((position, column.clone()));
        }
        table.columns.push(FoundColumn {
            name: column,
            kind: row.try_get_by_index::<String>(1)?.to_ascii_lowercase(),
            is_nullable: !row.try_get_by_index::<bool>(2)?,
            has_default: row.try_get_by_index(5)?,
            is_generated: hidden > 1,
        });
    }
    key.sort();
    table.primary_key = key.into_iter().map(|(_, column)| column).collect();
    for row in history.rows(INDEXES, value()).await? {
        let name: String = row.try_get_by_index(0)?;
        let origin: String = row.try_get_by_index(2)?;
        let mut columns = Vec::new();
        for column in history
            .rows(INDEX_COLUMNS, vec![name.as_str().into()])
            .await?
        {
            columns.push(column.try_get_by_index::<String>(0)?);
        }
        if columns.iter().any(String::is_empty) {
            columns.clear();
        }
        table.indexes.push(FoundIndex {
            name,
            columns,
            is_unique: row.try_get_by_index(1)?,
            is_partial: row.try_get_by_index(3)?,
            is_valid: true,
            is_constraint: origin == "u",
        });
    }
    for row in history.rows(REFERENCES, value()).await? {
        table.references.push(FoundReference {
            column: row.try_get_by_index(0)?,
            table: row.try_get_by_index(1)?,
        });
    }
    Ok(Some(table))
}
