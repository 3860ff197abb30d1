//! The names of the columns of each prepared statement: asking SQLite for them at each read would cost a tenth of a look-up by key.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use rusqlite::{Statement, StatementStatus};

use super::connection::STATEMENTS;

#[derive(Default)]
pub(super) struct Names(RefCell<HashMap<Box<str>, Known, BuildHasherDefault<Quick>>>);

/// Eight bytes at a time. Nobody gains by texts that collide: there are few, and each is compared.
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
        // A table looks at the highest bits and at the lowest.
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
    /// How often SQLite had prepared the statement anew by then: it does so when the schema has changed, and names may change with it.
    prepared: i32,
}

impl Names {
    /// To be called before a run: what is known of a statement of this text that was dropped since, is forgotten.
    pub(super) fn prepare(&self, sql: &str, statement: &Statement<'_>) {
        if statement.get_status(StatementStatus::Run) == 0 {
            self.0.borrow_mut().remove(sql);
        }
    }

    /// The names, once the first row is there: the first step may have prepared the statement anew.
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
        if known.len() >= 2 * STATEMENTS {
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
