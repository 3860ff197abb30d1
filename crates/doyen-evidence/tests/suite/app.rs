//! An application with a route for each anti-pattern.

use std::ops::Deref;
use std::time::{Duration, Instant};

use doyen::data::Row;
use doyen::prelude::*;
use doyen::web::Body;
use doyen_test::{Setup, Subject, TestApp};
use http_body_util::BodyExt as _;

/// The application. Its limits are low, so that the tests are fast.
pub(crate) struct Shop(pub(crate) TestApp);

impl Subject for Shop {
    fn app() -> App {
        App::new("shop").module(module())
    }
    fn setup() -> Setup {
        limits()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// The low limits.
pub(crate) fn limits() -> Setup {
    Setup::new()
        .allow_repeated_statements()
        .set("evidence.blocking", "20ms")
        .set("evidence.idle_transaction", "40ms")
        .set("evidence.long_transaction", "120ms")
        .set("evidence.list_rows", "10")
        .set("evidence.response_size", "1 KiB")
}

impl Deref for Shop {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

impl Shop {
    pub(crate) async fn with_items(self, count: i64) -> Self {
        let sql = "CREATE TABLE items (id bigint PRIMARY KEY NOT NULL, name text NOT NULL)";
        self.execute(sql, []).await;
        for id in 1..=count {
            let sql = "INSERT INTO items (id, name) VALUES ($1, 'item')";
            self.execute(sql, [id.into()]).await;
        }
        self
    }

    /// The codes that were found in a request.
    pub(crate) async fn codes(&self, method: &str, path: &str) -> Vec<String> {
        let answer = self.request(method, path).send().await;
        assert!(answer.status() < 300, "{answer}");
        let codes = answer.findings().iter();
        codes.map(|finding| finding.code.clone()).collect()
    }

    /// The value of the metric.
    pub(crate) async fn counted(&self, code: &str) -> Option<u64> {
        let request = http::Request::get("/metrics").body(Body::empty()).unwrap();
        let admin = self.runtime().admin().unwrap();
        let response = Box::pin(admin.handle(request, None)).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let start = format!("evidence_findings_total{{code=\"{code}\"}} ");
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(&start)?.parse().ok())
    }
}

fn module() -> Module {
    Module::new("items").routes(routes![
        in_a_loop, in_a_write, sleeps, computes, waits, holds, brief, all, page, large,
    ])
}

/// An item.
#[derive(Output, Row)]
struct Item {
    name: String,
}

async fn item(session: &Session, id: i64) -> Result<Option<Item>, Unexpected> {
    let sql = "SELECT name FROM items WHERE id = $1";
    Ok(session.query_one_as(sql, [id.into()]).await?)
}

/// Reads each item with a query
#[get("/items/{count}/in-a-loop", allow = anyone)]
async fn in_a_loop(session: Session, count: i64) -> Result<Json<Vec<Item>>, Unexpected> {
    let mut items = Vec::new();
    for id in 1..=count {
        items.extend(item(&session, id).await?);
    }
    Ok(Json(items))
}

/// Reads each item in the transaction, and writes more often
#[post("/items/{count}/in-a-loop", allow = anyone)]
async fn in_a_write(session: Session, count: i64) -> Result<NoContent, Unexpected> {
    for id in 1..=count {
        item(&session, id).await?;
    }
    for _ in 0..20 {
        touch(&session).await?;
    }
    Ok(NoContent)
}

async fn touch(session: &Session) -> Result<(), Unexpected> {
    session
        .execute_sql("UPDATE items SET name = name", [])
        .await?;
    Ok(())
}

/// Blocks the thread
#[get("/sleeps", allow = anyone)]
async fn sleeps() -> NoContent {
    #[allow(clippy::disallowed_methods, reason = "blocks on purpose")]
    std::thread::sleep(Duration::from_millis(60));
    NoContent
}

/// Computes
#[get("/computes", allow = anyone)]
async fn computes() -> NoContent {
    let started = Instant::now();
    let mut number = 1_u64;
    while started.elapsed() < Duration::from_millis(200) {
        number = std::hint::black_box(number.wrapping_mul(31));
    }
    NoContent
}

/// Waits without blocking
#[get("/waits", allow = anyone)]
async fn waits() -> NoContent {
    tokio::time::sleep(Duration::from_millis(60)).await;
    NoContent
}

/// Waits with an open transaction
#[post("/holds/{millis}", allow = anyone)]
async fn holds(session: Session, millis: u64) -> Result<NoContent, Unexpected> {
    touch(&session).await?;
    tokio::time::sleep(Duration::from_millis(millis)).await;
    touch(&session).await?;
    Ok(NoContent)
}

/// Waits before the transaction
#[post("/brief", allow = anyone)]
async fn brief(session: Session) -> Result<NoContent, Unexpected> {
    item(&session.autocommit(), 1).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    touch(&session).await?;
    Ok(NoContent)
}

/// Lists all items
#[get("/items", allow = anyone)]
async fn all(session: Session) -> Result<Json<Vec<Item>>, Unexpected> {
    let sql = "SELECT name FROM items ORDER BY id";
    Ok(Json(session.query_as(sql, []).await?))
}

/// Lists some items
#[get("/items/page", allow = anyone)]
async fn page(session: Session) -> Result<Json<Vec<Item>>, Unexpected> {
    let sql = "SELECT name FROM items ORDER BY id LIMIT 15";
    Ok(Json(session.query_as(sql, []).await?))
}

/// Sends a text
#[get("/large/{bytes}", allow = anyone)]
async fn large(bytes: usize) -> Json<Item> {
    let name = "x".repeat(bytes);
    Json(Item { name })
}
