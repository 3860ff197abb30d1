//! The prepared statements of a connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use doyen_core::sync;

use sea_orm::Value;
use tokio::sync::OnceCell;
use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use super::super::values::type_of;

/// Maximum number of prepared texts. A program has fewer; one that writes values into its texts
/// must not fill the memory of the server.
const MAX_TEXTS: usize = 512;

/// Maximum number of combinations of value types for one text.
const MAX_TYPE_VARIANTS: usize = 8;

/// Prepared statements by text and types of values.
#[derive(Default)]
pub(super) struct PreparedStatements(Mutex<HashMap<Box<str>, Vec<Prepared>>>);

/// A text that is prepared once for these types, at its first use.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) types: Arc<[Type]>,
    pub(super) statement: Arc<OnceCell<Statement>>,
}

impl PreparedStatements {
    /// Returns the entry for these values, or `None` if one of them has a type that only sqlx
    /// sends.
    pub(super) fn entry(&self, sql: &str, values: &[Value]) -> Option<Prepared> {
        let mut texts = self.texts();
        let known = texts
            .get(sql)
            .and_then(|variants| variants.iter().find(|one| matches(&one.types, values)));
        if let Some(known) = known {
            return Some(known.clone());
        }
        let prepared = Prepared {
            types: values.iter().map(type_of).collect::<Option<_>>()?,
            statement: Arc::default(),
        };
        if texts.len() >= MAX_TEXTS {
            texts.clear();
        }
        let variants = texts.entry(sql.into()).or_default();
        variants.truncate(MAX_TYPE_VARIANTS - 1);
        variants.push(prepared.clone());
        Some(prepared)
    }

    /// Removes a text, so that its next use prepares it again.
    pub(super) fn remove(&self, sql: &str) {
        self.texts().remove(sql);
    }

    fn texts(&self) -> MutexGuard<'_, HashMap<Box<str>, Vec<Prepared>>> {
        sync::lock(&self.0)
    }
}

fn matches(types: &[Type], values: &[Value]) -> bool {
    types.len() == values.len()
        && types
            .iter()
            .zip(values)
            .all(|(ty, value)| type_of(value).is_some_and(|of| of == *ty))
}
