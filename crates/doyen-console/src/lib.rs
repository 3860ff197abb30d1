//! The pages a Doyen application shows to people: the interactive API
//! documentation and one page per problem code.
//!
//! Everything is embedded in the binary and works offline. The pages obey
//! [`DOCS_CSP`]: no inline script or style, no `eval`, no outside host. The
//! scripts are plain ES modules; no bundler runs.
//!
//! ```
//! use doyen_console::{ASSETS_PATH, docs_assets, docs_page};
//!
//! let html = docs_page("/openapi.json", "Helpdesk");
//! for asset in docs_assets() {
//!     // Serve each under `/docs/assets/<path>` with its media type and ETag.
//!     let _address = format!("{ASSETS_PATH}/{}", asset.path);
//! }
//! assert!(html.starts_with("<!doctype html>"));
//! ```
//!
//! This crate only makes bytes. Routing, caching headers and the decision
//! whether the pages are public belong to the web crate.

mod asset;
mod docs;
mod html;
mod problem;

pub use asset::{ASSETS_PATH, Asset, docs_assets};
pub use docs::{DOCS_CSP, docs_page};
pub use problem::{ProblemPage, problem_page};
