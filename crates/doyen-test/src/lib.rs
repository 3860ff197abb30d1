//! Tests an application from outside, as a client does, on SQLite and on PostgreSQL.
//!
//! Say once what is tested, in `tests/support/mod.rs`:
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
//! Then each test asks for it. It becomes two tests, `opens::sqlite` and `opens::postgres`, each
//! with a fresh database:
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
//! | [`Subject`], [`Setup`] | the application a test is about, and what is replaced in it |
//! | [`TestApp`] | the running application: requests, clock, database, access log |
//! | [`Call`], [`Answer`] | a request and what came back |
//! | [`Live`] | the same application on a real socket |
//! | [`Program`] | the real binary |
//! | [`plugin_contract`] | what every plugin promises, checked |
//! | [`RedisServer`] | a Redis of a test's own |
//! | [`test`] | the attribute |
//!
//! **Every answer is checked against the OpenAPI document**: its status, media type, header fields,
//! body and problem code must stand there. One that does not fails the test, whatever the test was
//! about. And a request that was accepted must be one the document permits.
//!
//! The database of a test that failed is kept, and its name stands in the message; the next run of
//! that test removes it. PostgreSQL is the server at `DOYEN_TEST_POSTGRES_URL`, by default
//! `postgres://postgres@127.0.0.1:5432/postgres`.
//!
//! What it does not do: it replaces no database by a fake one, and retries nothing.

mod answer;
mod app;
mod call;
mod clock;
mod contract;
mod database;
mod live;
mod plugin_contract;
mod program;
mod redis;
mod run;
mod subject;

pub use answer::Answer;
pub use app::TestApp;
pub use call::Call;
pub use clock::TestClock;
pub use database::{Backend, SIGNING_KEY};
pub use live::Live;
pub use plugin_contract::plugin_contract;
pub use program::{Ended, Memory, Program, Running, scale};
pub use redis::RedisServer;
pub use subject::{Setup, Subject};

/// Makes two tests of one function: one on SQLite, one on PostgreSQL.
///
/// The function is `async` and takes one value, whose type is a [`Subject`].
/// `#[doyen_test::test(sqlite)]` and `#[doyen_test::test(postgres)]` make only one of the two, for
/// what one database alone can show.
pub use doyen_macros::test;

/// What the macro writes against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::run::run;
}
