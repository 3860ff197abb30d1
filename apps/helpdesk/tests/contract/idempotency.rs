//! Idempotency keys: every creating route takes them, and processes killed under traffic neither
//! lose nor double what clients retry.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use doyen::domain::Place;
use doyen_test::{Backend, Program, Running, scale};
use serde_json::json;

use crate::support::people::PASSWORD;
use crate::support::{Helpdesk, Join as _, exchange, report, token};

#[doyen_test::test(sqlite)]
async fn every_post_that_creates_takes_a_key(app: Helpdesk) {
    let mut creating = 0;
    for operation in app.operations() {
        let creates = operation
            .answers
            .iter()
            .any(|answer| answer.status == Some(201));
        // A connection token that stays unused ends soon, and so does an upload.
        let expires = ["/v1/live/tokens", "/v1/uploads"].contains(&&*operation.path);
        if operation.method != "POST" || !creates || expires {
            continue;
        }
        creating += 1;
        let takes = operation.parameters.iter().any(|parameter| {
            parameter.place == Place::Header && parameter.name == "Idempotency-Key"
        });
        assert!(takes, "POST {} does not take a key", operation.path);
    }
    assert!(creating >= 4, "{creating}");
}

#[doyen_test::test]
async fn one_effect_and_one_response(app: Helpdesk) {
    let ann = app.as_customer().await;
    let new = json!({"subject": "once", "body": "b"});
    let create = || {
        ann.post("/v1/tickets")
            .header("idempotency-key", "k-1")
            .json(&new)
            .send()
    };
    let first = create().await.expect(201);
    let again = create().await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (again.bytes(), again.location(), again.etag()),
        (first.bytes(), first.location(), first.etag())
    );
    // The replay is a response like any other: it has its own request id and limits.
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    let other = json!({"subject": "other", "body": "b"});
    let reused = ann
        .post("/v1/tickets")
        .header("idempotency-key", "k-1")
        .json(&other)
        .send()
        .await;
    reused.expect_problem(422, "idempotency_key_reused");
    assert_eq!(ann.lists("").await.len(), 1);
    // A comment belongs to one ticket.
    let (a, b) = (
        first.text_at("/id"),
        ann.opens("second").await.text_at("/id"),
    );
    let says = |ticket: &str| {
        let path = format!("/v1/tickets/{ticket}/comments");
        ann.post(path)
            .header("idempotency-key", "c")
            .json(&json!({"body": "x"}))
            .send()
    };
    says(&a).await.expect(201);
    says(&a).await.expect(201);
    says(&b).await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(ann.sees(&a).await.at("/comment_count"), json!(1));
}

#[doyen_test::test]
async fn a_key_that_is_shown_once_is_shown_to_a_retry(app: Helpdesk) {
    let ann = app.as_customer().await;
    let new = json!({"name": "ci", "scopes": ["tickets:read"]});
    let create = || {
        ann.post("/v1/me/api-keys")
            .header("idempotency-key", "k")
            .json(&new)
            .send()
    };
    let (first, again) = (create().await.expect(201), create().await.expect(201));
    assert_eq!(again.text_at("/key"), first.text_at("/key"));
    let keys = ann.get("/v1/me/api-keys").send().await.expect(200);
    assert_eq!(keys.at("/items").as_array().map(Vec::len), Some(1));
}

#[doyen_test::test]
async fn a_registration_is_retried(app: Helpdesk) {
    let new = json!({"email": "twice@example.com", "password": PASSWORD, "name": "T"});
    let register = |key: &str| {
        let call = app.post("/v1/auth/register").from_address([192, 0, 2, 1]);
        call.header("idempotency-key", key).json(&new).send()
    };
    let first = register("k").await.expect(201);
    let again = register("k").await.expect(201);
    assert_eq!(again.text_at("/id"), first.text_at("/id"));
    register("other").await.expect_problem(409, "email_taken");
}

const CLIENTS: usize = 8;

/// What the clients learn.
#[derive(Default)]
struct Ledger {
    /// Subject and response of each ticket that was created for a client.
    created: Mutex<Vec<(String, String)>>,
    learned: AtomicUsize,
    /// Requests whose outcome the client did not learn.
    unknown: AtomicUsize,
    in_flight: AtomicUsize,
    replayed: AtomicUsize,
    done: AtomicBool,
}

