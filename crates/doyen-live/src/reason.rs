//! Why a connection ends: the code and the text that its client gets.

use std::time::Duration;

/// The reason for which the server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client reads too slowly.
    SlowConsumer,
    /// The caller lost its rights: logout, another role, a disabled account, an expired token.
    AccessEnded,
    /// It could not be checked whether the caller still has its rights, or an event could not be
    /// read.
    Unavailable,
    /// This node has missed events that are no longer kept.
    Gap,
    /// The process stops. The client reconnects after this time.
    Draining(Duration),
    /// The peer answered no ping.
    Unresponsive,
    /// The socket has no subscription and its client sent nothing.
    Idle,
    /// The client sent too many messages.
    TooManyMessages,
    /// The handler closed the connection.
    Closed,
    /// The client violated the protocol, with the code of RFC 6455.
    Protocol(u16),
}

impl CloseReason {
    /// Returns the name, for metrics, logs and the client.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowConsumer => "slow_consumer",
            Self::AccessEnded => "access_ended",
            Self::Unavailable => "unavailable",
            Self::Gap => "gap",
            Self::Draining(_) => "draining",
            Self::Unresponsive => "unresponsive",
            Self::Idle => "idle",
            Self::TooManyMessages => "too_many_messages",
            Self::Closed => "closed",
            Self::Protocol(_) => "protocol",
        }
    }

    /// Returns the close code of a WebSocket.
    pub const fn code(self) -> u16 {
        match self {
            Self::SlowConsumer | Self::Unavailable | Self::Gap => 1013,
            Self::AccessEnded | Self::Unresponsive | Self::TooManyMessages => 1008,
            Self::Draining(_) => 1001,
            Self::Idle | Self::Closed => 1000,
            Self::Protocol(code) => code,
        }
    }

    /// Returns the text of the close frame. That of a drain says when to reconnect.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Draining(after) => format!("draining; retry_ms={}", after.as_millis()),
            other => other.name().to_owned(),
        }
    }
}
