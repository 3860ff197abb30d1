//! The types a column can be read as.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use uuid::Uuid;

#[cfg(feature = "sqlite")]
use super::stored_value::StoredValue;

/// A value of one column. Other types are converted from one of these: `#[row(try_from =
/// "String")]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a column",
    label = "not a type of a column",
    note = "read it as a type that is: `#[row(try_from = \"String\")]` on the field uses `TryFrom<String>`"
)]
pub trait Cell: sea_orm::TryGetable {
    /// Reads it from PostgreSQL. The error does not name the column.
    #[cfg(feature = "postgres-fast-reads")]
    #[doc(hidden)]
    fn from_postgres(row: &tokio_postgres::Row, index: usize) -> Result<Self, String>;

    /// Reads it from SQLite. The error does not name the column.
    #[cfg(feature = "sqlite")]
    #[doc(hidden)]
    fn from_sqlite(value: StoredValue<'_>) -> Result<Self, String>;
}

macro_rules! cells {
    ($($type:ty: $name:ident),* $(,)?) => {
        $(
            #[diagnostic::do_not_recommend]
            impl Cell for $type {
                #[cfg(feature = "postgres-fast-reads")]
                fn from_postgres(row: &tokio_postgres::Row, index: usize) -> Result<Self, String> {
                    super::postgres::$name(row, index)
                }

                #[cfg(feature = "sqlite")]
                fn from_sqlite(value: StoredValue<'_>) -> Result<Self, String> {
                    super::sqlite::$name(value)
                }
            }
        )*
    };
}

cells! {
    bool: bool,
    i16: i16,
    i32: i32,
    i64: i64,
    f32: f32,
    f64: f64,
    String: string,
    Vec<u8>: bytes,
    Uuid: uuid,
    DateTime<Utc>: utc,
    DateTime<FixedOffset>: fixed_offset,
    NaiveDateTime: date_time,
    NaiveDate: date,
    NaiveTime: time,
    serde_json::Value: json,
}

impl<T: Cell> Cell for Option<T> {
    #[cfg(feature = "postgres-fast-reads")]
    fn from_postgres(row: &tokio_postgres::Row, index: usize) -> Result<Self, String> {
        if super::postgres::is_null(row, index) {
            Ok(None)
        } else {
            T::from_postgres(row, index).map(Some)
        }
    }

    #[cfg(feature = "sqlite")]
    fn from_sqlite(value: StoredValue<'_>) -> Result<Self, String> {
        match value {
            StoredValue::Null => Ok(None),
            value => T::from_sqlite(value).map(Some),
        }
    }
}
