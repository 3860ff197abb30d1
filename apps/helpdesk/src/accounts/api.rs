//! The HTTP interface of accounts.

pub(super) mod auth;
pub(super) mod me;
mod shapes;
pub(super) mod users;
