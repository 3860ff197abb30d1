//! A Redis server for one test.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Maximum time to start.
const TIMEOUT: Duration = Duration::from_secs(20);

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
pub struct RedisServer {
    child: Child,
    address: SocketAddr,
}

impl RedisServer {
    /// Starts a server on a free port of 127.0.0.1. It writes no file.
    pub fn start() -> Self {
        // A port that was free a moment ago; if another process took it, try again.
        for _ in 0..5 {
            let address = TcpListener::bind(("127.0.0.1", 0))
                .and_then(|listener| listener.local_addr())
                .unwrap_or_else(|error| panic!("no port: {error}"));
            let mut server = Self {
                child: spawn(address),
                address,
            };
            if server.is_ready() {
                return server;
            }
        }
        panic!("`redis-server` does not start");
    }

    /// Returns its URL: `redis://127.0.0.1:..`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Stops the server with SIGSTOP: connections stay open, and no response comes.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Continues the server.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Kills the server. Its data is lost.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts a killed server again at its address, without data.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.address);
        assert!(self.is_ready(), "`redis-server` does not start again");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "{name} was not sent"
        );
    }

    fn is_ready(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < TIMEOUT {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return false;
            }
            if answers(self.address) {
                return true;
            }
            rest();
        }
        false
    }
}

fn spawn(address: SocketAddr) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no"])
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("`redis-server` cannot be started ({error}): run `cargo xtask setup`")
        })
}

fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let mut answer = [0; 7];
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"+PONG\r\n"
}

/// Waits before the next poll of another process, which cannot notify us.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing else runs on the thread of such a test"
)]
fn rest() {
    std::thread::sleep(Duration::from_millis(5));
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // SIGKILL ends a stopped process too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
