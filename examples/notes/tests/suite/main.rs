//! Tests through HTTP, as clients use the service, on PostgreSQL.

#![allow(missing_docs, reason = "a test")]

mod notes;
#[path = "../../../session.rs"]
mod session;
mod support;

use crate::support::Notes;

#[doyen_test::test(postgres)]
async fn the_session_of_the_readme_is_true(app: Notes) {
    let url = app.database_url().to_owned();
    let replay = move || {
        let environment = [
            ("DATABASE_URL", url.as_str()),
            ("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY),
        ];
        session::replay(env!("CARGO_BIN_EXE_notes"), &environment);
    };
    tokio::task::spawn_blocking(replay).await.unwrap();
}
