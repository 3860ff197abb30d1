//! An application with three plugins that fail as the variable `LAB` says. The tests of plugins
//! start it as a process.

use std::io::Write as _;
use std::time::Duration;

use doyen::app::{Manifest, Plugin, Registrar, SetupError, Stop, TaskKind};
use doyen::data::sea_orm::{ConnectionTrait as _, Statement};
use doyen::data::{Migration, Migrations};
use doyen::prelude::*;

fn main() -> std::process::ExitCode {
    let app = App::new("lifecycle")
        .version("7.8.9")
        .plugin(Part::<0>)
        .plugin(Part::<1>)
        .plugin(Part::<2>)
        .module(Module::new("slow").routes(routes![slow, stream, block]));
    doyen::run(match lab("seed") {
        true => app.migrations(tables()).seed(seed),
        false => app,
    })
}

/// One table. The variable `LAB_FOLDER` is the folder that its migration is said to come from.
fn tables() -> Migrations {
    const STEPS: &[Migration] = &[Migration {
        version: 1,
        name: "seeded",
        up: "CREATE TABLE seeded (id bigint PRIMARY KEY);",
        down: "DROP TABLE seeded;",
    }];
    let folder = std::env::var("LAB_FOLDER").ok();
    Migrations {
        sqlite: STEPS,
        postgres: STEPS,
        folder: folder.map(|folder| &*folder.leak()),
    }
}

/// Adds one row, unless it is there. Between the two another process has time for the same.
async fn seed(session: Session) -> Result<String, Unexpected> {
    let sql = Statement::from_string(session.backend(), "SELECT id FROM seeded");
    if session.query_one_raw(sql).await?.is_some() {
        return Ok("seeded already".to_owned());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    session
        .execute_sql("INSERT INTO seeded (id) VALUES (1)", [])
        .await?;
    Ok("seeded one row".to_owned())
}

fn lab(what: &str) -> bool {
    std::env::var("LAB").is_ok_and(|lab| lab == what)
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    // The reader may be a test that has ended.
    let _ = writeln!(out, "{what}").and_then(|()| out.flush());
}

/// Write after a second
#[post("/slow", allow = anyone)]
async fn slow() -> Text {
    say("slow began");
    tokio::time::sleep(Duration::from_secs(1)).await;
    Text("written".into())
}

/// Block a worker of the runtime until the file `release` exists
#[post("/block", allow = anyone)]
#[allow(clippy::disallowed_methods, reason = "it is about code that blocks")]
async fn block() -> Text {
    say("block began");
    while !std::path::Path::new("release").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    Text("released".into())
}

/// Stream forever
#[get("/stream", allow = anyone)]
async fn stream() -> Stream<doyen::web::response::PlainText> {
    say("stream began");
    let ticks = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((Ok::<_, std::io::Error>("tick\n".into()), ()))
    });
    Stream::new(ticks)
}

/// The plugins `a`, `b` and `c`; each requires the one before.
struct Part<const N: usize>;

const NAMES: [&str; 3] = ["a", "b", "c"];

impl<const N: usize> Plugin for Part<N> {
    const NAME: &'static str = NAMES[N];
    type Settings = ();

    fn manifest(&self, manifest: &mut Manifest) {
        if N > 0 {
            manifest.requires(NAMES[N - 1]);
        }
    }

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.service(NAMES[N], |()| start(NAMES[N]));
        app.on_drain(NAMES[N], |()| async {
            say(&format!("{} drains", NAMES[N]));
            Ok(())
        });
        if N == 0 {
            app.task("worker", TaskKind::Forever, |(), shutdown| async move {
                if lab("task ends") {
                    return Ok(());
                }
                assert!(!lab("task panics"), "on purpose");
                shutdown.requested().await;
                say("worker ended");
                Ok(())
            });
        }
        Ok(())
    }
}

async fn start(name: &'static str) -> Result<Stop, SetupError> {
    say(&format!("{name} starts"));
    if name == "c" {
        if lab("c fails") {
            return Err(SetupError::new("the upstream is not reachable"));
        }
        assert!(!lab("c panics"), "on purpose");
        if lab("c hangs") {
            std::future::pending::<()>().await;
        }
    }
    Ok(Stop::with(move || async move {
        say(&format!("{name} stops"));
        if name == "b" && lab("b hangs") {
            std::future::pending::<()>().await;
        }
        say(&format!("{name} stopped"));
    }))
}
