//! NATS, for events and for messages between processes.
//!
//! One connection per process, which reconnects automatically. Startup does not wait for it.

#[cfg(not(feature = "nats"))]
mod none;
#[cfg(feature = "nats")]
mod real;

use std::path::PathBuf;

use doyen_core::Secret;
use doyen_settings::Settings;

use crate::fault::Fault;

/// NATS.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct NatsSettings {
    /// NATS URL: `nats://user:password@host:4222`, or `tls://` for TLS with a certificate that the
    /// operating system trusts. Several servers of a cluster are separated by commas. A user
    /// without a password is a token.
    #[setting(env = "NATS_URL")]
    pub url: Option<Secret<String>>,
    /// File with the credentials of a NATS user (`.creds`), instead of a user in the URL.
    pub credentials: Option<PathBuf>,
}

#[cfg(not(feature = "nats"))]
pub use none::Nats;
#[cfg(feature = "nats")]
pub use real::Nats;

/// The client library, in the version that this crate uses.
#[cfg(feature = "nats")]
pub use async_nats as client;

/// Prepares the connection if a URL is set.
pub(crate) fn open(settings: &NatsSettings) -> Result<Option<Nats>, Fault> {
    let Some(url) = &settings.url else {
        let what = "it needs the setting `nats.url`: set it too, or remove this one";
        return match settings.credentials {
            Some(_) => Err(Fault::setting("nats.credentials", what)),
            None => Ok(None),
        };
    };
    let credentials = match &settings.credentials {
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
            let message = format!("`{}` cannot be read: {error}", path.display());
            Fault::setting("nats.credentials", message)
        })?),
        None => None,
    };
    Nats::open(url.expose(), credentials.as_deref())
        .map(Some)
        .map_err(|(key, message)| Fault::setting(key, message))
}
