//! Tests an application from outside, as a client does, on SQLite and on PostgreSQL.
//!
//! Describe the application once, in `tests/support/mod.rs`:
//!
//! ```
//! use doyen::prelude::*;
//! use doyen_test::{Subject, TestApp};
//!
//! pub struct Shop(TestApp);
//!
//! impl Subject for Shop {
//!     fn app() -> App {
//!         App::new("shop")
//!     }
//!     fn new(app: TestApp) -> Self {
//!         Self(app)
//!     }
//! }
//! ```
//!
//! Each test takes it as a parameter. It becomes two tests, `opens::sqlite` and `opens::postgres`,
//! each with a fresh database:
//!
//! ```text
//! #[doyen_test::test]
//! async fn opens(shop: Shop) {
//!     let new = json!({"sku": "tea"});
//!     let order = shop.post("/orders").bearer(&token).json(&new).send().await.expect(201);
//!     shop.get(order.location()).bearer(&token).send().await.expect(200);
//! }
//! ```
//!
//! | part | is |
//! | --- | --- |
//! | [`Subject`], [`Setup`] | the application under test, and replacements in it |
//! | [`TestApp`] | the running application: requests, clock, database, access log |
//! | [`Call`], [`Answer`] | a request and its response; a failure prints the cause and the last statements |
//! | [`TestApp::assert_plans`] | fails if the database runs the statements of a route in another way |
//! | [`Finding`] | what the plugin `evidence` found in a request |
//! | [`TestUser`] | requests of a caller without a login: `app.as_user(caller)` |
//! | [`Live`] | the same application on a real socket |
//! | [`Program`] | the real binary |
//! | [`RedisServer`] | a Redis server for one test |
//! | [`ClamdServer`] | a virus scanner for one test |
//! | [`UpstreamServer`], [`Reply`] | a service that the application calls, with replies and faults |
//! | [`test`] | the attribute |
//!
//! **Every response is checked against the OpenAPI document**: status, media type, headers, body
//! and problem code must be documented. Otherwise the test fails, whatever it is about. A request
//! that was accepted must be valid by the document as well.
//!
//! **A request must not run the same query for each of several rows** (N+1): the test fails, and
//! the message names the route, the statement and the cure. [`Setup::allow_repeated_statements`]
//! permits it. Requests over a socket are not checked. [`Setup::fail_on`] adds further codes of the
//! plugin `evidence`.
//!
//! The database of a failed test is kept, and the message names it; the next run of that test
//! removes it. The PostgreSQL server is the one at `DOYEN_TEST_POSTGRES_URL`, by default
//! `postgres://postgres@127.0.0.1:5432/postgres`.
//!
//! Without the Cargo feature `postgres`, which is on by default, there are no tests on PostgreSQL:
//! `doyen-test = { version = "..", default-features = false }` compiles SQLite alone.
//!
//! What it does not do: it mocks no database, and retries nothing.

mod answer;
mod app;
mod call;
mod callers;
mod clamd;
mod clock;
mod contract;
mod database;
mod finding;
mod live;
mod local_server;
mod nats;
mod plans;
mod plugin_contract;
mod program;
mod recorder;
mod redis;
mod run;
mod signal;
mod subject;
mod upstream;
mod user;

pub use answer::Answer;
pub use app::TestApp;
pub use call::Call;
pub use clamd::ClamdServer;
pub use clock::TestClock;
pub use database::{Backend, SIGNING_KEY};
pub use finding::Finding;
pub use live::Live;
pub use nats::NatsServer;
pub use plugin_contract::plugin_contract;
pub use program::{Ended, Memory, Program, Running, scale};
pub use redis::RedisServer;
pub use subject::{Setup, Subject};
pub use upstream::{Received, Reply, UpstreamServer};
pub use user::TestUser;

/// Turns a function into two tests: one on SQLite, one on PostgreSQL.
///
/// The function is `async` and takes one value, whose type is a [`Subject`].
/// `#[doyen_test::test(sqlite)]` and `#[doyen_test::test(postgres)]` create only one of the two,
/// for behaviour of one database.
pub use doyen_macros::test;

/// Keeps the test on PostgreSQL.
#[cfg(feature = "postgres")]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_postgres {
    ($($test:tt)*) => { $($test)* };
}

/// Drops the test on PostgreSQL: an application that uses SQLite alone does not compile the other.
#[cfg(not(feature = "postgres"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_postgres {
    ($($test:tt)*) => {};
}

/// Keeps a test that runs on PostgreSQL alone.
#[cfg(feature = "postgres")]
#[doc(hidden)]
#[macro_export]
macro_rules! __only_on_postgres {
    ($($test:tt)*) => { $($test)* };
}

/// Refuses a test that runs on PostgreSQL alone.
#[cfg(not(feature = "postgres"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __only_on_postgres {
    ($($test:tt)*) => {
        ::core::compile_error!("a test on PostgreSQL needs the feature `postgres` of `doyen-test`");
    };
}

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::run::run;
}
