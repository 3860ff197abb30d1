//! The database of an application: one unit of work per request, on SQLite and PostgreSQL.
//!
//! | item | purpose |
//! | --- | --- |
//! | [`Database`], [`DatabaseOptions`] | the connections, created once at startup |
//! | [`Session`] | a unit of work; injected, and used as the connection of SeaORM |
//! | [`Session::page`], [`Order`], [`CursorKey`] | pages with signed cursors |
//! | [`Session::get`], [`Session::query_as`], [`Row`] | typed reads into structs |
//! | [`Session::update_version`] | an update that detects concurrent changes |
//! | [`Entity`] | completes a SeaORM entity |
//! | [`Session::emit`], [`Event`] | events in the same transaction |
//! | [`Session::wake`], [`Database::wakeups`] | waking workers after a commit |
//! | [`Migrator`], [`Migrations`] | schema migrations |
//! | [`schema`] | tables of entities, compared with the database |
//! | [`Violation`], [`classify`] | the meaning of database errors |
//!
//! Entities and queries are those of [SeaORM](sea_orm), re-exported in the version of this crate.

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("doyen needs a database: switch on the feature `sqlite` or `postgres`");

mod advice;
mod background;
pub mod backup;
mod connection;
mod database;
#[cfg(feature = "decimal")]
mod decimal;
mod error;
mod fast_read;
pub mod keyset;
pub mod migrate;
mod open;
mod options;
mod outbox;
mod pool;
mod pool_status;
mod probe;
mod query_stats;
mod row;
pub mod schema;
mod session;
mod statement;
mod transaction_counts;
mod url;
mod version;
mod wake;

pub use sea_orm;

pub use database::Database;
#[cfg(feature = "decimal")]
pub use decimal::{NotStored, StoredDecimal};
pub use doyen_core::Event;
pub use doyen_core::table::HasTable;
/// Completes a SeaORM entity.
///
/// SeaORM requires a `Relation` enum and an `impl ActiveModelBehavior` in the module of each
/// entity. The derive generates both for an entity that has no relations and no hooks. With
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
///
/// It also implements [`HasTable`]. What SeaORM's attributes do not say is said with
/// `#[index(created_at, id)]` and `#[unique(owner, name)]` on the model, and with
/// `#[column(references = "users", on_delete = "cascade")]` on a field.
pub use doyen_macros::Entity;
pub use doyen_macros::Row;
pub use error::{COMMIT_FAILED, ConnectError, UniqueViolation, Violation, classify};
pub use keyset::{CursorKey, Order};
pub use migrate::{Migration, MigrationError, Migrations, Migrator};

pub use doyen_core::table;
pub use options::{DatabaseOptions, Pooler, Synchronous};
pub use outbox::{EVENT_LOG_CHANNEL, EVENTS_CHANNEL, MAX_EVENT_BYTES};
pub use pool_status::PoolStatus;
pub use query_stats::{Fingerprint, QueryStats};
pub use row::{Cell, Cells, Row};
pub use schema::entity_table;
pub use session::{Savepoint, Session};
pub use statement::statement_shape;
pub use transaction_counts::TransactionCounts;
pub use version::UpdateError;
pub use wake::{MAX_NOTE_BYTES, Notes, Wakeups};

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::{Event, EventData, serde, serde_json, unknown_topic};
    pub mod data {
        pub use crate::{Cells, Migration, Migrations, Row, entity_table, sea_orm, table};
    }

    /// For a program under an instruction counter: the count must not depend on the speed of the
    /// machine.
    #[cfg(feature = "sqlite-fast-reads")]
    pub fn ignore_read_times() {
        crate::fast_read::ignore_times();
    }
}
