//! Rate limits: every route has one, two programs with one Redis count together, and a quota
//! survives a restart.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doyen::auth::Passwords;
use doyen::domain::{Secret, Timestamp};
use doyen::prelude::*;
use doyen_test::{Program, RedisServer, Running, Setup, Subject, TestApp};

use crate::support::{Helpdesk, Join as _, Person, patient};

/// Routes without a limit. This list may only shrink.
const UNLIMITED: [&str; 4] = [
    "GET /.well-known/jwks.json",
    "GET /docs/assets/{file}",
    "GET /livez",
    "GET /readyz",
];

#[doyen_test::test(sqlite)]
async fn every_route_has_a_limit_or_a_reason(app: Helpdesk) {
    let mut unlimited = Vec::new();
    for operation in app.operations() {
        let name = format!("{} {}", operation.method, operation.path);
        match operation.unlimited {
            Some(reason) => {
                assert!(!reason.is_empty(), "{name}");
                unlimited.push(name);
            }
            None => {
                assert!(!operation.limits.is_empty(), "{name} has no limit");
                assert!(
                    operation.hidden
                        || app.document()["paths"][&operation.path]
                            [operation.method.to_lowercase()]["responses"]["429"]
                            .is_object(),
                    "{name} does not document a 429"
                );
            }
        }
    }
    unlimited.sort();
    assert_eq!(unlimited, UNLIMITED);
}

/// Hash a password, without a limit
#[post("/test/hash", allow = anyone, limit = unlimited("a mistake"))]
async fn hash(passwords: Arc<Passwords>) -> Result<NoContent, Unexpected> {
    let password = Secret::new("correct horse".to_owned());
    passwords.hash_unchecked(password).await?;
    Ok(NoContent)
}

#[doyen_test::test(sqlite)]
async fn a_route_that_hashes_passwords_without_a_limit_is_found(app: Helpdesk) {
    let route = Module::new("hash").routes(routes![hash]);
    let app = app.another(Setup::new().module(route)).await;
    let answer = app.post("/test/hash").send().await.expect(204);
    let [finding] = answer.findings() else {
        panic!("{:?}", answer.findings());
    };
    assert_eq!(finding.code, "missing_limit");
    assert_eq!(finding.work.as_deref(), Some("password hash"));
    // The login of the helpdesk hashes too, and is limited.
    let login = serde_json::json!({"email": "ghost@example.com", "password": "not it at all"});
    let login = app.post("/v1/auth/login").json(&login).send().await;
    let codes = login.expect(401);
    let mut codes = codes.findings().iter().map(|finding| &*finding.code);
    assert_eq!(codes.find(|code| *code == "missing_limit"), None);
}

/// The helpdesk with small limits.
struct Small(TestApp);

impl Subject for Small {
    fn app() -> doyen::App {
        helpdesk::app()
    }
    fn setup() -> Setup {
        patient()
            .set("limits.default", "5/1m")
            .set("limits.anonymous", "20/1m")
            .set("limits.tiers", "agent: x2")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// The refusal is documented: the test kit compares each response.
#[doyen_test::test]
async fn a_refusal_is_documented_and_the_stated_wait_is_enough(app: Small) {
    let ada = app.0.as_customer().await;
    for left in (0..5).rev() {
        let answer = ada.get("/v1/tickets").send().await.expect(200);
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"default\";q=5;w=60")
        );
        let state = answer.header("ratelimit").unwrap().to_owned();
        assert!(
            state.starts_with(&format!("\"default\";r={left};t=")),
            "{state}"
        );
    }
    for _ in 0..30 {
        let refused = ada
            .get("/v1/me")
            .send()
            .await
            .expect_problem(429, "quota_exceeded");
        assert_eq!(
            refused.at("/violated-policies"),
            serde_json::json!(["default"])
        );
        assert_eq!(refused.header("retry-after"), Some("12"));
    }
    // Other callers are not affected, not even from the same address.
    let grace = app.0.as_agent().await;
    let answer = grace.get("/v1/tickets").send().await.expect(200);
    assert_eq!(
        answer.header("ratelimit-policy"),
        Some("\"default\";q=10;w=60")
    );
    app.0.clock().advance(Duration::from_secs(11));
    ada.get("/v1/me").send().await.expect(429);
    app.0.clock().advance(Duration::from_secs(1));
    ada.get("/v1/me").send().await.expect(200);
    ada.get("/v1/me").send().await.expect(429);
    assert_eq!(
        app.0.get("/problems/quota_exceeded").send().await.status(),
        200
    );
}

