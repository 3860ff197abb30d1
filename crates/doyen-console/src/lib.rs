//! The pages of an application for its users: the interactive API documentation and one page per
//! problem code.
//!
//! Everything is embedded in the binary and works offline. The pages obey
//! [`DOCS_CSP`]: no inline script or style, no `eval`, no outside host. The
//! scripts are plain ES modules; no bundler runs.
//!
//! ```
//! use doyen_console::{ASSETS_PATH, docs_assets, docs_page};
//!
//! let html = docs_page("/openapi.json", None, "Helpdesk");
//! for asset in docs_assets() {
//!     // Serve each under `/docs/assets/<path>` with its media type and ETag.
//!     let _address = format!("{ASSETS_PATH}/{}", asset.path);
//! }
//! assert!(html.starts_with("<!doctype html>"));
//! ```
//!
//! The plugin [`Docs`] serves them.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod asset;
mod docs;
mod html;
mod pages;
mod plugin;
mod problem;
mod problem_route;
mod swagger;

pub use asset::{ASSETS_PATH, Asset, docs_assets};
pub use docs::{DOCS_CSP, docs_page};
pub use plugin::{Docs, DocsSettings, DocsUi};
pub use problem::{ProblemPage, problem_page};

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
