//! `docs/guide/domains.md`, `docs/guide/pages.md`, `docs/guide/testing.md`

use doyen::App;
use doyen_test::{Answer, Subject, TestApp};
use serde_json::json;

/// The shop, on its own database.
struct Shop(TestApp);

impl Subject for Shop {
    fn app() -> App {
        docs_src::shop::app()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Shop {
    async fn order(&self, article: &str, quantity: u32) -> Answer {
        let body = json!({"article": article, "quantity": quantity});
        self.0.post("/orders").json(&body).send().await
    }
}

#[doyen_test::test]
async fn an_order_is_placed_and_found(shop: Shop) {
    let placed = shop.order("TE-100", 2).await.expect(201);
    let found = shop.0.get(placed.location()).send().await.expect(200);
    assert_eq!(found.json(), placed.json());
}

#[doyen_test::test]
async fn an_order_that_fails_leaves_nothing_behind(shop: Shop) {
    shop.order("TE-100", 6)
        .await
        .expect_problem(409, "out_of_stock");
    assert_eq!(shop.0.count("orders").await, 0);
}

#[doyen_test::test]
async fn an_order_that_is_not_there(shop: Shop) {
    let path = "/orders/ord_01jd9m3z6veqjsk4dy2hjcg8x4";
    shop.0
        .get(path)
        .send()
        .await
        .expect_problem(404, "order_not_found");
    let answer = shop
        .0
        .get("/orders/7")
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(answer.failures(), ["/id format"]);
}

#[doyen_test::test]
async fn pages_lead_to_each_other(shop: Shop) {
    for _ in 0..5 {
        shop.order("TE-100", 1).await.expect(201);
        shop.0.clock().advance(std::time::Duration::from_secs(1));
    }
    let first = shop.0.get("/orders?limit=2").send().await.expect(200);
    let second = shop
        .0
        .get(first.text_at("/_links/next/href"))
        .send()
        .await
        .expect(200);
    let third = shop
        .0
        .get(second.text_at("/_links/next/href"))
        .send()
        .await
        .expect(200);
    assert_eq!(third.at("/items").as_array().map(Vec::len), Some(1));
    assert_eq!(third.at("/page/next"), serde_json::Value::Null);
    let back = shop
        .0
        .get(second.text_at("/_links/prev/href"))
        .send()
        .await
        .expect(200);
    assert_eq!(back.at("/items"), first.at("/items"));
    assert!(
        first
            .header("link")
            .is_some_and(|link| link.contains("rel=\"next\""))
    );

    let numbered = shop
        .0
        .get("/orders?page=2&per_page=2")
        .send()
        .await
        .expect(200);
    assert_eq!(numbered.at("/page/total"), 5);
    assert_eq!(numbered.at("/items"), second.at("/items"));

    let cursor = first.text_at("/page/next");
    let changed: String = cursor.chars().rev().collect();
    let call = shop
        .0
        .get("/orders")
        .query("limit", 2)
        .query("cursor", &changed);
    call.send().await.expect_problem(400, "invalid_cursor");
    shop.0
        .get("/orders?limit=101")
        .send()
        .await
        .expect_problem(422, "invalid");
}

super::subject!(Stock, docs_src::command::app());

#[doyen_test::test]
async fn a_command_is_a_unit_of_work(stock: Stock) {
    let runtime = stock.runtime();
    let add = |article: &str, pieces: &str| {
        let arguments = vec![article.to_owned(), pieces.to_owned()];
        let mut commands = runtime.commands().iter();
        let command = commands.find(|command| command.name() == "stock add");
        runtime.run(command.expect("the command"), arguments)
    };
    let line = add("NU-200", "50").await.unwrap();
    assert_eq!(line, "added 50 pieces of NU-200");
    assert_eq!(stock.count("stock WHERE pieces = 50").await, 1);
    assert!(add("NU-200", "50").await.is_err(), "it exists already");
    assert!(add("RI-300", "many").await.is_err());
    assert_eq!(stock.count("stock").await, 2);
}

/// Tests the domain without HTTP or a database.
mod domain {
    use std::sync::{Arc, Mutex};

    use docs_src::shop::domain::{Draft, Order, OrderId, OrderRepository, Orders, PlaceOrder};
    use doyen::domain::{Clock, Page, Paging, SystemClock, Unexpected, port};

    /// Stores orders in memory. The stock of each article is five pieces.
    #[derive(Default)]
    struct Memory(Mutex<Vec<Order>>);

    #[port]
    impl OrderRepository for Memory {
        async fn take(&self, _article: &str, quantity: u32) -> Result<bool, Unexpected> {
            Ok(quantity <= 5)
        }
        async fn insert(&self, order: &Order) -> Result<(), Unexpected> {
            self.0.lock().unwrap().push(order.clone());
            Ok(())
        }
        async fn find(&self, id: OrderId) -> Result<Option<Order>, Unexpected> {
            Ok(self
                .0
                .lock()
                .unwrap()
                .iter()
                .find(|order| order.id == id)
                .cloned())
        }
        async fn list(&self, paging: &Paging) -> Result<Page<Order>, Unexpected> {
            let items = self.0.lock().unwrap().clone();
            Ok(Page {
                items,
                limit: paging.limit,
                next: None,
                prev: None,
                total: None,
            })
        }
    }

    fn orders() -> Orders {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Orders::new(Arc::new(Memory::default()), clock)
    }

    fn tea(quantity: u32) -> Draft {
        let article = "TE-100".to_owned();
        Draft { article, quantity }
    }

    #[tokio::test]
    async fn placed_orders_can_be_found() {
        let orders = orders();
        let placed = orders.place(tea(2)).await.unwrap();
        assert_eq!(orders.find(placed.id).await.unwrap(), placed);
    }

    #[tokio::test]
    async fn more_than_is_left_is_refused() {
        let refused = orders().place(tea(6)).await;
        assert!(matches!(refused, Err(PlaceOrder::OutOfStock)));
    }
}

/// `docs/guide/migrations.md`: SQLite compares times as texts, so that each has one form.
#[doyen_test::test(sqlite)]
async fn a_time_in_another_form_is_refused_by_the_table(shop: Shop) {
    shop.order("TE-100", 1).await.expect(201);
    for (time, is_accepted) in [
        ("datetime('now')", false),
        ("CURRENT_TIMESTAMP", false),
        ("strftime('%Y-%m-%dT%H:%M:%SZ', placed_at)", false),
        ("strftime('%Y-%m-%dT%H:%M:%S+00:00', placed_at)", true),
    ] {
        let session = shop.0.database().session(doyen::domain::Access::Write);
        let sql = format!("UPDATE orders SET placed_at = {time}");
        let result = session.execute_sql(&sql, []).await;
        assert_eq!(result.is_ok(), is_accepted, "{time}: {result:?}");
        if is_accepted {
            session.commit().await.unwrap();
        } else {
            session.rollback().await;
        }
    }
    shop.0.get("/orders").send().await.expect(200);
}
