//! `instructions CASE REQUESTS`: answers this number of requests over one connection, then ends.
//! Run under an instruction counter with two numbers of requests, the difference of the counts is
//! what the requests cost; `cargo xtask instructions` does that.
//!
//! The server runs on one thread, the client on another and waits for each response. A read counts
//! as one that took no time, so nothing here depends on how fast the machine is.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use doyen::Overrides;
use doyen::auth::{KeyRing, Seed, TokenOptions, Tokens};
use doyen::data::{Database, DatabaseOptions};
use doyen::domain::{Caller, SystemClock};
use doyen::observe::{AccessLog, LogFormat};
use doyen::prelude::*;
use doyen::settings::{Environment, Loader};
use doyen::web::{Server, ServerOptions, Service};
use doyen_bench::{bare, token};

/// The schema, and ten thousand tickets.
const TABLES: &str = "
    CREATE TABLE tickets (id integer PRIMARY KEY, subject text NOT NULL, body text NOT NULL, status text NOT NULL, priority integer NOT NULL,
                          reporter_id bigint NOT NULL, assignee_id bigint, created_ms bigint NOT NULL);
    INSERT INTO tickets WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
        SELECT i, 'The printer is on fire', 'It began with a smell of toner.', 'open', 2, 5, 7, 1700000000000 FROM n;";

/// As any seed, but always the same: signatures cost the same instructions every time.
const SEED: &str = "vDAhaLhlib12OAFizAxyspctCkndKUVn6K05wj0WK2I";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [case, requests] = arguments.as_slice() else {
        return Err("two arguments: a case and a number of requests".into());
    };
    let requests = requests.parse()?;
    doyen::data::__private::ignore_read_times();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let folder = std::env::temp_dir().join(format!("doyen-instructions-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = runtime.block_on(run(case, requests, folder.clone()));
    std::fs::remove_dir_all(folder)?;
    done
}

async fn run(case: &str, requests: u32, folder: PathBuf) -> Result<(), Box<dyn Error>> {
    let (kind, call) = case
        .split_once('-')
        .ok_or("a case is `bare-json` or the like")?;
    let database = format!("sqlite://{}", folder.join("race.db").display());
    let service = match kind {
        "bare" => bare::service(Database::connect(&DatabaseOptions::new(&database)).await?)?,
        "full" => full(&database, &folder, 0).await?,
        // What a request costs must not depend on how many other routes there are.
        "many" => full(&database, &folder, 1000).await?,
        _ => return Err(format!("no such kind: {kind}").into()),
    };
    tables(&database).await?;
    let message = message(call, kind != "bare")?;
    let options = ServerOptions::new(([127, 0, 0, 1], 0).into());
    let server = Server::bind(service, options).await?;
    let address = server.address().tcp().ok_or("no TCP address")?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let client = std::thread::spawn(move || {
        let done = ask(address, &message, requests);
        drop(stop);
        done.map_err(|error| error.to_string())
    });
    server.run_until(async move { drop(stopped.await) }).await;
    client.join().map_err(|_| "the client panicked")??;
    Ok(())
}

/// The application as in production, with its log in a file and with other routes next to its own.
async fn full(
    database: &str,
    folder: &std::path::Path,
    others: usize,
) -> Result<Service, Box<dyn Error>> {
    let loader = Loader::new("APP_")
        .environment(Environment::Test)
        .set("database.url", database)
        .set("auth.signing_key", SEED)
        .set("auth.issuer", token::ISSUER)
        .set("auth.audience", token::AUDIENCE)
        // As in production, where no request is observed.
        .set_if_known("evidence.sample", "0")
        // Every call is counted, and none is refused.
        .set("limits.default", "1000000/1s");
    let routes = (0..others).map(|n| {
        Route::get(&format!("/other/{n}/thing"))
            .name(&format!("other_{n}"))
            .allow(anyone)
            .handler(nothing)
    });
    let overrides = Overrides {
        access_log: Some(Arc::new(AccessLog::to_file(
            folder.join("log"),
            LogFormat::Json,
        )?)),
        modules: vec![Module::new("others").routes(Routes::new(routes.collect()))],
        ..Overrides::default()
    };
    let runtime = doyen_bench::app().start(loader, overrides).await?;
    Ok(runtime.service().clone())
}

/// Makes the tables, over a connection of its own.
async fn tables(url: &str) -> Result<(), Box<dyn Error>> {
    let database = Database::connect(&DatabaseOptions::new(url)).await?;
    let session = database.session(doyen::domain::Access::Write);
    for statement in TABLES
        .split_inclusive(';')
        .filter(|text| text.contains(';'))
    {
        session.execute_sql(statement, []).await?;
    }
    let committed = session.commit().await;
    committed.map_err(|error| error.error().to_string())?;
    database.close().await;
    Ok(())
}

async fn nothing() -> NoContent {
    NoContent
}

fn message(call: &str, known: bool) -> Result<String, Box<dyn Error>> {
    let (line, body) = match call {
        "json" => ("GET /json", ""),
        "row" => ("GET /rows/1", ""),
        "many" => ("GET /many/1", ""),
        "insert" => (
            "POST /tickets",
            r#"{"subject":"The printer is on fire","body":"It began with a smell of toner.","priority":2}"#,
        ),
        "echo" => (
            "POST /echo",
            r#"{"subject":"The printer is on fire","body":"It began with a smell of toner.","priority":2,"email":"ann@example.com","tags":["fire","printer"]}"#,
        ),
        _ => return Err(format!("no such call: {call}").into()),
    };
    let mut message = format!("{line} HTTP/1.1\r\nhost: race.example\r\n");
    if known {
        message += &format!("authorization: Bearer {}\r\n", bearer()?);
    }
    if !body.is_empty() {
        message += &format!(
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
    }
    Ok(message + "\r\n" + body)
}

fn bearer() -> Result<String, Box<dyn Error>> {
    let mut options = TokenOptions::new(token::ISSUER, token::AUDIENCE);
    options.lifetime = Duration::from_secs(86_400);
    let tokens = Tokens::new(
        KeyRing::new(&Seed::parse(SEED)?.deriver("signing"))?,
        options,
        Arc::new(SystemClock),
    )?;
    let issued = tokens.issue(&Caller::new("user-1"));
    Ok(issued.map_err(|error| error.error().to_string())?.token)
}

/// One request after the other on one connection; every answer must be a good one.
fn ask(address: SocketAddr, message: &str, requests: u32) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut answer = vec![0; 16 << 10];
    for _ in 0..requests {
        stream.write_all(message.as_bytes())?;
        // The answers are small: each comes in one piece.
        let read = stream.read(&mut answer)?;
        if !answer[..read].starts_with(b"HTTP/1.1 20") {
            return Err(String::from_utf8_lossy(&answer[..read]).into_owned().into());
        }
    }
    Ok(())
}
