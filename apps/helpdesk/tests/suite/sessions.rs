//! Two programs on one PostgreSQL: each refuses the sessions that the other ended.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use doyen_test::{Program, Running};

use crate::support::Helpdesk;
use crate::support::people::PASSWORD;

/// Two programs on one database.
struct Pair([Running; 2]);

/// The tokens of a login or a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tokens {
    access: String,
    refresh: String,
}

impl Pair {
    fn start(database: &str, more: &[(&str, &str)]) -> Self {
        let start = || {
            let program = Program::new(env!("CARGO_BIN_EXE_helpdesk"))
                .env("APP_ENV", "test")
                .env("APP_SERVER__BIND", "127.0.0.1:0")
                .env("APP_ADMIN__BIND", "127.0.0.1:0")
                .env("APP_DATABASE__LOCK_TIMEOUT", "30s")
                .env("APP_DATABASE__ACQUIRE_TIMEOUT", "30s")
                .env("DATABASE_URL", database)
                .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY);
            more.iter()
                .fold(program, |program, (name, value)| program.env(name, value))
                .start()
        };
        Self([start(), start()])
    }

    fn ask(&self, node: usize, method: &str, path: &str, token: &str, body: &str) -> String {
        self.0[node].exchange(&request(method, path, token, body))
    }

    /// A new user, logged in on the first program.
    fn new_user(&self, email: &str) -> Tokens {
        let body = format!(r#"{{"email": "{email}", "password": "{PASSWORD}", "name": "Ada"}}"#);
        let answer = self.ask(0, "POST", "/v1/auth/register", "", &body);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        self.log_in(email)
    }

    fn log_in(&self, email: &str) -> Tokens {
        let body = format!(r#"{{"email": "{email}", "password": "{PASSWORD}"}}"#);
        tokens(&self.ask(0, "POST", "/v1/auth/login", "", &body))
    }

    fn refresh(&self, node: usize, token: &str) -> String {
        let body = format!(r#"{{"refresh_token": "{token}"}}"#);
        self.ask(node, "POST", "/v1/auth/refresh", "", &body)
    }

    fn status(&self, node: usize, token: &str) -> u16 {
        status(&self.ask(node, "GET", "/v1/me", token, ""))
    }

    /// Both refuse this access token: the one that revoked it at once, the other within seconds.
    fn both_refuse(&self, at_once: usize, token: &str) {
        assert_eq!(self.status(at_once, token), 401);
        let other = 1 - at_once;
        let refused = self.0[other].wait_for(|| (self.status(other, token) == 401).then_some(()));
        assert!(refused.is_some(), "the other program never refuses it");
    }
}

fn request(method: &str, path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    let token = match token {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{token}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn status(answer: &str) -> u16 {
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {answer}"))
}

fn tokens(answer: &str) -> Tokens {
    assert_eq!(status(answer), 200, "{answer}");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let json: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}\n{answer}"));
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    Tokens {
        access: text("access_token"),
        refresh: text("refresh_token"),
    }
}

/// Sends a request and disconnects before the response.
fn hang_up(address: SocketAddr, request: &str) {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return;
    };
    // The response is lost on purpose.
    let _ = stream.write_all(request.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.set_read_timeout(Some(std::time::Duration::from_millis(1)));
    let _ = stream.read(&mut [0; 1]);
}

async fn blocking(work: impl FnOnce() + Send + 'static) {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
}

#[doyen_test::test(postgres)]
async fn o2_a3_a_hundred_uses_over_two_programs_give_one_successor(app: Helpdesk) {
    let database = app.database_url().to_owned();
    blocking(move || {
        let pair = Pair::start(&database, &[]);
        let mut held = pair.new_user("ada@example.com");
        for _ in 0..3 {
            let answers: Vec<Tokens> = std::thread::scope(|scope| {
                let ask = |n: usize| {
                    let (pair, token) = (&pair, &held.refresh);
                    scope.spawn(move || tokens(&pair.refresh(n % 2, token)))
                };
                let asked: Vec<_> = (0..100).map(ask).collect();
                let joined = asked.into_iter().map(std::thread::ScopedJoinHandle::join);
                joined
                    .map(|answer| answer.unwrap_or_else(|error| std::panic::resume_unwind(error)))
                    .collect()
            });
            let next = answers[0].clone();
            assert!(
                answers.iter().all(|answer| answer.refresh == next.refresh),
                "more than one successor"
            );
            assert_eq!(
                (pair.status(0, &next.access), pair.status(1, &next.access)),
                (200, 200)
            );
            held = next;
        }
    })
    .await;
}

/// Fifty responses are lost, alternately of each program: no user is logged out.
#[doyen_test::test(postgres)]
async fn a3_a_client_that_disconnects_stays_logged_in(app: Helpdesk) {
    let database = app.database_url().to_owned();
    blocking(move || {
        let pair = Pair::start(&database, &[]);
        let mut held = pair.new_user("ada@example.com");
        for n in 0..50 {
            let body = format!(r#"{{"refresh_token": "{}"}}"#, held.refresh);
            let lost = request("POST", "/v1/auth/refresh", "", &body);
            hang_up(pair.0[n % 2].address(), &lost);
            held = tokens(&pair.refresh((n + 1) % 2, &held.refresh));
        }
        assert_eq!(pair.status(0, &held.access), 200);
    })
    .await;
}

#[doyen_test::test(postgres)]
async fn o1_a4_t15_reuse_and_logout_on_one_program_reach_the_other(app: Helpdesk) {
    let database = app.database_url().to_owned();
    blocking(move || {
        // Without a grace period a second use counts as theft at once.
        let pair = Pair::start(&database, &[("APP_AUTH__SESSION__REFRESH_GRACE", "0s")]);
        revocations_reach_both(&pair);
    })
    .await;
}

/// The same with sessions in Redis.
#[doyen_test::test(postgres)]
async fn o1_a4_t15_the_same_with_sessions_in_redis(app: Helpdesk) {
    let database = app.database_url().to_owned();
    blocking(move || {
        let redis = std::env::var("DOYEN_TEST_REDIS_URL")
            .unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
        let pair = Pair::start(
            &database,
            &[
                ("APP_AUTH__SESSION__REFRESH_GRACE", "0s"),
                ("APP_AUTH__SESSION__STORE", "redis"),
                ("REDIS_URL", &redis),
            ],
        );
        revocations_reach_both(&pair);
    })
    .await;
    assert_eq!(app.count("auth_sessions").await, 0);
}

fn revocations_reach_both(pair: &Pair) {
    let first = pair.new_user("ada@example.com");
    let elsewhere = pair.log_in("ada@example.com");
    assert_eq!(pair.status(1, &first.access), 200);
    let second = tokens(&pair.refresh(1, &first.refresh));
    let reused = pair.refresh(0, &first.refresh);
    assert!(
        reused.starts_with("HTTP/1.1 400") && reused.contains("invalid_grant"),
        "{reused}"
    );
    assert_eq!(status(&pair.refresh(1, &second.refresh)), 400);
    pair.both_refuse(0, &second.access);
    pair.both_refuse(0, &first.access);
    // The other session of the same user continues, until it logs out.
    assert_eq!(pair.status(1, &elsewhere.access), 200);
    assert_eq!(
        status(&pair.ask(1, "POST", "/v1/auth/logout", &elsewhere.access, "")),
        204
    );
    pair.both_refuse(1, &elsewhere.access);
    assert_eq!(status(&pair.refresh(0, &elsewhere.refresh)), 400);
}
