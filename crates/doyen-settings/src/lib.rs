//! Typed settings from files, environment variables and code.
//!
//! A struct declares the settings. Each field is one: its name is the key, its doc comment the
//! description, its type the check.
//!
//! ```
//! # extern crate doyen_settings as doyen;
//! use std::time::Duration;
//! use doyen_core::Secret;
//! use doyen_settings::{Loader, Settings};
//!
//! /// Settings of the shop.
//! #[derive(Debug, Clone, Settings)]
//! struct Shop {
//!     /// What customers see as sender.
//!     #[setting(default = "shop@example.com")]
//!     sender: String,
//!     /// Longest time a cart lives.
//!     #[setting(default = "30d", min = "1h")]
//!     cart: Duration,
//!     /// Where the data is.
//!     #[setting(env = "DATABASE_URL")]
//!     url: Secret<String>,
//!     #[setting(section)]
//!     mail: Mail,
//! }
//!
//! /// Outgoing mail.
//! #[derive(Debug, Clone, Settings)]
//! struct Mail {
//!     /// How many mails are sent at once.
//!     #[setting(default = 4, min = 1, max = 64)]
//!     workers: u16,
//! }
//!
//! let vars = [("DATABASE_URL", "sqlite://shop.db"), ("APP_MAIL__WORKERS", "8")];
//! let loaded = Loader::new("APP").env(vars).folder("config").load::<Shop>().unwrap();
//! assert_eq!(loaded.value.mail.workers, 8);
//! assert_eq!(loaded.value.cart, Duration::from_secs(30 * 24 * 60 * 60));
//! ```
//!
//! # Sources
//!
//! In increasing priority. A source overrides single values, not whole sections:
//!
//! 1. the default of the field;
//! 2. `base.toml` in the folder, for all environments;
//! 3. `dev.toml`, `test.toml` or `prod.toml`, by `APP_ENV` (default `dev`), then each file given by
//!    [`Loader::file`];
//! 4. environment variables: `APP_MAIL__WORKERS` for `mail.workers`, and names given with
//!    `env = "..."`;
//! 5. [`Loader::set`], for tests and command lines.
//!
//! An unknown key is refused in a file, and so is a variable with the prefix and `__`. All mistakes
//! are reported at once, each with the setting, its origin and a correction. The value of a secret
//! is never shown.
//!
//! # Variables
//!
//! - A line break at the end of a value is removed.
//! - A list is written `a,b`, or as a JSON array: `["a", "b"]`.
//! - A secret can be read from a file: `APP_AUTH__SIGNING_KEY_FILE` holds its path. The line break
//!   at its end is removed.
//! - Variables that Kubernetes sets for a service called `app`, such as `APP_SERVICE_HOST` and
//!   `APP_PORT=tcp://..`, are ignored.
//! - Another variable with the prefix and without `__` may belong to another program: it is
//!   ignored, and [`Loaded::warnings`] names it and the setting with the most similar name.
//!
//! # Attributes of a field
//!
//! | attribute | meaning |
//! | --- | --- |
//! | `default = ...` | the default; without one the setting is required, unless it is an `Option` |
//! | `min = ...`, `max = ...` | limits of a number, a `Duration` or a [`ByteSize`] |
//! | `env = "DATABASE_URL"` | a second environment variable, without the prefix |
//! | `section` | the field is a struct of settings; its keys are below the name of the field. `Option` of one is `None` until one of its keys is set |
//! | `flatten` | the field is a struct of settings; its keys are on the same level as those of this struct |
//!
//! A section of type `BTreeMap<String, S>` has a section `S` for each name that the sources use:
//! `[outbound.payments]`, or `APP_OUTBOUND__PAYMENTS__TIMEOUT`.
//!
//! On an enum without fields, `#[derive(Settings)]` creates a setting whose value is one of the
//! variants in `snake_case`; `#[setting("name")]` gives a variant another name. For your own type,
//! implement [`Setting`].
//!
//! What it does not do: it never changes the environment of the process, and it does not reload
//! while the service runs.

mod choice;
mod duration;
mod environment;
mod fault;
mod file;
mod key;
mod kubernetes;
mod list;
mod loader;
mod named;
mod rate;
mod raw;
mod reader;
mod reference;
mod scalar;
mod secret;
mod size;
mod tree;
mod variable;

#[doc(hidden)]
pub use choice::choose;
pub use doyen_macros::Settings;
pub use environment::Environment;
pub use fault::{Fault, SettingsError};
pub use key::{Key, Spec};
pub use loader::{Loaded, Loader, Row};
pub use raw::{Raw, Setting, Wrong};
pub use reader::{Reader, Settings};
pub use reference::{reference, reference_of};
pub use size::{ByteSize, NotASize};
pub use tree::Origin;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub extern crate self as settings;
}
