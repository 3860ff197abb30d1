//! A connection that reconnects, also to another server after a failover.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::sync;
use redis::ServerErrorKind::ReadOnly;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, Value};
use tokio::sync::watch;

use super::server::Server;

const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Pause before the Sentinels are asked again.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// A connection to Redis that all users of the process share. Cloning shares it. After a failover
/// it leads to the new primary.
#[derive(Clone)]
pub struct RedisConnection(Kind);

#[derive(Clone)]
enum Kind {
    Fixed(ConnectionManager),
    Followed(Arc<Followed>),
}

/// The connection to the primary that the Sentinels name.
struct Followed {
    server: Server,
    /// `None` while the primary is sought.
    primary: watch::Sender<Option<ConnectionManager>>,
    /// True while a task seeks it.
    seeking: std::sync::Mutex<bool>,
}

impl std::fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisConnection").finish_non_exhaustive()
    }
}

impl From<ConnectionManager> for RedisConnection {
    fn from(connection: ConnectionManager) -> Self {
        Self(Kind::Fixed(connection))
    }
}

impl RedisConnection {
    /// Creates a connection that is opened on first use.
    pub(super) fn open(server: Server) -> Result<Self, String> {
        Ok(Self(match server {
            Server::Fixed(client) => Kind::Fixed(manager(Client::clone(&client))?),
            Server::Sentinel(_) => Kind::Followed(Arc::new(Followed {
                server,
                primary: watch::Sender::new(None),
                seeking: std::sync::Mutex::default(),
            })),
        }))
    }

    async fn current(&self) -> RedisResult<ConnectionManager> {
        match &self.0 {
            Kind::Fixed(connection) => Ok(connection.clone()),
            Kind::Followed(followed) => followed.current().await,
        }
    }

    /// Looks for another primary if the error says that this server is none.
    fn judge<T>(&self, result: &RedisResult<T>) {
        if let (Kind::Followed(followed), Err(error)) = (&self.0, result)
            && is_lost(error)
        {
            followed.primary.send_replace(None);
            followed.seek();
        }
    }
}

fn manager(client: Client) -> Result<ConnectionManager, String> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(1)))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_number_of_retries(2)
        .set_max_delay(Duration::from_millis(500));
    ConnectionManager::new_lazy_with_config(client, config)
        .map_err(|error| error.category().to_owned())
}

/// A primary that was demoted refuses writes; one that died refuses connections.
fn is_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_refusal()
        || error.is_connection_dropped()
        || error.is_timeout()
        || error.kind() == ErrorKind::Server(ReadOnly)
}

impl Followed {
    /// Returns the connection to the primary. Waits for it as long as for a response.
    async fn current(self: &Arc<Self>) -> RedisResult<ConnectionManager> {
        if let Some(connection) = &*self.primary.borrow() {
            return Ok(connection.clone());
        }
        self.seek();
        let mut found = self.primary.subscribe();
        let found = tokio::time::timeout(RESPONSE_TIMEOUT, found.wait_for(Option::is_some)).await;
        let found = found.ok().and_then(Result::ok);
        let found = found.and_then(|connection| (*connection).clone());
        found.ok_or_else(|| (ErrorKind::Io, "the Sentinels name no primary that responds").into())
    }

    /// Starts a task that seeks the primary, if none does.
    fn seek(self: &Arc<Self>) {
        if std::mem::replace(&mut *sync::lock(&self.seeking), true) {
            return;
        }
        let (weak, server) = (Arc::downgrade(self), self.server.clone());
        tokio::spawn(async move {
            // The application may be gone.
            while weak.strong_count() > 0 {
                if let Ok(connection) = reach(&server).await {
                    if let Some(followed) = weak.upgrade() {
                        *sync::lock(&followed.seeking) = false;
                        followed.primary.send_replace(Some(connection));
                    }
                    return;
                }
                tokio::time::sleep(ASK_AGAIN).await;
            }
        });
    }
}

/// Connects to the primary. Until the Sentinels agree on a failover, they name the one that died.
async fn reach(server: &Server) -> Result<ConnectionManager, String> {
    let mut connection = manager(server.primary().await?)?;
    let ping = redis::cmd("PING");
    let ping = ping.query_async::<String>(&mut connection);
    ping.await.map_err(|error| error.category().to_owned())?;
    Ok(connection)
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let result = self.current().await?.req_packed_command(command).await;
            self.judge(&result);
            result
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut connection = self.current().await?;
            let result = connection.req_packed_commands(pipeline, offset, count);
            let result = result.await;
            self.judge(&result);
            result
        })
    }

    /// Returns 0: the library asks for it in no command that is sent here.
    fn get_db(&self) -> i64 {
        match &self.0 {
            Kind::Fixed(connection) => connection.get_db(),
            Kind::Followed(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_write_means_another_primary_and_a_wrong_command_does_not() {
        assert!(is_lost(&(ErrorKind::Server(ReadOnly), "a replica").into()));
        assert!(is_lost(&(ErrorKind::Io, "closed").into()));
        assert!(!is_lost(
            &(ErrorKind::UnexpectedReturnType, "a list").into()
        ));
    }
}
