//! Each finding is provoked through HTTP, on SQLite and on PostgreSQL.
//!
//! | file | tests |
//! | --- | --- |
//! | `app` | the application under test: a route for each anti-pattern |
//! | `findings` | each code, and requests without one |
//! | `settings` | sampling, expected findings, mistakes |
//! | `record` | the record of statements |

mod app;
mod findings;
mod record;
mod settings;
