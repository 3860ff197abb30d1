//! `docs/guide/injection.md`

use std::sync::Arc;

use docs_src::injection::Rates;
use doyen::domain::port;
use doyen::web::{Module, Service};
use doyen_test::{Setup, Subject, TestApp};
use serde_json::json;

use super::{of, subject};

subject!(Exchange, of(docs_src::injection::module()));

#[doyen_test::test(sqlite)]
async fn values_are_injected(exchange: Exchange) {
    assert_eq!(
        exchange.get("/change/CHF").send().await.expect(200).json(),
        json!({"amount": 95.0})
    );
    assert_eq!(
        exchange.get("/change/XYZ").send().await.expect(200).json(),
        json!({"amount": null})
    );
}

/// Exchange rates that are always 1.
struct Even;

#[port]
impl Rates for Even {
    async fn rate(&self, _currency: &str) -> Option<f64> {
        Some(1.0)
    }
}

struct EvenExchange(TestApp);

impl Subject for EvenExchange {
    fn app() -> doyen::App {
        of(docs_src::injection::module())
    }
    fn setup() -> Setup {
        Setup::new().replace::<dyn Rates>(Arc::new(Even))
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test(sqlite)]
async fn a_test_replaces_a_port(exchange: EvenExchange) {
    assert_eq!(
        exchange
            .0
            .get("/change/XYZ")
            .send()
            .await
            .expect(200)
            .json(),
        json!({"amount": 100.0})
    );
}

subject!(WaitingRoom, of(docs_src::providers::module()));

#[doyen_test::test(sqlite)]
async fn a_provider_has_a_lifetime_and_problems(room: WaitingRoom) {
    let take = || room.post("/numbers").send();
    assert_eq!(
        take().await.expect(200).json(),
        json!({"number": 1, "again": 1}),
        "once per request"
    );
    assert_eq!(
        take().await.expect(200).json(),
        json!({"number": 2, "again": 2}),
        "the counter stays"
    );
    take().await.expect_problem(503, "sold_out");
    let answers = &room.document()["paths"]["/numbers"]["post"]["responses"];
    assert!(answers["503"].to_string().contains("sold_out"), "{answers}");
}

/// A port without an adapter is reported at startup, with the text that the page shows.
#[test]
fn missing_dependencies_are_reported_before_the_first_request() {
    use doyen::prelude::*;

    #[port]
    trait Scale {
        async fn weigh(&self) -> u32;
    }
    #[derive(Clone, Inject)]
    struct Kitchen {
        scale: Arc<dyn Scale>,
    }
    #[get("/weight", allow = anyone)]
    async fn weight(kitchen: Kitchen) -> Text {
        Text(kitchen.scale.weigh().await.to_string())
    }
    let module = Module::new("kitchen").routes(routes![weight]);
    let errors = Service::builder().module(module).build().unwrap_err();
    let page = std::fs::read_to_string("../docs/guide/injection.md").unwrap();
    assert!(page.contains(&errors[0].to_string()), "{}", errors[0]);
}

#[test]
fn a_module_alone_is_a_service() {
    assert!(
        Service::builder()
            .module(Module::new("empty"))
            .build()
            .is_ok()
    );
}
