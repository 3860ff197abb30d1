//! The start of a whole process and its commands: what they refuse, and what they say.

#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use doyen::data::sea_orm::{ConnectionTrait as _, Database};
use doyen_test::{Ended, Program, SIGNING_KEY};

use crate::process::program;

/// A folder that outlives a program, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = crate::folder(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn url(&self) -> String {
        format!("sqlite://{}/a.db", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn server() -> String {
    std::env::var("DOYEN_TEST_POSTGRES_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// Runs statements on the PostgreSQL server, each on its own.
async fn on_server(statements: &[&str]) {
    let connection = Database::connect(server()).await.unwrap();
    for sql in statements {
        connection.execute_unprepared(sql).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// Creates an empty database; returns its name and URL.
async fn empty_database(name: &str) -> (String, String) {
    let name = format!("doyen_start_{name}_{}", std::process::id());
    // A process of the same id may have left one.
    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    on_server(&[&drop, &format!("CREATE DATABASE {name}")]).await;
    let url = server();
    let (address, _) = url.rsplit_once('/').unwrap();
    let url = format!("{address}/{name}");
    (name, url)
}

async fn drop_database(name: &str) {
    on_server(&[&format!("DROP DATABASE {name} WITH (FORCE)")]).await;
}

/// The message of a start that is refused.
fn refusal(program: Program) -> String {
    let ended = program.run();
    assert_eq!(ended.code, Some(1), "{} {}", ended.stdout, ended.stderr);
    ended.stderr
}

fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[tokio::test]
async fn an_error_of_the_database_prints_its_causes() {
    let (name, url) = empty_database("causes").await;
    let start = |url: &str| program("").env("DATABASE_URL", url);
    let text = refusal(start(&format!("{url}?options=-csearch_path%3Dnowhere")));
    let expected = [
        "search path names no schema",
        "\n  caused by: ",
        "no schema has been selected",
    ];
    assert_contains(&text, &expected);
    assert!(!text.contains("at line"), "{text}");

    let role = format!("{name}_role");
    on_server(&[&format!("CREATE ROLE {role} LOGIN")]).await;
    let (_, address) = url.split_once('@').unwrap();
    let text = refusal(
        start(&format!("postgres://{role}@{address}"))
            .arg("migrate")
            .arg("up"),
    );
    on_server(&[&format!("DROP ROLE {role}")]).await;
    assert_contains(
        &text,
        &["lacks a right", "\n  caused by: ", "permission denied"],
    );
    drop_database(&name).await;
}

#[test]
fn a_url_that_is_wrong_says_what_to_write() {
    for (url, parts) in [
        ("postgres://", ["names no database", ""]),
        ("postgres://me:s3cret@127.0.0.1", ["names no database", ""]),
        (
            "postgres://me:s3cret#1@127.0.0.1/x",
            ["must be escaped", "`#` is `%23`"],
        ),
        (
            "postgres://me:s3cret@127.0.0.1:port/x",
            ["caused by: ", "invalid port number"],
        ),
    ] {
        let text = refusal(program("").env("DATABASE_URL", url));
        assert_contains(&text, &parts);
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn a_server_that_refuses_tls_is_not_one_that_does_not_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // `N`: no TLS.
            let _ = stream.read_exact(&mut [0; 8]);
            let _ = stream.write_all(b"N");
        }
    });
    let url = format!("postgres://me:s3cret@127.0.0.1:{port}/x?sslmode=require");
    let text = refusal(program("").env("DATABASE_URL", &url));
    assert_contains(
        &text,
        &["no TLS connection can be established", "caused by: "],
    );
}

#[test]
fn a_key_file_that_cannot_be_read_says_why() {
    let folder = Folder::new("key-file");
    let path = folder.0.display().to_string();
    let text = refusal(program("").env("APP_AUTH__DEV_KEY_FILE", &path));
    assert_contains(&text, &[&path, "\n  caused by: ", "directory"]);
}

#[tokio::test]
async fn two_processes_that_start_together_seed_once() {
    let (name, postgres) = empty_database("seed").await;
    let folder = Folder::new("seed");
    for url in [postgres, folder.url()] {
        let start = || {
            let program = program("seed").env("DATABASE_URL", &url);
            program.env("APP_AUTH__SIGNING_KEY", SIGNING_KEY).start()
        };
        let both = [start(), start()];
        let outputs = both.map(|running| {
            let _serving = running.address();
            let output = running.output();
            assert!(running.terminate().success());
            output
        });
        let count = |text: &str| {
            outputs
                .iter()
                .filter(|output| output.contains(text))
                .count()
        };
        assert_eq!(
            (count("seeded one row"), count("seeded already")),
            (1, 1),
            "{outputs:?}"
        );
    }
    drop_database(&name).await;
}

#[test]
fn reverting_in_prod_needs_a_flag() {
    let folder = Folder::new("down");
    let migrate = |arguments: &[&str]| -> Ended {
        let program = program("seed")
            .env("APP_ENV", "prod")
            .env("APP_AUTH__SIGNING_KEY", SIGNING_KEY)
            .env("APP_AUTH__ISSUER", "https://api.example.com")
            .env("DATABASE_URL", &folder.url())
            .arg("migrate");
        arguments
            .iter()
            .fold(program, |program, word| program.arg(word))
            .run()
    };
    assert_eq!(migrate(&["up"]).code, Some(0));
    let refused = migrate(&["down", "99"]);
    assert_eq!(refused.code, Some(1));
    assert_contains(&refused.stderr, &["1_seeded", "`--yes`"]);
    assert_contains(&migrate(&["status"]).stdout, &["1 seeded", "applied 2"]);
    let done = migrate(&["down", "99", "--yes"]);
    assert_eq!(
        (done.code, done.stdout.trim()),
        (Some(0), "1 reverted"),
        "{}",
        done.stderr
    );
    assert_eq!(migrate(&["down"]).stdout.trim(), "0 reverted");
    assert_contains(
        &migrate(&["resolve", "1", "applied"]).stderr,
        &["no unfinished migration"],
    );
}

#[test]
fn a_migration_that_is_not_in_the_program_is_noticed_at_the_start() {
    let folder = Folder::new("embedded");
    let source = folder.0.join("migrations");
    for backend in ["sqlite", "postgres"] {
        std::fs::create_dir_all(source.join(backend)).unwrap();
        std::fs::write(source.join(backend).join("1_seeded.up.sql"), "").unwrap();
    }
    let start = |environment: &str| {
        program("seed")
            .env("LAB_FOLDER", source.to_str().unwrap())
            .env("APP_ENV", environment)
            .env("APP_AUTH__SIGNING_KEY", SIGNING_KEY)
            .env("APP_AUTH__ISSUER", "https://api.example.com")
            .env("DATABASE_URL", &folder.url())
    };
    assert!(start("dev").start().terminated_after_start());
    std::fs::write(source.join("postgres/2_new.up.sql"), "").unwrap();
    for environment in ["dev", "test"] {
        let text = refusal(start(environment));
        assert_contains(
            &text,
            &[
                "`postgres/2_new.up.sql`",
                "build.rs",
                source.to_str().unwrap(),
            ],
        );
    }
    // The source is no part of production.
    assert!(start("prod").start().terminated_after_start());
}

trait Terminated {
    fn terminated_after_start(self) -> bool;
}

impl Terminated for doyen_test::Running {
    /// Waits until it serves, and ends it.
    fn terminated_after_start(self) -> bool {
        let _serving = self.address();
        self.terminate().success()
    }
}

#[test]
fn config_names_the_database_that_is_opened() {
    let shown = |url: &str| {
        let ended = program("").arg("config").env("DATABASE_URL", url).run();
        let line = ended
            .stdout
            .lines()
            .find(|line| line.starts_with("database.url"));
        line.unwrap_or(&ended.stderr).to_owned()
    };
    assert_contains(
        &shown("sqlite://data/x.db\n"),
        &[
            "sqlite://data/x.db (/",
            "/data/x.db)",
            "environment variable DATABASE_URL",
        ],
    );
    let line = shown("postgres://me:s3cret@db/shop");
    assert_contains(&line, &["postgres://me:***@db/shop"]);
    let ended = program("").arg("config").run();
    assert_contains(&ended.stdout, &["sqlite://data/lifecycle.db (/"]);
}

#[test]
fn variables_of_other_programs_do_not_stop_the_start() {
    let foreign = |program: Program| {
        program
            .env("APP_PORT", "tcp://10.0.0.1:80")
            .env("APP_SERVICE_HOST", "10.0.0.1")
            .env("APP_AUTH_SIGNING_KEY", SIGNING_KEY)
    };
    let warning =
        "APP_AUTH_SIGNING_KEY is no setting and is ignored: did you mean APP_AUTH__SIGNING_KEY?";
    let running = foreign(program("")).start();
    let _serving = running.address();
    let output = running.output();
    assert_contains(&output, &[warning]);
    assert!(
        !output.contains("APP_PORT") && !output.contains("APP_SERVICE_HOST"),
        "{output}"
    );
    assert!(running.terminate().success());
    let config = foreign(program("")).arg("config").run();
    assert_eq!(config.code, Some(0));
    assert_contains(
        &config.stderr,
        &[&format!("warning: environment variable {warning}")],
    );
    // The reason is among the warnings.
    let text = refusal(foreign(program("")).env("APP_ENV", "prod"));
    assert_contains(&text, &["`auth.signing_key`: it is not set", warning]);
}

#[test]
fn a_json_log_has_no_other_lines_and_names_what_runs() {
    let running = program("")
        .env("APP_LOG__FORMAT", "json")
        .env("DATABASE_URL", "sqlite://data/x.db")
        .start();
    let _serving = running.address();
    running.ask_to_stop();
    running
        .wait_for(|| running.output().contains("\"stopped\"").then_some(()))
        .expect("it stops");
    let output = running.output();
    // What the plugins of this program print themselves.
    let lines = output.lines().filter(|line| !is_printed_by_a_plugin(line));
    let lines: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let fields = |message: &str| -> Vec<&serde_json::Value> {
        let lines = lines.iter().filter(|line| line["message"] == message);
        lines.map(|line| &line["fields"]).collect()
    };
    let starting = fields("starting")[0];
    assert_eq!(
        (&starting["name"], &starting["version"]),
        (&"lifecycle".into(), &"7.8.9".into())
    );
    let database = starting["database"].as_str().unwrap();
    assert!(
        Path::new(database).is_absolute() && database.ends_with("data/x.db"),
        "{database}"
    );
    let serving = fields("serving")[0];
    let draining: Vec<&serde_json::Value> = fields("draining")
        .iter()
        .map(|line| &line["address"])
        .collect();
    assert_eq!(draining, [&serving["address"], &serving["admin"]]);
    for address in draining {
        assert!(
            address
                .as_str()
                .unwrap()
                .parse::<std::net::SocketAddr>()
                .is_ok(),
            "{address}"
        );
    }
}

fn is_printed_by_a_plugin(line: &str) -> bool {
    ["a ", "b ", "c ", "worker "]
        .iter()
        .any(|begin| line.starts_with(begin))
}
