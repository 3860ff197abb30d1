//! Notes over Redis (`PUBLISH` and `SUBSCRIBE`).

use std::time::Duration;

use doyen_app::Redis;
use doyen_core::inject::BoxFuture;
use futures_util::StreamExt as _;
use redis::aio::PubSub;
use redis::cmd;

use super::{Fanout, Note, Notes};

/// Maximum time of a publication.
const PUBLISH_TIMEOUT: Duration = Duration::from_millis(500);

/// Passes notes between the processes of one application that share a Redis.
#[derive(Clone, Debug)]
pub struct RedisFanout {
    redis: Redis,
    channel: String,
}

impl RedisFanout {
    /// Creates the fan-out of an application.
    pub fn new(redis: Redis, application: &str) -> Self {
        Self {
            redis,
            channel: format!("{application}:live"),
        }
    }
}

struct RedisNotes(PubSub);

#[async_trait::async_trait]
impl Notes for RedisNotes {
    async fn next(&mut self) -> Result<Note, String> {
        let message = self.0.on_message().next().await;
        let message = message.ok_or("the connection to Redis was lost")?;
        let text = message.get_payload::<String>();
        let text = text.map_err(|error| error.category().to_owned())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }
}

impl Fanout for RedisFanout {
    fn publish<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let text = serde_json::to_string(note).map_err(|error| error.to_string())?;
            let mut connection = self.redis.connection();
            let mut publish = cmd("PUBLISH");
            publish.arg(&self.channel).arg(text);
            let published = publish.query_async::<i64>(&mut connection);
            match tokio::time::timeout(PUBLISH_TIMEOUT, published).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(error.category().to_owned()),
                Err(_) => Err("no response in time".to_owned()),
            }
        })
    }

    fn subscribe(&self) -> BoxFuture<'_, Result<Box<dyn Notes>, String>> {
        Box::pin(async move {
            let mut subscriber = self.redis.subscriber().await?;
            let subscribed = subscriber.subscribe(&self.channel).await;
            subscribed.map_err(|error| error.category().to_owned())?;
            let notes: Box<dyn Notes> = Box::new(RedisNotes(subscriber));
            Ok(notes)
        })
    }
}
