//! A schema as text.

use sea_orm::{DbBackend, DbErr};

use super::history::History;

/// The statements that created the objects of SQLite, without its shadow tables.
const SQLITE: &[&str] = &[
    "SELECT type || ' ' || name || ' on ' || tbl_name || ': ' || coalesce(sql, '') FROM sqlite_master \
     WHERE name NOT LIKE 'sqlite_%' AND name <> 'doyen_migrations' ORDER BY 1",
];

/// Tables with columns, constraints and indexes, and types, views, triggers, functions and
/// sequences of the user schemas.
const POSTGRES: &[&str] = &[
    "SELECT 'column ' || table_schema || '.' || table_name || '.' || column_name || ': ' || \
     coalesce(domain_name, udt_name) || coalesce('(' || character_maximum_length || ')', '') || \
     coalesce('(' || CASE WHEN data_type = 'numeric' THEN numeric_precision END || ',' || numeric_scale || ')', '') || \
     CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || coalesce(' default ' || column_default, '') || \
     coalesce(' generated ' || nullif(is_identity, 'NO'), '') || coalesce(' as ' || generation_expression, '') \
     FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_name NOT LIKE 'doyen_migrations%' ORDER BY 1",
    "SELECT 'constraint ' || conrelid::regclass || '.' || conname || ': ' || pg_get_constraintdef(oid) FROM pg_constraint \
     WHERE connamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND conrelid <> 0 \
     AND conrelid::regclass::text NOT LIKE 'doyen_migrations%' ORDER BY 1",
    "SELECT 'index ' || schemaname || '.' || indexname || ': ' || indexdef FROM pg_indexes \
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename NOT LIKE 'doyen_migrations%' ORDER BY 1",
    "SELECT 'view ' || schemaname || '.' || viewname || ': ' || definition FROM pg_views \
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
    "SELECT 'trigger ' || tgrelid::regclass || '.' || tgname || ': ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "SELECT 'function ' || oid::regprocedure || ': ' || pg_get_functiondef(oid) FROM pg_proc \
     WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND prokind IN ('f', 'p') \
     AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') ORDER BY 1",
    "SELECT 'enum ' || typname || ': ' || string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid \
     GROUP BY typname ORDER BY 1",
    "SELECT 'sequence ' || schemaname || '.' || sequencename || ': ' || data_type || ' by ' || increment_by FROM pg_sequences ORDER BY 1",
    "SELECT 'extension ' || extname FROM pg_extension ORDER BY 1",
];

pub(super) async fn dump(history: &mut History, backend: DbBackend) -> Result<String, DbErr> {
    let mut out = String::new();
    for sql in if backend == DbBackend::Sqlite {
        SQLITE
    } else {
        POSTGRES
    } {
        for row in history.rows(sql, Vec::new()).await? {
            let line: String = row.try_get_by_index(0)?;
            out.push_str(&line);
            out.push('\n');
        }
    }
    Ok(out)
}
