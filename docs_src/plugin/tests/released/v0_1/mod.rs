//! The plugin of the guide as it was with Doyen 0.1. Do not change these files: a later version
//! that does not compile them breaks the plugins of users.

mod api;
mod plugin;
mod registry;

pub use plugin::Nodes;
pub use registry::{Node, Registry};
