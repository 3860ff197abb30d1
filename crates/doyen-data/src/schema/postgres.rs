//! Reads a table from the catalog of PostgreSQL. Only the catalog is read: no statement waits for a
//! lock of the table.

use sea_orm::{DbErr, Value};

use super::found::{FoundColumn, FoundIndex, FoundReference, FoundTable};
use crate::migrate::History;

const KIND: &str = "SELECT relkind::text FROM pg_catalog.pg_class \
                    WHERE oid = to_regclass(quote_ident($1)) AND relkind IN ('r', 'p', 'v', 'm', 'f')";
const COLUMNS: &str = "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull, \
                       atthasdef OR attidentity <> '', attgenerated <> '' FROM pg_catalog.pg_attribute \
                       WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped \
                       ORDER BY attnum";
/// The columns are separated by line breaks; an expression has no name.
const INDEXES: &str = "SELECT i.relname::text, x.indisunique, x.indisprimary, x.indisvalid, \
                       x.indpred IS NOT NULL, (SELECT string_agg(coalesce(a.attname::text, ''), chr(10) ORDER BY k.n) \
                       FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, n) \
                       LEFT JOIN pg_catalog.pg_attribute a \
                       ON a.attrelid = x.indrelid AND a.attnum = k.attnum AND k.attnum > 0 WHERE k.n <= x.indnkeyatts), \
                       EXISTS (SELECT 1 FROM pg_catalog.pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('u', 'x')) \
                       FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid \
                       WHERE x.indrelid = to_regclass(quote_ident($1)) ORDER BY 1";
// References of several columns are not compared.
const REFERENCES: &str = "SELECT a.attname::text, t.relname::text FROM pg_catalog.pg_constraint c \
                          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
                          JOIN pg_catalog.pg_class t ON t.oid = c.confrelid \
                          WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 \
                          AND c.conrelid = to_regclass(quote_ident($1)) ORDER BY 1, 2";

pub(super) async fn read(history: &mut History, name: &str) -> Result<Option<FoundTable>, DbErr> {
    let value = || -> Vec<Value> { vec![name.into()] };
    let Some(row) = history.rows(KIND, value()).await?.into_iter().next() else {
        return Ok(None);
    };
    let kind: String = row.try_get_by_index(0)?;
    let mut table = FoundTable {
        name: name.to_owned(),
        is_view: matches!(kind.as_str(), "v" | "m"),
        ..FoundTable::default()
    };
    for row in history.rows(COLUMNS, value()).await? {
        table.columns.push(FoundColumn {
            name: row.try_get_by_index(0)?,
            kind: row.try_get_by_index(1)?,
            is_nullable: !row.try_get_by_index::<bool>(2)?,
            has_default: row.try_get_by_index(3)?,
            is_generated: row.try_get_by_index(4)?,
        });
    }
    for row in history.rows(INDEXES, value()).await? {
        let text: Option<String> = row.try_get_by_index(5)?;
        let mut columns: Vec<String> = text
            .iter()
            .flat_map(|text| text.split('\n'))
            .map(str::to_owned)
            .collect();
        if row.try_get_by_index::<bool>(2)? {
            table.primary_key = columns;
            continue;
        }
        if columns.iter().any(String::is_empty) {
            columns.clear();
        }
        table.indexes.push(FoundIndex {
            name: row.try_get_by_index(0)?,
            columns,
            is_unique: row.try_get_by_index(1)?,
            is_partial: row.try_get_by_index(4)?,
            is_valid: row.try_get_by_index(3)?,
            is_constraint: row.try_get_by_index(6)?,
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
