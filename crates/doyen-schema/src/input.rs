//! What a service reads: one declaration gives parsing, checking and the schema.
//!
//! `#[derive(Input)]` reads a struct once, at compile time, and writes from that one model the code
//! that parses a value, the code that checks it and the schema that describes it. So the document
//! cannot promise what the check refuses, and every failure of a request is found in one pass:
//! wrong types, missing fields, unknown fields and broken rules together.
//!
//! ```
//! # extern crate doyen_schema as doyen;
//! use doyen_schema::input::{self, json};
//! use doyen_core::{At, Failures, Place};
//! use doyen_schema::Input;
//!
//! /// What a buyer sends.
//! #[derive(Input)]
//! struct NewOrder {
//!     /// The number on the label.
//!     #[validate(length(min = 1, max = 32))]
//!     sku: String,
//!     #[validate(range(min = 1, max = 100))]
//!     quantity: u32,
//!     /// Words for the packer.
//!     note: Option<String>,
//! }
//!
//! let body = br#"{"sku": "", "quantity": "two"}"#;
//! let value = json::parse(body, &json::Limits::default()).unwrap();
//! let mut failures = Failures::new();
//! assert!(NewOrder::parse(value, &At::root(Place::Body), &mut failures).is_none());
//!
//! let found: Vec<_> = failures
//!     .iter()
//!     .map(|failure| (failure.pointer.as_str(), failure.code))
//!     .collect();
//! assert_eq!(found, [("/sku", "length"), ("/quantity", "type")]);
//! # let _ = input::MAX_FAILURES;
//! ```
//!
//! # Codes
//!
//! | code | means |
//! | --- | --- |
//! | `required` | the field is missing |
//! | `null` | null, where a value is needed |
//! | `type` | another JSON type, or text that cannot be read as the type |
//! | `unknown_field` | no such field |
//! | `repeated` | a parameter that may come once came several times |
//! | `one_of` | not one of the listed words |
//! | `format` | text that is not a date, an id, ... |
//! | `characters` | text with the NUL character |
//! | `range`, `multiple_of`, `length`, `pattern`, `email`, `url`, `items`, `unique` | the [rule](crate::rule) of that name |
//!
//! A custom rule brings its own code.
//!
//! What this module does not do: it never calls serde. A type of another crate is read with
//! `#[input(with = module)]` or wrapped in a newtype with `#[input(from_str)]`.

mod contract;
mod foreign;
pub mod json;
mod list;
mod object;
#[doc(hidden)]
pub mod parts;
mod scalar;
pub mod text;
mod value;
mod wrapper;

pub use contract::{Field, Input, MAX_FAILURES, Object};
pub use object::object;
pub use scalar::NO_NUL;
pub use value::Value;
