//! Inputs: one declaration provides parsing, validation and the schema.
//!
//! `#[derive(Input)]` builds a model of the struct at compile time. From it, it generates the code
//! that parses a value, the code that validates it, and the schema. So document and validation
//! agree, and every error of a request is found in one pass: wrong types, missing fields, unknown
//! fields and violated rules.
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
//! | code | meaning |
//! | --- | --- |
//! | `required` | the field is missing |
//! | `null` | null, where a value is required |
//! | `type` | another JSON type, or text that cannot be parsed as the type |
//! | `unknown_field` | the field is unknown |
//! | `repeated` | a single parameter was sent several times |
//! | `one_of` | not one of the listed values |
//! | `format` | text that is not a date, an id, ... |
//! | `characters` | text with the NUL character |
//! | `range`, `multiple_of`, `length`, `pattern`, `email`, `url`, `items`, `unique` | the [rule](crate::rule) of that name |
//!
//! A custom rule has its own code.
//!
//! What this module does not do: it never calls serde. Parse a type of another crate with
//! `#[input(with = module)]`, or wrap it in a newtype with `#[input(from_str)]`.

mod contract;
#[cfg(feature = "decimal")]
mod decimal;
mod foreign;
pub mod json;
mod list;
mod local_time;
mod loose;
mod map;
mod object;
#[doc(hidden)]
pub mod parts;
mod scalar;
mod set;
pub mod text;
mod value;
mod wrapper;

pub use contract::{Field, Input, MAX_FAILURES, Object};
pub(crate) use map::names as map_names;
pub use object::object;
pub use scalar::NO_NUL;
pub use value::Value;
