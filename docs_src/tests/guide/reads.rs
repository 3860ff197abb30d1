//! `docs/guide/reads.md`

use super::subject;

subject!(
    Reads,
    docs_src::shop::app().module(docs_src::reads::module())
);

#[doyen_test::test]
async fn rows_are_read_into_structs(shop: Reads) {
    for quantity in [1, 2] {
        let order = serde_json::json!({"article": "TE-100", "quantity": quantity});
        shop.post("/orders").json(&order).send().await.expect(201);
    }
    let demand = shop.get("/demand").send().await.expect(200);
    assert_eq!(
        demand.json(),
        serde_json::json!([{"article": "TE-100", "orders": 2}])
    );
    let stock = shop.get("/stock/TE-100").send().await.expect(200);
    assert_eq!(stock.text(), "2 pieces");
    let none = shop.get("/stock/unknown").send().await.expect(200);
    assert_eq!(none.text(), "0 pieces");
}
