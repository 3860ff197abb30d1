//! Caches the column names of prepared statements. Reading them each time would cost a tenth of a
//! lookup by key.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use rusqlite::{Statement, StatementStatus};

use super::connection::STATEMENT_CACHE_CAPACITY;

#[derive(Default)]
pub(super) struct ColumnNames(RefCell<HashMap<Box<str>, Known, BuildHasherDefault<Quick>>>);

/// A hash of eight bytes at a time. Collisions are harmless: there are few texts, and each is
/// compared.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.mix((*byte).into());
        }
    }

    fn finish(&self) -> u64 {
        // The hash table uses the highest and the lowest bits.
        self.0 ^ (self.0 >> 32)
    }
}

impl Quick {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

struct Known {
    names: Arc<[Box<str>]>,
    /// How often SQLite had prepared the statement. It does so again after a change of the schema.
    prepared: i32,
}

impl ColumnNames {
    /// Call it before a run: removes the names of a statement that SQLite has dropped since.
    pub(super) fn prepare(&self, sql: &str, statement: &Statement<'_>) {
        if statement.get_status(StatementStatus::Run) == 0 {
            self.0.borrow_mut().remove(sql);
        }
    }

    /// Returns the names. Call it after the first row, whose step may prepare the statement again.
    pub(super) fn get(
        &self,
        sql: &str,
        statement: &Statement<'_>,
    ) -> rusqlite::Result<Arc<[Box<str>]>> {
        let prepared = statement.get_status(StatementStatus::RePrepare);
        let mut known = self.0.borrow_mut();
        if let Some(known) = known.get(sql)
            && known.prepared == prepared
        {
            return Ok(Arc::clone(&known.names));
        }
        let names: Arc<[Box<str>]> = (0..statement.column_count())
            .map(|index| statement.column_name(index).map(Box::from))
            .collect::<Result<_, _>>()?;
        if known.len() >= 2 * STATEMENT_CACHE_CAPACITY {
            known.clear();
        }
        let fresh = Known {
            names: Arc::clone(&names),
            prepared,
        };
        known.insert(sql.into(), fresh);
        Ok(names)
    }
}
