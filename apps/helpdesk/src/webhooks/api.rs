//! The HTTP interface of webhooks.

pub(super) mod deliveries;
mod shapes;
mod view;
pub(super) mod webhooks;
