//! Background jobs of users: their status, and cancellation.
//!
//! The work itself belongs to the domain that starts it, such as the import of tickets.

mod api;

use doyen::prelude::*;

pub(crate) use api::{cancel, show};

/// The module with the jobs of users.
pub fn module() -> Module {
    Module::new("jobs")
        .describe("Background jobs: their status, and cancellation.")
        .routes(routes![api::show, api::cancel].at("/v1/jobs"))
}
