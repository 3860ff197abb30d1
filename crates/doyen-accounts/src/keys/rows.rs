//! The table `auth_keys`.

use std::sync::Arc;

use doyen_core::Id;
use doyen_core::id::Named;

/// An API key: what its id is named after.
#[derive(Debug)]
pub(crate) struct ApiKey;

impl Named for ApiKey {
    const PREFIX: &'static str = "key";
}

/// The id of an API key: `key_...`.
pub(crate) type KeyId = Id<ApiKey>;

pub(crate) use table::{ActiveModel, Column, Entity, Model};

#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
mod table {
    use doyen_data::Entity;
    use doyen_data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "auth_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub owner: String,
        pub name: String,
        pub hint: String,
        pub hash: Vec<u8>,
        pub scopes: String,
        pub created_at: DateTimeUtc,
        pub expires_at: Option<DateTimeUtc>,
        pub last_used_at: Option<DateTimeUtc>,
        pub last_address: Option<String>,
        pub revoked_at: Option<DateTimeUtc>,
    }
}

/// A list of scopes as it is kept: words with spaces between them, as in a token.
pub(crate) fn words(scopes: &[Arc<str>]) -> String {
    scopes.join(" ")
}

/// The list again.
pub(crate) fn list(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}
