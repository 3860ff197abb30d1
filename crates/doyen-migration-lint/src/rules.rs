//! The rules. Each function takes a file and adds findings.

mod common;
#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use doyen_data::sea_orm::DbBackend;

use crate::change::{Action, Change, Kind};
use crate::lint::{Findings, Source};

/// Applies the rules for the database of the file.
pub(crate) fn check(source: &Source<'_>, findings: &mut Findings<'_>) {
    match source.file.backend {
        DbBackend::Sqlite => sqlite::check(source, findings),
        #[cfg(feature = "postgres")]
        _ => postgres::check(source, findings),
        #[cfg(not(feature = "postgres"))]
        _ => return,
    }
    common::check(source, findings);
}

/// Returns true if a later statement creates an object of this kind and name.
fn is_created_after(source: &Source<'_>, index: usize, kind: Kind, name: &str) -> bool {
    source.steps[index..].iter().any(
        |step| matches!(&step.change, Change::Create { kind: of, name: is } if *of == kind && is == name),
    )
}

/// Returns true if a later statement gives this name to a table that the migration has made.
fn is_replaced_after(source: &Source<'_>, index: usize, name: &str) -> bool {
    source.steps[index..].iter().any(|step| match &step.change {
        Change::Alter { actions, .. } => {
            step.is_on_new && actions.contains(&Action::RenameTo(name.to_owned()))
        }
        _ => false,
    })
}
