//! Lists the running processes of an application: an example of a plugin, in a crate of its own.
//!
//! | file | contents |
//! | --- | --- |
//! | `plugin.rs` | the plugin: its settings, and what it registers |
//! | `registry.rs` | the table of nodes |
//! | `api.rs` | the route |
//! | `main.rs` | an application that has the plugin |

mod api;
mod plugin;
mod registry;

pub use plugin::{NodeSettings, Nodes};
pub use registry::{Node, NodeId, Registry};
