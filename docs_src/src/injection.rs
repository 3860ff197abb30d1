//! A handler declares its dependencies, a port defines an interface, and a module binds the port to
//! an adapter.

use std::sync::Arc;

use doyen::prelude::*;

/// A source of exchange rates.
#[port]
pub trait Rates {
    /// Returns the price of one euro in this currency, or `None` for an unknown currency.
    async fn rate(&self, currency: &str) -> Option<f64>;
}

/// Exchange rates from a newspaper.
#[derive(Clone, Inject)]
struct Newspaper {}

#[port]
impl Rates for Newspaper {
    async fn rate(&self, currency: &str) -> Option<f64> {
        (currency == "CHF").then_some(0.95)
    }
}

/// Converts money. Created once for each request.
#[derive(Clone, Inject)]
struct Exchange {
    rates: Arc<dyn Rates>,
}

impl Exchange {
    async fn change(&self, euros: f64, currency: &str) -> Option<f64> {
        Some(euros * self.rates.rate(currency).await?)
    }
}

/// The converted amount.
#[derive(Output)]
struct Changed {
    amount: Option<f64>,
}

/// Convert a hundred euros
#[get("/change/{currency}", allow = anyone)]
async fn change(exchange: Exchange, currency: String) -> Json<Changed> {
    let amount = exchange.change(100.0, &currency).await;
    Json(Changed { amount })
}

/// The module with currency exchange.
pub fn module() -> Module {
    Module::new("exchange")
        .routes(routes![change])
        .bind::<dyn Rates, Newspaper>()
}
