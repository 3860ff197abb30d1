//! What an operator reads and changes on the admin address of a running helpdesk.

use std::net::{SocketAddr, TcpListener};

use doyen_test::{Program, Running};
use serde_json::{Value, json};

const SECRET: &str = doyen_test::SIGNING_KEY;

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Sends a request to this address. Returns the status and the body.
fn send(server: &Running, to: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
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
