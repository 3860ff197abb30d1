//! The database of an application: one unit of work per request, on SQLite and PostgreSQL alike.
//!
//! | word | is |
//! | --- | --- |
//! | [`Database`], [`DatabaseOptions`] | the connections; made once, at start |
//! | [`Session`] | one unit of work; injected, given to SeaORM wherever it wants a connection |
//! | [`Session::page`], [`Order`], [`CursorKey`] | pages with signed cursors |
//! | [`Session::get`], [`Session::query_as`], [`Row`] | reads straight into structs |
//! | [`Session::update_version`] | an update that notices somebody else's |
//! | [`Entity`] | completes a SeaORM entity |
//! | [`Session::emit`], [`Event`] | events in the same transaction |
//! | [`Migrator`], [`Migrations`] | the schema, step by step |
//! | [`Violation`], [`classify`] | what an error of the database means |
//!
//! Entities and queries are [SeaORM](sea_orm)'s, re-exported here in the version this crate works with.

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("doyen needs a database: switch on the feature `sqlite` or `postgres`");

mod database;
mod error;
pub mod keyset;
mod link;
pub mod migrate;
mod open;
mod options;
mod outbox;
mod pool;
mod read;
mod row;
mod session;
mod statement;
mod statistics;
mod version;

pub use sea_orm;

pub use database::{Database, PoolStatus};
pub use doyen_core::Event;
/// Completes a SeaORM entity.
///
/// SeaORM requires a `Relation` enum and an `impl ActiveModelBehavior` in the module of each entity.
/// The derive generates both for an entity that has no relations and no hooks. With
/// `#[sea_orm::model]`, which generates the enum from the relations, it adds the `impl`.
///
/// ```
/// # extern crate doyen_data as doyen;
/// mod order {
///     use doyen_data::Entity;
///     use doyen_data::sea_orm::{self, entity::prelude::*};
///
///     #[derive(Clone, Debug, DeriveEntityModel, Entity)]
///     #[sea_orm(table_name = "orders")]
///     pub struct Model {
///         #[sea_orm(primary_key)]
///         pub id: i64,
///     }
/// }
/// # let _ = order::Entity;
/// ```
pub use doyen_macros::Entity;
pub use doyen_macros::Row;
pub use error::{COMMIT_FAILED, ConnectError, UniqueViolation, Violation, classify};
pub use keyset::{CursorKey, Order};
pub use migrate::{Migration, MigrationError, Migrations, Migrator};
pub use options::{DatabaseOptions, Synchronous};
pub use row::{Cell, Cells, Row};
pub use session::{Savepoint, Session};
pub use statistics::{Fingerprint, Statistics};
pub use version::UpdateError;

/// What the macros write against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::{Event, serde};
    pub mod data {
        pub use crate::{Cells, Migration, Migrations, Row, sea_orm};
    }
}
