//! Shared by the tools and the tests of the repository.
//!
//! | module | contents |
//! | --- | --- |
//! | `certificates` | certificates for one test, with the feature of this name |
//! | [`Failure`] | the one error type: a message with its causes |
//! | [`http`] | a blocking HTTP/1.1 client that sends any bytes |
//! | [`process`] | running cargo and other programs |
//! | [`setup`] | finding or installing PostgreSQL, Python and Debian packages |
//! | [`workspace`] | the root of the repository, the target directory, the members |
//!
//! These tools are never published and no application depends on them.

#![allow(clippy::print_stdout)] // Command-line tools report their progress.

#[cfg(feature = "certificates")]
pub mod certificates;
mod failure;
pub mod http;
pub mod process;
pub mod setup;
pub mod workspace;

pub use failure::{Context, Failure, Result};
