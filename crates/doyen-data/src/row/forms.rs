//! The check of rows that SeaORM converts, on SQLite.

use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait, IdenStatic as _, Iterable as _, QueryResult};

use super::stored_value::StoredValue;
use super::{sqlite, unreadable};

type Check = fn(StoredValue<'_>) -> Result<(), String>;

/// Returns an error if a row of an entity holds a value in another form than the one in which it is
/// stored. SeaORM would read it, but a comparison with it is wrong.
pub(crate) fn check_forms<E: EntityTrait>(rows: &[QueryResult]) -> Result<(), DbErr> {
    use sqlx::{Column as _, Row as _};
    let Some(first) = rows.first().and_then(QueryResult::try_as_sqlite_row) else {
        return Ok(());
    };
    for column in E::Column::iter() {
        let name = column.as_str();
        let found = first
            .columns()
            .iter()
            .position(|found| found.name() == name);
        let (Some(index), Some(check)) = (found, check_of(column.def().get_column_type())) else {
            continue;
        };
        for row in rows.iter().filter_map(QueryResult::try_as_sqlite_row) {
            let value = sqlite::pooled_value(row, index)
                .map_err(|error| unreadable(name, &error.to_string()))?;
            if !matches!(value, StoredValue::Null) {
                check(value).map_err(|error| unreadable(name, &error))?;
            }
        }
    }
    Ok(())
}

/// Returns the check of a type that has several forms.
fn check_of(of: &ColumnType) -> Option<Check> {
    Some(match of {
        ColumnType::Boolean => |value| sqlite::bool(value).map(drop),
        ColumnType::Uuid => |value| sqlite::uuid(value).map(drop),
        ColumnType::Date => |value| sqlite::date(value).map(drop),
        ColumnType::Time => |value| sqlite::time(value).map(drop),
        ColumnType::DateTime => |value| sqlite::date_time(value).map(drop),
        ColumnType::TimestampWithTimeZone => |value| sqlite::utc(value).map(drop),
        _ => return None,
    })
}
