//! HTTP calls to other services: the plugin [`Outbound`] and its clients.
//!
//! An upstream is a type. Its name is the section of its settings, and [`Client`] is injected for
//! it:
//!
//! ```
//! use doyen_outbound::{CallError, Client, Upstream};
//!
//! /// The payment provider: `[outbound.payments]`.
//! pub struct Payments;
//!
//! impl Upstream for Payments {
//!     const NAME: &'static str = "payments";
//! }
//!
//! async fn refund(payments: Client<Payments>, charge: &str) -> Result<(), CallError> {
//!     let refund = serde_json::json!({"charge": charge});
//!     let call = payments.post("/refunds").header("idempotency-key", charge);
//!     call.json(&refund).send().await?.success()?;
//!     Ok(())
//! }
//! ```
//!
//! The application declares it once: `.contribute(upstream::<Payments>())`.
//!
//! A call goes through these steps, from the outside in:
//!
//! | step | file | at the limit |
//! | --- | --- | --- |
//! | deadline: the timeout of the client, or that of the inbound request if it is sooner | `call.rs` | `Timeout` |
//! | bulkhead: bounded concurrent and waiting calls | `bulkhead.rs` | `Saturated` |
//! | retries: idempotent calls only, with jitter, `Retry-After` and a budget | `retry.rs` | the last result |
//! | address guard: no private address, checked at each connection | `guard.rs` | `Forbidden` |
//! | circuit breaker of the host | `breaker.rs` | `BreakerOpen` |
//! | one try: its own timeout, and a maximum size of the response | `transport.rs` | `Timeout`, `TooLarge` |
//!
//! What it does not do: it streams no bodies, keeps no cookies, uses no proxy of the environment
//! and decompresses nothing. Other processes have their own breakers and budgets.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod admin;
mod breaker;
mod bulkhead;
mod call;
mod client;
mod error;
mod guard;
mod metrics;
mod plugin;
mod pool;
mod response;
mod retry;
mod settings;
mod transport;

pub use call::Call;
pub use client::{Client, DeclaredUpstream, Upstream, upstream};
pub use error::{CallError, CallErrorKind};
pub use guard::{Addresses, Forbidden, Found, Lookup, LookupOverride};
pub use plugin::Outbound;
pub use pool::Pool;
pub use response::Response;
pub use settings::{ClientSettings, OutboundSettings};

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_schema::__private::*;
    pub use doyen_settings as settings;
    /// The part for routes.
    pub mod web {
        pub use doyen_web::__private::*;
    }
}
