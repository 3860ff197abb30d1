//! Tests through HTTP, as clients use the service.

#![allow(missing_docs, reason = "a test")]

#[path = "../../../session.rs"]
mod session;
mod support;
mod tasks;

#[test]
fn the_session_of_the_readme_is_true() {
    session::replay(env!("CARGO_BIN_EXE_todo"), &[]);
}
