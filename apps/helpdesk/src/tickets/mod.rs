//! Tickets, their state machine, comments, attachments, statistics and imports.
//!
//! This domain does not manage users. It only reads their names and whether they are agents;
//! everything else about users belongs to [`accounts`](crate::accounts).

mod api;
pub mod domain;
mod feed;
mod infrastructure;
mod seed;

use doyen::prelude::*;

use domain::{AttachmentRepository, TicketEvents, TicketImports, TicketRepository};
use infrastructure::rows;

pub(crate) use api::attachments::AttachmentPolicy;
pub(crate) use feed::{SentComment, SentTicket, TicketFeed};
pub(crate) use seed::seed;

/// The tag of cached values that depend on any ticket.
const TICKETS: &str = "tickets";

/// The module with tickets, comments and statistics.
pub fn module() -> Module {
    Module::new("tickets")
        .describe("Tickets, comments, attachments and statistics.")
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
        .routes(routes![api::imports::import].at("/v1/tickets"))
        .routes(routes![api::comments::add_comment, api::comments::list_comments].at("/v1/tickets"))
        .routes(
            routes![api::attachments::attach, api::attachments::list_attachments].at("/v1/tickets"),
        )
        .routes(
            routes![
                api::attachments::show_attachment,
                api::attachments::download,
                api::attachments::remove_attachment
            ]
            .at("/v1/attachments"),
        )
        .routes(routes![api::live::watch].at("/v1/tickets"))
        .routes(routes![api::live::socket].at("/v1"))
        .routes(routes![api::stats::stats].at("/v1/stats"))
        .bind::<dyn TicketRepository, infrastructure::SqlTickets>()
        .bind::<dyn AttachmentRepository, infrastructure::SqlAttachments>()
        .bind::<dyn TicketEvents, infrastructure::OutboxEvents>()
        .bind::<dyn TicketImports, infrastructure::JobImports>()
        .job::<infrastructure::ImportTickets>()
        .entity::<rows::ticket::Entity>()
        .entity::<rows::tag::Entity>()
        .entity::<rows::comment::Entity>()
        .entity::<rows::attachment::Entity>()
}
