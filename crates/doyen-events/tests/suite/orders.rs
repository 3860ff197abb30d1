//! The application under test: orders that emit events, and handlers that record what they get.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use doyen::App;
use doyen::data::{Database, Migration, Migrations, Row};
use doyen::domain::event::{Delivery, EventHandler, RecordedEvent};
use doyen::domain::{Access, Event, EventData};
use doyen::prelude::*;
use doyen_test::{Setup, Subject, TestApp};

/// A wait that must end long before.
const HANG: Duration = Duration::from_secs(60);

/// What happened to an order.
#[derive(Clone, Debug, Event, EventData)]
#[event(topic = "order", key = "order")]
pub(crate) enum OrderEvent {
    Placed { order: String, n: i64 },
    Paid { order: String, n: i64 },
}

/// An event that a handler emits.
#[derive(Event)]
#[event(topic = "bill.sent", key = "order")]
struct BillSent {
    order: String,
}

/// Another view of the same event, as a domain of its own would have it.
#[derive(EventData)]
#[event(topic = "order.paid")]
struct Paid {
    order: String,
}

/// Orders whose events the handler `record` refuses.
pub(crate) static REFUSED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "effects",
        up: "CREATE TABLE effects (id integer PRIMARY KEY NOT NULL, handler text NOT NULL,
             aggregate text NOT NULL, n integer NOT NULL, event text NOT NULL, trace text) STRICT",
        down: "DROP TABLE effects",
    }],
    postgres: &[Migration {
        version: 1,
        name: "effects",
        up: "CREATE TABLE effects (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
             handler text NOT NULL, aggregate text NOT NULL, n bigint NOT NULL,
             event text NOT NULL, trace text)",
        down: "DROP TABLE effects",
    }],
};

/// Place an order
#[post("/orders/{order}/{n}", allow = anyone)]
async fn place(session: Session, order: String, n: i64) -> Result<NoContent, Unexpected> {
    session.emit(&OrderEvent::Placed { order, n }).await?;
    Ok(NoContent)
}

/// Fail after the event
#[post("/failed/{order}", allow = anyone)]
async fn fail(session: Session, order: String) -> Result<NoContent, Unexpected> {
    session.emit(&OrderEvent::Placed { order, n: 0 }).await?;
    Err(Unexpected::new("on purpose"))
}

/// Pay an order
#[post("/paid/{order}", allow = anyone)]
async fn pay(session: Session, order: String) -> Result<NoContent, Unexpected> {
    session.emit(&OrderEvent::Paid { order, n: 0 }).await?;
    Ok(NoContent)
}

/// Writes what a handler received, in its unit of work.
pub(crate) async fn effect(
    session: &Session,
    handler: &str,
    n: i64,
    record: &RecordedEvent,
) -> Result<(), Unexpected> {
    let sql = "INSERT INTO effects (handler, aggregate, n, event, trace)
               VALUES ($1, $2, $3, $4, $5)";
    let parameters = [
        handler.into(),
        record.aggregate.clone().unwrap_or_default().into(),
        n.into(),
        record.id.to_string().into(),
        record.trace.clone().into(),
    ];
    session.execute_sql(sql, parameters).await?;
    Ok(())
}

async fn record(event: Delivery<OrderEvent>, session: Session) -> Result<(), Unexpected> {
    let (OrderEvent::Placed { order, n } | OrderEvent::Paid { order, n }) = &event.event;
    // Written before the failure: a rollback must undo it.
    effect(&session, "record", *n, &event.record).await?;
    if REFUSED.lock().unwrap().contains(order) {
        return Err(Unexpected::new("refused on purpose"));
    }
    Ok(())
}

/// Reacts to one topic with another event.
async fn bill(event: Paid, session: Session) -> Result<(), Unexpected> {
    session.emit(&BillSent { order: event.order }).await?;
    Ok(())
}

async fn watch(event: RecordedEvent, session: Session) -> Result<(), Unexpected> {
    effect(&session, "watch", 0, &event).await
}

pub(crate) fn app() -> App {
    let bills = EventHandler::new("watch", watch).on_topics(["bill.*"]);
    App::new("orders").migrations(TABLES).module(
        Module::new("orders")
            .routes(routes![place, fail, pay])
            .on("record", record)
            .on("bill", bill)
            .event_handler(bills),
    )
}

/// Settings with which failures are quick.
pub(crate) fn quick() -> Setup {
    Setup::new()
        .set("events.attempts", "2")
        .set("events.pause", "1ms")
        .set("events.poll", "50ms")
        .set("events.lease", "1s")
}

pub(crate) struct Shop(pub(crate) TestApp);

impl Subject for Shop {
    fn app() -> App {
        app()
    }
    fn setup() -> Setup {
        quick()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl std::ops::Deref for Shop {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// An effect of a handler.
#[derive(Debug, Row)]
pub(crate) struct Effect {
    pub(crate) aggregate: String,
    pub(crate) n: i64,
    pub(crate) event: String,
    pub(crate) trace: Option<String>,
}

impl Shop {
    pub(crate) async fn place(&self, order: &str, n: i64) {
        place_on(&self.0, order, n).await;
    }

    /// The effects of a handler, in the order of their commits.
    pub(crate) async fn effects(&self, handler: &str) -> Vec<Effect> {
        effects_in(self.database(), handler).await
    }

    /// Waits until a handler has this many effects.
    pub(crate) async fn has_effects(&self, handler: &str, count: usize) -> Vec<Effect> {
        until(async || {
            let effects = self.effects(handler).await;
            (effects.len() >= count).then_some(effects)
        })
        .await
    }

    /// Waits until no delivery waits, parked ones aside.
    pub(crate) async fn is_quiet(&self) {
        until(async || {
            let new = self.count("doyen_outbox WHERE position IS NULL").await;
            let waiting = self
                .count("events_deliveries WHERE parked_ms IS NULL")
                .await;
            (new + waiting == 0).then_some(())
        })
        .await;
    }

    /// Waits until this many deliveries are parked.
    pub(crate) async fn has_parked(&self, count: i64) {
        until(async || {
            let parked = self
                .count("events_deliveries WHERE parked_ms IS NOT NULL")
                .await;
            (parked == count).then_some(())
        })
        .await;
    }
}

/// The effects of a handler, in the order of their commits.
pub(crate) async fn effects_in(database: &Database, handler: &str) -> Vec<Effect> {
    let session = database.session(Access::Read);
    let sql = "SELECT aggregate, n, event, trace FROM effects WHERE handler = $1
               ORDER BY id";
    session.query_as(sql, [handler.into()]).await.unwrap()
}

pub(crate) async fn place_on(app: &TestApp, order: &str, n: i64) {
    app.post(format!("/orders/{order}/{n}"))
        .send()
        .await
        .expect(204);
}

/// Polls until this returns a value.
pub(crate) async fn until<T>(mut ready: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = ready().await {
            return value;
        }
        assert!(began.elapsed() < HANG, "it did not happen within {HANG:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
