//! What an order is and what can be asked of orders. It knows no web and no database.

use std::sync::Arc;

use doyen::domain::id::Named;
use doyen::domain::{Clock, Id, Inject, Page, Paging, Problem, Timestamp, Unexpected, port};

/// The id of an order: `ord_...`.
pub type OrderId = Id<Order>;

/// Something that was bought.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Which.
    pub id: OrderId,
    /// What.
    pub article: String,
    /// How many.
    pub quantity: u32,
    /// When.
    pub placed_at: Timestamp,
}

impl Named for Order {
    const PREFIX: &'static str = "ord";
}

/// Why an order was not placed.
#[derive(Debug, Problem)]
pub enum PlaceOrder {
    /// Not enough of the article are left. Order fewer, or come back later.
    #[problem(conflict)]
    OutOfStock,
    /// Anything else.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why an order is not shown.
#[derive(Debug, Problem)]
pub enum FindOrder {
    /// There is no such order.
    #[problem(not_found, code = "order_not_found")]
    Missing,
    /// Anything else.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Where orders are kept.
#[port]
pub trait OrderRepository {
    /// Takes so many from the stock. False when fewer are left: then nothing is taken.
    async fn take(&self, article: &str, quantity: u32) -> Result<bool, Unexpected>;
    /// Keeps a new order.
    async fn insert(&self, order: &Order) -> Result<(), Unexpected>;
    /// The order of this id.
    async fn find(&self, id: OrderId) -> Result<Option<Order>, Unexpected>;
    /// A page of all orders, the newest first.
    async fn list(&self, paging: &Paging) -> Result<Page<Order>, Unexpected>;
}

/// What can be asked of orders.
#[derive(Clone, Inject)]
pub struct Orders {
    repository: Arc<dyn OrderRepository>,
    clock: Arc<dyn Clock>,
}

impl Orders {
    /// For tests without a container.
    pub fn new(repository: Arc<dyn OrderRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { repository, clock }
    }

    /// Places an order.
    pub async fn place(&self, article: String, quantity: u32) -> Result<Order, PlaceOrder> {
        let order = Order {
            id: OrderId::new(),
            article,
            quantity,
            placed_at: self.clock.now(),
        };
        self.repository.insert(&order).await?;
        // Too late? No: an error undoes the insert as well.
        if !self.repository.take(&order.article, quantity).await? {
            return Err(PlaceOrder::OutOfStock);
        }
        Ok(order)
    }

    /// The order of this id.
    pub async fn find(&self, id: OrderId) -> Result<Order, FindOrder> {
        self.repository.find(id).await?.ok_or(FindOrder::Missing)
    }

    /// A page of all orders.
    pub async fn list(&self, paging: &Paging) -> Result<Page<Order>, Unexpected> {
        self.repository.list(paging).await
    }
}
