//! HTTP routes for orders.

use doyen::prelude::*;

use super::domain::{Draft, FindOrder, Order, OrderId, Orders, PlaceOrder};

/// A new order.
#[derive(Input)]
#[input(into = Draft)]
pub(super) struct NewOrder {
    /// Article number.
    #[validate(pattern = "^[A-Z]{2}-[0-9]{3}$")]
    article: String,
    #[validate(range(min = 1, max = 100))]
    quantity: u32,
}

/// The order as the buyer sees it.
#[derive(Output)]
#[output(from = Order, location = path)]
pub(super) struct OrderView {
    id: OrderId,
    article: String,
    quantity: u32,
    placed_at: Timestamp,
}

/// Place an order
#[post("/", allow = anyone)]
pub(super) async fn place(
    orders: Orders,
    Json(new): Json<NewOrder>,
) -> Result<Created<OrderView>, PlaceOrder> {
    Ok(Created(orders.place(new.into()).await?.into()))
}

/// List orders, newest first
#[get("/", allow = anyone)]
pub(super) async fn list(orders: Orders, paging: Paging) -> Result<Page<OrderView>, Unexpected> {
    Ok(orders.list(&paging).await?.map_into())
}

/// Get an order
#[get("/{id}", allow = anyone)]
pub(super) async fn show(orders: Orders, id: OrderId) -> Result<Json<OrderView>, FindOrder> {
    Ok(Json(orders.find(id).await?.into()))
}

impl OrderView {
    fn path(&self) -> String {
        format!("/orders/{}", self.id)
    }
}
