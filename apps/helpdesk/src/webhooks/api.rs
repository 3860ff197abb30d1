//! The HTTP interface of webhooks.

pub(super) mod deliveries;
pub(super) mod messages;
mod shapes;
mod view;
pub(super) mod webhooks;
