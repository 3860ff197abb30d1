//! The HTTP interface of tickets.

pub(super) mod actions;
pub(super) mod attachments;
pub(super) mod comments;
pub(super) mod imports;
pub(super) mod live;
mod shapes;
pub(super) mod stats;
pub(super) mod tickets;
mod view;
