//! The helpdesk under test, and its users.

pub(crate) mod faults;
pub(crate) mod people;

use std::ops::Deref;

use doyen_test::{Setup, Subject, TestApp};

pub(crate) use people::{Join, Person};

/// The helpdesk.
pub(crate) struct Helpdesk(TestApp);

impl Subject for Helpdesk {
    fn app() -> doyen::App {
        helpdesk::app()
    }

    fn setup() -> Setup {
        patient()
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Helpdesk {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// Tests check responses, not times: a busy machine must not fail them.
pub(crate) fn patient() -> Setup {
    Setup::new()
        .set("database.acquire_timeout", "30s")
        .set("database.lock_timeout", "30s")
        .set("database.statement_timeout", "30s")
}
