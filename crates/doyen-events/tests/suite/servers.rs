//! The servers of one test, which can be stopped, paused and started again with their data.

use doyen_test::{NatsServer, RedisServer};

/// The kind of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Redis,
    Nats,
}

/// A server with data of its own.
#[derive(Debug)]
pub(crate) enum Server {
    Redis(RedisServer),
    Nats(NatsServer),
}

/// Calls the method of the server, whichever it is.
macro_rules! each {
    ($server:expr, $method:ident) => {
        match $server {
            Server::Redis(server) => server.$method(),
            Server::Nats(server) => server.$method(),
        }
    };
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        match kind {
            Kind::Redis => Self::Redis(RedisServer::start_durable()),
            Kind::Nats => Self::Nats(NatsServer::start()),
        }
    }

    pub(crate) fn url(&self) -> String {
        each!(self, url)
    }

    pub(crate) fn pause(&self) {
        each!(self, pause);
    }

    pub(crate) fn resume(&self) {
        each!(self, resume);
    }

    pub(crate) fn kill(&mut self) {
        each!(self, kill);
    }

    /// Starts it on its port and with its data.
    pub(crate) fn restart(&mut self) {
        each!(self, restart);
    }
}
