//! Signals, sent to a child process: this test binary, started again to serve.

#![cfg(unix)]

use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use doyen::prelude::*;
use doyen::web::{Drain, Server, ServerOptions, Service};

use crate::kit::finish;

const CHILD: &str = "DOYEN_TEST_SERVES";

/// Answer once the drain has begun.
#[get("/finish", allow = anyone)]
async fn finishing(drain: Arc<Drain>) -> Text {
    say("reached");
    while !drain.has_begun() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Text("finished".into())
}

/// Never answer.
#[get("/hang", allow = anyone)]
async fn hang() -> NoContent {
    say("reached");
    std::future::pending::<()>().await;
    NoContent
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{what}")
        .and_then(|()| out.flush())
        .unwrap();
}

/// In the child process it serves until a signal stops it; run as a test it does nothing.
#[test]
fn serve_when_started_as_a_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let service =
            finish(Service::builder().module(Module::new("t").routes(routes![finishing, hang])));
        let mut options = ServerOptions::new(([127, 0, 0, 1], 0).into());
        options.drain_deadline = Duration::from_secs(300);
        let server = Server::bind(service, options).await.unwrap();
        doyen::web::ignore_other_signals();
        let stop = doyen::web::shutdown_signal();
        say(&format!("listening {}", server.address()));
        server.run_until(stop).await;
    });
}

struct Serving {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    address: SocketAddr,
}

impl Serving {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "signals::serve_when_started_as_a_child",
                "--nocapture",
            ])
            .env(CHILD, "yes")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let address = line(&mut lines, "listening ").parse().unwrap();
        Self {
            child,
            lines,
            address,
        }
    }

    /// A request that has reached its handler.
    fn ask(&mut self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        line(&mut self.lines, "reached");
        stream
    }

    fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args([name, &self.child.id().to_string()]);
        assert!(kill.status().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text after this word, on the first line that begins with it.
fn line(lines: &mut impl std::io::BufRead, word: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(
            lines.read_line(&mut line).unwrap() > 0,
            "the child ended before it said {word:?}"
        );
        if let Some(rest) = line.trim_end().strip_prefix(word) {
            return rest.to_owned();
        }
    }
}

#[test]
fn a_signal_lets_requests_finish_and_the_process_end_well() {
    for signal in ["-TERM", "-INT"] {
        let mut serving = Serving::start();
        let mut stream = serving.ask("/finish");
        serving.signal(signal);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"),
            "{answer}"
        );
        assert!(serving.child.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn other_signals_are_ignored() {
    let mut serving = Serving::start();
    for signal in ["-HUP", "-USR1", "-XFSZ"] {
        let mut stream = serving.ask("/finish");
        serving.signal(signal);
        // Still working on the request, and not draining.
        stream
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        let nothing = stream.read(&mut [0; 1]);
        assert!(nothing.is_err(), "{signal}: {nothing:?}");
        assert!(serving.child.try_wait().unwrap().is_none(), "{signal}");
    }
}

#[test]
fn a_second_signal_does_not_wait() {
    let mut serving = Serving::start();
    let mut stream = serving.ask("/hang");
    serving.signal("-TERM");
    // The listener is closed: the drain has begun and waits for the request, for minutes.
    let start_time = Instant::now();
    while TcpStream::connect(serving.address).is_ok() {
        assert!(
            start_time.elapsed() < Duration::from_secs(20),
            "it still listens"
        );
        std::thread::yield_now();
    }
    assert!(
        serving.child.try_wait().unwrap().is_none(),
        "it did not wait"
    );
    serving.signal("-TERM");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert_eq!(answer, "");
    assert!(serving.child.wait().unwrap().success());
}
