//! Whose values they are.

use std::borrow::Cow;

use crate::inject::{Context, Lifetime, Node};
use crate::{Caller, Inject, Refusal, stable_hash};

/// The callers that can see a cached value: all, one caller, or one tenant.
///
/// Implement it for a type that a client cannot choose freely, such as the user or the tenant that
/// was derived from the verified caller. Two values of the type with the same partition see the
/// same cached values.
///
/// ```
/// use std::borrow::Cow;
/// use doyen_core::cache::CacheScope;
///
/// struct Tenant(String);
///
/// impl CacheScope for Tenant {
///     const KIND: &'static str = "tenant";
///     fn partition(&self) -> Cow<'_, str> {
///         Cow::Borrowed(&self.0)
///     }
/// }
/// ```
pub trait CacheScope {
    /// Name of the kind of scope. Scopes of different kinds share nothing.
    const KIND: &'static str;

    /// Returns what distinguishes this scope from others of its kind.
    fn partition(&self) -> Cow<'_, str>;
}

/// The scope of values that are the same for all callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Everyone;

impl CacheScope for Everyone {
    const KIND: &'static str = "everyone";

    fn partition(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
}

impl Inject for Everyone {
    const LIFETIME: Lifetime = Lifetime::Call;

    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }

    async fn make(_: &Context) -> Result<Self, Refusal> {
        Ok(Self)
    }
}

/// One subject with these rights: a value that was made for a caller with more scopes or roles is
/// not the value for the same subject with fewer.
impl CacheScope for Caller {
    const KIND: &'static str = "caller";

    fn partition(&self) -> Cow<'_, str> {
        // A sum does not depend on the order, which differs between tokens and keys.
        let scopes = self.scopes.iter().map(|scope| stable_hash([&**scope]));
        let roles = self.roles.iter().map(|role| stable_hash(["role", &**role]));
        let rights = scopes.chain(roles).fold(0, u64::wrapping_add);
        Cow::Owned(format!("{rights:016x}{}", self.subject))
    }
}

/// An anonymous caller, or an identified one.
impl CacheScope for Option<Caller> {
    const KIND: &'static str = "caller";

    fn partition(&self) -> Cow<'_, str> {
        self.as_ref().map_or(Cow::Borrowed(""), Caller::partition)
    }
}
