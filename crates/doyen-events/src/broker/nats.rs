//! NATS JetStream.
//!
//! The stream is stored in files, with the number of replicas that it was created with: for a
//! cluster, create it with the tools of NATS before the first start.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::{self, Stream};
use async_nats::jetstream::{self, Context, Message};
use async_trait::async_trait;
use doyen_app::Nats;
use doyen_core::event::{
    Broker, BrokerError, BrokerMessage, DEDUPLICATION_WINDOW, REDELIVERY, Received, Subscription,
};
use futures_util::StreamExt as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Maximum time of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum size of a message: an event of 512 KiB, and its headers.
const MAX_MESSAGE_BYTES: usize = 600 << 10;

/// Maximum size of the messages of one fetch.
const MAX_FETCH_BYTES: usize = 8 << 20;

/// The header by which the server recognizes a message.
const ID: &str = "Nats-Msg-Id";
const AGGREGATE: &str = "Doyen-Aggregate";
const TRACE: &str = "traceparent";

/// A stream of NATS JetStream. The subject of an event is the name of the stream and the topic.
pub struct NatsBroker {
    nats: Nats,
    stream: String,
    max: u32,
    /// Empty until the stream is known to exist, and after an error.
    known: Mutex<Option<(Context, Stream)>>,
}

impl fmt::Debug for NatsBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBroker")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

impl NatsBroker {
    /// A stream of this name with at most `max` messages. It is created on first use if it does not
    /// exist.
    pub fn new(nats: Nats, stream: &str, max: u32) -> Self {
        Self {
            nats,
            stream: stream.to_owned(),
            max,
            known: Mutex::new(None),
        }
    }

    async fn context(&self) -> Result<Context, BrokerError> {
        let client = self.nats.client().await.map_err(BrokerError::new)?;
        let max = client.server_info().max_payload;
        if max < MAX_MESSAGE_BYTES {
            return Err(BrokerError::new(format!(
                "NATS accepts messages of at most {max} bytes: set its `max_payload` to at least {MAX_MESSAGE_BYTES}"
            )));
        }
        Ok(jetstream::new(client))
    }

    /// Returns the stream, and creates it if it does not exist.
    async fn stream(&self) -> Result<(Context, Stream), BrokerError> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let context = self.context().await?;
        let subject = format!("{}.>", self.stream);
        let config = stream::Config {
            name: self.stream.clone(),
            subjects: vec![subject.clone()],
            max_messages: i64::from(self.max),
            duplicate_window: DEDUPLICATION_WINDOW,
            ..stream::Config::default()
        };
        let stream = within(context.get_or_create_stream(config)).await?;
        let found = &stream.cached_info().config;
        if found.duplicate_window < DEDUPLICATION_WINDOW || !found.subjects.contains(&subject) {
            return Err(BrokerError::new(format!(
                "the stream `{}` of NATS must have the subject `{subject}` and a duplicate window of at least {DEDUPLICATION_WINDOW:?}",
                self.stream
            )));
        }
        Ok(known.insert((context, stream)).clone())
    }

    /// The server may have lost the stream: the next attempt looks.
    async fn forget_after<T>(&self, result: Result<T, BrokerError>) -> Result<T, BrokerError> {
        if result.is_err() {
            *self.known.lock().await = None;
        }
        result
    }

    async fn send(&self, context: &Context, message: &BrokerMessage) -> Result<(), BrokerError> {
        let mut headers = HeaderMap::new();
        headers.insert(ID, message.id.as_str());
        if let Some(aggregate) = &message.aggregate {
            headers.insert(AGGREGATE, aggregate.as_str());
        }
        if let Some(trace) = &message.trace {
            headers.insert(TRACE, trace.as_str());
        }
        let subject = format!("{}.{}", self.stream, message.topic);
        let payload = message.payload.clone().into();
        let sent = within(context.publish_with_headers(subject, headers, payload)).await?;
        within(sent.into_future()).await?;
        Ok(())
    }

    async fn join(&self, stream: &Stream, group: &str) -> Result<PullConsumer, BrokerError> {
        let mut config = pull::Config {
            durable_name: Some(group.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: REDELIVERY,
            ..pull::Config::default()
        };
        let joined = stream.get_or_create_consumer(group, config.clone());
        let joined: PullConsumer = within(joined).await?;
        let info = joined.cached_info();
        if info.num_ack_pending == 0 {
            return Ok(joined);
        }
        // The former member has acknowledged messages in order, up to some. The server would send
        // the others after a pause, and later ones before them. A new consumer begins with them.
        config.deliver_policy = DeliverPolicy::ByStartSequence {
            start_sequence: info.ack_floor.stream_sequence + 1,
        };
        within(stream.delete_consumer(group)).await?;
        within(stream.create_consumer(config)).await
    }
}

