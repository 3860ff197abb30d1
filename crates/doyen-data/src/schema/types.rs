//! The SQL types of columns.

use doyen_core::table::ColumnKind;
use sea_orm::DbBackend;

/// Returns the type of a new column. `None` for a type that is not known.
pub(super) fn name(kind: &ColumnKind, backend: DbBackend) -> Option<&'static str> {
    let (sqlite, postgres) = match kind {
        ColumnKind::SmallInteger => ("integer", "smallint"),
        ColumnKind::Integer => ("integer", "integer"),
        ColumnKind::BigInteger => ("integer", "bigint"),
        ColumnKind::Float => ("real", "real"),
        ColumnKind::Double => ("real", "double precision"),
        ColumnKind::Boolean => ("integer", "boolean"),
        ColumnKind::Text => ("text", "text"),
        ColumnKind::Bytes => ("blob", "bytea"),
        ColumnKind::Uuid => ("blob", "uuid"),
        ColumnKind::TimestampTz => ("text", "timestamptz"),
        ColumnKind::Timestamp => ("text", "timestamp"),
        ColumnKind::Date => ("text", "date"),
        ColumnKind::Time => ("text", "time"),
        ColumnKind::Json => ("text", "json"),
        ColumnKind::JsonBinary => ("text", "jsonb"),
        ColumnKind::Other(_) => return None,
    };
    Some(if backend == DbBackend::Sqlite {
        sqlite
    } else {
        postgres
    })
}

/// True if a column of this type holds what the entity writes.
pub(super) fn fits(kind: &ColumnKind, found: &str, backend: DbBackend) -> bool {
    let Some(expected) = name(kind, backend) else {
        return true;
    };
    if backend == DbBackend::Sqlite {
        return expected == affinity(found) || (affinity(found) == "numeric" && is_loose(kind));
    }
    let is_timestamp = found.starts_with("timestamp");
    match kind {
        ColumnKind::Text => found == "text" || found == "citext" || found.starts_with("character"),
        ColumnKind::TimestampTz => is_timestamp && found.ends_with(" with time zone"),
        ColumnKind::Timestamp => is_timestamp && found.ends_with(" without time zone"),
        ColumnKind::Time => found.starts_with("time(") || found.starts_with("time "),
        _ => found == expected,
    }
}

/// The kinds whose stored form a column without `STRICT` of the type `BOOLEAN`, `DATETIME` or
/// `NUMERIC` keeps.
fn is_loose(kind: &ColumnKind) -> bool {
    !matches!(
        kind,
        ColumnKind::Text | ColumnKind::Bytes | ColumnKind::Uuid
    )
}

/// The affinity that SQLite derives from a declared type.
fn affinity(declared: &str) -> &'static str {
    let declared = declared.to_ascii_uppercase();
    let has = |word: &str| declared.contains(word);
    if has("INT") {
        "integer"
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        "text"
    } else if has("BLOB") || declared.is_empty() {
        "blob"
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        "real"
    } else {
        "numeric"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_same_values_fit() {
        let fits = |kind: ColumnKind, found: &str, backend| fits(&kind, found, backend);
        let (sqlite, postgres) = (DbBackend::Sqlite, DbBackend::Postgres);
        assert!(fits(ColumnKind::Text, "character varying(40)", postgres));
        assert!(fits(
            ColumnKind::TimestampTz,
            "timestamp(3) with time zone",
            postgres
        ));
        assert!(!fits(
            ColumnKind::TimestampTz,
            "timestamp without time zone",
            postgres
        ));
        assert!(!fits(ColumnKind::Integer, "bigint", postgres));
        assert!(fits(ColumnKind::Boolean, "BOOLEAN", sqlite));
        assert!(fits(ColumnKind::TimestampTz, "datetime", sqlite));
        assert!(!fits(ColumnKind::Uuid, "text", sqlite));
        assert!(fits(ColumnKind::Other("Inet".into()), "inet", postgres));
    }
}
