//! What an operator reads and changes on the admin address of a running helpdesk.

use std::net::{SocketAddr, TcpListener};

use doyen_test::{Program, RedisServer, Running};
use serde_json::{Value, json};

use crate::live::program;
use crate::support::people::PASSWORD;
use crate::support::{Helpdesk, Join as _};

const SECRET: &str = doyen_test::SIGNING_KEY;

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Sends a request to this address. Returns the status and the body.
fn send(server: &Running, to: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    send_with(server, to, method, path, "", body)
}

/// The same with a header line.
fn send_with(
    server: &Running,
    to: SocketAddr,
    method: &str,
    path: &str,
    header: &str,
    body: &str,
) -> (u16, String) {
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let answer = server.try_exchange(to, &text).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, body.to_owned())
}

#[test]
fn an_operator_reads_policies_and_settings_and_changes_the_log_without_a_restart() {
    let admin = free_address();
    let server = Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", &admin.to_string())
        .env("APP_AUTH__SIGNING_KEY", SECRET)
        .start();
    let public = server.address();
    let get = |path: &str| {
        let (status, body) = send(&server, admin, "GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str::<Value>(&body).unwrap()
    };

    let routes = get("/routes");
    let routes = routes["routes"].as_array().unwrap();
    let find = |method: &str, path: &str| {
        let mut found = routes
            .iter()
            .filter(|one| one["method"] == method && one["path"] == path);
        found.next().unwrap_or_else(|| panic!("{method} {path}"))
    };
    assert_eq!(find("POST", "/v1/auth/login")["anyone"], true);
    assert_ne!(find("POST", "/v1/tickets")["scopes"], json!([]));

    let settings = get("/settings");
    let rows = settings["settings"].as_array().unwrap();
    let setting = |key: &str| rows.iter().find(|row| row["key"] == key).unwrap();
    assert_eq!(setting("admin.bind")["value"], admin.to_string());
    assert_eq!(setting("auth.signing_key")["value"], "***");

    let report = get("/diagnostics");
    assert_eq!(report["application"]["name"], "helpdesk");
    assert_eq!(report["health"][0]["error"], Value::Null, "{report}");
    assert!(
        report["metrics"]
            .to_string()
            .contains("http_server_requests_total")
    );
    for part in ["settings", "routes", "plugins"] {
        assert!(report[part].as_array().unwrap().len() > 10, "{part}");
    }
    for text in [&settings, &report] {
        assert!(!text.to_string().contains(SECRET));
    }

    // The levels of the log change while the process runs, and a mistake changes nothing.
    let before = get("/log/filter");
    let has_statements = || server.output().contains("doyen::sql");
    send(&server, public, "GET", "/v1/tickets/tkt_1", "");
    assert!(!has_statements());
    let (status, body) = send(
        &server,
        admin,
        "PUT",
        "/log/filter",
        r#"{"filter": "inof"}"#,
    );
    assert!(
        status == 400 && body.contains("neither a level nor"),
        "{status} {body}"
    );
    assert_eq!(get("/log/filter"), before);
    let debug = r#"{"filter": "info,doyen::sql=debug"}"#;
    assert_eq!(send(&server, admin, "PUT", "/log/filter", debug).0, 200);
    assert_eq!(
        get("/log/filter"),
        serde_json::from_str::<Value>(debug).unwrap()
    );
    let login = r#"{"email": "ghost@example.com", "password": "wrong password"}"#;
    assert_eq!(
        send(&server, public, "POST", "/v1/auth/login", login).0,
        401
    );
    assert!(
        server.wait_for(|| has_statements().then_some(())).is_some(),
        "{}",
        server.output()
    );
    // The public address has none of it.
    assert_eq!(send(&server, public, "GET", "/settings", "").0, 404);
    assert_eq!(server.terminate().code(), Some(0));
}

/// A process, its two addresses, and the token of a user.
struct Node {
    server: Running,
    public: SocketAddr,
    admin: SocketAddr,
    token: String,
}

impl Node {
    fn start(program: Program, redis: &RedisServer, email: &str) -> Self {
        let admin = free_address();
        let server = program
            .env("REDIS_URL", &redis.url())
            .env("APP_REDIS__TIMEOUT", "10s")
            .env("APP_ADMIN__BIND", &admin.to_string())
            .start();
        let public = server.address();
        // A token of the test has the time of the test.
        let login = json!({"email": email, "password": PASSWORD}).to_string();
        let (status, body) = send(&server, public, "POST", "/v1/auth/login", &login);
        assert_eq!(status, 200, "{body}");
        let tokens: Value = serde_json::from_str(&body).unwrap();
        Self {
            token: tokens["access_token"].as_str().expect("a token").to_owned(),
            public,
            server,
            admin,
        }
    }

    /// The number of open tickets, from the stored response.
    fn open_tickets(&self) -> u64 {
        let header = format!("Authorization: Bearer {}\r\n", self.token);
        let path = "/v1/stats";
        let (status, body) = send_with(&self.server, self.public, "GET", path, &header, "");
        assert_eq!(status, 200, "{body}");
        let stats: Value = serde_json::from_str(&body).unwrap();
        stats["by_status"]["open"].as_u64().expect("a number")
    }

    fn admin(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, answer) = send(&self.server, self.admin, method, path, body);
        assert_eq!(status, 200, "{path}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    fn has_response(&self) -> bool {
        let found = self.admin("GET", "/caches/entries?policy=response", "");
        found["entries"] != json!([])
    }
}

#[doyen_test::test]
async fn an_eviction_in_one_process_reaches_the_other(app: Helpdesk) {
    let ada = app.as_customer().await;
    ada.opens("it burns").await;
    let redis = RedisServer::start();
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let programs = [program(&app, local), program(&app, local)];
    let email = ada.email.clone();
    let (redis, nodes) = tokio::task::spawn_blocking(move || {
        let nodes = programs.map(|program| Node::start(program, &redis, &email));
        (redis, nodes)
    })
    .await
    .unwrap();
    let nodes = std::sync::Arc::new(nodes);
    for evict in [
        json!({"tag": "tickets"}),
        json!({"all": true}),
        // The key is added below.
        json!({}),
    ] {
        let both = std::sync::Arc::clone(&nodes);
        let before = tokio::task::spawn_blocking(move || {
            let [one, two] = &*both;
            let before = one.open_tickets();
            assert_eq!(two.open_tickets(), before);
            assert!(one.has_response() && two.has_response());
            before
        });
        let before = before.await.unwrap();
        // This process has no Redis, so its change reaches neither of the two.
        ada.opens("it still burns").await;
        let both = std::sync::Arc::clone(&nodes);
        let evicted = tokio::task::spawn_blocking(move || {
            let [one, two] = &*both;
            let mut evict = evict;
            if evict == json!({}) {
                let entries = one.admin("GET", "/caches/entries?policy=response", "");
                evict["key"] = entries["entries"][0]["key"].clone();
            }
            let done = one.admin("POST", "/caches/evict", &evict.to_string());
            assert_eq!(done["reach"], "all_processes");
            let gone = two.server.wait_for(|| (!two.has_response()).then_some(()));
            assert!(gone.is_some(), "{evict}");
            [one.open_tickets(), two.open_tickets()]
        });
        assert_eq!(evicted.await.unwrap(), [before + 1; 2]);
    }
    drop(redis);
}
