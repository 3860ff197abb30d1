//! Injection through requests: lifetimes by counts, chains of providers that can fail, ports and
//! adapters, overrides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::domain::Refusal;
use doyen::domain::inject::{Context, Needs, Teardown};
use doyen::prelude::*;
use doyen::schema::Output;
use doyen::web::{Body, Service};
use http::Request;
use tokio::sync::Semaphore;

use crate::kit::{finish, get, send};

/// Number of constructions of each type.
#[derive(Debug, Default)]
struct Made {
    application: AtomicU32,
    request: AtomicU32,
    call: AtomicU32,
    released: AtomicU32,
}

impl Made {
    fn counts(&self) -> [u32; 4] {
        [&self.application, &self.request, &self.call, &self.released]
            .map(|count| count.load(Ordering::SeqCst))
    }
}

#[derive(Clone, Debug)]
struct Pool(u32);

#[provider(application)]
async fn pool(made: Arc<Made>, teardown: Teardown) -> Pool {
    let number = made.application.fetch_add(1, Ordering::SeqCst);
    teardown.push(async move {
        made.released.fetch_add(1, Ordering::SeqCst);
    });
    // Lets other requests depend on it during the construction.
    tokio::task::yield_now().await;
    Pool(number)
}

/// Why there is no lease.
#[derive(Debug, Problem)]
enum NoLease {
    /// All leases are taken.
    #[problem(conflict, code = "no_lease")]
    Taken,
}

#[derive(Clone, Debug)]
struct Lease(u32);

#[provider]
async fn lease(made: Arc<Made>, pool: Pool) -> Result<Lease, NoLease> {
    tokio::task::yield_now().await;
    match made.request.fetch_add(1, Ordering::SeqCst) {
        13 => Err(NoLease::Taken),
        number => Ok(Lease(pool.0 * 100 + number)),
    }
}

#[derive(Clone, Debug)]
struct Ticket(u32);

#[provider(call)]
async fn ticket(made: Arc<Made>) -> Ticket {
    Ticket(made.call.fetch_add(1, Ordering::SeqCst))
}

#[derive(Clone, Inject)]
struct Orders {
    lease: Lease,
    ticket: Ticket,
}

#[derive(Clone, Inject)]
struct Stock {
    lease: Lease,
    ticket: Ticket,
}

/// What was injected.
#[derive(Output)]
struct Seen {
    orders: u32,
    stock: u32,
    tickets_differ: bool,
}

/// Ask for the same thing by two ways.
#[get("/seen", allow = anyone)]
async fn seen(orders: Orders, stock: Stock, pool: Pool) -> Json<Seen> {
    let Pool(_) = pool;
    Json(Seen {
        orders: orders.lease.0,
        stock: stock.lease.0,
        tickets_differ: orders.ticket.0 != stock.ticket.0,
    })
}

fn shop(made: &Arc<Made>) -> Service {
    let module = Module::new("t")
        .routes(routes![seen])
        .provide(Arc::clone(made));
    finish(Service::builder().module(module))
}

#[tokio::test]
async fn each_lifetime_is_honoured() {
    let made = Arc::new(Made::default());
    let shop = shop(&made);
    assert_eq!(
        made.counts(),
        [0, 0, 0, 0],
        "nothing is created before it is used"
    );
    for number in 0..3 {
        let seen = get(&shop, "/seen").await.json();
        assert_eq!(
            (&seen["orders"], &seen["stock"]),
            (&number.into(), &number.into())
        );
        assert_eq!(seen["tickets_differ"], true);
    }
    assert_eq!(made.counts(), [1, 3, 6, 0]);
    shop.container().close().await;
    assert_eq!(made.counts(), [1, 3, 6, 1]);
}

#[tokio::test]
async fn concurrent_dependents_share_one_value() {
    let made = Arc::new(Made::default());
    let shop = shop(&made);
    let cx = shop.container().context();
    let (one, two, three) =
        futures_util::join!(cx.get::<Lease>(), cx.get::<Orders>(), cx.get::<Stock>());
    let (one, two, three) = (one.unwrap(), two.unwrap(), three.unwrap());
    assert_eq!([one.0, two.lease.0, three.lease.0], [0; 3]);
    // Concurrent requests share the values of the application.
    let all = (0..8).map(|_| get(&shop, "/seen"));
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|answer| answer.status == 200));
    assert_eq!(made.counts()[..2], [1, 9]);
}

