//! Orders: who buys what. The door of the domain.

mod api;
pub mod domain;
mod infrastructure;

use doyen::prelude::*;

use domain::OrderRepository;
use infrastructure::SqlOrders;

/// Routes, and who does what the domain asks for.
pub fn module() -> Module {
    Module::new("orders")
        .routes(routes![api::place, api::list, api::show].at("/orders"))
        .bind::<dyn OrderRepository, SqlOrders>()
}

/// The application.
pub fn app() -> App {
    App::new("shop")
        .module(module())
        .migrations(doyen::migrations!("migrations"))
}
