//! What a ticket is and what may happen to it.
//!
//! | part | holds |
//! | --- | --- |
//! | `ticket` | the ticket, its states and the moves between them |
//! | `comment` | what is said about a ticket |
//! | `viewer` | whose tickets somebody can see |
//! | `query` | what a list of tickets can be asked for |
//! | `stats` | how many there are of which kind |
//! | `problems` | what can go wrong, as the client is told |
//! | `ports` | what the domain needs: a repository and a place for events |
//! | `service` | everything one can do with tickets |
//!
//! Nothing here knows the web or a database.

mod comment;
#[cfg(test)]
pub(crate) mod memory;
mod ports;
mod problems;
mod query;
mod service;
mod stats;
mod ticket;
mod viewer;

pub use comment::{Comment, CommentId, NewComment};
pub use ports::{TicketEvent, TicketEvents, TicketRepository};
pub use problems::{
    AddComment, AgentsOnly, AssignTicket, EditConflict, EditTicket, FindTicket, InvalidTransition,
    MoveTicket, StaleTicket, TicketNotFound,
};
pub use query::{AssigneeFilter, Sort, TicketFilter};
pub use service::Tickets;
pub use stats::{PriorityCounts, Stats, StatusCounts};
pub use ticket::{Action, Draft, Edit, Person, Priority, Status, Tag, Ticket, TicketId};
pub use viewer::Viewer;

#[cfg(test)]
mod tests;