#[tokio::test]
async fn a_failing_provider_is_called_again() {
    let made = Arc::new(Made::default());
    let shop = shop(&made);
    made.request.store(13, Ordering::SeqCst);
    get(&shop, "/seen").await.is_problem(409, "no_lease");
    assert_eq!(get(&shop, "/seen").await.status, 200);
    // The problems of a provider are part of the contract of each route that depends on it, at any
    // distance.
    let codes: Vec<&str> = shop.operations()[0]
        .problems
        .iter()
        .map(|problem| problem.code)
        .collect();
    assert!(codes.contains(&"no_lease"), "{codes:?}");
}

/// Where mail goes.
#[port]
trait Mailer {
    async fn send(&self, to: &str) -> String;
}

#[derive(Clone, Inject)]
struct Smtp {
    pool: Pool,
}

#[port]
impl Mailer for Smtp {
    async fn send(&self, to: &str) -> String {
        format!("smtp {} to {to}", self.pool.0)
    }
}

struct Recorder;

#[port]
impl Mailer for Recorder {
    async fn send(&self, to: &str) -> String {
        format!("recorded for {to}")
    }
}

/// Send mail.
#[get("/mail/{to}", allow = anyone)]
async fn mail(mailer: Arc<dyn Mailer>, to: String) -> Text {
    Text(mailer.send(&to).await)
}

#[tokio::test]
async fn a_port_is_bound_by_a_module_and_replaceable_in_a_test() {
    let module = || {
        Module::new("mail")
            .routes(routes![mail])
            .bind::<dyn Mailer, Smtp>()
            .provide(Arc::new(Made::default()))
    };
    let real = finish(Service::builder().module(module()));
    assert_eq!(get(&real, "/mail/eve").await.text(), "smtp 0 to eve");

    let mut builder = Service::builder().module(module());
    builder
        .container()
        .replace::<dyn Mailer>(Arc::new(Recorder));
    assert_eq!(
        get(&finish(builder), "/mail/eve").await.text(),
        "recorded for eve"
    );

    let mut builder = Service::builder().module(module());
    builder.container().override_with(Pool(7));
    assert_eq!(
        get(&finish(builder), "/mail/eve").await.text(),
        "smtp 7 to eve"
    );
}

/// A type whose construction can be held.
#[derive(Clone)]
struct Slow;

#[provider]
async fn slow(gate: Arc<Semaphore>, made: Arc<Made>) -> Slow {
    made.request.fetch_add(1, Ordering::SeqCst);
    gate.acquire().await.unwrap().forget();
    Slow
}

#[tokio::test]
async fn a_maker_that_was_dropped_does_not_block_the_next() {
    let made = Arc::new(Made::default());
    let gate = Arc::new(Semaphore::new(0));
    let mut needs = Needs::default();
    needs.add::<Slow>();
    let mut builder = Service::builder().root("a job", needs);
    builder.container().provide(Arc::clone(&made));
    builder.container().provide(Arc::clone(&gate));
    let service = finish(builder);
    let cx: Context = service.container().context();
    let first: Option<Result<Slow, Refusal>> =
        futures_util::FutureExt::now_or_never(cx.get::<Slow>());
    assert!(first.is_none());
    gate.add_permits(1);
    assert!(cx.get::<Slow>().await.is_ok());
    assert_eq!(made.counts()[1], 2);
}

/// Say which request this is.
#[post("/who", allow = anyone)]
async fn who(id: doyen::domain::RequestId, access: doyen::domain::Access) -> Text {
    Text(format!("{} {access:?}", id.as_str()))
}

#[tokio::test]
async fn facts_of_the_request_are_injected() {
    let service = crate::kit::service(routes![who]);
    let request = Request::post("/who").header("x-request-id", "r1");
    let answer = send(&service, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.text(), "r1 Write");
}
