//! `doyen doctor`.

use std::net::TcpListener;

use crate::sandbox::Sandbox;

#[test]
fn the_machine_is_checked_outside_an_application() {
    let sandbox = Sandbox::new();
    let ended = sandbox.doyen(".", &["doctor"]).success();
    for line in ["ok  Rust", "ok  C compiler", "only the machine is checked"] {
        assert!(ended.stdout.contains(line), "{line} in\n{}", ended.stdout);
    }
}

#[test]
fn findings_say_what_to_do() {
    let (sandbox, shop) = Sandbox::shop(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    // A port on which nothing listens.
    let unused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let dev = format!(
        "[server]\nbind = \"{address}\"\n[admin]\nbind = \"0.0.0.0:0\"\n[database]\nurl = \"postgres://ann:secret@{unused}/shop\"\n"
    );
    std::fs::write(shop.join("config/dev.toml"), dev).unwrap();
    let ended = sandbox.doyen("shop", &["doctor"]);
    let ended = ended.failure(1, &["1 of", "checks failed"]);
    for part in [
        &format!("{address} is in use (`server.bind`)"),
        &format!("PostgreSQL at {unused}/shop is not reachable"),
        "start the server, or correct DATABASE_URL",
        "`admin.bind` is reachable from other machines",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("secret"), "{}", ended.stdout);
}

#[test]
fn the_server_of_the_tests_is_read() {
    let (sandbox, shop) = Sandbox::shop(&["--postgres"]);
    let url = std::env::var("DOYEN_TEST_POSTGRES_URL");
    let url = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let dev = format!(
        "[server]\nbind = \"127.0.0.1:0\"\n[admin]\nbind = \"127.0.0.1:0\"\n[database]\nurl = \"{url}\"\n"
    );
    std::fs::write(shop.join("config/dev.toml"), dev).unwrap();
    let ended = sandbox.doyen("shop", &["doctor"]).success();
    assert!(ended.stdout.contains("PostgreSQL 1"), "{}", ended.stdout);
}
