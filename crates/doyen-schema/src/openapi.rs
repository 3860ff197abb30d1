//! The OpenAPI 3.1 document of all routes.
//!
//! ```
//! use doyen_schema::{Info, Named, document};
//!
//! let info = Info { title: "Shop".into(), version: "1.0.0".into(), ..Info::default() };
//! let document = document(&info, &[], &Named::default());
//! assert_eq!(document["openapi"], "3.1.0");
//! ```
//!
//! The document is derived from the extractors, responses, errors and policies of the routes.

mod diff;
mod document;
mod head;
mod operation;
mod problems;
mod response;

pub use diff::{Difference, diff};
pub use document::{document, document_text, path_key};
pub use head::{DocumentEdit, Info, Licence};
