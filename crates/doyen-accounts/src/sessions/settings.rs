//! The settings of login sessions.

use std::time::Duration;

use doyen_settings::Settings;

/// Login sessions.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct SessionSettings {
    /// Session store: `sql` for the database, `redis` for Redis. With `redis`, all users must log
    /// in again if Redis loses its data.
    #[setting(default = "sql")]
    pub store: SessionStoreKind,
    /// Credentials that a login returns: `bearer` tokens for programs and mobile apps, a `cookie`
    /// for pages of the same site, or `both`, where the login request selects one.
    #[setting(default = "bearer")]
    pub transport: Transport,
    /// Maximum idle time of a session. The session then ends.
    #[setting(default = "30d", min = "1m", max = "400d")]
    pub idle: Duration,
    /// Maximum lifetime of a session. The session then ends, even if it is in use.
    #[setting(default = "90d", min = "1m", max = "400d")]
    pub absolute: Duration,
    /// Time during which a used refresh token returns the same successor again, for clients that
    /// lost the response. `0s` disables it.
    #[setting(default = "10s", max = "1m")]
    pub refresh_grace: Duration,
}

/// Session store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum SessionStoreKind {
    /// The database.
    Sql,
    /// Redis.
    Redis,
}

/// Credentials that a login returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum Transport {
    /// Bearer tokens.
    Bearer,
    /// A cookie.
    Cookie,
    /// The login request selects one. The default is bearer tokens.
    Both,
}
