//! A value as SQLite stores it.

/// One of the five kinds of values of SQLite.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub enum StoredValue<'r> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'r [u8]),
    Blob(&'r [u8]),
}

#[cfg(feature = "sqlite-fast-reads")]
impl<'r> From<rusqlite::types::ValueRef<'r>> for StoredValue<'r> {
    fn from(value: rusqlite::types::ValueRef<'r>) -> Self {
        use rusqlite::types::ValueRef;
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => Self::Text(text),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
        }
    }
}
