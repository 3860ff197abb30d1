//! The program: start, stop, crash, and messages about invalid settings.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use doyen_test::{Program, Running};

use crate::support::Helpdesk;

fn program() -> Program {
    program_at(env!("CARGO_BIN_EXE_helpdesk"))
}

fn program_at(path: &str) -> Program {
    Program::new(path)
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
}

pub(crate) fn request(method: &str, path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

/// Registers a user and logs in.
pub(crate) fn token(server: &Running) -> String {
    let person = r#"{"email": "ada@example.com", "password": "correct horse battery staple""#;
    let register = server.exchange(&request(
        "POST",
        "/v1/auth/register",
        "",
        &format!("{person}, \"name\": \"Ada\"}}"),
    ));
    assert!(register.starts_with("HTTP/1.1 201"), "{register}");
    let login = server.exchange(&request(
        "POST",
        "/v1/auth/login",
        "",
        &format!("{person}}}"),
    ));
    field(&login, "access_token")
}

/// The text of a member of a response.
pub(crate) fn field(answer: &str, name: &str) -> String {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let json: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}\n{answer}"));
    json[name].as_str().unwrap().to_owned()
}

#[test]
fn it_starts_in_an_empty_folder() {
    let server = program().start();
    assert!(server.exchange(&get("/readyz")).starts_with("HTTP/1.1 200"));
    assert!(server.exchange(&get("/docs")).contains("<html"));
    token(&server);
    let ended = server.terminate();
    assert_eq!(ended.code(), Some(0));
}

/// A limit on the size of files, as an operator sets it: the write fails, not the process.
#[test]
fn a_file_that_may_not_grow_refuses_writes_and_is_not_ready() {
    let helpdesk = env!("CARGO_BIN_EXE_helpdesk");
    let server = program_at("/bin/sh")
        .arg("-c")
        .arg(&format!("ulimit -f 4096; exec {helpdesk}"))
        .start();
    let token = token(&server);
    let body = format!(
        r#"{{"subject": "It grows", "body": "{}"}}"#,
        "x".repeat(19_000)
    );
    let create = request("POST", "/v1/tickets", &token, &body);
    let refused = server.wait_for(|| {
        let answer = server.exchange(&create);
        (!answer.starts_with("HTTP/1.1 201")).then_some(answer)
    });
    let refused = refused.unwrap_or_else(|| panic!("the file grew on\n{}", server.output()));
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(server.exchange(&get("/livez")).starts_with("HTTP/1.1 200"));
    let ready = server.exchange(&get("/readyz"));
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    let list = server.exchange(&request("GET", "/v1/tickets", &token, ""));
    assert!(list.starts_with("HTTP/1.1 200"), "{list}");
}

/// SIGTERM during a request: readiness fails first, the listener stays open meanwhile, and the
/// request gets its response.
#[test]
fn a_drain_finishes_running_requests() {
    let mut server = program().env("APP_SERVER__DRAIN_DELAY", "2s").start();
    let address = server.address();
    let body = r#"{"email": "unknown@example.com", "password": "correct horse battery staple"}"#;
    let (head, rest) = request("POST", "/v1/auth/login", "", body)
        .split_at_checked(200)
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let mut slow = TcpStream::connect(address).unwrap_or_else(|error| panic!("{error}"));
    slow.write_all(head.as_bytes())
        .unwrap_or_else(|error| panic!("{error}"));
    // It has the beginning of the request when it responds to another one.
    assert!(server.exchange(&get("/readyz")).starts_with("HTTP/1.1 200"));
    server.ask_to_stop();
    let ready = server.wait_for(|| {
        let answer = server
            .try_exchange(address, &get("/readyz"))
            .unwrap_or_default();
        answer.starts_with("HTTP/1.1 503").then_some(answer)
    });
    let ready = ready.unwrap_or_else(|| panic!("it never became unready\n{}", server.output()));
    assert!(ready.contains("not_ready"), "{ready}");
    slow.write_all(rest.as_bytes())
        .unwrap_or_else(|error| panic!("{error}"));
    let mut answer = String::new();
    slow.read_to_string(&mut answer)
        .unwrap_or_else(|error| panic!("{error}\n{}", server.output()));
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("invalid_credentials"),
        "{answer}"
    );
    assert_eq!(server.wait().code(), Some(0), "{}", server.output());
    assert!(TcpStream::connect(address).is_err());
}

