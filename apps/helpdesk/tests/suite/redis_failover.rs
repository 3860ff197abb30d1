//! Redis with Sentinels: the application follows the primary.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use doyen_test::{Program, RedisServer};

use crate::support::redis_is;

/// A Sentinel that watches one service. Killed when dropped.
struct Sentinel {
    child: Child,
    port: u16,
}

impl Sentinel {
    /// Starts it. It keeps its state in its configuration file, in this folder.
    fn start(primary: u16, folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let file = folder.join("sentinel.conf");
        let lines = [
            format!("port {port}\nbind 127.0.0.1\nsave \"\""),
            format!("sentinel monitor main 127.0.0.1 {primary} 1"),
            "sentinel down-after-milliseconds main 500".to_owned(),
            "sentinel failover-timeout main 3000\n".to_owned(),
        ];
        std::fs::write(&file, lines.join("\n")).unwrap();
        let child = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port }
    }

    /// Waits until it says this.
    fn says(&self, command: &str, text: &str) {
        wait_for(|| ask(self.port, command).is_some_and(|answer| answer.contains(text)));
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends one command. `None` if no server listens.
fn ask(port: u16, command: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    writeln!(stream, "{command}\r").ok()?;
    // The server closes the connection after the response.
    stream.shutdown(Shutdown::Write).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Waits for another process, which cannot notify us. A Sentinel that was not scheduled for two
/// seconds does nothing for the next thirty.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing else runs on the thread of this test"
)]
fn wait_for(holds: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never seen within 50 s");
}

fn port(redis: &RedisServer) -> u16 {
    let url = redis.url();
    url.rsplit(':').next().unwrap().parse().unwrap()
}

#[test]
fn the_primary_that_the_sentinels_name_is_used_also_after_a_failover() {
    let (mut first, second) = (RedisServer::start(), RedisServer::start());
    let replicate = format!("REPLICAOF 127.0.0.1 {}", port(&first));
    ask(port(&second), &replicate).unwrap();
    wait_for(|| {
        ask(port(&second), "INFO replication")
            .is_some_and(|info| info.contains("master_link_status:up"))
    });
    let program = Program::new(env!("CARGO_BIN_EXE_helpdesk"));
    let sentinel = Sentinel::start(port(&first), program.folder());
    sentinel.says("SENTINEL REPLICAS main", &port(&second).to_string());

    // The first Sentinel of the list does not exist.
    let url = format!(
        "redis+sentinel://127.0.0.1:1,127.0.0.1:{}/main",
        sentinel.port
    );
    let server = program
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("REDIS_URL", &url)
        .start();
    redis_is(&server, "ok");
    let clients = |port| ask(port, "CLIENT LIST").unwrap_or_default();
    assert!(clients(port(&first)).contains("cmd=ping"));

    first.kill();
    redis_is(&server, "down");
    sentinel.says(
        "SENTINEL GET-MASTER-ADDR-BY-NAME main",
        &port(&second).to_string(),
    );
    redis_is(&server, "ok");
    assert!(clients(port(&second)).contains("cmd=ping"));

    // The former primary returns as a replica, and refuses writes. The Sentinel would say so too,
    // but only some time later.
    first.restart();
    let replicate = format!("REPLICAOF 127.0.0.1 {}", port(&second));
    assert!(ask(port(&first), &replicate).unwrap().contains("OK"));
    redis_is(&server, "ok");
    assert!(clients(port(&second)).contains("cmd=ping"));
}
