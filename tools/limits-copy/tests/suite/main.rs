//! The suite of the rate limiter, run on a copy that replaces it.
//!
//! The copy is another crate than the one that `doyen` depends on: its types are not the same. So
//! each application here counts with the copy, or does not count at all.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

/// The tests of limits at the edge.
#[path = "../../../../crates/doyen/tests/edge/limits.rs"]
mod edge;
#[path = "../../../../crates/doyen/tests/edge/kit.rs"]
#[allow(dead_code, reason = "the other tests of the edge use the rest")]
mod kit;

/// The tests of the guide.
#[path = "../../../../docs_src/tests/guide/limits.rs"]
mod guide;

mod replaced;

/// Defines the test subject of an application whose rate limiter is the copy.
macro_rules! subject {
    ($name:ident, $app:expr) => {
        struct $name(doyen_test::TestApp);

        impl doyen_test::Subject for $name {
            fn app() -> doyen::App {
                $app.replace(doyen_limit::Limits)
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
