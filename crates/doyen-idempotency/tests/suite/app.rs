//! The application under test: orders that are counted in the database.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use doyen::data::{Migration, Migrations};
use doyen::domain::{CredentialHeader, Identify, Refusal, RequestCredentials};
use doyen::prelude::*;
use doyen::web::{Body, Response};
use doyen_test::{Answer, Call, Setup, Subject, TestApp};
use tokio::sync::Semaphore;

pub(crate) struct Shop(TestApp);

impl Subject for Shop {
    fn app() -> App {
        App::new("shop")
            .migrations(MIGRATIONS)
            .plugin(Names)
            .module(module())
    }

    fn setup() -> Setup {
        setup()
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// Tests check responses, not times.
pub(crate) fn setup() -> Setup {
    Setup::new()
        .set("database.acquire_timeout", "30s")
        .set("database.lock_timeout", "30s")
        .set("database.statement_timeout", "30s")
        .set("idempotency.max_response", "2 KiB")
}

impl Deref for Shop {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// A request for an order of this item.
pub(crate) fn order(app: &TestApp, key: &str, item: &str) -> Call {
    keyed(app, "/orders", key, item)
}

/// A request with a key and an item in the body.
pub(crate) fn keyed(app: &TestApp, path: &str, key: &str, item: &str) -> Call {
    keyed_by("ann", app, path, key, item)
}

/// The same by another caller.
pub(crate) fn keyed_by(name: &str, app: &TestApp, path: &str, key: &str, item: &str) -> Call {
    let body = format!("{{\"item\": \"{item}\"}}");
    app.post(path)
        .bearer(name)
        .header("idempotency-key", key)
        .body("application/json", body)
}

/// True if this is the stored response.
pub(crate) fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

/// Number of orders.
pub(crate) async fn orders(app: &TestApp) -> i64 {
    app.count("orders").await
}

const TABLE: Migration = Migration {
    version: 1,
    name: "orders",
    up: "CREATE TABLE orders (id text PRIMARY KEY NOT NULL, item text NOT NULL);",
    down: "DROP TABLE orders;",
};
pub(crate) const MIGRATIONS: Migrations = Migrations {
    folder: None,
    sqlite: &[TABLE],
    postgres: &[TABLE],
};

/// Stops handlers in the middle: `entered` gets a permit for each that arrives, and each waits for
/// a permit of `leave`.
pub(crate) struct Gate {
    pub(crate) entered: Semaphore,
    pub(crate) leave: Semaphore,
}

impl Gate {
    pub(crate) async fn of(app: &TestApp) -> Arc<Self> {
        app.inject::<Arc<Self>>().await
    }

    async fn pass(&self) {
        self.entered.add_permits(1);
        self.leave.acquire().await.unwrap().forget();
    }

    /// Waits until a handler is in the gate.
    pub(crate) async fn arrival(&self) {
        self.entered.acquire().await.unwrap().forget();
    }

    /// Lets handlers leave.
    pub(crate) fn open(&self, handlers: usize) {
        self.leave.add_permits(handlers);
    }
}

pub(crate) fn module() -> Module {
    Module::new("orders")
        .routes(routes![
            place, only_keyed, slow, unique, early, broken, panics, stuck, refused, large,
            streamed, nothing
        ])
        .provide(Arc::new(Gate {
            entered: Semaphore::new(0),
            leave: Semaphore::new(0),
        }))
}

#[derive(Input)]
pub(crate) struct NewOrder {
    /// What to order.
    #[validate(length(min = 1, max = 20))]
    pub(crate) item: String,
}

/// An order.
#[derive(Output)]
#[output(location = path)]
pub(crate) struct OrderView {
    /// Id, different for each order.
    id: String,
    /// What was ordered.
    item: String,
    /// Text.
    filler: String,
    #[output(skip)]
    path: String,
}

pub(crate) async fn insert(session: &Session, item: String) -> Result<OrderView, Unexpected> {
    let id: Id<Order> = Id::new();
    let id = id.to_string();
    let sql = "INSERT INTO orders (id, item) VALUES ($1, $2)";
    session
        .execute_sql(sql, [id.clone().into(), item.clone().into()])
        .await?;
    let path = format!("/orders/{id}");
    Ok(OrderView {
        id,
        item,
        filler: String::new(),
        path,
    })
}

struct Order;
impl doyen::domain::id::Named for Order {
    const PREFIX: &'static str = "ord";
}

/// Place an order
#[post("/orders", allow = signed_in, idempotent)]
async fn place(
    session: Session,
    Json(new): Json<NewOrder>,
) -> Result<Created<OrderView>, Unexpected> {
    Ok(Created(insert(&session, new.item).await?))
}

/// Place an order with a key
#[post("/keyed", allow = anyone, idempotent(required))]
async fn only_keyed(
    session: Session,
    Json(new): Json<NewOrder>,
) -> Result<Created<OrderView>, Unexpected> {
    Ok(Created(insert(&session, new.item).await?))
}

/// Place an order after the gate
#[post("/slow", allow = signed_in, idempotent)]
async fn slow(
    session: Session,
    gate: Arc<Gate>,
    Json(new): Json<NewOrder>,
) -> Result<Created<OrderView>, Unexpected> {
    gate.pass().await;
    Ok(Created(insert(&session, new.item).await?))
}

/// Why an order with the id of the item was not placed.
#[derive(Debug, doyen::domain::Problem)]
enum PlaceUnique {
    /// The item was ordered before.
    #[problem(conflict, code = "ordered_before")]
    Before,
    /// Anything else.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Place the only order of an item, after the gate
#[post("/unique", allow = signed_in, idempotent)]
async fn unique(
    session: Session,
    gate: Arc<Gate>,
    Json(new): Json<NewOrder>,
) -> Result<NoContent, PlaceUnique> {
    use doyen::data::Violation as _;
    gate.pass().await;
    let sql = "INSERT INTO orders (id, item) VALUES ($1, $1)";
    match session.execute_sql(sql, [new.item.into()]).await {
        Ok(_) => Ok(NoContent),
        Err(error) if error.is_unique("orders.id") => Err(PlaceUnique::Before),
        Err(error) => Err(Unexpected::from(error).into()),
    }
}

/// Place an order, then pass the gate
#[post("/early", allow = signed_in, idempotent)]
async fn early(
    session: Session,
    gate: Arc<Gate>,
    Json(new): Json<NewOrder>,
) -> Result<Created<OrderView>, Unexpected> {
    let view = insert(&session, new.item).await?;
    gate.pass().await;
    Ok(Created(view))
}

/// Place an order and fail
#[post("/broken", allow = signed_in, idempotent)]
async fn broken(session: Session, Json(new): Json<NewOrder>) -> Result<NoContent, Unexpected> {
    insert(&session, new.item).await?;
    Err(Unexpected::new("broken"))
}

/// Place an order and panic
#[post("/panics", allow = signed_in, idempotent)]
async fn panics(session: Session, Json(new): Json<NewOrder>) -> Result<NoContent, Unexpected> {
    insert(&session, new.item).await?;
    panic!("on purpose")
}

/// Place an order and take longer than the route allows
#[post("/stuck", allow = signed_in, idempotent, timeout = Duration::from_millis(100))]
async fn stuck(session: Session, Json(new): Json<NewOrder>) -> Result<NoContent, Unexpected> {
    insert(&session, new.item).await?;
    std::future::pending().await
}

/// Place an order and return an error response
#[post("/refused", allow = signed_in, idempotent, hidden)]
async fn refused(session: Session, Json(new): Json<NewOrder>) -> Result<Response, Unexpected> {
    insert(&session, new.item).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = http::StatusCode::CONFLICT;
    Ok(response)
}

/// Place an order with a large response
#[post("/large", allow = signed_in, idempotent)]
async fn large(
    session: Session,
    Json(new): Json<NewOrder>,
) -> Result<Created<OrderView>, Unexpected> {
    let view = insert(&session, new.item).await?;
    Ok(Created(OrderView {
        filler: "x".repeat(3000),
        ..view
    }))
}

/// Place an order with a streamed response
#[post("/streamed", allow = signed_in, idempotent, hidden)]
async fn streamed(session: Session, Json(new): Json<NewOrder>) -> Result<Response, Unexpected> {
    insert(&session, new.item).await?;
    Ok(Response::new(Body::stream(Body::whole("streamed"))))
}

/// Change nothing
#[post("/nothing", allow = signed_in, idempotent)]
async fn nothing() -> NoContent {
    NoContent
}

/// Identifies callers by their name: `Bearer ann`. What follows a colon is a role:
/// `Bearer ann:agent`.
pub(crate) struct Names;

impl doyen::app::Plugin for Names {
    const NAME: &'static str = "names";
    type Settings = ();
    fn register(
        self,
        (): (),
        app: &mut doyen::app::Registrar<'_>,
    ) -> Result<(), doyen::app::SetupError> {
        app.identify(Arc::new(Self), doyen::domain::inject::Needs::default());
        Ok(())
    }
}

#[async_trait]
impl Identify for Names {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let Some(name) = credentials
            .authorization
            .and_then(|text| text.strip_prefix("Bearer "))
        else {
            return Ok(None);
        };
        if name.is_empty() {
            return Ok(None);
        }
        let (name, role) = name.split_once(':').unwrap_or((name, ""));
        let mut caller = Caller::new(name);
        caller.roles = vec![role.into()];
        caller.roles.retain(|role| !role.is_empty());
        Ok(Some(Arc::new(caller)))
    }
    fn credential_headers(&self) -> Vec<CredentialHeader> {
        vec![CredentialHeader::Authorization]
    }
}