/// Kills processes under traffic, while the clients retry each request until they learn its
/// outcome: on SQLite one process, on PostgreSQL one of two.
#[doyen_test::test]
async fn kills_neither_lose_nor_double_what_clients_retry(app: Helpdesk) {
    let nodes = if app.backend() == Backend::Sqlite {
        1
    } else {
        2
    };
    let url = app.database_url().to_owned();
    let ledger = tokio::task::spawn_blocking(move || kill_under_traffic(&url, nodes));
    let ledger = ledger.await.unwrap();
    let created = ledger.created.lock().unwrap().clone();
    let count = |sql: &'static str| async {
        let session = app.database().session(doyen::domain::Access::Read);
        session
            .query_one_as::<Count>(sql, [])
            .await
            .unwrap()
            .unwrap()
            .n
    };
    let tickets = count("SELECT count(*) AS n FROM tickets").await;
    let subjects = count("SELECT count(DISTINCT subject) AS n FROM tickets").await;
    let learned = i64::try_from(created.len()).unwrap();
    report(&format!(
        "{nodes} processes: {learned} tickets, {} outcomes unknown, {} in flight, {} replayed; {} doubled, {} lost",
        ledger.unknown.load(Ordering::Relaxed),
        ledger.in_flight.load(Ordering::Relaxed),
        ledger.replayed.load(Ordering::Relaxed),
        tickets - subjects,
        learned - subjects,
    ));
    assert_eq!(
        (tickets, subjects),
        (learned, learned),
        "(tickets, subjects) and learned"
    );
    assert!(
        ledger.unknown.load(Ordering::Relaxed) > 0,
        "no request was cut"
    );
    // What a client learned is what the database has.
    let agent = app.as_agent().await;
    for (subject, body) in created.iter().take(50) {
        let ticket: serde_json::Value = serde_json::from_str(body).unwrap();
        let shown = agent.sees(ticket["id"].as_str().unwrap()).await.expect(200);
        assert_eq!(shown.text_at("/subject"), *subject);
    }
}

#[derive(doyen::data::Row)]
struct Count {
    n: i64,
}

fn program(url: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("DATABASE_URL", url)
        .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY)
        // The machine may be busy.
        .env("APP_DATABASE__ACQUIRE_TIMEOUT", "30s")
        .env("APP_DATABASE__LOCK_TIMEOUT", "30s")
        .env("APP_DATABASE__STATEMENT_TIMEOUT", "30s")
}

fn start(url: &str) -> (Running, SocketAddr) {
    let running = program(url).start();
    let address = running.address();
    (running, address)
}

fn kill_under_traffic(url: &str, nodes: usize) -> Arc<Ledger> {
    let mut running = Vec::new();
    let mut addresses = Vec::new();
    for _ in 0..nodes {
        let (node, address) = start(url);
        running.push(node);
        addresses.push(address);
    }
    let token = self::token(&running[0]);
    let ledger = Arc::new(Ledger::default());
    let addresses = Arc::new(Mutex::new(addresses));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (ledger, addresses, token) =
                (Arc::clone(&ledger), Arc::clone(&addresses), token.clone());
            std::thread::spawn(move || create_until_done(client, &ledger, &addresses, &token))
        })
        .collect();
    for kill in 0..scale(6, 300) {
        // Traffic has arrived since the last kill; the exact number differs each time.
        let enough = ledger.learned.load(Ordering::Relaxed) + 5 + kill % 17;
        let node = kill % nodes;
        let reached = running[node]
            .wait_for(|| (ledger.learned.load(Ordering::Relaxed) >= enough).then_some(()));
        assert!(reached.is_some(), "no progress\n{}", running[node].output());
        running[node].kill();
        let (next, address) = start(url);
        running[node] = next;
        addresses.lock().unwrap()[node] = address;
    }
    ledger.done.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    ledger
}

/// Creates tickets, each with a key, and repeats each request until its outcome is known.
fn create_until_done(
    client: usize,
    ledger: &Ledger,
    addresses: &Mutex<Vec<SocketAddr>>,
    token: &str,
) {
    let mut tries = client;
    for number in 0.. {
        if ledger.done.load(Ordering::Relaxed) {
            return;
        }
        let subject = format!("kill-{client}-{number}");
        let body = format!("{{\"subject\": \"{subject}\", \"body\": \"b\"}}");
        let request = format!(
            "POST /v1/tickets HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Idempotency-Key: {subject}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        loop {
            tries += 1;
            let address = {
                let all = addresses.lock().unwrap();
                all[tries % all.len()]
            };
            let answer = exchange(address, &request);
            match answer.get(..12) {
                // An incomplete response is not an outcome.
                Some("HTTP/1.1 201") if answer.ends_with('}') => {
                    if answer
                        .to_ascii_lowercase()
                        .contains("idempotency-replayed: true")
                    {
                        ledger.replayed.fetch_add(1, Ordering::Relaxed);
                    }
                    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                    ledger
                        .created
                        .lock()
                        .unwrap()
                        .push((subject, body.to_owned()));
                    ledger.learned.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Some("HTTP/1.1 409") => {
                    ledger.in_flight.fetch_add(1, Ordering::Relaxed);
                }
                // A crash, or the end of the process that would have sent it.
                None | Some("HTTP/1.1 503" | "HTTP/1.1 201") => {
                    ledger.unknown.fetch_add(1, Ordering::Relaxed);
                }
                Some(_) => panic!("{answer}"),
            }
            pause();
        }
    }
}

/// Waits before a retry, as `Retry-After` asks for, but shorter.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing else runs on the thread of a client"
)]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}
