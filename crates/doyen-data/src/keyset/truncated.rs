//! Keys that are too long for a cursor.
//!
//! Of such a key, the cursor holds a hash and the beginning. The row is looked up by its other
//! keys, of which the last is unique, and the hash tells whether it still has the key. If the row
//! is gone or has another key, the position is unknown: the beginning alone does not give it,
//! because a database may sort texts by the rules of a language.

use doyen_core::{INVALID_CURSOR, Unexpected};
use sea_orm::sea_query::{Expr, ExprTrait as _, Func};
use sea_orm::{ColumnTrait, EntityTrait, ModelTrait as _, QueryFilter as _, Value};

use super::List;
use super::cursor::{Cursor, hash};

/// Maximum number of rows that are compared. There is one, unless the unique key itself is long.
const MAX_CANDIDATES: u64 = 1_000;

impl<C: ColumnTrait> List<'_, C> {
    /// Returns the cursor with all keys whole.
    pub(super) async fn complete<E: EntityTrait<Column = C>>(
        &self,
        mut cursor: Cursor,
    ) -> Result<Cursor, Unexpected>
    where
        E::Model: Sync,
    {
        if cursor.truncated.is_empty() {
            return Ok(cursor);
        }
        let is_truncated = |index: usize| cursor.truncated.iter().any(|(at, _)| *at == index);
        let mut select = E::find();
        for (index, ((column, _), value)) in self.order.iter().zip(&cursor.keys).enumerate() {
            select = select.filter(if is_truncated(index) {
                let beginning = Func::cust("substr")
                    .arg(column.into_expr())
                    .arg(1)
                    .arg(length(value));
                Expr::expr(beginning).eq(value.clone())
            } else {
                column.eq(value.clone())
            });
        }
        for row in self.fetch(select, MAX_CANDIDATES, 0).await? {
            let keys: Vec<Value> = self
                .order
                .iter()
                .map(|(column, _)| row.get(*column))
                .collect();
            if cursor
                .truncated
                .iter()
                .all(|(index, known)| hash(&keys[*index]) == *known)
            {
                for (index, _) in std::mem::take(&mut cursor.truncated) {
                    cursor.keys[index] = keys[index].clone();
                }
                return Ok(cursor);
            }
        }
        let why = "the row of the cursor was deleted or changed";
        Err(Unexpected::known(&INVALID_CURSOR, why))
    }
}

/// Returns the length of a text in characters, and of bytes in bytes, as `substr` counts.
fn length(value: &Value) -> i32 {
    let length = match value {
        Value::String(Some(text)) => text.chars().count(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 0,
    };
    i32::try_from(length).unwrap_or(i32::MAX)
}
