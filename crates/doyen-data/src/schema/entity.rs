//! The table of a SeaORM entity.

use doyen_core::table::{Column, ColumnKind, Index, Reference, Table};
use sea_orm::sea_query::{ColumnType, Expr, ForeignKeyAction, TableName, TableRef};
use sea_orm::{
    ColumnTrait as _, DbBackend, EntityTrait, IdenStatic as _, Iterable as _,
    PrimaryKeyToColumn as _, PrimaryKeyTrait as _, RelationDef, RelationTrait as _, Schema, Value,
};

/// Returns the table of an entity, with references and indexes that SeaORM's attributes do not say.
/// `#[derive(Entity)]` calls it; an entity with relations of its own implements
/// [`HasTable`](doyen_core::table::HasTable) with it.
pub fn entity_table<E: EntityTrait>(references: Vec<Reference>, indexes: Vec<Index>) -> Table {
    let mut table = described::<E>(E::default());
    for reference in references {
        if !table.references.contains(&reference) {
            table.references.push(reference);
        }
    }
    for mut index in indexes {
        if index.name.is_empty() {
            index.name = index_name(&table.name, &index.columns);
        }
        table.indexes.push(index);
    }
    table
}

fn described<E: EntityTrait>(entity: E) -> Table {
    let name = entity.table_name().to_owned();
    let primary_key: Vec<String> = E::PrimaryKey::iter()
        .map(|key| key.into_column().as_str().to_owned())
        .collect();
    let mut indexes = Vec::new();
    let mut columns = Vec::new();
    for column in E::Column::iter() {
        let (def, column) = (column.def(), column.as_str().to_owned());
        let is_key = primary_key.contains(&column);
        if def.is_unique() && primary_key != [column.as_str()] {
            indexes.push(index(&name, vec![column.clone()], true));
        }
        columns.push(Column {
            kind: kind(def.get_column_type()),
            is_nullable: def.is_null() && !is_key,
            default: def.get_column_default().and_then(literal),
            is_auto_increment: is_key && primary_key.len() == 1 && E::PrimaryKey::auto_increment(),
            name: column,
        });
    }
    // The words `indexed` and `unique_key` of a column are readable in these statements only.
    for statement in Schema::new(DbBackend::Sqlite).create_index_from_entity(entity) {
        let columns = statement.get_index_spec().get_column_names();
        indexes.push(index(&name, columns, statement.is_unique_key()));
    }
    Table {
        name,
        columns,
        primary_key,
        indexes,
        references: E::Relation::iter()
            .flat_map(|relation| references(relation.def()))
            .collect(),
    }
}

fn index(table: &str, columns: Vec<String>, is_unique: bool) -> Index {
    Index {
        name: index_name(table, &columns),
        columns,
        is_unique,
    }
}

/// The name of a new index, as the generator of domains writes it.
fn index_name(table: &str, columns: &[String]) -> String {
    format!("{table}_by_{}", columns.join("_"))
}

/// Returns the reference of a relation whose column is in this table.
fn references(relation: RelationDef) -> Option<Reference> {
    if relation.is_owner || relation.skip_fk {
        return None;
    }
    let TableRef::Table(TableName(_, table), _) = relation.to_tbl else {
        return None;
    };
    // A reference of several columns is not compared.
    if relation.from_col.arity() != 1 {
        return None;
    }
    Some(Reference {
        column: relation.from_col.into_iter().next()?.to_string(),
        table: table.to_string(),
        key: relation.to_col.into_iter().next()?.to_string(),
        on_delete: relation.on_delete.and_then(|action| match action {
            ForeignKeyAction::Restrict => Some("RESTRICT"),
            ForeignKeyAction::Cascade => Some("CASCADE"),
            ForeignKeyAction::SetNull => Some("SET NULL"),
            ForeignKeyAction::SetDefault => Some("SET DEFAULT"),
            _ => None,
        }),
    })
}

fn kind(of: &ColumnType) -> ColumnKind {
    match of {
        ColumnType::TinyInteger | ColumnType::SmallInteger => ColumnKind::SmallInteger,
        ColumnType::Integer => ColumnKind::Integer,
        ColumnType::BigInteger => ColumnKind::BigInteger,
        ColumnType::Float => ColumnKind::Float,
        ColumnType::Double => ColumnKind::Double,
        ColumnType::Boolean => ColumnKind::Boolean,
        ColumnType::String(_) | ColumnType::Text => ColumnKind::Text,
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => ColumnKind::Bytes,
        ColumnType::Uuid => ColumnKind::Uuid,
        ColumnType::TimestampWithTimeZone => ColumnKind::TimestampTz,
        ColumnType::DateTime | ColumnType::Timestamp => ColumnKind::Timestamp,
        ColumnType::Date => ColumnKind::Date,
        ColumnType::Time => ColumnKind::Time,
        ColumnType::Json => ColumnKind::Json,
        ColumnType::JsonBinary => ColumnKind::JsonBinary,
        other => ColumnKind::Other(format!("{other:?}")),
    }
}

/// Returns a default that is a constant.
fn literal(default: &Expr) -> Option<String> {
    let (Expr::Value(value) | Expr::Constant(value)) = default else {
        return None;
    };
    Some(match value {
        Value::Bool(Some(value)) => value.to_string(),
        Value::TinyInt(Some(value)) => value.to_string(),
        Value::SmallInt(Some(value)) => value.to_string(),
        Value::Int(Some(value)) => value.to_string(),
        Value::BigInt(Some(value)) => value.to_string(),
        Value::Float(Some(value)) => value.to_string(),
        Value::Double(Some(value)) => value.to_string(),
        Value::String(Some(text)) => super::sql::quoted(text),
        _ => return None,
    })
}
