//! What the bare contestants share: the rows, the rules of a body, and the four cases with a
//! database, as an expert writes them by hand with the plain drivers.
//!
//! [`Database`] is the door. It answers each case on PostgreSQL or on SQLite with the same
//! statements.

mod bodies;
mod database;
mod postgres;
mod rows;
mod sql;
mod sqlite;

pub use bodies::{Echo, NewTicket, Violation, Violations};
pub use database::{Database, Failure};
pub use rows::{Assignee, Created, Item, Page, Ticket};
