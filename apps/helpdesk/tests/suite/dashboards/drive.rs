//! A helpdesk that is used in every way that its metrics count.

use std::cell::Cell;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use doyen_test::{Program, Running};

use super::COLLECTOR;
use crate::server::{field, request};
use crate::support::people::{ATTACHMENT, PASSWORD, attachment};

/// The helpdesk with its demo data.
pub(super) struct Driven {
    server: Running,
    admin: SocketAddr,
    agent: String,
    admin_token: String,
    hook: String,
    posts: Cell<u32>,
}

impl Driven {
    pub(super) fn start() -> Self {
        let server = Program::new(env!("CARGO_BIN_EXE_helpdesk"))
            .env("APP_ENV", "dev")
            .env("APP_LOG__FORMAT", "pretty")
            .env("APP_SERVER__BIND", "127.0.0.1:0")
            .env("APP_ADMIN__BIND", "127.0.0.1:0")
            .env("APP_WEBHOOKS__ALLOW_PRIVATE", "true")
            .env(COLLECTOR.0, COLLECTOR.1)
            .start();
        let admin = server.wait_for(|| {
            let output = server.output();
            let after = output.split("Admin http://").nth(1)?;
            after.split('/').next()?.parse().ok()
        });
        let admin = admin.unwrap_or_else(|| panic!("no admin address:\n{}", server.output()));
        let agent = login(&server, "agent@example.com");
        let admin_token = login(&server, "admin@example.com");
        Self {
            server,
            admin,
            agent,
            admin_token,
            hook: String::new(),
            posts: Cell::new(0),
        }
    }

    pub(super) fn server(&self) -> &Running {
        &self.server
    }

    pub(super) fn admin(&self) -> SocketAddr {
        self.admin
    }

    pub(super) fn metrics(&self) -> String {
        let get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let answer = self.server.try_exchange(self.admin, get).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    fn post(&self, path: &str, token: &str, body: &str) -> String {
        let key = self.posts.get();
        self.posts.set(key + 1);
        let key = format!("\r\nIdempotency-Key: driven-{key}\r\n");
        let head = request("POST", path, token, body);
        let answer = self.server.exchange(&head.replacen("\r\n", &key, 1));
        assert!(answer.starts_with("HTTP/1.1 2"), "{path}: {answer}");
        answer
    }

    /// Does what is counted.
    pub(super) fn drive(&mut self) {
        let wrong = r#"{"email": "agent@example.com", "password": "wrong, all of it"}"#;
        self.server
            .exchange(&request("POST", "/v1/auth/login", "", wrong));
        // Nothing listens on this port: the calls fail.
        let hook = r#"{"url": "http://127.0.0.1:9/hook", "events": ["ticket.created"]}"#;
        self.hook = field(&self.post("/v1/webhooks", &self.admin_token, hook), "id");
        let ticket = r#"{"subject": "It burns", "body": "The printer."}"#;
        let ticket = field(&self.post("/v1/tickets", &self.agent, ticket), "id");
        self.attach(&ticket);
        self.watch(&ticket);
        self.again();
    }

    /// Does it again, because a percentile needs values that are new since the last read.
    pub(super) fn again(&self) {
        for path in ["/v1/tickets", "/v1/stats", "/v1/me"] {
            self.server.exchange(&request("GET", path, &self.agent, ""));
        }
        let import = r#"{"tickets": [{"subject": "One", "body": "Of many."}]}"#;
        self.post("/v1/tickets/import", &self.agent, import);
        let test = format!("/v1/webhooks/{}/test", self.hook);
        self.post(&test, &self.admin_token, "");
    }

    fn attach(&self, ticket: &str) {
        let form = attachment("note.txt", "text/plain", b"It burns.");
        let form = String::from_utf8(form).unwrap();
        let path = format!("/v1/tickets/{ticket}/attachments");
        let head = request("POST", &path, &self.agent, &form);
        let answer = self
            .server
            .exchange(&head.replace("application/json", ATTACHMENT.0));
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }

    /// A stream whose user logs out: the server ends it.
    fn watch(&self, ticket: &str) {
        let token = login(&self.server, "agent@example.com");
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let path = format!("/v1/tickets/{ticket}/events");
        let open = request("GET", &path, &token, "");
        stream.write_all(open.as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        self.post("/v1/auth/logout", &token, "");
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
}

fn login(server: &Running, email: &str) -> String {
    let body = format!(r#"{{"email": "{email}", "password": "{PASSWORD}"}}"#);
    field(
        &server.exchange(&request("POST", "/v1/auth/login", "", &body)),
        "access_token",
    )
}
