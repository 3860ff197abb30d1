//! The table that an entity declares: what a migration creates, and what the database should have.
//!
//! It names no database. `doyen-data` fills it from an entity, compares it with a database, and
//! writes the SQL of a difference.

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Name.
    pub name: String,
    /// Columns, in the order of the fields.
    pub columns: Vec<Column>,
    /// Columns of the primary key.
    pub primary_key: Vec<String>,
    /// Indexes, also those of unique columns, without that of the primary key.
    pub indexes: Vec<Index>,
    /// References to other tables.
    pub references: Vec<Reference>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type.
    pub kind: ColumnKind,
    /// True if it can be NULL.
    pub is_nullable: bool,
    /// The default, as an SQL literal.
    pub default: Option<String>,
    /// True if the database assigns the value: the number of a new row.
    pub is_auto_increment: bool,
}

/// The type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// `i8`, `i16`
    SmallInteger,
    /// `i32`
    Integer,
    /// `i64`
    BigInteger,
    /// `f32`
    Float,
    /// `f64`
    Double,
    /// `bool`
    Boolean,
    /// `String`
    Text,
    /// `Vec<u8>`
    Bytes,
    /// `Uuid`, an id
    Uuid,
    /// A time in UTC
    TimestampTz,
    /// A date and a time without a zone
    Timestamp,
    /// A date
    Date,
    /// A time of day
    Time,
    /// JSON
    Json,
    /// JSON, binary on PostgreSQL
    JsonBinary,
    /// A type that is not compared: its name in the entity.
    Other(String),
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Name for a new index. An index with other columns never counts as this one.
    pub name: String,
    /// Columns, in order.
    pub columns: Vec<String>,
    /// True if no two rows have the same values.
    pub is_unique: bool,
}

/// A reference of a column to a column of another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The column.
    pub column: String,
    /// The other table.
    pub table: String,
    /// The column of the other table.
    pub key: String,
    /// What happens to the row if the other one is deleted: `CASCADE`, `SET NULL`. The database
    /// refuses the deletion if nothing is said.
    pub on_delete: Option<&'static str>,
}

/// An entity that knows its table. `#[derive(Entity)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not know its table",
    label = "no table",
    note = "add `#[derive(Entity)]` to the model of the entity, and name the type `Entity` of its module"
)]
pub trait HasTable {
    /// Returns the table.
    fn table() -> Table;
}

impl Table {
    /// Returns a column.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Adds what another entity of the same table declares.
    pub fn merge(&mut self, other: Self) {
        for column in other.columns {
            if self.column(&column.name).is_none() {
                self.columns.push(column);
            }
        }
        for index in other.indexes {
            let same = |known: &Index| {
                known.columns == index.columns && known.is_unique == index.is_unique
            };
            if !self.indexes.iter().any(same) {
                self.indexes.push(index);
            }
        }
        for reference in other.references {
            if !self.references.contains(&reference) {
                self.references.push(reference);
            }
        }
    }
}
