//! Any request is one line of the log and cannot imitate another.

use std::sync::Arc;

use doyen::domain::AccessSink;
use doyen::observe::AccessLog;
use doyen::web::Service;
use tokio::io::AsyncWriteExt as _;

use crate::kit::Value;
use crate::server::{Running, run_built, status};

async fn serving() -> (Running, AccessLog) {
    let log = AccessLog::memory();
    let sink: Arc<dyn AccessSink> = Arc::new(log.clone());
    let server = run_built(Service::builder().access_log(sink), |_| {}).await;
    (server, log)
}

#[tokio::test]
async fn a_client_cannot_forge_a_line() {
    let (server, log) = serving().await;
    let large = format!("user-agent: {}\r\n", "x".repeat(1 << 20));
    let agent = format!("user-agent: {}\r\n", "\u{2028}\u{1f600}".repeat(100));
    let path = format!("GET /{} HTTP/1.1", "y".repeat(7_000));
    let forged = r#"{"level":"error","target":"access","status":500}"#;
    let quoted = format!("GET /\"}}{forged} HTTP/1.1");
    let id = format!("x-request-id: {forged}\r\n");
    for (line, fields, wanted) in [
        (
            "GET /hello%0d%0a%7b%22level%22:%22error%22%7d HTTP/1.1",
            "",
            "404",
        ),
        ("GET /hello%1b[31m%e2%80%a8 HTTP/1.1", "", "404"),
        ("GET /hello%00 HTTP/1.1", "", "404"),
        ("GET /hello?secret=s3cret HTTP/1.1", "", "422"),
        (&quoted, "", "404"),
        (&path, "", "404"),
        ("GET /hello HTTP/1.1", &*agent, "200"),
        ("GET /hello HTTP/1.1", &*large, "431"),
        ("GET /hello HTTP/1.1", &*id, "200"),
        ("GET /hello HTTP/1.1", "x-request-id: a\tb\r\n", "200"),
        (
            "GET /hello HTTP/1.1",
            "traceparent: 00-\"}{-x-01\r\n",
            "200",
        ),
        ("GET /hello HTTP/1.1", "x: \x1b[31mred\r\n", "400"),
        ("GET /hello HTTP/1.1", "x: a\rb\r\n", "400"),
        ("GET /hel\x1blo HTTP/1.1", "", "400"),
        ("G\x1bT /hello HTTP/1.1", "", "400"),
        ("\x1b[31m", "", "400"),
    ] {
        let before = log.lines().len();
        let mut wire = server.connect().await;
        let request = format!("{line}\r\nhost: a\r\nconnection: close\r\n{fields}\r\n");
        let _ = wire.0.write_all(request.as_bytes()).await;
        let all = wire.rest().await;
        let shown: String = request.chars().take(100).collect();
        assert_eq!(status(&all), wanted, "{shown:?} gave {all}");
        let lines = log.lines();
        assert_eq!(lines.len(), before + 1, "{shown:?}");
        let written = lines[before].trim_end_matches('\n');
        assert!(written.len() < 2_000, "{} bytes: {shown:?}", written.len());
        let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        assert!(!written.contains(odd), "{written:?}");
        assert!(!written.contains("s3cret"), "{written}");
        let json: Value =
            serde_json::from_str(written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert_eq!(
            (&json["level"], &json["status"]),
            (&"info".into(), &wanted.parse::<u16>().unwrap().into())
        );
        assert_eq!(json["client"], "127.0.0.1");
        assert!(
            json["request_id"].as_str().unwrap().len() <= 64,
            "{written}"
        );
    }
}

#[tokio::test]
async fn a_refused_head_is_logged_with_as_much_as_was_read() {
    let (server, log) = serving().await;
    for (request, method, path) in [
        (
            "GET /hello?a=b HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
            "GET",
            "/hello",
        ),
        ("GET hello HTTP/1.1\r\nhost: a\r\n\r\n", "-", "*"),
        ("\0", "-", "*"),
    ] {
        let mut wire = server.connect().await;
        wire.send(request).await;
        assert_eq!(status(&wire.rest().await), "400", "{request:?}");
        let line = log.lines().pop().unwrap();
        let json: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&json["method"], &json["path"]),
            (&method.into(), &path.into()),
            "{line}"
        );
        assert_eq!(json["problem"], "malformed_request", "{line}");
    }
}

#[tokio::test]
async fn two_traceparent_headers_begin_a_new_trace() {
    let (server, log) = serving().await;
    let trace = |digit: &str| {
        format!(
            "traceparent: 00-{}-b7ad6b7169203331-01\r\n",
            digit.repeat(32)
        )
    };
    for (sent, continues) in [
        (trace("a"), true),
        (trace("a") + &trace("b"), false),
        (trace("a") + &trace("a"), false),
    ] {
        let mut wire = server.connect().await;
        wire.send(&format!("GET /hello HTTP/1.1\r\nhost: a\r\n{sent}\r\n"))
            .await;
        assert_eq!(status(&wire.answer().await.0), "200");
        let line = log.lines().pop().unwrap();
        let known = line.contains(&"a".repeat(32)) || line.contains(&"b".repeat(32));
        assert_eq!(known, continues, "{sent:?}: {line}");
    }
}
