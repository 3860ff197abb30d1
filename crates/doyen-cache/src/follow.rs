//! The invalidations of the other nodes.
//!
//! A node reads the stream of invalidations with a blocking command on a connection of its own.
//! Each message has a number. A gap means that messages were missed: the node drops all its values.
//! It also does so each time it connects, and while it is not connected it uses no value for longer
//! than `cache.detached_ttl`.

use std::sync::Arc;
use std::time::Duration;

use doyen_app::Redis;
use doyen_core::Clock;
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, cmd};
use tokio::task::JoinHandle;

use crate::counters::count;
use crate::engine::{Engine, Inner};
use crate::slots::Slot;
use crate::{CacheSettings, Shared};

/// How long a read waits for a message.
const BLOCK_MILLIS: u64 = 1000;
/// Maximum time for its response: a Redis that is paused is noticed within it.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(1500);
/// Pause before the next attempt to connect.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

impl Engine {
    /// Creates a store with a second tier in Redis, for the application of this name.
    pub fn with_redis(
        settings: CacheSettings,
        clock: Arc<dyn Clock>,
        redis: &Redis,
        application: &str,
    ) -> Self {
        let load_timeout = settings.load_timeout;
        let connection = (redis.connection(), redis.timeout());
        let engine = Self::build(settings, clock, |slots, counters| {
            let shared = Shared::new(connection, application, load_timeout, slots, counters);
            Some(Arc::new(shared))
        });
        engine.set_redis(redis.clone());
        engine
    }
}

/// Follows the stream until the task is aborted.
pub(crate) fn spawn(inner: Arc<Inner>, shared: Arc<Shared>, redis: Redis) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let ended = follow(&inner, &shared, &redis).await;
            shared.set_followed(false);
            if let Err(error) = ended {
                tracing::debug!(%error, "the invalidations of other nodes cannot be read");
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    })
}

async fn follow(inner: &Inner, shared: &Shared, redis: &Redis) -> Result<(), String> {
    let mut connection = redis.connect(RESPONSE_TIMEOUT).await?;
    let stream = shared.stream();
    let text = |error: RedisError| error.to_string();
    let mut last = newest(&mut connection, &stream).await.map_err(text)?;
    let reset = || {
        inner.slots.invalidate_all();
        count(&inner.counters.resets);
    };
    // Values from before may have missed an invalidation.
    reset();
    shared.set_followed(true);
    loop {
        for message in next(&mut connection, &stream, &last.id)
            .await
            .map_err(text)?
        {
            if message.number == last.number + 1 {
                let slots = message.slots.iter();
                slots.for_each(|slot| inner.slots.invalidate(*slot));
            } else {
                reset();
            }
            last = message;
        }
    }
}

/// A message of the stream.
struct Message {
    id: String,
    number: i64,
    slots: Vec<Slot>,
}

/// Messages as Redis sends them: id, and names and values of the fields.
type Raw = Vec<(String, Vec<String>)>;

async fn newest(connection: &mut MultiplexedConnection, stream: &str) -> RedisResult<Message> {
    let mut read = cmd("XREVRANGE");
    let found: Raw = read
        .arg(stream)
        .arg("+")
        .arg("-")
        .arg("COUNT")
        .arg(1)
        .query_async(connection)
        .await?;
    // An empty stream: the first message has the number 1.
    let none = Message {
        id: "0-0".to_owned(),
        number: 0,
        slots: Vec::new(),
    };
    Ok(found.into_iter().next().map_or(none, Message::read))
}

/// Waits for messages. None arrive within the time of the command if nothing is invalidated.
async fn next(
    connection: &mut MultiplexedConnection,
    stream: &str,
    after: &str,
) -> RedisResult<Vec<Message>> {
    let mut read = cmd("XREAD");
    let found: Option<Vec<(String, Raw)>> = read
        .arg("COUNT")
        .arg(512)
        .arg("BLOCK")
        .arg(BLOCK_MILLIS)
        .arg("STREAMS")
        .arg(stream)
        .arg(after)
        .query_async(connection)
        .await?;
    let streams = found.unwrap_or_default().into_iter();
    Ok(streams
        .flat_map(|(_, messages)| messages)
        .map(Message::read)
        .collect())
}

impl Message {
    fn read((id, fields): (String, Vec<String>)) -> Self {
        let value = |name: &str| {
            let at = fields.iter().step_by(2).position(|field| field == name)?;
            fields.get(2 * at + 1)
        };
        // A message that cannot be read has a number that does not follow.
        let number = value("n").and_then(|text| text.parse().ok()).unwrap_or(-1);
        let slots = value("s").map_or("", String::as_str).split(',');
        Self {
            id,
            number,
            slots: slots.filter_map(|text| text.parse().ok()).collect(),
        }
    }
}
