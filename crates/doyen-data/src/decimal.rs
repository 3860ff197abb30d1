//! A column with an exact decimal.

use std::fmt;
use std::str::FromStr;

use doyen_core::Decimal;
use sea_orm::DeriveValueType;

use crate::Cell;

/// An exact decimal in a `text` column of either database.
///
/// SQLite has no exact decimals: a column of the type `numeric` holds doubles. The stored form is
/// the shortest one, `12.5`, so that equal numbers are equal text, in a filter and in a unique
/// index. Text does not sort by value: for a sorted list or a sum in SQL, store a whole number of
/// the smallest unit instead, such as cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
#[sea_orm(value_type = "String")]
pub struct StoredDecimal(pub Decimal);

impl From<Decimal> for StoredDecimal {
    fn from(number: Decimal) -> Self {
        Self(number)
    }
}

impl From<StoredDecimal> for Decimal {
    fn from(stored: StoredDecimal) -> Self {
        stored.0
    }
}

impl fmt::Display for StoredDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

/// The text is not a decimal in its stored form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotStored;

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not a decimal stored as `12.5`")
    }
}

impl std::error::Error for NotStored {}

impl FromStr for StoredDecimal {
    type Err = NotStored;

    fn from_str(text: &str) -> Result<Self, NotStored> {
        let stored = Decimal::from_str_exact(text).map(Self);
        let stored = stored.map_err(|_| NotStored)?;
        // Another form of the number would not be found by a filter.
        if stored.to_string() == text {
            Ok(stored)
        } else {
            Err(NotStored)
        }
    }
}

impl Cell for StoredDecimal {
    #[cfg(feature = "postgres-fast-reads")]
    fn from_postgres(row: &tokio_postgres::Row, index: usize) -> Result<Self, String> {
        let text = String::from_postgres(row, index)?;
        text.parse().map_err(|error: NotStored| error.to_string())
    }

    #[cfg(feature = "sqlite")]
    fn from_sqlite(value: crate::row::StoredValue<'_>) -> Result<Self, String> {
        let text = String::from_sqlite(value)?;
        text.parse().map_err(|error: NotStored| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_equal_text() {
        for (given, stored) in [
            ("12.50", "12.5"),
            ("1e3", "1000"),
            ("-0.0", "0"),
            ("100", "100"),
        ] {
            let number = Decimal::from_scientific(given)
                .or_else(|_| given.parse())
                .unwrap();
            assert_eq!(StoredDecimal(number).to_string(), stored);
            assert_eq!(stored.parse(), Ok(StoredDecimal(number)));
        }
        for odd in ["12.50", "1e3", "", "x", "+1", "1_0", "0.10"] {
            assert_eq!(odd.parse::<StoredDecimal>(), Err(NotStored), "{odd}");
        }
    }
}
