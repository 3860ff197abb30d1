//! What clients can make the program hold and write: memory for password hashes, for responses that
//! are not read, for pages of a customer, and the log. `cargo xtask soak` runs it with the full
//! counts.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use doyen_test::{Program, Running, scale};
use serde_json::{Value, json};

use crate::http2::{closed_window, requests};

/// Memory of one hash, in MiB.
const HASH: usize = 19;

/// `server.buffer_limit`, and the quarter above it at which reading pauses, in MiB.
const BUFFERS: usize = 40;

/// Allowance for connections, fragments and the allocator, in MiB.
const SLACK: usize = 20;

fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_LOG__FORMAT", "json")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
}

/// Number of concurrent hashes.
fn permits() -> usize {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8)
}

fn post(address: SocketAddr, path: &str, body: &Value) -> u16 {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response[9..12].parse().unwrap()
}

/// Runs this on that number of threads at once.
fn at_once(threads: usize, work: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for at in 0..threads {
            let work = &work;
            scope.spawn(move || work(at));
        }
    });
}

/// Prints a measurement, which `cargo xtask soak` shows.
#[expect(clippy::print_stdout, reason = "shown by the test runner")]
pub(crate) fn report(text: &str) {
    println!("{text}");
}

fn is_well(server: &Running) {
    let livez = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(server.exchange(livez).starts_with("HTTP/1.1 200"));
}

#[test]
fn p2_passwords_take_one_buffer_for_each_permit_and_return_it() {
    let server = program().start();
    let address = server.address();
    is_well(&server);
    let boot = server.memory();
    at_once(34, |at| {
        let email = format!("new{at}@example.com");
        let new = json!({"email": email, "password": "zebra lamp orbit 4417 quiet", "name": "N"});
        assert!(matches!(
            post(address, "/v1/auth/register", &new),
            201 | 202 | 503
        ));
    });
    at_once(scale(12, 25), |at| {
        for _ in 0..scale(10, 20) {
            let email = format!("new{at}@example.com");
            post(
                address,
                "/v1/auth/login",
                &json!({"email": email, "password": "wrong horse"}),
            );
        }
    });
    let busy = server.memory();
    report(&format!("boot {boot:?}, busy {busy:?}"));
    assert!(
        busy.peak <= boot.now + permits() * HASH + SLACK,
        "{boot:?} {busy:?}"
    );
    // The buffers are returned after ten seconds without a hash.
    let idle =
        server.wait_for(|| Some(server.memory()).filter(|idle| idle.now <= boot.now + SLACK));
    report(&format!("after a while {idle:?}"));
    assert!(idle.is_some(), "{boot:?} {busy:?} {:?}", server.memory());
    is_well(&server);
}

#[test]
fn unread_responses_take_a_bounded_amount() {
    for path in ["/nope", "/openapi.json"] {
        let server = program().start();
        let address = server.address();
        is_well(&server);
        let boot = server.memory();
        let attack = [closed_window(), requests("GET", path, 100)].concat();
        let mut held = Vec::new();
        for _ in 0..scale(150, 1_200) {
            let mut stream = TcpStream::connect(address).unwrap();
            // It may be cut while it sends.
            let _ = stream.write_all(&attack);
            held.push(stream);
        }
        let settled = server.wait_for(|| {
            let before = server.memory();
            is_well(&server);
            (server.memory() == before).then_some(before)
        });
        let busy = settled.unwrap_or_else(|| server.memory());
        report(&format!("{path}: boot {boot:?}, busy {busy:?}"));
        assert!(
            busy.peak <= boot.now + BUFFERS + SLACK,
            "{path}: {boot:?} {busy:?}"
        );
        is_well(&server);
    }
}

/// A client that requests unknown paths at full speed does not fill the disk.
#[test]
fn the_log_of_refused_requests_is_bounded() {
    let server = program().start();
    let address = server.address();
    is_well(&server);
    let before = server.output().len();
    let many = scale(2_000, 20_000);
    at_once(4, |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = "GET /nope HTTP/1.1\r\nHost: a\r\n\r\n";
        let last = "GET /nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let mut reader = stream.try_clone().unwrap();
        let reads = std::thread::spawn(move || {
            let mut responses = Vec::new();
            reader.read_to_end(&mut responses).unwrap();
            String::from_utf8_lossy(&responses)
                .matches("HTTP/1.1 404")
                .count()
        });
        for _ in 1..many {
            stream.write_all(request.as_bytes()).unwrap();
        }
        stream.write_all(last.as_bytes()).unwrap();
        assert_eq!(reads.join().unwrap(), many);
    });
    let left_out = || {
        let output = server.output();
        let lines = output
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lines: Vec<Value> = lines.collect();
        let written = lines.iter().filter(|line| line["status"] == 404).count();
        let reports = lines
            .iter()
            .filter(|line| line["fields"]["kind"] == "404 not_found anonymous");
        let counted: u64 = reports
            .filter_map(|line| line["fields"]["lines"].as_u64())
            .sum();
        (written, usize::try_from(counted).unwrap())
    };
    // Every request is written or counted.
    let all = server.wait_for(|| {
        let (written, counted) = left_out();
        (written + counted == 4 * many).then_some((written, counted))
    });
    let (written, counted) = all.unwrap_or_else(|| panic!("{:?}", left_out()));
    assert!(
        counted > 4 * many / 2,
        "{written} written, {counted} counted"
    );
    let bytes = server.output().len() - before;
    report(&format!("{bytes} bytes for {} refused requests", 4 * many));
    assert!(bytes < 100 * 4 * many / 2, "{bytes}");
}
