//! The real program under many slow clients at once, as slowhttptest plays them: who is honest is answered throughout.
//!
//! All come from one address, as the honest one does, and there is room for few requests at once: that the slow ones are told apart is what
//! keeps the service up, not that there is room for them all.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use doyen_test::{Program, Running};

/// How many connections attack.
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

/// An attack of some seconds.
fn attack(address: SocketAddr, path: &str, kind: &[&str]) -> std::process::Child {
    let many = MANY.to_string();
    let url = format!("http://{address}{path}");
    // A connection says more each second, and the attack goes on for six.
    let usual = [
        "-c", &*many, "-r", "150", "-i", "1", "-l", "6", "-p", "3", "-u", &*url,
    ];
    Command::new("slowhttptest")
        .args(kind)
        .args(usual)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("slowhttptest is not there ({error}): `cargo xtask setup` installs it")
        })
}

/// The largest number after this word in what slowhttptest says.
fn most(said: &str, word: &str) -> u32 {
    let plain: String = said
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .collect();
    let numbers = plain.lines().filter_map(|line| {
        // Colours leave `[1;32m` and the like behind.
        let text = line.split_once(word)?.1;
        let last = text
            .rsplit(|c: char| c == 'm' || c.is_whitespace())
            .find(|word| !word.is_empty())?;
        last.parse().ok()
    });
    numbers.max().unwrap_or(0)
}

/// Asks an honest question again and again until the attack is over: each is answered, and soon.
fn survives(path: &str, kind: &[&str]) {
    let server = program();
    let address = server.address();
    let honest = "GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(server.exchange(honest).starts_with("HTTP/1.1 200"));
    let mut attack = attack(address, path, kind);
    let (mut answered, mut slowest) = (0, Duration::ZERO);
    let over = server.wait_for(|| {
        let begun = Instant::now();
        let answer = server.exchange(honest);
        slowest = slowest.max(begun.elapsed());
        let start = &answer[..answer.len().min(300)];
        assert!(
            answer.starts_with("HTTP/1.1 200"),
            "after {answered} answers: {start}"
        );
        answered += 1;
        attack.try_wait().ok().flatten()
    });
    let over = over.is_some();
    if !over {
        let _ = attack.kill();
    }
    let said = attack.wait_with_output().map(|output| {
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).into_owned()
    });
    let said = said.unwrap_or_else(|error| panic!("{error}"));
    assert!(over, "the attack never ended:\n{said}");
    // It was an attack, and the attacker's own honest question was answered too.
    let connected = most(&said, "connected:").max(most(&said, "closed:"));
    assert!(
        connected >= MANY / 2,
        "only {connected} connections:\n{said}"
    );
    assert!(said.contains("YES") && !said.contains("NO\n"), "{said}");
    assert!(answered >= 20, "{answered} answers only:\n{said}");
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
fn answers_that_are_hardly_read() {
    survives(
        "/openapi.json",
        &["-X", "-w", "1", "-y", "64", "-n", "1", "-z", "5", "-k", "3"],
    );
}
