//! Calls another service with timeouts, retries and a circuit breaker.

use doyen::outbound::{CallError, Client, Upstream, upstream};
use doyen::prelude::*;
use serde::Deserialize;

/// The service with exchange rates: `[outbound.rates]`.
pub struct Rates;

impl Upstream for Rates {
    const NAME: &'static str = "rates";
}

/// What the service responds.
#[derive(Deserialize)]
struct Quote {
    rate: f64,
}

/// Exchange rates, for handlers.
#[derive(Clone, Inject)]
struct Exchange {
    rates: Client<Rates>,
}

impl Exchange {
    async fn rate(&self, currency: &str) -> Result<f64, CallError> {
        let call = self.rates.get("/quotes").query("currency", currency);
        let quote: Quote = call.send().await?.success()?.json()?;
        Ok(quote.rate)
    }

    /// The key makes the call safe to repeat, so it is retried like a GET.
    async fn order(&self, order: &str, euros: u32) -> Result<(), CallError> {
        let call = self.rates.post("/orders").header("idempotency-key", order);
        call.json(&serde_json::json!({"euros": euros}))
            .send()
            .await?
            .success()?;
        Ok(())
    }
}

/// Get an exchange rate
///
/// While the service with the rates is down, this is a 503.
#[get("/rates/{currency}", allow = anyone)]
async fn rate(exchange: Exchange, currency: String) -> Result<Text, Unexpected> {
    let rate = exchange.rate(&currency).await?;
    Ok(Text(format!("1 EUR = {rate} {currency}")))
}

/// Order currency
#[post("/orders/{order}", allow = anyone)]
async fn order(exchange: Exchange, order: String) -> Result<NoContent, Unexpected> {
    exchange.order(&order, 100).await?;
    Ok(NoContent)
}

/// Builds the application.
pub fn app() -> App {
    App::new("exchange")
        .contribute(upstream::<Rates>())
        .module(Module::new("exchange").routes(routes![rate, order]))
}
