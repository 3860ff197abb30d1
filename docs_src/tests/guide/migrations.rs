//! The page on migrations: a column gets another name while two processes of the service run. No
//! request fails, and no write that was confirmed is lost. `cargo xtask soak` sends 100,000
//! requests.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen::data::{Row, Session};
use doyen::domain::Access;
use doyen_test::{Backend, Program, Running, SIGNING_KEY, Setup, scale};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_blocking};

use crate::exchange::exchange;

/// An empty database, which the program migrates.
struct Empty(doyen_test::TestApp);

impl doyen_test::Subject for Empty {
    fn app() -> doyen::App {
        doyen::App::new("people")
    }
    fn setup() -> Setup {
        Setup::new().set("jobs.work", "false")
    }
    fn new(app: doyen_test::TestApp) -> Self {
        Self(app)
    }
}

/// A wait that must end long before.
const HANG: Duration = Duration::from_secs(60);

const CLIENTS: usize = 8;

/// Parts of the test between which something changes.
const STAGES: usize = 10;

fn program(url: &str, release: u8) -> Program {
    let program = Program::new(env!("CARGO_BIN_EXE_rename_column"))
        .env("RELEASE", &release.to_string())
        // It refuses migrations that the linter finds unsafe.
        .env("APP_ENV", "prod")
        .env("APP_AUTH__SIGNING_KEY", SIGNING_KEY)
        .env("APP_AUTH__ISSUER", "https://people.example.com")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_SERVER__DRAIN_DELAY", "300ms")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_DATABASE__MAX_CONNECTIONS", "5")
        .env("APP_DATABASE__SYNCHRONOUS", "normal")
        .env("DATABASE_URL", url);
    if scale(0, 1) == 1 && url.starts_with("postgres:") {
        return program;
    }
    // The machine of the gate may be busy. On SQLite, processes do not write in turns: with many
    // writes, one of them may wait longer than the default.
    program
        .env("APP_DATABASE__ACQUIRE_TIMEOUT", "30s")
        .env("APP_DATABASE__LOCK_TIMEOUT", "30s")
}

/// Runs a command of a release, and returns its output.
async fn command(url: &str, release: u8, words: &[&str]) -> String {
    let program = words
        .iter()
        .fold(program(url, release), |it, word| it.arg(word));
    let ended = spawn_blocking(|| program.run()).await.unwrap();
    assert_eq!(ended.code, Some(0), "{words:?}: {ended:?}");
    ended.stdout
}

