//! `docs/guide/idempotency.md`

use serde_json::json;

use super::subject;

subject!(Bank, docs_src::idempotency::app());

#[doyen_test::test]
async fn a_retry_makes_no_second_payment(bank: Bank) {
    let pay = |key: &str, amount: u32| {
        let call = bank.post("/payments").header("idempotency-key", key);
        call.json(&json!({"amount": amount})).send()
    };
    let first = pay("a", 5).await.expect(201);
    let retry = pay("a", 5).await.expect(201);
    assert_eq!(retry.json(), first.json());
    assert_eq!(retry.header("idempotency-replayed"), Some("true"));
    pay("a", 6)
        .await
        .expect_problem(422, "idempotency_key_reused");
    pay("b", 5).await.expect(201);
    assert_eq!(bank.count("payments").await, 2);
}

#[doyen_test::test(sqlite)]
async fn a_key_can_be_required(bank: Bank) {
    let refused = bank.post("/payroll").send().await;
    refused.expect_problem(400, "idempotency_key_required");
    bank.post("/payroll")
        .header("idempotency-key", "k")
        .send()
        .await
        .expect(204);
}
