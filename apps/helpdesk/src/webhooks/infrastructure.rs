//! Storage of webhooks, and their delivery over HTTP.
//!
//! | module | contents |
//! | --- | --- |
//! | `rows`, `store` | the tables |
//! | `secrets` | secrets, encrypted in the database |
//! | `send` | one attempt |
//! | `jobs` | the queue of attempts |
//! | `shapes` | the data of events in the shapes of older versions of the API |
//! | `fan_out` | from an event of a ticket to its deliveries |

mod fan_out;
mod jobs;
pub(super) mod rows;
mod secrets;
mod send;
mod shapes;
mod store;

pub(super) use fan_out::fan_out;
pub(super) use jobs::{Deliver, JobDeliveries, Sweep};
pub(super) use secrets::{NewSecrets, WebhookKey};
pub(super) use send::{GuardedAddresses, Receivers};
pub(super) use shapes::VersionedShapes;
pub(super) use store::SqlWebhooks;
