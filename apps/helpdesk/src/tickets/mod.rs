//! Tickets: what customers want solved, what agents do about it, and what both say meanwhile.
//!
//! What this domain does not do: it keeps no users. It joins their names to its rows and asks who is an agent; everything else about people is
//! the business of [`accounts`](crate::accounts).

mod api;
pub mod domain;
mod infrastructure;
mod seed;

use doyen::prelude::*;

use domain::{TicketEvents, TicketRepository};

pub(crate) use seed::seed;

/// Tickets, their comments, and how many there are.
pub fn module() -> Module {
    Module::new("tickets")
        .describe("Tickets, what is said about them, and how many there are.")
        .routes(
            routes![
                api::tickets::create,
                api::tickets::list,
                api::tickets::show,
                api::tickets::edit,
                api::tickets::remove
            ]
            .at("/v1/tickets"),
        )
        .routes(
            routes![
                api::actions::assign,
                api::actions::solve,
                api::actions::close,
                api::actions::reopen
            ]
            .at("/v1/tickets"),
        )
        .routes(routes![api::comments::add_comment, api::comments::list_comments].at("/v1/tickets"))
        .routes(routes![api::stats::stats].at("/v1/stats"))
        .bind::<dyn TicketRepository, infrastructure::SqlTickets>()
        .bind::<dyn TicketEvents, infrastructure::OutboxEvents>()
}
