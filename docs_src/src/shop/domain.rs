//! Orders and the operations on them. Independent of HTTP and the database.

use std::sync::Arc;

use doyen::domain::id::Named;
use doyen::domain::{Clock, Id, Inject, Page, Paging, Problem, Timestamp, Unexpected, port};

/// The id of an order, such as `ord_...`.
pub type OrderId = Id<Order>;

/// An order of one article.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Order id.
    pub id: OrderId,
    /// Article number.
    pub article: String,
    /// Number of pieces.
    pub quantity: u32,
    /// Creation time.
    pub placed_at: Timestamp,
}

/// An order before it is placed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Article number.
    pub article: String,
    /// Number of pieces.
    pub quantity: u32,
}

impl Named for Order {
    const PREFIX: &'static str = "ord";
}

/// Errors when placing an order.
#[derive(Debug, Problem)]
pub enum PlaceOrder {
    /// The stock of the article is too low. Order fewer pieces, or try again later.
    #[problem(conflict)]
    OutOfStock,
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when reading an order.
#[derive(Debug, Problem)]
pub enum FindOrder {
    /// The order does not exist. Check the id.
    #[problem(not_found, code = "order_not_found")]
    Missing,
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Storage for orders and stock.
#[port]
pub trait OrderRepository {
    /// Reduces the stock by the quantity. Returns false and changes nothing if the stock is too
    /// low.
    async fn take(&self, article: &str, quantity: u32) -> Result<bool, Unexpected>;
    /// Stores a new order.
    async fn insert(&self, order: &Order) -> Result<(), Unexpected>;
    /// Returns the order with this id.
    async fn find(&self, id: OrderId) -> Result<Option<Order>, Unexpected>;
    /// Returns a page of all orders, newest first.
    async fn list(&self, paging: &Paging) -> Result<Page<Order>, Unexpected>;
}

/// Operations on orders, for handlers.
#[derive(Clone, Inject)]
pub struct Orders {
    repository: Arc<dyn OrderRepository>,
    clock: Arc<dyn Clock>,
}

impl Orders {
    /// Creates the service, for tests without a dependency container.
    pub fn new(repository: Arc<dyn OrderRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { repository, clock }
    }

    /// Places an order.
    pub async fn place(&self, draft: Draft) -> Result<Order, PlaceOrder> {
        let order = Order {
            id: OrderId::new(),
            article: draft.article,
            quantity: draft.quantity,
            placed_at: self.clock.now(),
        };
        self.repository.insert(&order).await?;
        // An error rolls back the insert too.
        if !self.repository.take(&order.article, order.quantity).await? {
            return Err(PlaceOrder::OutOfStock);
        }
        Ok(order)
    }

    /// Returns the order with this id.
    pub async fn find(&self, id: OrderId) -> Result<Order, FindOrder> {
        self.repository.find(id).await?.ok_or(FindOrder::Missing)
    }

    /// Returns a page of all orders, newest first.
    pub async fn list(&self, paging: &Paging) -> Result<Page<Order>, Unexpected> {
        self.repository.list(paging).await
    }
}
