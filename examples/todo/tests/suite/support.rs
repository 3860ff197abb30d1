//! The application under test.

use std::ops::Deref;

use doyen::App;
use doyen_test::{Subject, TestApp};

/// The application, on a database of its own.
pub(crate) struct Todo(TestApp);

impl Subject for Todo {
    fn app() -> App {
        todo::app()
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Todo {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}
