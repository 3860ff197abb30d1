//! A Redis server for one test.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::local_server::{LocalServer, Program};

const VOLATILE: Program = Program {
    name: "redis-server",
    arguments: |port, _| {
        let mut arguments = common(port);
        arguments.extend(["--appendonly", "no"].map(str::to_owned));
        arguments
    },
    answers,
};

const DURABLE: Program = Program {
    arguments: |port, _| {
        let mut arguments = common(port);
        let durable = ["--appendonly", "yes", "--appendfsync", "always"];
        arguments.extend(durable.map(str::to_owned));
        arguments
    },
    ..VOLATILE
};

/// A `redis-server` for one test: it holds no data of other tests, and can be stopped. Killed when
/// dropped.
///
/// ```no_run
/// let redis = doyen_test::RedisServer::start();
/// redis.pause();
/// // Every request now waits for a response.
/// redis.resume();
/// ```
#[derive(Debug)]
pub struct RedisServer(LocalServer);

impl RedisServer {
    /// Starts a server on a free port of 127.0.0.1. It keeps its data in memory only.
    pub fn start() -> Self {
        Self(LocalServer::start(VOLATILE, &[]))
    }

    /// Starts a server that writes each change to a file before it responds.
    pub fn start_durable() -> Self {
        Self(LocalServer::start(DURABLE, &[]))
    }

    /// Returns its URL: `redis://127.0.0.1:..`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.0.address())
    }

    /// Stops the server with SIGSTOP: connections stay open, and no response comes.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Continues the server.
    pub fn resume(&self) {
        self.0.resume();
    }

    /// Kills the server. What it has in memory only is lost.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts a killed server again at its address, with the data that it has written.
    pub fn restart(&mut self) {
        self.0.restart();
    }
}

fn common(port: &str) -> Vec<String> {
    let arguments = ["--bind", "127.0.0.1", "--save", "", "--port", port];
    arguments.map(str::to_owned).to_vec()
}

fn answers(mut stream: TcpStream) -> bool {
    let mut answer = [0; 7];
    stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"+PONG\r\n"
}
