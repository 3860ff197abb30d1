//! A struct that is read from the row of a driver, column by column.
//!
//! SeaORM looks up each field of each row by name, through a box and several conversions. Here a
//! struct reads its columns in the order of its fields, which is nearly always the order of the
//! statement: one comparison of names for each value.

mod cell;
#[cfg(feature = "sqlite")]
mod forms;
#[cfg(feature = "postgres-fast-reads")]
mod postgres;
#[cfg(feature = "postgres")]
mod readable_time;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod stored_value;

use std::fmt::Display;

use sea_orm::{ActiveEnum, DbErr, QueryResult};

pub use cell::Cell;
#[cfg(feature = "sqlite")]
pub(crate) use forms::check_forms;
#[cfg(feature = "postgres")]
pub(crate) use readable_time::{UNREADABLE_TIME, is_readable_time};
#[cfg(all(feature = "sqlite", feature = "decimal"))]
pub(crate) use stored_value::StoredValue;

/// A struct that is read from a row: each field from the column of its name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a row",
    label = "no `Row`",
    note = "add `#[derive(Row)]` to the struct or to the model of the entity"
)]
pub trait Row: Sized + Send + 'static {
    /// Reads the columns in the order of the fields.
    #[doc(hidden)]
    fn read(cells: &mut Cells<'_>) -> Result<Self, DbErr>;
}

/// The columns of one row.
#[doc(hidden)]
pub struct Cells<'r> {
    source: Source<'r>,
    next: usize,
}

enum Source<'r> {
    SeaOrm(&'r QueryResult),
    #[cfg(feature = "postgres-fast-reads")]
    Postgres(&'r tokio_postgres::Row),
    #[cfg(feature = "sqlite-fast-reads")]
    Sqlite(&'r rusqlite::Row<'r>, &'r [Box<str>]),
    /// A row that was read over sqlx.
    #[cfg(feature = "sqlite")]
    Sqlx(&'r sqlx::sqlite::SqliteRow),
}

/// Reads a row of the pool. On SQLite, sqlx accepts values in more forms than the one that is found
/// again, so its conversions are not used.
pub(crate) fn read_pooled<T: Row>(row: &QueryResult) -> Result<T, DbErr> {
    #[cfg(feature = "sqlite")]
    if let Some(row) = row.try_as_sqlite_row() {
        return T::read(&mut Cells::sqlx(row));
    }
    T::read(&mut Cells::sea_orm(row))
}

impl<'r> Cells<'r> {
    pub(crate) const fn sea_orm(row: &'r QueryResult) -> Self {
        Self {
            source: Source::SeaOrm(row),
            next: 0,
        }
    }

    #[cfg(feature = "postgres-fast-reads")]
    pub(crate) fn postgres(row: &'r tokio_postgres::Row) -> Self {
        Self {
            source: Source::Postgres(row),
            next: 0,
        }
    }

    /// The names of the columns of the statement, in order.
    #[cfg(feature = "sqlite-fast-reads")]
    pub(crate) fn sqlite(row: &'r rusqlite::Row<'r>, names: &'r [Box<str>]) -> Self {
        Self {
            source: Source::Sqlite(row, names),
            next: 0,
        }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlx(row: &'r sqlx::sqlite::SqliteRow) -> Self {
        Self {
            source: Source::Sqlx(row),
            next: 0,
        }
    }

    /// Returns the value of this column.
    ///
    /// # Errors
    ///
    /// Returns an error that names the column if it is missing, of another type, or NULL without an
    /// `Option`.
    pub fn get<T: Cell>(&mut self, name: &'static str) -> Result<T, DbErr> {
        let index = self.find(name)?;
        self.next = index + 1;
        match &self.source {
            Source::SeaOrm(row) => row.try_get("", name),
            #[cfg(feature = "postgres-fast-reads")]
            Source::Postgres(row) => {
                T::from_postgres(row, index).map_err(|error| unreadable(name, &error))
            }
            #[cfg(feature = "sqlite-fast-reads")]
            Source::Sqlite(row, _) => {
                let value = row
                    .get_ref(index)
                    .map_err(|error| DbErr::Type(error.to_string()))?;
                T::from_sqlite(value.into()).map_err(|error| unreadable(name, &error))
            }
            #[cfg(feature = "sqlite")]
            Source::Sqlx(row) => {
                let value = sqlite::pooled_value(row, index)
                    .map_err(|error| DbErr::Type(error.to_string()))?;
                T::from_sqlite(value).map_err(|error| unreadable(name, &error))
            }
        }
    }

    /// Returns the value of this column, converted from a type that a column can have.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get) and those of the conversion.
    pub fn convert<C: Cell, T: TryFrom<C, Error: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<T, DbErr> {
        T::try_from(self.get(name)?).map_err(|error| unreadable(name, &error.to_string()))
    }

    /// Like [`convert`](Self::convert), for a nullable column.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn convert_option<C: Cell, T: TryFrom<C, Error: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, DbErr> {
        let value: Option<C> = self.get(name)?;
        value
            .map(|value| T::try_from(value).map_err(|error| unreadable(name, &error.to_string())))
            .transpose()
    }

    /// Returns the value of this column as a SeaORM enum.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get), and an error for a value that the enum does not
    /// have.
    pub fn active_enum<T: ActiveEnum<Value: Cell>>(
        &mut self,
        name: &'static str,
    ) -> Result<T, DbErr> {
        T::try_from_value(&self.get(name)?)
    }

    /// Like [`active_enum`](Self::active_enum), for a nullable column.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn active_enum_option<T: ActiveEnum<Value: Cell>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, DbErr> {
        let value: Option<T::Value> = self.get(name)?;
        value.map(|value| T::try_from_value(&value)).transpose()
    }

    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres-fast-reads")),
        expect(unused_variables, reason = "SeaORM finds the column itself")
    )]
    fn find(&self, name: &str) -> Result<usize, DbErr> {
        match &self.source {
            // SeaORM finds the column itself.
            Source::SeaOrm(_) => Ok(0),
            #[cfg(feature = "postgres-fast-reads")]
            Source::Postgres(row) => {
                let names = row.columns().iter().map(tokio_postgres::Column::name);
                position(names, self.next, name).ok_or_else(|| missing("the result", name))
            }
            #[cfg(feature = "sqlite-fast-reads")]
            Source::Sqlite(_, names) => {
                let names = names.iter().map(|name| &**name);
                position(names, self.next, name).ok_or_else(|| missing("the result", name))
            }
            #[cfg(feature = "sqlite")]
            Source::Sqlx(row) => {
                use sqlx::{Column as _, Row as _};
                let names = row.columns().iter().map(sqlx::sqlite::SqliteColumn::name);
                position(names, self.next, name)
                    .ok_or_else(|| missing("the result of the pool", name))
            }
        }
    }
}

/// Returns the position of a column. Nearly always it is the next one.
#[cfg(any(feature = "sqlite", feature = "postgres-fast-reads"))]
fn position<'n>(
    mut names: impl Iterator<Item = &'n str> + Clone,
    next: usize,
    name: &str,
) -> Option<usize> {
    if names.clone().nth(next) == Some(name) {
        return Some(next);
    }
    names.position(|found| found == name)
}

#[cfg(any(feature = "sqlite", feature = "postgres-fast-reads"))]
#[cold]
fn missing(result: &str, name: &str) -> DbErr {
    DbErr::Type(format!("{result} has no column `{name}`"))
}

#[cold]
fn unreadable(name: &str, why: &str) -> DbErr {
    DbErr::Type(format!("the column `{name}` cannot be read: {why}"))
}
