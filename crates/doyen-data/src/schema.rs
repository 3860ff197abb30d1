//! The schema of a database, next to the tables that the entities declare.
//!
//! | step | file |
//! | --- | --- |
//! | the table of an entity | `entity.rs` |
//! | the tables of a database, read from its catalog | `found.rs`, `sqlite.rs`, `postgres.rs` |
//! | what differs | `difference.rs` |
//! | the names that migrations mention | `mentioned.rs` |
//! | the SQL of migrations | `plan.rs`, `sql.rs` |
//! | a database to apply migrations to | `scratch.rs` |
//!
//! Compared are tables, columns with type and nullability, the primary key, declared indexes and
//! declared references. Defaults, CHECK constraints, triggers, views and references that no entity
//! declares are not. For the reasons see `docs/decisions/0036-migrations-from-entities.md`.

mod difference;
mod entity;
mod found;
mod mentioned;
mod plan;
mod postgres;
mod scratch;
mod sql;
mod sqlite;
mod types;

pub use difference::{Change, Difference, differences};
pub use entity::entity_table;
pub(crate) use found::read;
pub use found::{FoundColumn, FoundIndex, FoundReference, FoundTable};
pub(crate) use mentioned::Mentioned;
pub use plan::{Answers, Draft, Phase, Plan, plan};
pub use scratch::Scratch;
