//! A handler asks for what it needs; a port says what that can do, a module says who does it.

use std::sync::Arc;

use doyen::prelude::*;

/// Where exchange rates come from.
#[port]
pub trait Rates {
    /// How many of this currency one euro buys.
    async fn rate(&self, currency: &str) -> Option<f64>;
}

/// Rates as printed in the newspaper.
#[derive(Clone, Inject)]
struct Newspaper {}

#[port]
impl Rates for Newspaper {
    async fn rate(&self, currency: &str) -> Option<f64> {
        (currency == "CHF").then_some(0.95)
    }
}

/// Changes money. Made once for each request.
#[derive(Clone, Inject)]
struct Exchange {
    rates: Arc<dyn Rates>,
}

impl Exchange {
    async fn change(&self, euros: f64, currency: &str) -> Option<f64> {
        Some(euros * self.rates.rate(currency).await?)
    }
}

/// How much it is.
#[derive(Output)]
struct Changed {
    amount: Option<f64>,
}

/// Change a hundred euros.
#[get("/change/{currency}", allow = anyone)]
async fn change(exchange: Exchange, currency: String) -> Json<Changed> {
    let amount = exchange.change(100.0, &currency).await;
    Json(Changed { amount })
}

/// The exchange office.
pub fn module() -> Module {
    Module::new("exchange")
        .routes(routes![change])
        .bind::<dyn Rates, Newspaper>()
}
