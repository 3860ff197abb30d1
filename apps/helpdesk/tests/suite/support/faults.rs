//! The helpdesk with routes that fail in every possible way.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use doyen::prelude::*;
use doyen_test::{Setup, Subject, TestApp};
use tokio::sync::Notify;

/// The helpdesk with the routes under `/faults`, and the signals to control them.
pub(crate) struct Faulty {
    app: TestApp,
    /// Signals each time a request waits.
    pub(crate) waits: Arc<Waits>,
}

/// Signals each time a request waits forever.
#[derive(Default)]
pub(crate) struct Waits(pub(crate) Notify);

impl Subject for Faulty {
    fn app() -> App {
        helpdesk::app()
    }

    fn setup() -> Setup {
        let routes = routes![
            fails,
            panics,
            waits,
            dangles,
            keeps,
            reads_and_writes,
            panics_early,
            waits_long,
            hidden_cause
        ];
        super::patient().module(
            Module::new("faults")
                .routes(routes.at("/faults"))
                .provide(Arc::new(Waits::default())),
        )
    }

    fn new(app: TestApp) -> Self {
        Self {
            app,
            waits: Arc::default(),
        }
    }
}

impl Deref for Faulty {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl Faulty {
    /// Creates the tables of the faulty routes, and connects the signals.
    pub(crate) async fn ready(mut self) -> Self {
        let parent = "CREATE TABLE fault_parents (id integer PRIMARY KEY)";
        let child = "CREATE TABLE faults (id text NOT NULL, parent integer REFERENCES fault_parents (id) DEFERRABLE INITIALLY DEFERRED)";
        self.app.execute(parent, []).await;
        self.app.execute(child, []).await;
        let context = self.app.service().container().context();
        if let Ok(waits) = context.get::<Arc<Waits>>().await {
            self.waits = waits;
        }
        context.close().await;
        self
    }

    /// Number of rows that the faulty routes left.
    pub(crate) async fn rows(&self) -> i64 {
        self.app.count("faults").await
    }

    /// Waits until no connection is in use; fails if one was leaked.
    pub(crate) async fn rests(&self) {
        let rested = async {
            loop {
                let pool = self.app.database().pool();
                if pool.idle == pool.open {
                    return pool;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let Ok(pool) = tokio::time::timeout(Duration::from_secs(10), rested).await else {
            panic!("connections are lost: {:?}", self.app.database().pool());
        };
        assert!(pool.open <= pool.max, "{pool:?}");
    }
}

async fn write(session: &Session, parent: Option<i32>) -> Result<(), Unexpected> {
    session
        .execute_sql(
            "INSERT INTO faults (id, parent) VALUES ($1, $2)",
            ["x".into(), parent.into()],
        )
        .await?;
    Ok(())
}

/// An error of these routes.
#[derive(Debug, Problem)]
enum Fault {
    /// Fails on purpose.
    #[problem(conflict, code = "meant_to")]
    Meant,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

#[post("/keeps", allow = anyone)]
async fn keeps(session: Session) -> Result<NoContent, Unexpected> {
    write(&session, None).await?;
    Ok(NoContent)
}

#[post("/fails", allow = anyone)]
async fn fails(session: Session) -> Result<NoContent, Fault> {
    write(&session, None).await?;
    Err(Fault::Meant)
}

#[post("/panics", allow = anyone)]
async fn panics(session: Session) -> Result<NoContent, Unexpected> {
    write(&session, None).await?;
    panic!("on purpose: s3cret of the database");
}

#[get("/panics", id = "faults_panics_early", allow = anyone)]
async fn panics_early() -> NoContent {
    panic!("on purpose: s3cret of the database");
}

#[get("/causes", allow = anyone)]
async fn hidden_cause(session: Session) -> Result<NoContent, Unexpected> {
    session
        .execute_sql("SELECT s3cret FROM nowhere", [])
        .await?;
    Ok(NoContent)
}

/// After five milliseconds it is rolled back.
#[post("/waits", allow = anyone, timeout = Duration::from_millis(5))]
async fn waits(session: Session) -> Result<NoContent, Unexpected> {
    write(&session, None).await?;
    std::future::pending().await
}

/// For clients that disconnect meanwhile.
#[post("/waits-long", allow = anyone)]
async fn waits_long(session: Session, waits: Arc<Waits>) -> Result<NoContent, Unexpected> {
    write(&session, None).await?;
    waits.0.notify_one();
    std::future::pending().await
}

/// The database checks the missing parent at the commit only.
#[post("/dangles", allow = anyone)]
async fn dangles(session: Session) -> Result<NoContent, Unexpected> {
    write(&session, None).await?;
    write(&session, Some(7)).await?;
    Ok(NoContent)
}

#[get("/writes", allow = anyone)]
async fn reads_and_writes(session: Session) -> Result<NoContent, Unexpected> {
    write(&session, None).await?;
    Ok(NoContent)
}
