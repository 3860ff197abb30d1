//! Redis, for data that all nodes share and can lose.
//!
//! One connection per process, which reconnects automatically. Startup does not wait for it, and
//! its users continue without it.

use std::time::Duration;

use doyen_core::Secret;
use doyen_settings::Settings;

use crate::fault::Fault;

/// Redis.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct RedisSettings {
    /// Redis URL: `redis://user:password@host:6379/0`, or `rediss://` for TLS with a certificate
    /// that the operating system trusts. If set, all nodes count rate limits together; otherwise
    /// each node counts for itself.
    #[setting(env = "REDIS_URL")]
    pub url: Option<Secret<String>>,
    /// Maximum time that a request waits for Redis to count it. The node then counts for itself
    /// until Redis responds again.
    #[setting(default = "50ms", min = "1ms", max = "10s")]
    pub timeout: Duration,
}

#[cfg(not(feature = "redis"))]
pub use none::Redis;
#[cfg(feature = "redis")]
pub use real::Redis;

/// The client library, in the version that this crate uses.
#[cfg(feature = "redis")]
pub use redis as client;

/// Opens the connection if a URL is set.
pub(crate) fn open(settings: &RedisSettings) -> Result<Option<Redis>, Fault> {
    let Some(url) = &settings.url else {
        return Ok(None);
    };
    Redis::open(url.expose(), settings.timeout)
        .map(Some)
        .map_err(|message| Fault::setting("redis.url", message))
}

#[cfg(feature = "redis")]
mod real {
    use std::time::Duration;

    use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
    use redis::io::tcp::TcpSettings;
    use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo as _};

    /// The connection to Redis. Cloning shares it. Injectable as `Arc<Redis>` where `redis.url` is
    /// set.
    #[derive(Clone)]
    pub struct Redis {
        client: Client,
        connection: ConnectionManager,
        timeout: Duration,
    }

    impl std::fmt::Debug for Redis {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Redis").finish_non_exhaustive()
        }
    }

    impl Redis {
        /// Creates a connection that is opened on first use.
        pub(super) fn open(url: &str, timeout: Duration) -> Result<Self, String> {
            let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
            if scheme.contains("sentinel") || scheme.contains("cluster") {
                return Err(format!(
                    "`{scheme}://` is not supported. Use a `redis://` or `rediss://` URL of one address that follows the primary, such as that \
                     of a proxy"
                ));
            }
            // The error message of the library may contain the password.
            let wrong = |_| {
                "it must be a URL such as `redis://user:password@host:6379/0`, or `rediss://` for TLS".to_owned()
            };
            if scheme == "rediss" {
                // An error means that the program has chosen another provider.
                let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            }
            let info = url.into_connection_info().map_err(wrong)?;
            // Otherwise a command that follows another waits for the acknowledgement of that.
            let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
            let client = Client::open(info).map_err(wrong)?;
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(Duration::from_secs(1)))
                .set_response_timeout(Some(Duration::from_millis(500)))
                .set_number_of_retries(2)
                .set_max_delay(Duration::from_millis(500));
            let connection = ConnectionManager::new_lazy_with_config(client.clone(), config);
            let connection = connection.map_err(wrong)?;
            Ok(Self {
                client,
                connection,
                timeout,
            })
        }

        /// Returns the connection, for your own commands. Set a timeout for each command. A command
        /// fails if Redis does not respond within half a second.
        pub fn connection(&self) -> ConnectionManager {
            self.connection.clone()
        }

        /// Opens a connection of its own, for commands that block: on the common connection they
        /// would delay all others. `response_timeout` must be longer than they block. It does not
        /// reconnect.
        ///
        /// # Errors
        ///
        /// Returns the reason if Redis is not reached within a second.
        pub async fn connect(
            &self,
            response_timeout: Duration,
        ) -> Result<MultiplexedConnection, String> {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(Duration::from_secs(1)))
                .set_response_timeout(Some(response_timeout));
            let connection = self
                .client
                .get_multiplexed_async_connection_with_config(&config);
            connection
                .await
                .map_err(|error| error.category().to_owned())
        }

        /// Opens a connection of its own for `SUBSCRIBE`. It does not reconnect.
        ///
        /// # Errors
        ///
        /// Returns the reason if Redis is not reached within a second.
        pub async fn subscriber(&self) -> Result<redis::aio::PubSub, String> {
            let opening = self.client.get_async_pubsub();
            match tokio::time::timeout(Duration::from_secs(1), opening).await {
                Ok(opened) => opened.map_err(|error| error.category().to_owned()),
                Err(_) => Err("no connection within a second".to_owned()),
            }
        }

        /// Returns the maximum time that a request waits for Redis (`redis.timeout`).
        pub const fn timeout(&self) -> Duration {
            self.timeout
        }

        /// Sends a `PING`.
        ///
        /// # Errors
        ///
        /// Returns the reason if Redis does not respond.
        pub async fn ping(&self) -> Result<(), String> {
            let mut connection = self.connection();
            let ping = redis::cmd("PING");
            let ping = ping.query_async::<String>(&mut connection);
            match tokio::time::timeout(Duration::from_secs(1), ping).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(error.category().to_owned()),
                Err(_) => Err("no response within a second".to_owned()),
            }
        }
    }
}

#[cfg(not(feature = "redis"))]
mod none {
    /// No connection: this program is built without the feature `redis`.
    #[derive(Clone, Debug)]
    pub struct Redis(std::convert::Infallible);

    impl Redis {
        pub(super) fn open(_: &str, _: std::time::Duration) -> Result<Self, String> {
            Err("this program was built without Redis. Add the feature `redis` of `doyen`, or remove the URL".to_owned())
        }

        /// Sends a `PING`.
        ///
        /// # Errors
        ///
        /// Never returns an error, because no value of this type exists.
        #[allow(clippy::unused_async, reason = "the other one waits")]
        pub async fn ping(&self) -> Result<(), String> {
            match self.0 {}
        }
    }
}
