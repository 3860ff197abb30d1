//! Operations: logs, and the admin listener.
//!
//! | plugin | section | adds |
//! | --- | --- | --- |
//! | [`Logs`] | `log` | the application log and the access log, on standard output |
//! | [`Admin`] | `admin` | a second listener with `/console`, `/metrics`, `/readyz?verbose`, `/livez`, `/plugins` and `/requests` |

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod admin;
mod console;
mod facts;
mod log_filter;
mod logs;
mod requests;

pub use admin::{Admin, AdminSettings};
pub use logs::{LogFormatSetting, LogSettings, Logs};

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
