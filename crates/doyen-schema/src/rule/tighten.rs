//! Adds a limit to a schema that may have one already: the tighter one stays, because both are
//! checked.

use serde_json::Value as Json;

use super::Num;
use crate::Schema;

/// A lower limit.
pub(super) fn at_least(schema: &mut Schema, keyword: &str, limit: Num) {
    limited(schema, keyword, limit, |present| present < limit);
}

/// An upper limit.
pub(super) fn at_most(schema: &mut Schema, keyword: &str, limit: Num) {
    limited(schema, keyword, limit, |present| present > limit);
}

fn limited(schema: &mut Schema, keyword: &str, limit: Num, looser: impl FnOnce(Num) -> bool) {
    let present = schema.get(keyword).and_then(Num::of_json);
    if present.is_none_or(looser) {
        schema.set(keyword, Json::from(limit));
    }
}
