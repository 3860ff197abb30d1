//! What can be set about sessions.

use std::time::Duration;

use doyen_core::settings::Settings;

/// Login sessions.
#[derive(Debug, Clone, Settings)]
pub struct SessionSettings {
    /// Where sessions are kept: `sql` in the database, `redis` in Redis. With `redis`, everybody logs in again when Redis loses its data.
    #[setting(default = "sql")]
    pub store: SessionStoreKind,
    /// What a login gives: `bearer` tokens for programs and mobile apps, a `cookie` for pages of the same site, or `both`, as the login asks.
    #[setting(default = "bearer")]
    pub transport: Transport,
    /// A session that nobody used for so long ends.
    #[setting(default = "30d", min = "1m", max = "400d")]
    pub idle: Duration,
    /// A session ends after so long, however much it is used.
    #[setting(default = "90d", min = "1m", max = "400d")]
    pub absolute: Duration,
    /// How long a refresh token that was just spent gives the same successor once more, for clients that lost the answer; `0s` for never.
    #[setting(default = "10s", max = "1m")]
    pub refresh_grace: Duration,
}

/// Where sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum SessionStoreKind {
    /// In the database.
    Sql,
    /// In Redis.
    Redis,
}

/// What a login gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum Transport {
    /// Tokens.
    Bearer,
    /// A cookie.
    Cookie,
    /// What the login asks for; tokens when it asks for nothing.
    Both,
}
