//! Sampling, expected findings, and mistakes in the settings.

use doyen::Overrides;
use doyen::domain::chain;
use doyen::settings::{Environment, Loader};
use doyen_test::{Setup, Subject as _};

use crate::app::{Shop, limits};

#[doyen_test::test(sqlite)]
async fn a_share_of_the_requests_is_observed(shop: Shop) {
    let half = Shop(shop.another(limits().set("evidence.sample", "0.5")).await);
    for _ in 0..10 {
        half.codes("GET", "/large/2000").await;
    }
    assert_eq!(half.counted("large_response").await, Some(5));
    let none = Shop(shop.another(limits().set("evidence.sample", "0")).await);
    assert_eq!(none.codes("GET", "/large/2000").await, [""; 0]);
    assert_eq!(none.counted("large_response").await, None);
    let without = shop.another(Setup::new().without("evidence")).await;
    without.get("/large/2000").send().await.expect(200);
}

#[doyen_test::test(sqlite)]
async fn expected_findings_are_left_out(shop: Shop) {
    let code = "large_response";
    let allowed = |allow: &str| shop.another(limits().set("evidence.allow", allow));
    for (allow, codes) in [
        ("large_response", vec![]),
        (
            "repeated_statement, large_response GET /large/{bytes}",
            vec![],
        ),
        ("large_response POST /large/{bytes}", vec![code]),
        ("large_response GET /large", vec![code]),
        ("repeated_statement GET /large/{bytes}", vec![code]),
    ] {
        let shop = Shop(allowed(allow).await);
        assert_eq!(shop.codes("GET", "/large/2000").await, codes, "{allow}");
    }
}

fn start(environment: Environment, key: &str, value: &str) -> Result<(), String> {
    let loader = Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(environment)
        .set("database.url", "sqlite:///tmp/never-opened.db")
        .set("auth.signing_key", doyen_test::SIGNING_KEY)
        .set(key, value);
    let built = Shop::app().build(loader, Overrides::default());
    built.map(|_| ()).map_err(|error| chain(&error))
}

#[tokio::test]
async fn a_mistake_is_named() {
    for (key, value, why) in [
        ("evidence.sample", "2", "`evidence.sample`"),
        (
            "evidence.allow",
            "n_plus_one",
            "there is no code `n_plus_one`; the codes are repeated_statement,",
        ),
        (
            "evidence.allow",
            "large_response GET",
            "`large_response GET` must be a code",
        ),
        (
            "evidence.repeated_statement",
            "3",
            "did you mean `evidence.repeated_statements`",
        ),
    ] {
        let error = start(Environment::Test, key, value).unwrap_err();
        assert!(error.contains(why), "not `{why}`: {error}");
    }
}
