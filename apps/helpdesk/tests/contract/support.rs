//! The helpdesk under test, its users, and requests to its program.

#[path = "../suite/support/people.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
pub(crate) mod people;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::time::Duration;

use doyen_test::{Running, Setup, Subject, TestApp};
use serde_json::json;

pub(crate) use people::{Join, Person};

/// The helpdesk.
pub(crate) struct Helpdesk(TestApp);

impl Subject for Helpdesk {
    fn app() -> doyen::App {
        helpdesk::app()
    }

    fn setup() -> Setup {
        // Tests check responses, not times: a busy machine must not fail them.
        Setup::new()
            .set("database.acquire_timeout", "30s")
            .set("database.lock_timeout", "30s")
            .set("database.statement_timeout", "30s")
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Helpdesk {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// Prints a measurement, which `cargo xtask soak` shows.
#[expect(clippy::print_stdout, reason = "shown by the test runner")]
pub(crate) fn report(text: &str) {
    println!("{text}");
}

/// Sends bytes and returns what arrives until the end of the connection.
pub(crate) fn exchange(address: SocketAddr, bytes: &str) -> String {
    let mut answer = String::new();
    if let Ok(mut stream) = TcpStream::connect(address) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
        let _ = stream.write_all(bytes.as_bytes());
        let _ = stream.read_to_string(&mut answer);
    }
    answer
}

/// Registers a user at a program, and logs in.
pub(crate) fn token(server: &Running) -> String {
    let person = json!({"email": "ada@example.com", "password": people::PASSWORD, "name": "Ada"});
    let register = post(server, "/v1/auth/register", &person.to_string());
    assert!(register.starts_with("HTTP/1.1 201"), "{register}");
    let login = json!({"email": "ada@example.com", "password": people::PASSWORD});
    let login = post(server, "/v1/auth/login", &login.to_string());
    let body = login.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}\n{login}"));
    body["access_token"].as_str().unwrap().to_owned()
}

fn post(server: &Running, path: &str, body: &str) -> String {
    let length = body.len();
    server.exchange(&format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    ))
}
