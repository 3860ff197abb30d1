//! Finds SQL migrations that block or break an application that runs.
//!
//! [`lint`] reads the files of [`Migration`](doyen_data::Migration)s and returns [`Finding`]s. Each
//! has a stable [`Code`], says what the statement locks or breaks, and names the safe rewrite. It
//! needs no database.
//!
//! | file | contents |
//! | --- | --- |
//! | `code` | all codes with their texts |
//! | `change` | what a statement changes, read from its tokens |
//! | `known` | the tables that exist before a statement, and those that the migration makes |
//! | `rules` | the rules for SQLite, for PostgreSQL, and for both |
//! | `allow` | the comments that permit a finding, with a reason |
//!
//! A statement on a table that the same file makes is safe: no running code uses the table, and it
//! has no rows. With [`Scope::Run`] this holds for the tables of all files that are applied
//! together, so that the creation of a database has no findings.
//!
//! The rules for PostgreSQL are those of Squawk and a few of our own. They need the Cargo feature
//! `postgres`; without it, files for PostgreSQL are not linted.
//!
//! It does not know the number of rows, and not which statements the running code has: it assumes
//! large tables that are in use.

mod allow;
mod change;
mod code;
mod file;
mod finding;
mod known;
mod lint;
mod rules;

pub use code::{Code, Databases};
pub use file::File;
pub use finding::Finding;
pub use lint::{Scope, lint};