/// Waits for a response of the server.
async fn within<T, E: fmt::Display>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, BrokerError> {
    match timeout(REQUEST_TIMEOUT, work).await {
        Ok(done) => done.map_err(BrokerError::new),
        Err(_) => Err(BrokerError::new(format!(
            "no response within {REQUEST_TIMEOUT:?}"
        ))),
    }
}

#[async_trait]
impl Broker for NatsBroker {
    fn name(&self) -> &'static str {
        "nats"
    }

    async fn publish(&self, message: &BrokerMessage) -> Result<(), BrokerError> {
        let (context, _) = self.stream().await?;
        let sent = self.send(&context, message).await;
        self.forget_after(sent).await
    }

    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BrokerError> {
        let (_, stream) = self.stream().await?;
        let joined = self.join(&stream, group).await;
        Ok(Box::new(NatsSubscription {
            consumer: self.forget_after(joined).await?,
            prefix: format!("{}.", self.stream),
            open: HashMap::new(),
        }))
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        let asked = async {
            let (context, _) = self.stream().await?;
            let found = context.get_stream(&self.stream).await;
            self.forget_after(found.map(drop).map_err(BrokerError::new))
                .await
        };
        match timeout(Duration::from_secs(1), asked).await {
            Ok(answered) => answered,
            Err(_) => Err(BrokerError::new("no response within a second")),
        }
    }
}

struct NatsSubscription {
    consumer: PullConsumer,
    prefix: String,
    /// The messages that are not acknowledged, by their reply subject.
    open: HashMap<String, Message>,
}

#[async_trait]
impl Subscription for NatsSubscription {
    async fn fetch(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BrokerError> {
        let fetch = self.consumer.fetch().max_messages(max);
        let batch = within(fetch.max_bytes(MAX_FETCH_BYTES).messages()).await?;
        let received = self.read(batch, REQUEST_TIMEOUT).await?;
        if !received.is_empty() {
            return Ok(received);
        }
        // The server has none: wait for one. A larger batch would wait until it is full.
        let next = self.consumer.batch().max_messages(1).expires(wait);
        let next = within(next.messages()).await?;
        // The library gives up without an error after five seconds more.
        self.read(next, wait + REQUEST_TIMEOUT / 2).await
    }

    async fn acknowledge(&mut self, messages: &[Received]) -> Result<(), BrokerError> {
        let Some((last, others)) = messages.split_last() else {
            return Ok(());
        };
        for one in others {
            if let Some(message) = self.open.remove(&one.token) {
                within(message.ack()).await?;
            }
        }
        // On one connection, its confirmation is that of all.
        match self.open.remove(&last.token) {
            Some(message) => within(message.double_ack()).await,
            None => Ok(()),
        }
    }
}

impl NatsSubscription {
    /// Reads messages until the server says that these are all.
    async fn read(
        &mut self,
        mut batch: pull::Batch,
        wait: Duration,
    ) -> Result<Vec<Received>, BrokerError> {
        let mut all = Vec::new();
        loop {
            let next = match timeout(wait, batch.next()).await {
                Ok(None) => return Ok(all),
                Ok(Some(next)) => next.map_err(BrokerError::new),
                Err(_) => Err(BrokerError::new(format!("no response within {wait:?}"))),
            };
            match next {
                Ok(message) => {
                    if let Some(one) = self.received(&message) {
                        self.open.insert(one.token.clone(), message);
                        all.push(one);
                    }
                }
                // Also if the next one would exceed the size of a fetch.
                Err(_) if !all.is_empty() => return Ok(all),
                Err(error) => return Err(error),
            }
        }
    }

    fn received(&self, message: &Message) -> Option<Received> {
        let header = |name: &str| {
            let headers = message.headers.as_ref()?;
            headers.get(name).map(|value| value.as_str().to_owned())
        };
        let token = message.reply.as_ref()?.to_string();
        let topic = message.subject.as_str();
        let topic = topic.strip_prefix(&self.prefix).unwrap_or(topic).to_owned();
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        let message = BrokerMessage {
            // A message of another program without an id: its position in the stream.
            id: header(ID).unwrap_or_else(|| position(message)),
            topic,
            aggregate: header(AGGREGATE),
            payload,
            trace: header(TRACE),
        };
        Some(Received { message, token })
    }
}

fn position(message: &Message) -> String {
    let sequence = message.info().map_or(0, |info| info.stream_sequence);
    format!("nats-{sequence}")
}
