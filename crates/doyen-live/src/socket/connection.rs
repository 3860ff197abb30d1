//! What a handler can do with its connection.
//!
//! Everything takes effect after the commit of the message, in order. After an error nothing does.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

use doyen_core::sync::lock;
use doyen_core::{Caller, Unexpected};
use doyen_schema::Output;

use crate::events::position;
use crate::feed::{Change, Feed, Presence, Subscription, socket_event, text_of};
use crate::{Live, Topic};

/// The connection of a socket whose messages are of type `Out`. Cloning shares it.
pub struct Connection<Out> {
    shared: Arc<Shared>,
    out: PhantomData<fn(Out)>,
}

/// What the handler of a message has done.
pub(crate) struct Shared {
    pub(crate) caller: Option<Arc<Caller>>,
    pub(crate) actions: Mutex<Vec<Action>>,
    /// The topic that the message is about.
    pub(crate) topic: Mutex<Option<Arc<str>>>,
}

/// Writes the presence of a topic as a message.
pub(crate) type RenderPresence = fn(Presence) -> Result<String, Unexpected>;

pub(crate) enum Action {
    Send(String),
    Subscribe {
        subscription: Subscription,
        after: Option<i64>,
        confirmation: String,
    },
    Unsubscribe(String),
    Broadcast {
        topic: Arc<str>,
        text: Arc<str>,
    },
    Enter {
        topic: Arc<str>,
        user: String,
        render: RenderPresence,
    },
    Close,
}

impl<Out> Clone for Connection<Out> {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.shared))
    }
}

impl<Out> fmt::Debug for Connection<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl<Out> Connection<Out> {
    pub(crate) const fn of(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            out: PhantomData,
        }
    }

    fn act(&self, action: Action) {
        lock(&self.shared.actions).push(action);
    }

    /// Returns the caller.
    pub fn caller(&self) -> Option<&Arc<Caller>> {
        self.shared.caller.as_ref()
    }

    /// Names the topic that this message is about: if the message is rejected, the problem has it.
    pub fn about(&self, topic: &str) {
        *lock(&self.shared.topic) = Some(topic.into());
    }

    /// Ends the subscription of a topic, and the presence at it.
    pub fn unsubscribe(&self, topic: &str) {
        self.act(Action::Unsubscribe(topic.to_owned()));
    }

    /// Closes the connection (1000).
    pub fn close(&self) {
        self.act(Action::Close);
    }
}

impl<Out: Output> Connection<Out> {
    /// Sends a message.
    ///
    /// # Errors
    ///
    /// Returns an error if the message cannot be written as JSON.
    pub fn send(&self, message: &Out) -> Result<(), Unexpected> {
        self.act(Action::Send(text_of(message)?));
        Ok(())
    }

    /// Subscribes to a topic. Check first that the caller may read it. `confirmation` is sent
    /// before its first event. With `after`, the id of an event, the client first gets what it has
    /// missed since; if that is no longer kept, it gets the problem `events_missed`.
    ///
    /// # Errors
    ///
    /// Returns an error if the confirmation cannot be written as JSON.
    pub fn subscribe<F: Feed>(
        &self,
        _: &Live<F>,
        topic: Topic,
        after: Option<&str>,
        confirmation: &Out,
    ) -> Result<(), Unexpected>
    where
        Out: From<Change<F::Item>>,
    {
        self.act(Action::Subscribe {
            subscription: Subscription {
                topic,
                render: socket_event::<F, Out>,
                last: 0,
            },
            after: after.map(position),
            confirmation: text_of(confirmation)?,
        });
        Ok(())
    }

    /// Sends a message to the other connections that are subscribed to a topic, on all nodes. It
    /// is not stored: a client that is not connected never gets it.
    ///
    /// # Errors
    ///
    /// Returns an error if the message cannot be written as JSON.
    pub fn broadcast(&self, topic: &str, message: &Out) -> Result<(), Unexpected> {
        let text = text_of(message)?;
        self.act(Action::Broadcast {
            topic: topic.into(),
            text: text.into(),
        });
        Ok(())
    }

    /// Makes this user present at a topic, until the subscription or the connection ends. The
    /// connection gets the list of present users, now and after each change.
    pub fn enter(&self, topic: &str, user: &str)
    where
        Out: From<Presence>,
    {
        self.act(Action::Enter {
            topic: topic.into(),
            user: user.to_owned(),
            render: |presence| text_of(&Out::from(presence)),
        });
    }
}
