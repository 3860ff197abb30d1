//! A NATS server for one test.

use std::io::Read as _;
use std::net::TcpStream;

use crate::local_server::{LocalServer, Program};

const PROGRAM: Program = Program {
    name: "nats-server",
    arguments: |port, folder| {
        let folder = folder.display().to_string();
        let arguments = ["-a", "127.0.0.1", "-p", port, "-js", "-sd", &folder];
        arguments.map(str::to_owned).to_vec()
    },
    answers,
};

/// With the configuration in its folder.
const CONFIGURED: Program = Program {
    arguments: |port, _| {
        let arguments = ["-c", "nats.conf", "-a", "127.0.0.1", "-p", port];
        arguments.map(str::to_owned).to_vec()
    },
    ..PROGRAM
};

/// A `nats-server` with JetStream for one test: it holds no data of other tests, and can be
/// stopped. Killed when dropped.
///
/// ```no_run
/// let mut nats = doyen_test::NatsServer::start();
/// nats.kill();
/// // Events wait in the database.
/// nats.restart();
/// ```
#[derive(Debug)]
pub struct NatsServer(LocalServer);

impl NatsServer {
    /// Starts a server on a free port of 127.0.0.1. Its streams are in a folder of its own.
    pub fn start() -> Self {
        Self(LocalServer::start(PROGRAM, &[]))
    }

    /// Starts a server with the text of a configuration file.
    pub fn start_with(configuration: &str) -> Self {
        Self(LocalServer::start(
            CONFIGURED,
            &[("nats.conf", configuration)],
        ))
    }

    /// Returns its URL: `nats://127.0.0.1:..`.
    pub fn url(&self) -> String {
        format!("nats://{}", self.0.address())
    }

    /// Stops the server with SIGSTOP: connections stay open, and no response comes.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Continues the server.
    pub fn resume(&self) {
        self.0.resume();
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts a killed server again at its address, with its streams.
    pub fn restart(&mut self) {
        self.0.restart();
    }
}

/// The server begins each connection with a line.
fn answers(mut stream: TcpStream) -> bool {
    let mut first = [0; 4];
    stream.read_exact(&mut first).is_ok() && &first == b"INFO"
}