/// The helpdesk with a daily and a monthly quota.
struct Sparing(TestApp);

impl Subject for Sparing {
    fn app() -> doyen::App {
        helpdesk::app()
    }
    fn setup() -> Setup {
        quotas("api: 6/day everywhere, all: 1000/month everywhere")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

fn quotas(quotas: &str) -> Setup {
    patient()
        .set("limits.quotas", quotas)
        .set("limits.tiers", "agent: x2")
}

/// The same user on another node.
fn at(app: &TestApp, person: &Person) -> Person {
    person.at(app)
}

/// The state of a quota: used, left, next period.
async fn stands(person: &Person, name: &str) -> (u64, u64, String) {
    let answer = person.get("/v1/me/quota").send().await.expect(200);
    let all = answer.at("/items");
    let one = all
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["name"] == name);
    let one = one.unwrap_or_else(|| panic!("{answer}"));
    (
        one["used"].as_u64().unwrap(),
        one["remaining"].as_u64().unwrap(),
        one["resets_at"].as_str().unwrap().to_owned(),
    )
}

async fn calls(person: &Person, times: usize) -> usize {
    let mut passed = 0;
    for _ in 0..times {
        passed += usize::from(person.get("/v1/me").send().await.status() == 200);
    }
    passed
}

#[doyen_test::test]
async fn a_quota_resets_at_midnight(app: Sparing) {
    let ada = app.0.as_customer().await;
    assert_eq!(
        stands(&ada, "api").await,
        (0, 6, "2026-11-23T00:00:00.000000Z".to_owned())
    );
    assert_eq!(calls(&ada, 4).await, 4);
    assert_eq!(stands(&ada, "api").await.0, 4);
    assert_eq!(calls(&ada, 10).await, 2);
    let refused = ada
        .get("/v1/me")
        .send()
        .await
        .expect_problem(429, "quota_exceeded");
    assert_eq!(refused.at("/violated-policies"), serde_json::json!(["api"]));
    // From 08:30 to midnight.
    assert_eq!(refused.header("retry-after"), Some("55800"));
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some("\"api\";q=6;w=86400")
    );
    assert_eq!(refused.header("ratelimit"), Some("\"api\";r=0;t=55800"));
    // The state can be read all the same, and refused calls are not counted.
    assert_eq!(stands(&ada, "api").await.0, 6);
    assert_eq!(stands(&ada, "all").await.0, 6);
    assert_eq!(stands(&ada, "all").await.2, "2026-12-01T00:00:00.000000Z");
    let clock = app.0.clock();
    let midnight: Timestamp = "2026-11-23T00:00:00Z"
        .parse()
        .unwrap_or(Timestamp::from_micros(0));
    clock.set(midnight - Duration::from_micros(1));
    // The access token has expired by then: it is issued again, for the same user.
    let ada = ada.again().await;
    assert_eq!(calls(&ada, 3).await, 0);
    clock.set(midnight);
    assert_eq!(calls(&ada, 10).await, 6);
    assert_eq!(stands(&ada, "all").await.0, 12);
    assert_eq!(app.0.count("limit_quotas").await, 3);
}

/// Two nodes share one table. The second one also stands for a restart, because the first never
/// writes back.
#[doyen_test::test]
async fn neither_a_second_node_nor_a_restart_doubles_a_quota(app: Sparing) {
    let other = app.0.another(Sparing::setup()).await;
    let ada = app.0.as_customer().await;
    let there = at(&other, &ada);
    let mut passed = 0;
    for _ in 0..6 {
        passed += calls(&ada, 1).await + calls(&there, 1).await;
    }
    assert_eq!(passed, 6);
    let third = app.0.another(Sparing::setup()).await;
    assert_eq!(calls(&at(&third, &ada), 3).await, 0);
}

