//! Default plugins can be replaced and removed.

use doyen::app::{Plugin, Registrar, SetupError};
use doyen::prelude::*;
use doyen::{App, Overrides};
use doyen_test::{Setup, Subject, TestApp};

use crate::loader;

/// Ping
#[get("/ping", allow = anyone)]
async fn ping() -> NoContent {
    NoContent
}

struct Api(TestApp);

impl Subject for Api {
    fn app() -> App {
        App::new("replaced").module(Module::new("pings").routes(routes![ping]))
    }

    fn setup() -> Setup {
        Setup::new().set("limits.anonymous", "3/1m")
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// Replaces the rate limits by none.
struct NoLimits;

impl Plugin for NoLimits {
    const NAME: &'static str = "limits";
    type Settings = ();

    fn register(self, (): (), _: &mut Registrar<'_>) -> Result<(), SetupError> {
        Ok(())
    }
}

async fn refused(app: &TestApp) -> usize {
    let mut refused = 0;
    for _ in 0..10 {
        let answer = app.get("/ping").send().await;
        refused += usize::from(answer.status() == 429);
    }
    refused
}

#[doyen_test::test]
async fn a_default_limits_until_it_is_replaced_or_removed(api: Api) {
    assert_eq!(refused(&api.0).await, 7);
    let replaced = api.0.another(Setup::new().replace_plugin(NoLimits)).await;
    assert_eq!(refused(&replaced).await, 0);
    let without = api.0.another(Setup::new().without("limits")).await;
    assert_eq!(refused(&without).await, 0);
    // Its tables stay; its routes and bindings are removed.
    assert_eq!(api.0.count("limit_quotas").await, 0);
    let names: Vec<&str> = without
        .runtime()
        .plugins()
        .all()
        .iter()
        .map(|one| one.name)
        .collect();
    assert!(!names.contains(&"limits"), "{names:?}");
    let absent = without.runtime().plugins().absent();
    assert!(
        absent[0].1.contains("replace.rs") || absent[0].1.contains("subject.rs"),
        "{absent:?}"
    );
}

#[tokio::test]
async fn removing_a_default_removes_its_routes() {
    let app = App::new("bare")
        .without("docs")
        .without("live")
        .without("keys")
        .without("admin");
    let built = app.build(loader("bare"), Overrides::default()).unwrap();
    let paths: Vec<&str> = built
        .service()
        .operations()
        .iter()
        .map(|operation| operation.path.as_str())
        .collect();
    assert_eq!(paths, ["/livez", "/readyz"]);
    assert!(built.admin().is_none());
}
