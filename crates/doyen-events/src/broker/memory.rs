//! A broker in this process, for tests of an application.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use doyen_core::event::{Broker, BrokerError, BrokerMessage, Received, Subscription};
use doyen_core::sync::lock;
use tokio::sync::Notify;

/// Keeps all messages until the last clone is dropped.
#[derive(Clone, Debug, Default)]
pub struct MemoryBroker(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    published: Notify,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<BrokerMessage>,
    /// The number of acknowledged messages of each group.
    groups: HashMap<String, usize>,
    is_down: bool,
}

impl MemoryBroker {
    /// Returns all messages, in order.
    pub fn messages(&self) -> Vec<BrokerMessage> {
        lock(&self.0.state).messages.clone()
    }

    /// Refuses or accepts requests from now on.
    pub fn set_down(&self, is_down: bool) {
        lock(&self.0.state).is_down = is_down;
    }
}

impl State {
    fn check(&self) -> Result<(), BrokerError> {
        match self.is_down {
            true => Err(BrokerError::new("the broker is down")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn publish(&self, message: &BrokerMessage) -> Result<(), BrokerError> {
        let mut state = lock(&self.0.state);
        state.check()?;
        if !state.messages.iter().any(|known| known.id == message.id) {
            state.messages.push(message.clone());
            self.0.published.notify_waiters();
        }
        Ok(())
    }

    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BrokerError> {
        lock(&self.0.state).check()?;
        let group = group.to_owned();
        let broker = self.clone();
        Ok(Box::new(MemorySubscription {
            group,
            broker,
            next: None,
        }))
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        lock(&self.0.state).check()
    }
}

struct MemorySubscription {
    group: String,
    broker: MemoryBroker,
    /// The next message; at first that after the last acknowledged one.
    next: Option<usize>,
}

#[async_trait]
impl Subscription for MemorySubscription {
    async fn fetch(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BrokerError> {
        let inner = Arc::clone(&self.broker.0);
        let published = inner.published.notified();
        tokio::pin!(published);
        published.as_mut().enable();
        if self.is_at_end()? {
            let _ = tokio::time::timeout(wait, published).await;
        }
        let state = lock(&inner.state);
        state.check()?;
        let acknowledged = state.groups.get(&self.group).copied().unwrap_or(0);
        let next = self.next.unwrap_or(acknowledged);
        let messages = state.messages.iter().enumerate().skip(next).take(max);
        let received: Vec<_> = messages
            .map(|(index, message)| Received {
                message: message.clone(),
                token: index.to_string(),
            })
            .collect();
        self.next = Some(next + received.len());
        Ok(received)
    }

    async fn acknowledge(&mut self, messages: &[Received]) -> Result<(), BrokerError> {
        let mut state = lock(&self.broker.0.state);
        state.check()?;
        let last = messages
            .iter()
            .filter_map(|one| one.token.parse::<usize>().ok())
            .max();
        if let Some(last) = last {
            state.groups.insert(self.group.clone(), last + 1);
        }
        Ok(())
    }
}

impl MemorySubscription {
    fn is_at_end(&self) -> Result<bool, BrokerError> {
        let state = lock(&self.broker.0.state);
        state.check()?;
        let acknowledged = state.groups.get(&self.group).copied().unwrap_or(0);
        Ok(self.next.unwrap_or(acknowledged) >= state.messages.len())
    }
}
