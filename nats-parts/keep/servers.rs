//! Servers of one test, which can be stopped, paused and started again with their data.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Maximum time to start.
const TIMEOUT: Duration = Duration::from_secs(20);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The kind of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Redis,
    Nats,
}

/// A server with a folder of its own. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    child: Option<Child>,
    address: SocketAddr,
    folder: PathBuf,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doyen-events-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut server = Self {
            kind,
            child: None,
            address,
            folder,
        };
        server.restart();
        server
    }

    /// Starts it on its port and with its data.
    pub(crate) fn restart(&mut self) {
        let port = self.address.port().to_string();
        let mut command = match self.kind {
            Kind::Redis => {
                let mut command = Command::new("redis-server");
                command.args(["--bind", "127.0.0.1", "--port", &port, "--save", ""]);
                command.args(["--appendonly", "yes", "--appendfsync", "always"]);
                command
            }
            Kind::Nats => {
                let mut command = Command::new("nats-server");
                command.args(["-a", "127.0.0.1", "-p", &port, "-js", "-sd"]);
                command.arg(&self.folder);
                command
            }
        };
        let child = command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let hint = "the server cannot be started: run `cargo xtask setup`";
        self.child = Some(child.unwrap_or_else(|error| panic!("{hint} ({error})")));
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(began.elapsed() < TIMEOUT, "the server does not start");
            #[allow(
                clippy::disallowed_methods,
                reason = "nothing else runs on this thread"
            )]
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills it (SIGKILL).
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it with SIGSTOP: connections stay open, and no response comes.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn url(&self) -> String {
        match self.kind {
            Kind::Redis => format!("redis://{}", self.address),
            Kind::Nats => format!("nats://{}", self.address),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
