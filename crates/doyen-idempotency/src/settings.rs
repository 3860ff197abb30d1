//! Settings of idempotent requests.

use std::time::Duration;

use doyen_settings::{ByteSize, Settings};

/// Idempotent requests.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct IdempotencySettings {
    /// How long a response is kept. A request with the same key after that is a new request.
    #[setting(default = "24h", min = "1m", max = "30d")]
    pub retention: Duration,
    /// Maximum size of a stored response body. A retry of a request with a larger or streamed
    /// response gets a 409 `idempotency_response_unavailable`.
    #[setting(default = "256 KiB", min = "1 KiB", max = "16 MiB")]
    pub max_response: ByteSize,
    /// How long the key of a running request stays taken after its process was killed, on
    /// PostgreSQL. Running processes renew it. Duplicates get a 409 until then.
    #[setting(default = "3s", min = "1s", max = "5m")]
    pub lease: Duration,
}
