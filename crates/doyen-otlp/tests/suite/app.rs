//! A shop whose orders use everything that makes a span.

use std::ops::Deref;
use std::time::Duration;

use doyen::data::{Migration, Migrations, Row};
use doyen::observe::span;
use doyen::outbound::{Client, Upstream, upstream};
use doyen::prelude::*;
use doyen::web::Body;
use doyen_test::{Setup, Subject, TestApp, UpstreamServer};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};

/// The application.
pub(crate) struct Shop(pub(crate) TestApp);

impl Subject for Shop {
    fn app() -> App {
        let tables = Migrations {
            folder: None,
            sqlite: &[ORDERS],
            postgres: &[ORDERS],
        };
        App::new("shop")
            .migrations(tables)
            .contribute(upstream::<Stock>())
            .module(module())
    }
    /// The application of the test itself exports nothing, so it takes no work from the others.
    fn setup() -> Setup {
        Setup::new()
            .set("jobs.work", "false")
            .set("events.deliver", "false")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Shop {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

const ORDERS: Migration = Migration {
    version: 1,
    name: "orders",
    up: "CREATE TABLE orders (article text NOT NULL); CREATE TABLE labels (article text NOT NULL);",
    down: "DROP TABLE orders; DROP TABLE labels;",
};

/// Settings that export to this collector, soon.
pub(crate) fn exporting(collector: &UpstreamServer) -> Setup {
    Setup::new()
        .set("otlp.endpoint", &collector.url())
        .set("otlp.interval", "20ms")
}

impl Shop {
    /// The same application with other settings.
    pub(crate) async fn with(&self, setup: Setup) -> Self {
        Self(self.another(setup).await)
    }

    /// The value of a metric with its labels, as `/metrics` shows it.
    pub(crate) async fn metric(&self, name_and_labels: &str) -> u64 {
        let request = http::Request::get("/metrics").body(Body::empty()).unwrap();
        let admin = self.runtime().admin().unwrap();
        let response = Box::pin(admin.handle(request, None)).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let start = format!("{name_and_labels} ");
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(&start)?.parse().ok());
        value.unwrap_or_else(|| panic!("no `{name_and_labels}` in {text}"))
    }

    pub(crate) async fn dropped(&self, signal: &str, reason: &str) -> u64 {
        let labels = format!("signal=\"{signal}\",reason=\"{reason}\"");
        self.metric(&format!("otlp_dropped_total{{{labels}}}"))
            .await
    }

    /// Waits until a metric has at least this value.
    pub(crate) async fn until_dropped(&self, signal: &str, reason: &str, at_least: u64) {
        let waiting = async {
            while self.dropped(signal, reason).await < at_least {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(
            waited.is_ok(),
            "no {at_least} of {signal} were dropped: {reason}"
        );
    }
}

/// The service with the stock.
pub(crate) struct Stock;

impl Upstream for Stock {
    const NAME: &'static str = "stock";
}

/// Events of orders.
#[derive(Event)]
#[event(topic = "order", key = "article")]
enum OrderEvent {
    Placed { article: String },
}

/// What the handler of the event needs.
#[derive(EventData)]
#[event(topic = "order.placed")]
struct Placed {
    article: String,
}

/// Prints a label.
#[derive(Serialize, Deserialize)]
struct PrintLabel {
    article: String,
}

impl Job for PrintLabel {
    const NAME: &'static str = "orders.print_label";
    const MAX_ATTEMPTS: u32 = 1;
    type Needs = Session;
    type Output = ();

    async fn run(self, session: Session, _: JobRun) -> Result<(), JobError> {
        if self.article == "unprintable" {
            return Err(JobError::permanent("on purpose"));
        }
        let sql = "INSERT INTO labels (article) VALUES ($1)";
        session.execute_sql(sql, [self.article.into()]).await?;
        Ok(())
    }
}

const PRICES: CachePolicy = CachePolicy::new("prices", MINUTE);

/// Place an order
#[post("/orders/{article}", allow = anyone)]
async fn place(
    article: String,
    cache: Cache,
    stock: Client<Stock>,
    session: Session,
    jobs: Jobs,
) -> Result<NoContent, Unexpected> {
    let price = cache.shared().entry(&PRICES, &article);
    let _: u32 = price
        .get_or_load(|| async { Ok::<_, Unexpected>(3) })
        .await?;
    let call = stock.get(format!("/stock/{article}"));
    let call = call.query("token", "q-secret").send();
    span("ask for stock", call).await?.success()?;
    let sql = "INSERT INTO orders (article) VALUES ($1)";
    session.execute_sql(sql, [article.as_str().into()]).await?;
    let event = OrderEvent::Placed {
        article: article.clone(),
    };
    session.emit(&event).await?;
    jobs.enqueue(NewJob::new(PrintLabel { article })).await?;
    Ok(NoContent)
}

async fn placed(event: Placed, session: Session) -> Result<(), Unexpected> {
    let sql = "UPDATE orders SET article = $1 WHERE article = $1";
    session.execute_sql(sql, [event.article.into()]).await?;
    Ok(())
}

#[derive(Row)]
struct Count {
    n: i64,
}

/// Count the orders of an article
#[get("/stock/{article}", allow = anyone)]
async fn in_stock(
    session: Session,
    article: String,
    token: Query<Token>,
) -> Result<Text, Unexpected> {
    let _ = token.into_inner().token;
    let sql = "SELECT count(*) AS n FROM orders WHERE article = $1";
    let count: Option<Count> = session.query_one_as(sql, [article.into()]).await?;
    Ok(Text(count.map_or(0, |count| count.n).to_string()))
}

/// A query with a secret.
#[derive(Input)]
struct Token {
    token: Option<String>,
}

/// Fail
#[get("/fails", allow = anyone)]
async fn fails() -> Result<NoContent, Unexpected> {
    Err(Unexpected::new("on purpose"))
}

/// Panic
#[get("/panics", allow = anyone)]
async fn panics() -> NoContent {
    panic!("on purpose")
}

/// Wait for longer than the tests call slow
#[get("/slow", allow = anyone)]
async fn slow() -> NoContent {
    tokio::time::sleep(Duration::from_millis(60)).await;
    NoContent
}

/// Do nothing
#[get("/quick", allow = anyone)]
async fn quick() -> NoContent {
    NoContent
}

/// Run many statements
#[get("/many/{count}", allow = anyone)]
async fn many(session: Session, count: i64) -> Result<NoContent, Unexpected> {
    for n in 0..count {
        let sql = "SELECT count(*) AS n FROM orders WHERE article = $1";
        let _: Option<Count> = session.query_one_as(sql, [n.to_string().into()]).await?;
    }
    Ok(NoContent)
}

/// Reset a password
#[get("/resets/{token}", allow = anyone, mask_path)]
async fn reset(token: String) -> NoContent {
    let _ = token;
    NoContent
}

/// Enqueue a job that fails
#[post("/unprintable", allow = anyone)]
async fn unprintable(jobs: Jobs) -> Result<NoContent, Unexpected> {
    let article = "unprintable".to_owned();
    jobs.enqueue(NewJob::new(PrintLabel { article })).await?;
    Ok(NoContent)
}

fn module() -> Module {
    Module::new("orders")
        .routes(routes![
            place,
            in_stock,
            fails,
            panics,
            slow,
            quick,
            many,
            reset,
            unprintable
        ])
        .on("placed", placed)
        .job::<PrintLabel>()
}
