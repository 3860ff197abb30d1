//! The check on small applications in temporary folders.
//!
//! | module | contents |
//! | --- | --- |
//! | `app` | builds an application with one import more than a correct one |
//! | `rules` | one test per rule, and the correct application |
//! | `evasions` | ways to hide an import |
//! | `errors` | applications that cannot be checked |

mod app;
mod errors;
mod evasions;
mod rules;