/// An idle connection does not delay the end.
#[test]
fn an_idle_connection_is_closed_by_a_drain() {
    let mut server = program().start();
    let mut idle = TcpStream::connect(server.address()).unwrap_or_else(|error| panic!("{error}"));
    let _ = idle.set_read_timeout(Some(Duration::from_secs(10)));
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap_or_else(|error| panic!("{error}"));
    let mut first = [0; 12];
    idle.read_exact(&mut first)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(&first, b"HTTP/1.1 200");
    let began = std::time::Instant::now();
    server.ask_to_stop();
    assert_eq!(server.wait().code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "it waited for an idle client"
    );
}

/// Killed during concurrent writes, three times: every ticket with a 201 exists.
#[test]
fn the_development_secret_of_an_earlier_version_moves_next_to_the_database() {
    let program = program().env("DATABASE_URL", "sqlite://store/app.db");
    let folder = program.folder().to_owned();
    for name in ["data", "store"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("data/dev.key"), doyen_test::SIGNING_KEY).unwrap();
    let server = program.start();
    server.address();
    let copied = std::fs::read_to_string(folder.join("store/dev.key")).unwrap();
    assert_eq!(copied.trim_end(), doyen_test::SIGNING_KEY);
}

#[doyen_test::test]
async fn acknowledged_writes_survive_a_kill(app: Helpdesk) {
    let url = app.database_url().to_owned();
    let rounds = tokio::task::spawn_blocking(move || kill_and_look(&url));
    rounds.await.unwrap_or_else(|error| panic!("{error}"));
}

fn kill_and_look(url: &str) {
    let start = || {
        program()
            .env("DATABASE_URL", url)
            .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY)
            .start()
    };
    let mut server = start();
    let token = token(&server);
    let mut kept: Vec<String> = Vec::new();
    for round in 0..3 {
        let acknowledged = write_until_killed(&mut server, &token);
        assert!(
            !acknowledged.is_empty(),
            "round {round}: nothing was written before the kill\n{}",
            server.output()
        );
        kept.extend(acknowledged);
        server = start();
        for id in &kept {
            let answer = server.exchange(&request("GET", &format!("/v1/tickets/{id}"), &token, ""));
            assert!(
                answer.starts_with("HTTP/1.1 200"),
                "round {round}: {id} was acknowledged and is lost\n{answer}"
            );
        }
    }
    assert_eq!(server.terminate().code(), Some(0));
}

/// Four clients create tickets; after a few, the server is killed. Returns the acknowledged ones.
fn write_until_killed(server: &mut Running, token: &str) -> Vec<String> {
    let (acknowledged, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let address = server.address();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let body = r#"{"subject": "will it live", "body": "b"}"#;
                    let answer = exchange(address, &request("POST", "/v1/tickets", token, body));
                    // An incomplete response is not an acknowledgement.
                    if answer.starts_with("HTTP/1.1 201") && answer.ends_with('}') {
                        acknowledged
                            .lock()
                            .unwrap_or_else(|error| panic!("{error}"))
                            .push(field(&answer, "id"));
                    }
                }
            });
        }
        let enough = || {
            acknowledged
                .lock()
                .is_ok_and(|ids| ids.len() >= 20)
                .then_some(())
        };
        let reached = server.wait_for(enough);
        server.kill();
        stop.store(true, Ordering::Relaxed);
        assert!(reached.is_some(), "{}", server.output());
    });
    acknowledged.into_inner().unwrap()
}

fn exchange(address: SocketAddr, bytes: &str) -> String {
    let mut answer = String::new();
    if let Ok(mut stream) = TcpStream::connect(address) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let _ = stream.write_all(bytes.as_bytes());
        let _ = stream.read_to_string(&mut answer);
    }
    answer
}

