//! Orders: the public module of the domain.

mod api;
pub mod domain;
mod infrastructure;

use doyen::prelude::*;

use domain::OrderRepository;
use infrastructure::SqlOrders;

/// The module with orders: its routes and bindings.
pub fn module() -> Module {
    Module::new("orders")
        .routes(routes![api::place, api::list, api::show].at("/orders"))
        .bind::<dyn OrderRepository, SqlOrders>()
}

/// Builds the application.
pub fn app() -> App {
    App::new("shop")
        .module(module())
        .migrations(doyen::migrations!("migrations"))
}
