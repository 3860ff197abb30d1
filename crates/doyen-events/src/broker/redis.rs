//! Redis Streams.
//!
//! Redis keeps messages as long as its persistence does: with `appendonly yes` they survive its
//! restart.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use doyen_app::redis::RedisConnection;
use doyen_core::event::{
    Broker, BrokerError, BrokerMessage, DEDUPLICATION_WINDOW, Received, Subscription,
};
use redis::streams::{StreamId, StreamReadReply};
use redis::{RedisResult, Script, Value};

/// The name of the consumer in each group: one subscription is in use at a time.
const CONSUMER: &str = "relay";

/// Interval of the search for new messages. The connection is shared, so a blocking read would hold
/// back the commands of others.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Adds a message unless its id is known. The id is recorded after the message: if the message is
/// refused, it is not known. Both keys are in one slot of a cluster.
const PUBLISH: &str = "
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'id', ARGV[3], 'topic', ARGV[4],
    'aggregate', ARGV[5], 'payload', ARGV[6], 'trace', ARGV[7])
redis.call('SET', KEYS[2], '1', 'EX', ARGV[2])
return 1";

/// A stream of Redis.
pub struct RedisBroker {
    connection: RedisConnection,
    key: String,
    max: u32,
    publish: Script,
}

impl fmt::Debug for RedisBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBroker")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl RedisBroker {
    /// A stream of this name with at most about `max` messages.
    pub fn new(connection: impl Into<RedisConnection>, stream: &str, max: u32) -> Self {
        Self {
            connection: connection.into(),
            key: format!("doyen:{{{stream}}}:stream"),
            max,
            publish: Script::new(PUBLISH),
        }
    }
}

fn failed(error: redis::RedisError) -> BrokerError {
    match error.detail() {
        Some(detail) => BrokerError::new(format!("{}: {detail}", error.category())),
        None => BrokerError::new(error.category()),
    }
}

#[async_trait]
impl Broker for RedisBroker {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn publish(&self, message: &BrokerMessage) -> Result<(), BrokerError> {
        let mut call = self.publish.prepare_invoke();
        call.key(&self.key)
            .key(format!("{}:id:{}", self.key, message.id))
            .arg(self.max)
            .arg(DEDUPLICATION_WINDOW.as_secs())
            .arg(&message.id)
            .arg(&message.topic)
            .arg(message.aggregate.as_deref().unwrap_or_default())
            .arg(&message.payload)
            .arg(message.trace.as_deref().unwrap_or_default());
        let added: RedisResult<i64> = call.invoke_async(&mut self.connection.clone()).await;
        added.map(drop).map_err(failed)
    }

    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BrokerError> {
        let mut connection = self.connection.clone();
        let mut create = redis::cmd("XGROUP");
        create
            .arg("CREATE")
            .arg(&self.key)
            .arg(group)
            .arg("0")
            .arg("MKSTREAM");
        match create.query_async::<Value>(&mut connection).await {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(failed(error)),
            _ => {}
        }
        Ok(Box::new(RedisSubscription {
            connection,
            key: self.key.clone(),
            group: group.to_owned(),
            pending: Some("0".to_owned()),
        }))
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        let mut connection = self.connection.clone();
        let ping = redis::cmd("PING");
        ping.query_async::<Value>(&mut connection)
            .await
            .map(drop)
            .map_err(failed)
    }
}

struct RedisSubscription {
    connection: RedisConnection,
    key: String,
    group: String,
    /// The position among the messages that a former subscription has not acknowledged.
    pending: Option<String>,
}

#[async_trait]
impl Subscription for RedisSubscription {
    async fn fetch(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BrokerError> {
        if let Some(after) = self.pending.take() {
            let messages = self.read(&after, max).await?;
            if let Some(last) = messages.last() {
                self.pending = Some(last.token.clone());
                return Ok(messages);
            }
        }
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let messages = self.read(">", max).await?;
            if !messages.is_empty() || tokio::time::Instant::now() >= deadline {
                return Ok(messages);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    async fn acknowledge(&mut self, messages: &[Received]) -> Result<(), BrokerError> {
        let mut acknowledge = redis::cmd("XACK");
        acknowledge.arg(&self.key).arg(&self.group);
        for message in messages {
            acknowledge.arg(&message.token);
        }
        let done = acknowledge.query_async::<i64>(&mut self.connection).await;
        done.map(drop).map_err(failed)
    }
}

impl RedisSubscription {
    async fn read(&mut self, after: &str, max: usize) -> Result<Vec<Received>, BrokerError> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP")
            .arg(&self.group)
            .arg(CONSUMER)
            .arg("COUNT")
            .arg(max);
        read.arg("STREAMS").arg(&self.key).arg(after);
        let reply = read
            .query_async::<Option<StreamReadReply>>(&mut self.connection)
            .await;
        let keys = reply
            .map_err(failed)?
            .map_or_else(Vec::new, |reply| reply.keys);
        Ok(keys
            .into_iter()
            .flat_map(|key| key.ids)
            .map(received)
            .collect())
    }
}

fn received(entry: StreamId) -> Received {
    let text = |name: &str| entry.get::<String>(name).unwrap_or_default();
    let optional = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    Received {
        message: BrokerMessage {
            id: text("id"),
            topic: text("topic"),
            aggregate: optional("aggregate"),
            payload: text("payload"),
            trace: optional("trace"),
        },
        token: entry.id.clone(),
    }
}