/// The processes that serve, and their addresses as a load balancer knows them.
struct Service {
    url: String,
    running: Vec<Running>,
    addresses: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Service {
    /// Starts processes of a release, next to those that serve.
    async fn start(&mut self, release: u8, count: usize) {
        let starts: Vec<_> = (0..count)
            .map(|_| {
                let program = program(&self.url, release);
                spawn_blocking(move || {
                    let running = program.start();
                    (running.address(), running)
                })
            })
            .collect();
        for start in starts {
            let (address, running) = start.await.unwrap();
            self.addresses.lock().unwrap().push(address);
            self.running.push(running);
        }
    }

    /// Replaces all processes by two of a release.
    async fn deploy(&mut self, release: u8) {
        let former = std::mem::take(&mut self.running);
        self.start(release, 2).await;
        self.addresses.lock().unwrap().drain(..former.len());
        for mut running in former {
            running.ask_to_stop();
            let ended = spawn_blocking(move || (running.wait(), running.output()));
            let (status, output) = ended.await.unwrap();
            assert_eq!(status.code(), Some(0), "{output}");
        }
    }
}

/// What the clients share.
#[derive(Default)]
struct Traffic {
    addresses: Arc<Mutex<Vec<SocketAddr>>>,
    served: AtomicUsize,
    is_finished: AtomicBool,
}

/// A name that was confirmed, and the id.
type Saved = (i64, String);

/// Saves and reads people of its own until the end. Returns what was confirmed.
async fn client(number: i64, traffic: Arc<Traffic>) -> Result<Vec<Saved>, String> {
    let mut saved: Vec<Saved> = Vec::new();
    let mut sent = 0;
    while !traffic.is_finished.load(Ordering::Relaxed) {
        let address = {
            let addresses = traffic.addresses.lock().unwrap();
            addresses[sent % addresses.len()]
        };
        let connected = TcpStream::connect(address).await;
        let mut stream = connected.map_err(|error| error.to_string())?;
        // Then it takes another connection, usually to another process.
        for _ in 0..25 {
            sent += 1;
            let closes = send(&mut stream, number, sent, &mut saved).await?;
            traffic.served.fetch_add(1, Ordering::Relaxed);
            if closes || traffic.is_finished.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    Ok(saved)
}

/// Sends a request and checks its response. Returns true if the connection ends.
async fn send(
    stream: &mut TcpStream,
    client: i64,
    sent: usize,
    saved: &mut Vec<Saved>,
) -> Result<bool, String> {
    let earlier = (!saved.is_empty()).then(|| sent.wrapping_mul(7_919) % saved.len());
    let (id, is_read) = match (sent % 3, earlier) {
        (0, Some(at)) => (saved[at].0, true),
        (1, Some(at)) => (saved[at].0, false),
        _ => (client * 1_000_000 + i64::try_from(sent).unwrap(), false),
    };
    let known = saved.iter().position(|one| one.0 == id);
    let name = format!("{client}-{sent}");
    let request = if is_read {
        format!("GET /people/{id} HTTP/1.1\r\nHost: a\r\n\r\n")
    } else {
        let body = format!(r#"{{"name":"{name}"}}"#);
        format!(
            "PUT /people/{id} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let exchanged = tokio::time::timeout(HANG, exchange(stream, request.as_bytes())).await;
    let response = exchanged.unwrap_or_else(|_| Err("no response in time".into()))?;
    let got = (response.status, response.text());
    match (is_read, known) {
        (true, Some(at)) if got == (200, format!(r#"{{"name":"{}"}}"#, saved[at].1)) => {}
        (false, _) if got.0 == 204 => match known {
            Some(at) => saved[at].1 = name,
            None => saved.push((id, name)),
        },
        _ => {
            return Err(format!(
                "{request}\n{got:?}\n{:?}",
                known.map(|at| &saved[at])
            ));
        }
    }
    Ok(response.closes())
}

/// Clients that are running.
struct Load {
    traffic: Arc<Traffic>,
    clients: JoinSet<Result<Vec<Saved>, String>>,
}

impl Load {
    fn start(addresses: &Arc<Mutex<Vec<SocketAddr>>>) -> Self {
        let traffic = Arc::new(Traffic {
            addresses: Arc::clone(addresses),
            ..Traffic::default()
        });
        let mut clients = JoinSet::new();
        for number in 1..=CLIENTS {
            let number = i64::try_from(number).unwrap();
            clients.spawn(client(number, Arc::clone(&traffic)));
        }
        Self { traffic, clients }
    }

    /// Waits until the clients have sent their share of requests of one stage.
    async fn stage(&mut self) {
        let served = || self.traffic.served.load(Ordering::Relaxed);
        let until = served() + scale(2_500, 100_000) / STAGES;
        while served() < until {
            let before = served();
            let progress = async {
                while served() == before {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let progress = tokio::time::timeout(HANG, progress).await;
            assert!(progress.is_ok(), "no progress after {before} requests");
            // A client ends early with its failure only.
            if let Some(ended) = self.clients.try_join_next() {
                panic!("after {before} requests: {:?}", ended.unwrap());
            }
        }
    }

    /// Ends the clients. Returns the number of requests, and what was confirmed.
    async fn finish(mut self) -> (usize, Vec<Saved>) {
        self.traffic.is_finished.store(true, Ordering::Relaxed);
        let mut saved = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            saved.extend(client.unwrap().unwrap());
        }
        (self.traffic.served.load(Ordering::Relaxed), saved)
    }
}

/// Migrates to a release. On PostgreSQL another session first keeps the migration from its lock,
/// so that it gives up and comes back.
async fn migrate(app: &doyen_test::TestApp, release: u8) {
    let holder = match app.backend() {
        Backend::Postgres => Some(hold(app).await),
        Backend::Sqlite => None,
    };
    let url = app.database_url().to_owned();
    let up = tokio::spawn(async move { command(&url, release, &["migrate", "up"]).await });
    if let Some(holder) = holder {
        until_waits(app, true).await;
        until_waits(app, false).await;
        holder.rollback().await;
    }
    let applied = up.await.unwrap();
    assert!(!applied.starts_with('0'), "{applied}");
}

/// Holds a lock on the table, as a report that reads it does.
async fn hold(app: &doyen_test::TestApp) -> Session {
    let session = app.database().session(Access::Write);
    let lock = "LOCK TABLE people IN ACCESS SHARE MODE";
    session.execute_sql(lock, []).await.unwrap();
    session
}

/// Waits until statements wait for a lock on the table, or none does.
async fn until_waits(app: &doyen_test::TestApp, waits: bool) {
    let waiting = "pg_locks WHERE NOT granted AND relation = 'people'::regclass";
    until(async || (app.count(waiting).await > 0) == waits).await;
}

async fn until(mut is_reached: impl AsyncFnMut() -> bool) {
    let reached = async {
        while !is_reached().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let reached = tokio::time::timeout(HANG, reached).await;
    assert!(reached.is_ok(), "never reached");
}

#[derive(Row)]
struct Stored {
    id: i64,
    name: Option<String>,
}

#[doyen_test::test]
#[expect(clippy::print_stdout, reason = "shown by `cargo xtask soak`")]
async fn a_column_gets_another_name_under_load_and_no_request_fails(app: Empty) {
    let app = &app.0;
    let mut service = Service {
        url: app.database_url().to_owned(),
        running: Vec::new(),
        addresses: Arc::default(),
    };
    command(&service.url, 1, &["migrate", "up"]).await;
    service.start(1, 2).await;
    let mut load = Load::start(&service.addresses);
    load.stage().await;

    // Expand, while the release before serves. A process of it still starts afterwards.
    migrate(app, 2).await;
    load.stage().await;
    service.start(1, 1).await;
    let started = service.running.last().map(Running::output);
    let says = "a newer release has migrated the database";
    assert!(started.is_some_and(|output| output.contains(says)));
    load.stage().await;

    // Write both columns, and fill the new one when nothing writes the old one alone.
    service.deploy(2).await;
    load.stage().await;
    let differs = "people WHERE name IS DISTINCT FROM nickname";
    assert!(app.count(differs).await > 0);
    command(&service.url, 2, &["fill-names"]).await;
    until(async || app.count(differs).await == 0).await;
    load.stage().await;

    // Read the new column, then write it alone.
    service.deploy(3).await;
    load.stage().await;
    service.deploy(4).await;
    load.stage().await;

    // Contract, while the release before serves.
    migrate(app, 5).await;
    load.stage().await;
    service.start(4, 1).await;
    load.stage().await;
    service.deploy(5).await;
    load.stage().await;

    let (served, mut saved) = load.finish().await;
    let session = app.database().session(Access::Read);
    let sql = "SELECT id, name FROM people ORDER BY id";
    let rows: Vec<Stored> = session.query_as(sql, []).await.unwrap();
    session.rollback().await;
    let rows: Vec<Saved> = rows
        .into_iter()
        .map(|row| (row.id, row.name.unwrap_or_default()))
        .collect();
    saved.sort();
    assert!(
        rows == saved,
        "{} rows, {} confirmed",
        rows.len(),
        saved.len()
    );
    assert!(rows.len() > 100, "{}", rows.len());
    println!(
        "{served} requests during an expand and a contract migration, 0 failed; {} names as confirmed",
        rows.len()
    );
}
