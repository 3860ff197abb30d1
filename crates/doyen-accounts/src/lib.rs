//! Accounts over HTTP: log in, sessions, keys, second factors, and the log of what happened to them.
//!
//! An application has users of its own, in a table of its own. It says how to find one ([`Users`]) and mounts [`Auth`]; everything that
//! has to do with proving who somebody is then works: routes, tables and settings.
//!
//! | room | holds |
//! | --- | --- |
//! | [`Auth`] | what an application mounts |
//! | [`Users`], [`UserRecord`] | the port to the application's own users |
//! | [`security`] | the security log: what happened to accounts, in the log and in a table |
//!
//! What it does not do: it has no users. Who registers, what a profile holds and which roles there are is the application's own business.

// The macros write `::doyen::__private::...`; inside this crate that is this crate.
extern crate self as doyen;

mod mount;
pub mod security;
mod users;

pub use mount::Auth;
pub use users::{UserRecord, Users};

/// The tables of accounts, on both databases.
pub const TABLES: doyen_data::Migrations = doyen_macros::migrations!("migrations");

/// What the macros write against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::*;
    pub use doyen_data as data;
    /// The part for routes.
    pub mod web {
        pub use doyen_web::__private::*;
    }
}

/// Where `migrations!` finds the types it writes.
#[doc(hidden)]
pub mod data {
    pub use doyen_data::*;
}
