//! Names of cached values and of groups of them.

use std::fmt;
use std::sync::Arc;

use super::CachePolicy;

/// The full name of a cached value: policy, version, scope and id. It is created by
/// [`CacheFor::entry`](super::CacheFor::entry), so that it always has a scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey(Arc<str>);

impl CacheKey {
    /// Lengths precede the parts, so that no id can continue into another part.
    pub(super) fn new(policy: &CachePolicy, scope: &str, id: impl fmt::Display) -> Self {
        let (name, version) = (policy.name, policy.version);
        let (names, scopes) = (name.len(), scope.len());
        Self(format!("{names}.{scopes}.{version}.{name}.{scope}.{id}").into())
    }

    /// Returns the name as text. It may contain text of a client.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a group of cached values that are invalidated together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheTag(Arc<str>);

impl CacheTag {
    /// Creates the tag of one member of a group: `CacheTag::of("ticket", id)`.
    pub fn of(group: &str, member: impl fmt::Display) -> Self {
        Self(format!("{group}:{member}").into())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for CacheTag {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secs;

    #[test]
    fn no_id_reaches_into_another_scope() {
        let key = |name, scope, id: &str| {
            CacheKey::new(&CachePolicy::new(name, secs(1)), scope, id)
                .as_str()
                .to_owned()
        };
        let all = [
            key("a", "u.ann", "x"),
            key("a", "u.ann.x", ""),
            key("a", "u", "ann.x"),
            key("a.u", "ann", "x"),
            key("a", "u.ann", ".x"),
            key("a", "", "u.ann.x"),
        ];
        let unique: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "{all:?}");
    }

    #[test]
    fn another_version_is_another_value() {
        let policy = CachePolicy::new("a", secs(1));
        assert_ne!(
            CacheKey::new(&policy, "", "x"),
            CacheKey::new(&policy.version(2), "", "x")
        );
    }
}
