//! `docs/guide/transactions.md`

use super::subject;

subject!(
    Stock,
    docs_src::shop::app().module(docs_src::transactions::module())
);

#[doyen_test::test]
async fn a_delivery_is_one_unit_of_work(stock: Stock) {
    stock.post("/stock/TE-100/5").send().await.expect(204);
    stock.post("/stock/NU-200/7").send().await.expect(204);
    assert_eq!(stock.count("stock WHERE pieces IN (10, 7)").await, 2);
    assert_eq!(
        stock
            .count("doyen_outbox WHERE topic = 'stock.delivered'")
            .await,
        2
    );
}

#[doyen_test::test]
async fn an_error_answer_undoes_everything(stock: Stock) {
    stock
        .post("/stock/NU-200/1001")
        .send()
        .await
        .expect_problem(409, "too_many");
    assert_eq!(stock.count("stock").await, 1);
    assert_eq!(stock.count("doyen_outbox").await, 0);
}
