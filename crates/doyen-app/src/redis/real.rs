//! The connections of a process to Redis.

use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;

use super::connection::RedisConnection;
use super::server::Server;

/// The connection to Redis. Cloning shares it. Injectable as `Arc<Redis>` where `redis.url` is set.
#[derive(Clone)]
pub struct Redis {
    server: Server,
    connection: RedisConnection,
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
        let server = Server::parse(url)?;
        Ok(Self {
            connection: RedisConnection::open(server.clone())?,
            server,
            timeout,
        })
    }

    /// Returns the connection, for your own commands. Set a timeout for each command. A command
    /// fails if Redis does not respond within half a second.
    pub fn connection(&self) -> RedisConnection {
        self.connection.clone()
    }

    /// Opens a connection of its own, for commands that block: on the common connection they would
    /// delay all others. `response_timeout` must be longer than they block. It does not reconnect.
    ///
    /// # Errors
    ///
    /// Returns the reason if Redis is not reached within a second, or the Sentinels within two.
    pub async fn connect(
        &self,
        response_timeout: Duration,
    ) -> Result<MultiplexedConnection, String> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(1)))
            .set_response_timeout(Some(response_timeout));
        let client = self.server.primary().await?;
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        connection
            .await
            .map_err(|error| error.category().to_owned())
    }

    /// Opens a connection of its own for `SUBSCRIBE`. It does not reconnect.
    ///
    /// # Errors
    ///
    /// Returns the reason if Redis is not reached within a second, or the Sentinels within two.
    pub async fn subscriber(&self) -> Result<redis::aio::PubSub, String> {
        let client = self.server.primary().await?;
        match tokio::time::timeout(Duration::from_secs(1), client.get_async_pubsub()).await {
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