/// With leases: the calls that a node holds are unavailable to others, are returned at its end, and
/// are never granted twice.
#[doyen_test::test]
async fn leases_lose_little_and_never_grant_twice(app: Helpdesk) {
    let make = || quotas("api: 400/day everywhere");
    let (one, other) = (app.another(make()).await, app.another(make()).await);
    let ada = app.as_customer().await;
    let (here, there) = (at(&one, &ada), at(&other, &ada));
    assert_eq!(calls(&here, 1).await, 1);
    let mut passed = 1;
    passed += calls(&there, 420).await;
    // At most a hundredth is unavailable: the lease of the first node.
    assert!((396..=400).contains(&passed), "{passed}");
    use doyen::domain::limit::Quotas as _;
    one.inject::<Arc<doyen::limits::SqlQuotas>>()
        .await
        .flush()
        .await;
    app.clock().advance(Duration::from_secs(6));
    passed += calls(&there, 20).await;
    assert_eq!(passed, 400);
}

#[doyen_test::test]
async fn a_tier_has_more_of_a_quota(app: Sparing) {
    let grace = app.0.as_agent().await;
    assert_eq!(calls(&grace, 30).await, 12);
}

/// Concurrent calls: exactly the quota passes.
#[doyen_test::test]
async fn a_quota_is_exact_for_concurrent_calls(app: Sparing) {
    let ada = app.0.as_customer().await;
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let ada = ada.clone();
        tasks.push(tokio::spawn(async move { calls(&ada, 3).await }));
    }
    let mut passed = 0;
    for task in tasks {
        passed += task.await.unwrap();
    }
    assert_eq!(passed, 6);
}

fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_LIMITS__ANONYMOUS", "50/1d")
}

/// The status of a call with headers that claim another address.
fn status(address: SocketAddr, pretended: usize) -> (u16, String) {
    let mut answer = String::new();
    let request = format!(
        "GET /problems/not_found HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: 203.0.113.{pretended}\r\n\
         X-Real-IP: 203.0.113.{pretended}\r\nForwarded: for=203.0.113.{pretended}\r\n\r\n"
    );
    if let Ok(mut stream) = TcpStream::connect(address) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read_to_string(&mut answer);
    }
    let status = answer.get(9..12).and_then(|text| text.parse().ok());
    (
        status.unwrap_or_else(|| panic!("no answer: {answer}")),
        answer,
    )
}

/// Sends this number of calls of sixteen clients to these programs. Returns how many passed and how
/// many were refused.
fn flood(addresses: &[SocketAddr], calls: usize) -> (usize, usize) {
    let (passed, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for client in 0..16 {
            let (passed, refused) = (&passed, &refused);
            scope.spawn(move || {
                for call in (client..calls).step_by(16) {
                    match status(addresses[call % addresses.len()], call % 250).0 {
                        200 => passed.fetch_add(1, Ordering::Relaxed),
                        429 => refused.fetch_add(1, Ordering::Relaxed),
                        other => panic!("{other}"),
                    };
                }
            });
        }
    });
    (passed.into_inner(), refused.into_inner())
}

fn says(server: &Running, words: &str) {
    let stated = server.wait_for(|| server.output().contains(words).then_some(()));
    assert!(
        stated.is_some(),
        "it never says `{words}`:\n{}",
        server.output()
    );
}

/// 50 calls a day from an address, and four times as many attempts over two programs: exactly 50
/// pass. Then Redis stops: each program counts for itself, without an error. When Redis continues,
/// they count together again.
#[test]
fn two_programs_with_one_redis_count_as_one() {
    let redis = RedisServer::start();
    // The machine may be busy: the test checks counts, not times.
    let start = || {
        program()
            .env("REDIS_URL", &redis.url())
            .env("APP_REDIS__TIMEOUT", "3s")
            .start()
    };
    let servers = [start(), start()];
    let addresses = [servers[0].address(), servers[1].address()];
    assert_eq!(flood(&addresses, 200), (50, 150));
    let (refused, answer) = status(addresses[0], 1);
    let lower = answer.to_ascii_lowercase();
    assert!(
        refused == 429 && lower.contains("\r\nretry-after: 1"),
        "{answer}"
    );
    assert!(
        answer.contains("\"violated-policies\":[\"default\"]"),
        "{answer}"
    );

    redis.pause();
    // Each program now has its own fifty, and no response is an error.
    assert_eq!(flood(&addresses[..1], 60), (50, 10));
    assert_eq!(flood(&addresses[1..], 60), (50, 10));
    for server in &servers {
        says(server, "Redis is unavailable");
        assert_eq!(
            server.output().matches("Redis is unavailable").count(),
            1,
            "{}",
            server.output()
        );
    }
    redis.resume();
    for server in &servers {
        says(server, "Redis is available");
    }
    assert_eq!(flood(&addresses, 20), (0, 20));
}

