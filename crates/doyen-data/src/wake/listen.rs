//! The connection that listens for the notifications of other processes.

use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::{POSTGRES_CHANNEL, Shared};
use crate::{DatabaseOptions, Pooler};

/// Pauses between two attempts to connect. Meanwhile the workers poll.
const MIN_RECONNECT_PAUSE: Duration = Duration::from_millis(200);
const MAX_RECONNECT_PAUSE: Duration = Duration::from_secs(30);

/// Listens until its task is aborted.
pub(super) async fn listen(options: DatabaseOptions, shared: Arc<Shared>) {
    if options.listen_url.is_none() && options.pooler == Pooler::Transaction {
        tracing::info!(
            "other processes do not wake this one: a pooler in transaction mode does not pass on \
             LISTEN. Set `database.listen_url` to a URL without the pooler, or rely on polling"
        );
        return;
    }
    let mut pause = MIN_RECONNECT_PAUSE;
    loop {
        match listen_once(&options, &shared, &mut pause).await {
            Ok(()) => {}
            Err(error) => {
                let error = doyen_core::chain(&*error);
                tracing::warn!(
                    error,
                    "listening for wake-ups failed; workers poll meanwhile"
                );
            }
        }
        shared.notes.set_listening(false);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MAX_RECONNECT_PAUSE);
    }
}

/// Listens until the connection is lost.
async fn listen_once(
    options: &DatabaseOptions,
    shared: &Shared,
    pause: &mut Duration,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let connect = crate::open::listen_options(options)?.disable_statement_logging();
    // The listener of sqlx needs a pool. It has one connection, without a limit of age.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(options.acquire_timeout.max(Duration::from_secs(5)))
        .connect_lazy_with(connect);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(POSTGRES_CHANNEL).await?;
    // Notifications before this point were lost.
    shared.listening();
    *pause = MIN_RECONNECT_PAUSE;
    while let Some(notification) = listener.try_recv().await? {
        if notification.channel() == POSTGRES_CHANNEL {
            shared.received(notification.payload());
        }
    }
    Ok(())
}