/// A failed start: exit code 1, and one line on standard error that names the mistake.
fn refuses(program: Program, words: &[&str]) {
    let ended = program.run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for word in words {
        assert!(
            ended.stderr.contains(word),
            "`{word}` is not in:\n{}",
            ended.stderr
        );
    }
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[test]
fn a_bad_setting_is_named() {
    refuses(
        program().env("APP_SERVER__BIND", "nowhere"),
        &["APP_SERVER__BIND"],
    );
    refuses(
        program().env("APP_SERVER__REQUEST_TIMEOUT", "soon"),
        &["APP_SERVER__REQUEST_TIMEOUT"],
    );
    refuses(
        program().env("APP_SERVER__MAX_CONNECTIONS", "0"),
        &["APP_SERVER__MAX_CONNECTIONS"],
    );
    refuses(program().env("APP_ENV", "production"), &["APP_ENV", "prod"]);
    refuses(
        program().env("DATABASE_URL", "mysql://x"),
        &["sqlite://", "postgres://"],
    );
}

#[test]
fn an_unknown_variable_is_refused_with_the_nearest_name() {
    refuses(
        program().env("APP_SERVER__BINDD", "127.0.0.1:0"),
        &["APP_SERVER__BINDD", "APP_SERVER__BIND"],
    );
    refuses(
        program().env("APP_SERVR__MAX_CONNECTIONS", "5"),
        &["APP_SERVR__MAX_CONNECTIONS", "APP_SERVER__MAX_CONNECTIONS"],
    );
}

/// Every mistake at once, not one per start.
#[test]
fn all_bad_settings_are_reported_at_once() {
    refuses(
        program()
            .env("APP_SERVER__BIND", "nowhere")
            .env("APP_UNKNOWN", "1"),
        &["APP_SERVER__BIND", "APP_UNKNOWN"],
    );
}

#[test]
fn production_needs_a_signing_key() {
    refuses(
        program().env("APP_ENV", "prod"),
        &["auth.signing_key", "APP_AUTH__SIGNING_KEY", "keys generate"],
    );
    for weak in ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "secret"] {
        let ended = program()
            .env("APP_ENV", "prod")
            .env("APP_AUTH__SIGNING_KEY", weak)
            .run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            !ended.stderr.contains(weak),
            "the key is shown:\n{}",
            ended.stderr
        );
    }
}

/// The program in production, with every required setting except those of mail.
fn production() -> Program {
    program()
        .env("APP_ENV", "prod")
        .env(
            "APP_AUTH__SIGNING_KEY",
            "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc",
        )
        .env("APP_AUTH__ISSUER", "https://help.example.com")
}

/// Production without mail, stated by the settings.
fn silent_production() -> Program {
    production()
        .env("APP_MAIL__TRANSPORT", "none")
        .env("APP_AUTH__EMAIL__VERIFY", "false")
}

/// In production, migrations are not run at start, and the message names the command.
#[test]
fn production_does_not_start_on_an_old_schema() {
    refuses(silent_production(), &["migrate up"]);
}

/// A forgotten password needs a mail: in production the transport and the base of the links must be
/// set.
#[test]
fn production_needs_mail_settings() {
    refuses(
        production(),
        &["mail.transport", "APP_MAIL__TRANSPORT=smtp"],
    );
    let smtp = || production().env("APP_MAIL__TRANSPORT", "smtp");
    refuses(smtp(), &["mail.url", "APP_MAIL__URL"]);
    let open = "smtp://user:s3cret@mail.example.com";
    let ended = smtp().env("APP_MAIL__URL", open).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("smtps://") && !ended.stderr.contains("s3cret"),
        "{}",
        ended.stderr
    );
    let private = || smtp().env("APP_MAIL__URL", "smtps://user:s3cret@mail.example.com");
    refuses(private(), &["link_base", "APP_AUTH__EMAIL__LINK_BASE"]);
    let complete = private().env("APP_AUTH__EMAIL__LINK_BASE", "https://help.example.com");
    refuses(complete, &["migrate up"]);
    let contradiction = production()
        .env("APP_MAIL__TRANSPORT", "none")
        .env("APP_AUTH__EMAIL__VERIFY", "true");
    refuses(contradiction, &["auth.email", "no user could log in"]);
    let unsaid = production().env("APP_MAIL__TRANSPORT", "none");
    refuses(unsaid, &["auth.email", "APP_AUTH__EMAIL__VERIFY=false"]);
}

/// With the default issuer, tokens would be valid for other services with the default. Demo
/// accounts have a public password.
#[test]
fn production_has_its_own_issuer_and_no_demo_accounts() {
    let unnamed = || silent_production().env("APP_AUTH__ISSUER", "http://localhost");
    refuses(unnamed(), &["auth.issuer", "APP_AUTH__ISSUER"]);
    let migrated = || silent_production().env("APP_DATABASE__MIGRATE", "auto");
    refuses(migrated().arg("seed"), &["`seed`", "`prod`"]);
    let serving = migrated().start();
    assert!(
        serving
            .exchange(&get("/readyz"))
            .starts_with("HTTP/1.1 200")
    );
}