#[test]
fn the_program_starts_without_redis() {
    let server = program()
        .env("REDIS_URL", "redis://:s3cret@127.0.0.1:1")
        .start();
    assert_eq!(flood(&[server.address()], 60), (50, 10));
    says(&server, "health check `redis` fails");
    assert!(!server.output().contains("s3cret"), "{}", server.output());
}

#[test]
fn invalid_settings_are_named() {
    for (name, value, words) in [
        (
            "REDIS_URL",
            "http://s3cret@x",
            &["redis.url", "redis://"][..],
        ),
        (
            "APP_LIMITS__DEFAULT",
            "fast",
            &["APP_LIMITS__DEFAULT", "600/1m"],
        ),
        (
            "APP_LIMITS__POLICIES",
            "search: 30/1m",
            &["APP_LIMITS__POLICIES", "per user"],
        ),
        (
            "APP_LIMITS__POLICIES",
            "a: 1/1s per user, a: 2/1s per user",
            &["limits.policies", "twice"],
        ),
        (
            "APP_LIMITS__TIERS",
            "agent: many",
            &["APP_LIMITS__TIERS", "x5"],
        ),
        (
            "APP_LIMITS__QUOTAS",
            "api: 5/week",
            &["APP_LIMITS__QUOTAS", "100000/day"],
        ),
    ] {
        let ended = program().env(name, value).run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for word in words {
            assert!(
                ended.stderr.contains(word),
                "`{word}` is not in:\n{}",
                ended.stderr
            );
        }
        assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    }
}

/// Killed during a lease, it never grants more than the quota; at most a hundredth is lost each
/// time.
#[test]
fn a_killed_program_grants_no_more_than_the_quota() {
    let folder = std::env::temp_dir().join(format!("helpdesk-quota-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{error}"));
    let url = format!("sqlite://{}/quota.db", folder.display());
    let start = || {
        program()
            .env("DATABASE_URL", &url)
            .env(
                "APP_AUTH__SIGNING_KEY",
                "UIY0iSlVTkKC1xWzyNJiLg4YLSjQTPpXQcHdLWjY1ms",
            )
            .env("APP_LIMITS__QUOTAS", "api: 300/month everywhere")
            .start()
    };
    let mut server = start();
    let token = token(&server);
    let mut passed = 0;
    for _ in 0..3 {
        passed += with_token(&server, &token, 50);
        server.kill();
        server = start();
    }
    assert_eq!(passed, 150);
    passed += with_token(&server, &token, 200);
    let _ = std::fs::remove_dir_all(&folder);
    // Three kills, a lease of three calls each.
    assert!((291..=300).contains(&passed), "{passed}");
}

fn token(server: &Running) -> String {
    let person = r#"{"email": "ada@example.com", "password": "correct horse battery staple""#;
    let send = |path: &str, body: String| {
        server.exchange(&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    send(
        "/v1/auth/register",
        format!("{person}, \"name\": \"Ada\"}}"),
    );
    let login = send("/v1/auth/login", format!("{person}}}"));
    let (_, rest) = login
        .split_once("\"access_token\":\"")
        .unwrap_or_else(|| panic!("{login}"));
    rest.split('"').next().unwrap().to_owned()
}

fn with_token(server: &Running, token: &str, calls: usize) -> usize {
    let request = format!(
        "GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let mut passed = 0;
    for _ in 0..calls {
        let answer = server.exchange(&request);
        assert!(
            answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 429"),
            "{answer}"
        );
        passed += usize::from(answer.starts_with("HTTP/1.1 200"));
    }
    passed
}
