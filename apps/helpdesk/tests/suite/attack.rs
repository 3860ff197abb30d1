//! Runs the attack suite against the real program, on both databases.
//!
//! The attacks are in `tools/attack/src`. Rate limits are raised here, except those on logins, and
//! the timeouts for slow clients are short. The output of the program is checked afterwards.

use attack::{Line, Options, Outcome, attack};
use doyen_test::{Program, Running};
use serde_json::Value;

use crate::support::Helpdesk;

fn program(database: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "dev")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_SERVER__HEADER_TIMEOUT", "2s")
        .env("APP_SERVER__BODY_TIMEOUT", "2s")
        .env("APP_LIMITS__DEFAULT", "1000000/1m")
        .env("APP_LIMITS__ANONYMOUS", "1000000/1m")
        .env("APP_LOG__FORMAT", "json")
        .env("DATABASE_URL", database)
        .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY)
}

/// Attacks the program, and fails with the lines of the attacks that had an effect.
fn attacked(server: &Running) -> Vec<Line> {
    let options = Options {
        base: format!("http://{}", server.address()),
        ..Options::default()
    };
    let lines =
        attack(options, |_| {}).unwrap_or_else(|failure| panic!("{failure}\n{}", server.output()));
    let failed: Vec<String> = lines
        .iter()
        .filter(|line| line.verdict.outcome == Outcome::Fail)
        .map(ToString::to_string)
        .collect();
    assert!(
        failed.is_empty(),
        "{} attacks had an effect:\n{}",
        failed.len(),
        failed.join("\n")
    );
    let passed = lines
        .iter()
        .filter(|line| line.verdict.outcome == Outcome::Pass)
        .count();
    assert!(passed >= 30, "only {passed} attacks were made");
    lines
}

/// A36: every line of the log is one object, whatever was sent, and no client has forged a line.
fn one_object_a_line(output: &str) {
    let mut objects = 0;
    for line in output.lines().filter(|line| line.starts_with('{')) {
        let object: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(object["message"] != "forged-line-2f9c", "{line}");
        objects += 1;
    }
    assert!(objects > 1000, "only {objects} lines");
    assert!(
        !output.contains('\u{1b}') && !output.contains('\u{2028}'),
        "an escape sequence is in the log"
    );
    assert!(
        !output.contains("nine lives of an orange cat"),
        "a password is in the log"
    );
}

#[test]
fn a1_to_a50_have_no_effect_on_sqlite() {
    let server = program("sqlite://data/helpdesk.db").start();
    attacked(&server);
    one_object_a_line(&server.output());
    assert_eq!(server.terminate().code(), Some(0));
}

/// A Redis database for this test alone, so that calls of other tests are not counted.
fn redis() -> String {
    let url = std::env::var("DOYEN_TEST_REDIS_URL");
    let url = url.unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    format!("{}/7", url.trim_end_matches('/'))
}

/// The same with the stores for many machines.
#[doyen_test::test(postgres)]
async fn a1_to_a50_have_no_effect_on_postgres_and_redis(app: Helpdesk) {
    let server = program(app.database_url())
        .env("REDIS_URL", &redis())
        .start();
    let server = tokio::task::spawn_blocking(move || {
        attacked(&server);
        server
    });
    let server = server
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    one_object_a_line(&server.output());
    assert_eq!(server.terminate().code(), Some(0));
}
