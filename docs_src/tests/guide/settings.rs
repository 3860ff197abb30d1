//! `docs/guide/settings.md`

use docs_src::settings::{ShopSettings, app};
use doyen::App;
use doyen::settings::Loader;
use doyen_test::{Setup, Subject, TestApp};
use serde_json::json;

struct Shop(TestApp);

impl Subject for Shop {
    fn app() -> App {
        app()
    }
    fn setup() -> Setup {
        Setup::new().set("cart.lifetime", "2h")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test(sqlite)]
async fn a_setting_reaches_the_handler(shop: Shop) {
    let answer = shop.0.get("/status").send().await.expect(200);
    assert_eq!(answer.json(), json!({"open": true, "cart_seconds": 7200}));
}

fn wrong(vars: &[(&str, &str)]) -> String {
    Loader::new("APP")
        .env(vars.iter().copied())
        .load::<ShopSettings>()
        .unwrap_err()
        .to_string()
}

#[test]
fn the_page_shows_the_real_messages() {
    let page = std::fs::read_to_string("../docs/guide/settings.md").unwrap();
    for message in [
        wrong(&[("APP_CART__LIFETIM", "2h")]),
        wrong(&[("APP_CART__LIFETIME", "5 minutes or so")]),
    ] {
        let shown = message
            .lines()
            .last()
            .unwrap()
            .trim()
            .trim_start_matches("- ");
        assert!(page.contains(shown), "the page does not show: {shown}");
    }
}
