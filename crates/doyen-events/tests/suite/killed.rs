//! A process that is killed between the delivery and its mark loses nothing and doubles nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use doyen::App;
use doyen::data::Session;
use doyen::domain::Unexpected;
use doyen::domain::event::Delivery;
use doyen::prelude::Module;
use doyen::settings::Loader;
use doyen_test::{Setup, Subject, TestApp, scale};

use crate::orders::{OrderEvent, Shop, app, effect, quick};

const URL: &str = "DOYEN_EVENTS_TEST_NODE";

/// Writes its effect, reports it, and never ends: it is killed before the mark commits.
async fn hang(event: Delivery<OrderEvent>, session: Session) -> Result<(), Unexpected> {
    let (OrderEvent::Placed { n, .. } | OrderEvent::Paid { n, .. }) = event.event;
    effect(&session, "record", n, &event.record).await?;
    let mut out = std::io::stdout();
    writeln!(out, "\ndelivered")?;
    out.flush()?;
    std::future::pending().await
}

/// The process to kill: this program, with a variable that makes it a node. Without the variable
/// the test is empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node() {
    let Ok(url) = std::env::var(URL) else { return };
    let app = App::new("orders").module(Module::new("orders").on("record", hang));
    let loader = Loader::new("APP")
        .set("database.url", url)
        .set("database.migrate", "off")
        .set("events.lease", "1s")
        .set("events.poll", "50ms")
        .set(
            "auth.signing_key",
            "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc",
        );
    let runtime = app.start(loader, doyen::Overrides::default()).await;
    let _runtime = runtime.unwrap_or_else(|error| panic!("{}", doyen::domain::chain(&error)));
    std::future::pending::<()>().await;
}

fn start_node(url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::node", "--nocapture"])
        .env(URL, url)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The application without a relay: only the killed process delivers.
struct Emitter(TestApp);

impl Subject for Emitter {
    fn app() -> App {
        app()
    }
    fn setup() -> Setup {
        Setup::new().set("events.deliver", "false")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn a_relay_that_is_killed_before_the_mark_loses_and_doubles_nothing(emitter: Emitter) {
    let rounds = scale(2, 20);
    for n in 0..3 {
        crate::orders::place_on(&emitter.0, "a", n).await;
    }
    for _ in 0..rounds {
        let mut child = start_node(emitter.0.database_url());
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let delivered = tokio::task::spawn_blocking(move || {
            let mut lines = lines;
            let delivered = lines.any(|line| line == "delivered");
            child.kill().unwrap();
            child.wait().unwrap();
            delivered
        });
        assert!(delivered.await.unwrap(), "the node delivered nothing");
        assert_eq!(
            emitter.0.count("effects").await,
            0,
            "the effect was not committed"
        );
    }
    let shop = Shop(
        emitter
            .0
            .another(quick().set("events.attempts", "100"))
            .await,
    );
    let effects = shop.has_effects("record", 3).await;
    let order: Vec<i64> = effects.iter().map(|effect| effect.n).collect();
    assert_eq!(order, [0, 1, 2]);
    shop.is_quiet().await;
    assert_eq!(shop.effects("record").await.len(), 3);
}