/// In production the documents are not served unless the settings say so, and health endpoints show
/// no detail.
#[test]
fn h2_production_shows_no_documents() {
    let production = || silent_production().env("APP_DATABASE__MIGRATE", "auto");
    let status = |running: &doyen_test::Running, path: &str| {
        let answer = running.exchange(&request("GET", path, "", ""));
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let hidden = production().start();
    for path in ["/docs", "/openapi.json", "/metrics"] {
        assert_eq!(status(&hidden, path), "404", "{path}");
    }
    let ready = hidden.exchange(&request("GET", "/readyz?verbose", "", ""));
    assert!(!ready.contains("sqlite"), "{ready}");
    assert_eq!(status(&hidden, "/livez"), "200");
    let shown = production().env("APP_DOCS__ENABLED", "true").start();
    for path in ["/docs", "/openapi.json"] {
        assert_eq!(status(&shown, path), "200", "{path}");
    }
}

#[test]
fn the_metrics_show_logins_transactions_and_the_process() {
    let server = program().start();
    token(&server);
    let wrong = r#"{"email": "ada@example.com", "password": "wrong horse"}"#;
    let wrong = server.exchange(&request("POST", "/v1/auth/login", "", wrong));
    assert!(wrong.starts_with("HTTP/1.1 401"), "{wrong}");
    let metrics = server
        .try_exchange(
            admin(&server),
            &get("/metrics").replace("Host: x", "Host: localhost"),
        )
        .unwrap_or_else(|error| panic!("{error}"));
    for line in [
        "auth_logins_total{result=\"succeeded\"} 1\n",
        "auth_logins_total{result=\"failed\"} 1\n",
        "db_transactions_total{end=\"unknown\"} 0\n",
        "http_server_active_requests 0\n",
        "build_info{name=\"helpdesk\",version=\"0.1.0\",doyen=\"0.1.0\"} 1\n",
    ] {
        assert!(metrics.contains(line), "no {line} in\n{metrics}");
    }
    let value = |name: &str| -> f64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        let value = line.unwrap_or_else(|| panic!("no {name} in\n{metrics}"));
        value
            .trim()
            .parse()
            .unwrap_or_else(|error| panic!("{name}{value}: {error}"))
    };
    assert!(value("db_transactions_total{end=\"committed\"}") >= 2.0);
    assert!(value("process_resident_memory_bytes") > f64::from(1 << 20));
    assert!(value("process_open_fds") < value("process_max_fds"));
    assert!(value("process_cpu_seconds_total") > 0.0);
    assert!(value("process_threads") >= value("tokio_workers"));
    assert!(value("tokio_alive_tasks") >= 1.0);
    assert!(value("process_start_time_seconds") > 1.7e9);
}

/// Returns the address of the admin listener.
fn admin(server: &Running) -> SocketAddr {
    let output = server.output();
    let admin = output.split("Admin http://").nth(1).unwrap_or_default();
    let admin = admin.split('/').next().unwrap_or_default();
    admin
        .parse()
        .unwrap_or_else(|error| panic!("{error}\n{output}"))
}

#[test]
fn an_address_in_use_is_reported() {
    let first = program().start();
    let address = first.address().to_string();
    refuses(
        program().env("APP_SERVER__BIND", &address),
        &[&address, "listen"],
    );
}

#[test]
fn an_unavailable_database_is_reported_without_its_password() {
    let program = program().env("DATABASE_URL", "postgres://someone:s3cret@127.0.0.1:1/none");
    let ended = program.run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("127.0.0.1:1") && !ended.stderr.contains("s3cret"),
        "{}",
        ended.stderr
    );
}

/// Commands that need no database open none, and write nothing into the current folder.
#[test]
fn the_printed_document_is_the_committed_one() {
    let ended = program().arg("openapi").run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stdout,
        std::fs::read_to_string("openapi.json").unwrap()
    );
}

#[test]
fn help_and_version_are_printed() {
    let help = program().arg("--help").run();
    assert_eq!(help.code, Some(0), "{help:?}");
    for word in ["serve", "migrate", "routes", "openapi", "config"] {
        assert!(help.stdout.contains(word), "{}", help.stdout);
    }
    assert_eq!(program().arg("nonsense").run().code, Some(2));
}
