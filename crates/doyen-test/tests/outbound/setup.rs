//! Settings, mistakes at the start, TLS, and the contract of plugins.

use doyen::app::Plugin as _;
use doyen::outbound::{CallErrorKind, Client, Outbound, Upstream, upstream};
use doyen::prelude::*;
use doyen::settings::{Environment, Loader};
use doyen_test::{Setup, Subject, TestApp, UpstreamServer, plugin_contract};

use crate::support::{Payments, Shop, kind, status};

fn mistakes(app: App, settings: &[(&str, &str)]) -> String {
    let loader = Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test)
        .set(
            "database.url",
            "sqlite:///tmp/doyen-outbound-is-not-opened.db",
        )
        .set("auth.signing_key", doyen_test::SIGNING_KEY);
    let loader = settings
        .iter()
        .fold(loader, |loader, (key, value)| loader.set(*key, *value));
    match app.build(loader, doyen::Overrides::default()) {
        Ok(_) => panic!("it was built"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn mistakes_in_the_settings_are_named() {
    let text = mistakes(
        Shop::app(),
        &[
            ("outbound.paymnets.timeout", "5s"),
            ("outbound.payments.url", "https://user@example.com/?q=1"),
            ("outbound.hooks.token", "t0p-secret"),
        ],
    );
    for part in [
        "`outbound.paymnets`: the application has no upstream of this name, but `payments`, `hooks`",
        "`outbound.payments.url`: must be the URL of the upstream",
        "`outbound.hooks.token`: it is set, and `url` is not",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("t0p"), "{text}");
    let text = mistakes(Shop::app(), &[("outbound.payments.tries", "0")]);
    assert!(
        text.contains("`outbound.payments.tries` from code is `0`"),
        "{text}"
    );
}

/// An upstream that the application does not declare.
struct Undeclared;

impl Upstream for Undeclared {
    const NAME: &'static str = "undeclared";
}

/// Call it
#[get("/call", allow = anyone)]
async fn call(_: Client<Undeclared>) -> NoContent {
    NoContent
}

#[test]
fn an_upstream_that_is_not_declared_is_reported_at_the_start() {
    let module = || Module::new("calls").routes(routes![call]);
    let text = mistakes(App::new("shop").module(module()), &[]);
    assert!(text.contains("Undeclared"), "{text}");
    let twice = App::new("shop")
        .contribute(upstream::<Payments>())
        .contribute(upstream::<Payments>());
    let text = mistakes(twice, &[]);
    assert!(text.contains("Payments"), "{text}");
}

#[doyen_test::test(sqlite)]
async fn tls_is_verified(shop: Shop) {
    let upstream = UpstreamServer::start_tls();
    let ca = upstream.ca_file().display().to_string();
    let client = shop.client(&upstream, &[("ca", &ca)]).await;
    assert_eq!(status(client.get("/").send().await), 200);
    let untrusting = shop.client(&upstream, &[]).await;
    assert_eq!(
        kind(untrusting.get("/").send().await),
        CallErrorKind::Connect
    );
    assert_eq!(upstream.requests().len(), 1);
}

/// An application without upstreams.
struct Empty(TestApp);

impl Subject for Empty {
    fn app() -> App {
        App::new("empty").without(Outbound::NAME)
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn the_plugin_keeps_the_contract(empty: Empty) {
    let with = || Setup::new().edit(|_| App::new("empty").contribute(upstream::<Payments>()));
    plugin_contract::<Outbound>(&empty.0, with).await;
}
