//! Cached texts of statements.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, RwLock};

use doyen_core::sync;
use sea_orm::sea_query::IntoValueTuple as _;
use sea_orm::{
    ColumnTrait as _, DbBackend, EntityTrait, Iterable as _, PrimaryKeyToColumn as _,
    PrimaryKeyTrait, QueryFilter as _, QueryTrait as _, Value,
};

type Key = (TypeId, bool);

/// One for each entity and database, so it is bounded.
static BY_KEY: LazyLock<RwLock<HashMap<Key, Arc<str>>>> = LazyLock::new(RwLock::default);

/// Returns the select of an entity by its primary key, and its parameters.
pub(super) fn by_key<E: EntityTrait>(
    backend: DbBackend,
    id: <E::PrimaryKey as PrimaryKeyTrait>::ValueType,
) -> (Arc<str>, Vec<Value>) {
    let key = (TypeId::of::<E>(), backend == DbBackend::Postgres);
    let known = sync::read(&BY_KEY).get(&key).cloned();
    let parameters: Vec<Value> = id.into_value_tuple().into_iter().collect();
    if let Some(sql) = known {
        return (sql, parameters);
    }
    let mut select = E::find();
    for (key, value) in E::PrimaryKey::iter().zip(&parameters) {
        select = select.filter(key.into_column().eq(value.clone()));
    }
    let statement = select.build(backend);
    let sql: Arc<str> = statement.sql.into();
    let built = statement.values.map_or_else(Vec::new, |values| values.0);
    // Cached only if no value of this key became part of the text.
    if built == parameters {
        sync::write(&BY_KEY).insert(key, Arc::clone(&sql));
    }
    (sql, built)
}

/// Returns true if `LIMIT 1` can be appended to a statement of SeaORM. A name that contains one of
/// these words makes this return false, which is safe.
pub(super) fn takes_limit(sql: &str) -> bool {
    ![
        " LIMIT ",
        " OFFSET ",
        " FOR ",
        " UNION ",
        " INTERSECT ",
        " EXCEPT ",
    ]
    .iter()
    .any(|word| sql.contains(word))
}
