//! The tables, views and indexes that a migration makes itself.

use std::collections::HashSet;

use crate::change::{Action, Change, Kind};

/// Names of what was made since the linter began.
#[derive(Debug, Default)]
pub(crate) struct Made(HashSet<String>);

impl Made {
    /// Returns true if the statement touches only what was made before it.
    pub(crate) fn has_all_of(&self, change: &Change) -> bool {
        let subjects = change.subjects();
        !subjects.is_empty() && subjects.iter().all(|subject| self.0.contains(*subject))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Adds what the statement makes.
    pub(crate) fn add(&mut self, change: &Change) {
        match change {
            Change::Create { name, .. } => {
                self.0.insert(name.clone());
            }
            // A name without rows behind it: the index of an existing table is not new.
            Change::CreateIndex { name, table, .. } if self.0.contains(table) => {
                self.0.extend(name.clone());
            }
            Change::Alter {
                kind: Kind::Table,
                name,
                actions,
            } if self.0.contains(name) => {
                for action in actions {
                    if let Action::RenameTo(new) = action {
                        self.0.insert(new.clone());
                    }
                }
            }
            _ => {}
        }
    }
}
