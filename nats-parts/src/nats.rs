//! NATS JetStream.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, Context, Message, stream};
use async_nats::{ConnectOptions, HeaderMap, ServerAddr};
use async_trait::async_trait;
use doyen_core::event::{
    Broker, BrokerError, BrokerMessage, DEDUPLICATION_WINDOW, REDELIVERY, Received, Subscription,
};
use futures_util::StreamExt as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Maximum time of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest pause before an attempt to reconnect.
const MAX_RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// The name by which the server recognizes a message.
const ID: &str = "Nats-Msg-Id";
const AGGREGATE: &str = "Doyen-Aggregate";
const TRACE: &str = "traceparent";

/// A stream of NATS JetStream, stored in files. The subject of an event is the name of the stream
/// and the topic.
pub struct NatsBroker {
    servers: Vec<ServerAddr>,
    stream: String,
    max: u32,
    // Empty until the stream is known to exist, and after an error.
    context: Mutex<Option<Context>>,
}

impl fmt::Debug for NatsBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBroker")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

impl NatsBroker {
    /// A stream of this name with at most `max` messages. It connects on first use, and creates
    /// the stream if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is invalid.
    pub fn new(url: &str, stream: &str, max: u32) -> Result<Self, String> {
        let servers = url.split(',').map(|url| url.trim().parse::<ServerAddr>());
        let servers: Result<Vec<_>, _> = servers.collect();
        Ok(Self {
            // The error of the library may contain the password.
            servers: servers.map_err(|_| "it must be a URL such as `nats://host:4222`")?,
            stream: stream.to_owned(),
            max,
            context: Mutex::new(None),
        })
    }

    /// Returns the connection. It reconnects by itself.
    async fn context(&self) -> Result<Context, BrokerError> {
        let mut known = self.context.lock().await;
        if let Some(context) = &*known {
            return Ok(context.clone());
        }
        let pause = |attempt: usize| {
            let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
            Duration::from_millis(50)
                .saturating_mul(attempt)
                .min(MAX_RECONNECT_PAUSE)
        };
        let options = ConnectOptions::new()
            .request_timeout(Some(REQUEST_TIMEOUT))
            .reconnect_delay_callback(pause);
        let connecting = timeout(REQUEST_TIMEOUT, options.connect(self.servers.clone()));
        let client = connecting
            .await
            .map_err(|_| late())?
            .map_err(BrokerError::new)?;
        let context = jetstream::new(client);
        self.create_stream(&context).await?;
        *known = Some(context.clone());
        Ok(context)
    }

    async fn create_stream(&self, context: &Context) -> Result<stream::Stream, BrokerError> {
        let config = stream::Config {
            name: self.stream.clone(),
            subjects: vec![format!("{}.>", self.stream)],
            max_messages: i64::from(self.max),
            duplicate_window: DEDUPLICATION_WINDOW,
            ..stream::Config::default()
        };
        let created = timeout(REQUEST_TIMEOUT, context.get_or_create_stream(config));
        created.await.map_err(|_| late())?.map_err(BrokerError::new)
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
        let payload = message.payload.clone().into_bytes().into();
        let stored = async {
            let sent = context
                .publish_with_headers(subject, headers, payload)
                .await;
            sent.map_err(BrokerError::new)?
                .await
                .map_err(BrokerError::new)
        };
        timeout(REQUEST_TIMEOUT, stored)
            .await
            .map_err(|_| late())??;
        Ok(())
    }
}

fn late() -> BrokerError {
    BrokerError::new(format!("no response within {REQUEST_TIMEOUT:?}"))
}

#[async_trait]
impl Broker for NatsBroker {
    fn name(&self) -> &'static str {
        "nats"
    }

    async fn publish(&self, message: &BrokerMessage) -> Result<(), BrokerError> {
        let context = self.context().await?;
        let sent = self.send(&context, message).await;
        if sent.is_err() {
            // The server may have lost the stream. The next attempt creates it.
            *self.context.lock().await = None;
        }
        sent
    }

    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BrokerError> {
        let context = self.context().await?;
        let stream = self.create_stream(&context).await?;
        let config = pull::Config {
            durable_name: Some(group.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: REDELIVERY,
            ..pull::Config::default()
        };
        let joined = timeout(
            REQUEST_TIMEOUT,
            stream.get_or_create_consumer(group, config),
        );
        let consumer = joined
            .await
            .map_err(|_| late())?
            .map_err(BrokerError::new)?;
        Ok(Box::new(NatsSubscription {
            consumer,
            prefix: format!("{}.", self.stream),
            open: HashMap::new(),
        }))
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        let context = self.context().await?;
        let info = timeout(Duration::from_secs(1), context.query_account());
        let info = info
            .await
            .map_err(|_| BrokerError::new("no response within a second"))?;
        info.map(drop).map_err(BrokerError::new)
    }
}

struct NatsSubscription {
    consumer: PullConsumer,
    prefix: String,
    /// The messages that were received last and are not acknowledged, by their reply subject.
    open: HashMap<String, Message>,
}

#[async_trait]
impl Subscription for NatsSubscription {
    async fn fetch(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BrokerError> {
        self.open.clear();
        let batch = self.consumer.fetch().max_messages(max).messages();
        let batch = timeout(REQUEST_TIMEOUT, batch).await.map_err(|_| late())?;
        let mut batch = batch.map_err(BrokerError::new)?;
        let mut received = Vec::new();
        while let Ok(Some(message)) = timeout(REQUEST_TIMEOUT, batch.next()).await {
            let message = message.map_err(BrokerError::new)?;
            if let Some(one) = self.received(&message) {
                self.open.insert(one.token.clone(), message);
                received.push(one);
            }
        }
        if received.is_empty() {
            // The server has none: wait for one. A larger batch would wait until it is full.
            let next = self
                .consumer
                .batch()
                .max_messages(1)
                .expires(wait)
                .messages();
            let mut next = next.await.map_err(BrokerError::new)?;
            if let Ok(Some(message)) = timeout(wait + REQUEST_TIMEOUT, next.next()).await {
                let message = message.map_err(BrokerError::new)?;
                if let Some(one) = self.received(&message) {
                    self.open.insert(one.token.clone(), message);
                    received.push(one);
                }
            }
        }
        Ok(received)
    }

    async fn acknowledge(&mut self, messages: &[Received]) -> Result<(), BrokerError> {
        for message in messages {
            if let Some(message) = self.open.remove(&message.token) {
                message.ack().await.map_err(BrokerError::new)?;
            }
        }
        Ok(())
    }
}

impl NatsSubscription {
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
