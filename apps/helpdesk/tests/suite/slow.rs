//! The program during an attack by many slow clients (slowhttptest): other clients are served
//! throughout.
//!
//! All clients share one address, and few requests may run at once. The service stays up because
//! slow clients are detected, not because there is capacity for all of them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use doyen_test::{Program, Running};

/// Number of attacking connections.
const MANY: u32 = 300;

fn program() -> Running {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_SERVER__HEADER_TIMEOUT", "2s")
        .env("APP_SERVER__BODY_TIMEOUT", "2s")
        .env("APP_SERVER__MAX_CONCURRENT_REQUESTS", "4")
        .start()
}

/// A running attack, and its output file.
struct Attack {
    child: Child,
    notes: PathBuf,
}

/// One second of it.
#[derive(Debug)]
struct Second {
    closed: u32,
    connected: u32,
    /// True if the attacker's own probe got a response.
    answered: bool,
}

impl Attack {
    /// Duration in seconds.
    fn begin(address: SocketAddr, path: &str, kind: &[&str]) -> Self {
        let port = address.port();
        let notes = std::env::temp_dir().join(format!("doyen-slow-{}-{port}", std::process::id()));
        let many = MANY.to_string();
        let url = format!("http://{address}{path}");
        // Each connection sends or reads a little more each second.
        let usual = [
            "-c", &*many, "-r", "150", "-i", "1", "-l", "6", "-p", "3", "-u", &*url,
        ];
        let child = Command::new("slowhttptest")
            .args(kind)
            .args(usual)
            .args(["-g", "-o"])
            .arg(&notes)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("slowhttptest cannot be started ({error}): `cargo xtask setup` installs it")
            });
        Self { child, notes }
    }

    fn is_over(&mut self) -> Option<()> {
        self.child.try_wait().ok().flatten().map(drop)
    }

    /// Its output: a line each second, `Seconds,Closed,Pending,Connected,Service Available`.
    fn seconds(&self) -> Vec<Second> {
        let notes = std::fs::read_to_string(self.notes.with_extension("csv"));
        let notes = notes.unwrap_or_else(|error| panic!("it noted nothing: {error}"));
        let lines = notes.lines().skip(1).map(|line| {
            let numbers: Vec<u32> = line
                .split(',')
                .map_while(|word| word.trim().parse().ok())
                .collect();
            match numbers[..] {
                [_, closed, _, connected, available] => Second {
                    closed,
                    connected,
                    answered: available > 0,
                },
                _ => panic!("another slowhttptest writes {line:?}"),
            }
        });
        lines.collect()
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for ending in ["csv", "html"] {
            let _ = std::fs::remove_file(self.notes.with_extension(ending));
        }
    }
}

/// Sends regular requests until the attack is over: each gets a response, and soon.
fn survives(path: &str, kind: &[&str]) {
    let server = program();
    let address = server.address();
    let honest = "GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(server.exchange(honest).starts_with("HTTP/1.1 200"));
    let mut attack = Attack::begin(address, path, kind);
    let (mut answered, mut slowest) = (0, Duration::ZERO);
    let over = server.wait_for(|| {
        let start_time = Instant::now();
        let answer = server.exchange(honest);
        slowest = slowest.max(start_time.elapsed());
        let start = answer.get(..300).unwrap_or(&answer);
        assert!(
            answer.starts_with("HTTP/1.1 200"),
            "after {answered} answers: {start}"
        );
        answered += 1;
        attack.is_over()
    });
    assert!(over.is_some(), "the attack never ended");
    // The attack took place, and the attacker's own probe got a response in each second.
    let seconds = attack.seconds();
    let most = seconds
        .iter()
        .map(|second| second.connected + second.closed)
        .max();
    assert!(most >= Some(MANY / 2), "{seconds:?}");
    assert!(seconds.iter().all(|second| second.answered), "{seconds:?}");
    assert!(answered >= 20, "{answered} answers only: {seconds:?}");
    assert!(slowest < Duration::from_secs(3), "one took {slowest:?}");
    assert!(server.exchange(honest).starts_with("HTTP/1.1 200"));
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn headers_that_never_end() {
    survives("/openapi.json", &["-H"]);
}

#[test]
fn bodies_that_never_end() {
    survives(
        "/v1/auth/login",
        &["-B", "-t", "POST", "-s", "8192", "-f", "application/json"],
    );
}

#[test]
fn responses_that_are_read_slowly() {
    survives(
        "/openapi.json",
        &["-X", "-w", "1", "-y", "64", "-n", "1", "-z", "5", "-k", "3"],
    );
}
