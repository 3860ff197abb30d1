//! Each finding is provoked through HTTP, on SQLite and on PostgreSQL.
//!
//! | file | tests |
//! | --- | --- |
//! | `app` | the application under test: a route for each anti-pattern |
//! | `findings` | each code, and requests without one |
//! | `missing_limit` | work that no rate limit bounds |
//! | `stampede` | a cached value that several requests load |
//! | `settings` | sampling, expected findings, mistakes |
//! | `record` | the record of statements |

mod app;
mod findings;
mod missing_limit;
mod record;
mod settings;
mod stampede;
