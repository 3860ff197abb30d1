//! Tests every example in `docs_src` as a client, and compares the pages with the files they show.

#![allow(missing_docs, reason = "a test")]

mod answers;
mod attributes;
mod background;
mod blocks;
mod bodies;
mod caching;
mod conduit;
mod decimals;
mod envelope;
mod events;
#[path = "../../../crates/doyen/tests/edge/exchange.rs"]
mod exchange;
mod fastapi;
mod files;
mod first_steps;
mod from_axum;
mod idempotency;
mod identity;
mod injection;
mod jobs;
mod limits;
mod live;
mod loading;
mod middleware;
mod migrations;
mod mounts;
mod outbound;
mod parameters;
mod reads;
mod realworld;
mod schemes;
mod settings;
mod shop;
mod swagger;
mod templates;
mod transactions;
mod troubleshooting;
mod uploads;
mod versions;
mod webhooks;

/// Defines the test subject of an application: `subject!(Library, of(docs_src::query::module()))`.
macro_rules! subject {
    ($name:ident, $app:expr) => {
        struct $name(doyen_test::TestApp);

        impl doyen_test::Subject for $name {
            fn app() -> doyen::App {
                $app
            }
            fn new(app: doyen_test::TestApp) -> Self {
                Self(app)
            }
        }

        impl std::ops::Deref for $name {
            type Target = doyen_test::TestApp;
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    };
}
pub(crate) use subject;

/// Builds an application with one module.
fn of(module: doyen::web::Module) -> doyen::App {
    doyen::App::new("guide").module(module)
}
