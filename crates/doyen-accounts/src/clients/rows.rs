//! The table `auth_clients`.

use doyen_core::Id;
use doyen_core::id::Named;

/// A machine client: what its id is named after.
#[derive(Debug)]
pub(crate) struct MachineClient;

impl Named for MachineClient {
    const PREFIX: &'static str = "cli";
}

/// The id of a machine client, `cli_...`: the `client_id`.
pub(crate) type ClientId = Id<MachineClient>;

pub(crate) use table::{ActiveModel, Column, Entity, Model};

#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
mod table {
    use doyen_data::Entity;
    use doyen_data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "auth_clients")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        pub scopes: String,
        pub secret_hash: Vec<u8>,
        pub generation: i32,
        pub created_at: DateTimeUtc,
        pub created_by: String,
        pub secret_at: DateTimeUtc,
        pub last_used_at: Option<DateTimeUtc>,
        pub revoked_at: Option<DateTimeUtc>,
    }
}
