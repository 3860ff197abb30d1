//! Idempotent requests through HTTP, on SQLite and on PostgreSQL, on one node and on two.
//!
//! | file | tests |
//! | --- | --- |
//! | `app` | the application under test: orders that are counted in the database |
//! | `replay` | the same response, other requests with the key, other callers, retention |
//! | `parallel` | duplicates that run at the same time, on one node and on two |
//! | `release` | errors, panics and disconnects release the key |
//! | `lease` | the marker of a killed process, and a process that was only slow |
//! | `secrets` | what the table contains, and a replaced root secret |
//! | `layers` | layers of routes and of the application |
//! | `policy` | required keys, malformed keys, the document, mistakes at the start |

mod app;
mod layers;
mod lease;
mod parallel;
mod policy;
mod release;
mod replay;
mod secrets;
