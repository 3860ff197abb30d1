//! Outputs: one declaration provides serialization and the schema.
//!
//! `#[derive(Output)]` generates `serde::Serialize` and the schema from one model of the struct, so
//! they agree. Objects are closed (`additionalProperties: false`) and every field is required:
//! tests detect an unexpected or missing field in a response.
//!
//! ```
//! # extern crate doyen_schema as doyen;
//! use doyen_schema::{Components, Output};
//!
//! /// An order, as its buyer sees it.
//! #[derive(Output)]
//! #[output(etag = version, computed(total: u64 = Self::total))]
//! struct OrderView {
//!     sku: String,
//!     quantity: u32,
//!     price: u32,
//!     #[output(skip)]
//!     version: u64,
//! }
//!
//! impl OrderView {
//!     /// What the buyer pays, in cents.
//!     fn total(&self) -> u64 {
//!         u64::from(self.quantity) * u64::from(self.price)
//!     }
//! }
//!
//! let view = OrderView { sku: "A-1".into(), quantity: 2, price: 250, version: 3 };
//! assert_eq!(
//!     serde_json::to_string(&view).unwrap(),
//!     r#"{"sku":"A-1","quantity":2,"price":250,"total":500}"#
//! );
//! assert_eq!(view.etag().as_deref(), Some("3"));
//! # let _ = OrderView::schema(&mut Components::new());
//! ```
//!
//! Removes the pattern of a text schema: outputs show what is stored.

mod contract;
#[doc(hidden)]
pub mod parts;
mod types;

pub use contract::Output;
