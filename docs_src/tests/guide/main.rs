//! Calls every file of `docs_src` as a client does, and compares the pages with the files they show.

#![allow(missing_docs, reason = "a test")]

mod answers;
mod blocks;
mod bodies;
mod first_steps;
mod identity;
mod injection;
mod limits;
mod parameters;
mod reads;
mod settings;
mod shop;
mod transactions;

/// A subject for each application: `subject!(Library, docs_src::query::module())`.
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

/// An application of one module.
fn of(module: doyen::web::Module) -> doyen::App {
    doyen::App::new("guide").module(module)
}
