//! The versions of the API. The code knows only the newest; older ones are lists of changes.

use doyen::schema::Schema;
use doyen::web::{FieldStep, Version, VersionChange, Versions};

/// The newest version.
pub(crate) const NEWEST: &str = "2026-11-01";

/// Returns the versions, the newest first.
pub(crate) fn versions() -> Versions {
    Versions::in_header("API-Version", NEWEST)
        .older(
            Version::new("2026-06-01")
                .deprecated("2026-11-01")
                .sunset("2027-11-01")
                .guide("/docs")
                .change(assignee_id()),
        )
        .older(
            Version::new("2026-01-01")
                .deprecated("2026-06-01")
                .sunset("2026-11-01")
                .guide("/docs"),
        )
}

/// A ticket had the id of its assignee.
fn assignee_id() -> VersionChange {
    let user = || Schema::of("string").with("description", "User id of the assignee.");
    VersionChange::new("A ticket has `assignee_id` (a user id or null) instead of `assignee`.")
        .on(
            "Ticket",
            FieldStep::renamed("assignee", "assignee_id")
                .older_schema(user().nullable())
                .down(|mut person| person["id"].take()),
        )
        .on("Assignment", FieldStep::renamed("assignee", "assignee_id"))
}
