//! What the table contains, and a row that cannot be opened.

use doyen::domain::Access;

use crate::app::{Shop, keyed, order, orders};

#[derive(doyen::data::Row)]
struct Stored {
    id: Vec<u8>,
    request: Vec<u8>,
    response: Vec<u8>,
}

#[doyen_test::test]
async fn the_table_shows_no_response_key_or_caller(app: Shop) {
    let key = "a-key-that-is-easy-to-find";
    let first = keyed(&app, "/orders", key, "whsec-item")
        .send()
        .await
        .expect(201);
    let session = app.database().session(Access::Read);
    let sql = "SELECT id, request, response FROM idempotency_records";
    let rows: Vec<Stored> = session.query_as(sql, []).await.unwrap();
    assert_eq!(rows.len(), 1);
    let id = first.text_at("/id");
    for row in &rows {
        for bytes in [&row.id, &row.request, &row.response] {
            let text = String::from_utf8_lossy(bytes);
            for secret in [key, "whsec", "ann", &id[..8], "location"] {
                assert!(!text.contains(secret), "{secret}");
            }
        }
    }
}

/// As after a replacement of the root secret.
#[doyen_test::test]
async fn a_row_that_cannot_be_opened_does_not_repeat_the_effect(app: Shop) {
    order(&app, "k", "tea").send().await.expect(201);
    let changed = "UPDATE idempotency_records SET response = $1";
    assert_eq!(app.execute(changed, [vec![7_u8; 200].into()]).await, 1);
    let again = order(&app, "k", "tea").send().await;
    again.expect_problem(409, "idempotency_response_unavailable");
    assert_eq!(orders(&app).await, 1);
}
