//! Names of steps and attributes that observers look for.

/// A step: a password is hashed, or compared with a hash.
pub const PASSWORD_HASH: &str = "password hash";
/// A step: a mail is passed to the queue in memory.
pub const MAIL: &str = "mail";
/// The attribute with the policy of a cache lookup.
pub const CACHE_POLICY: &str = "doyen.cache.policy";
/// The attribute with the number of loads of one cached value that run at the same time in this
/// process. It is present if there are several.
pub const CONCURRENT_LOADS: &str = "doyen.cache.concurrent_loads";
