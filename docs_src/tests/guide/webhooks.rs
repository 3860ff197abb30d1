//! `docs/guide/webhooks.md`

use doyen::domain::{Clock as _, Timestamp};
use doyen::webhooks::{WebhookSecret, sign};
use doyen_test::{Answer, Setup, TestApp};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &str = r#"{"type":"payment.received","amount":500}"#;

struct Shop(TestApp);

impl doyen_test::Subject for Shop {
    fn app() -> doyen::App {
        docs_src::webhooks::app()
    }
    fn setup() -> Setup {
        Setup::new().set("payment_secret", SECRET)
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

async fn deliver(shop: &Shop, at: Timestamp, secret: &str, body: &str, sent: &str) -> Answer {
    let secret = WebhookSecret::parse(secret).unwrap_or_else(|error| panic!("{error}"));
    let headers = sign(&[&secret], "msg_1", at, body.as_bytes());
    let call = shop.0.post("/hooks/payments");
    let call = headers
        .into_iter()
        .fold(call, |call, (name, value)| call.header(name, value));
    call.body("application/json", sent).send().await
}

#[doyen_test::test(sqlite)]
async fn a_signed_message_is_accepted_and_any_other_is_not(shop: Shop) {
    let now = shop.0.clock().now();
    let answer = deliver(&shop, now, SECRET, BODY, BODY).await.expect(200);
    assert_eq!(answer.text(), "msg_1: payment.received");

    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let changed = BODY.replace("500", "5000");
    let old = now - std::time::Duration::from_secs(301);
    for answer in [
        deliver(&shop, now, other, BODY, BODY).await,
        deliver(&shop, now, SECRET, BODY, &changed).await,
        deliver(&shop, old, SECRET, BODY, BODY).await,
    ] {
        answer.expect_problem(400, "invalid_signature");
    }
    // Verified first, then parsed: an unsigned body says nothing about the schema.
    deliver(&shop, now, other, "[]", "[]")
        .await
        .expect_problem(400, "invalid_signature");
    deliver(&shop, now, SECRET, "[]", "[]")
        .await
        .expect_problem(422, "invalid");
}
