//! The application under test, and its teams.

use std::ops::Deref;

use doyen::App;
use doyen_test::{Call, Subject, TestApp};

/// The application, on a database of its own.
pub(crate) struct Notes(TestApp);

impl Subject for Notes {
    fn app() -> App {
        notes::app()
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Notes {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// A client with the key of a team.
pub(crate) struct Client {
    app: TestApp,
    key: String,
}

impl Notes {
    /// Adds a team.
    pub(crate) async fn team(&self, name: &str) -> Client {
        let runtime = self.runtime();
        let mut commands = runtime.commands().iter();
        let add = commands
            .find(|command| command.name() == "teams add")
            .unwrap();
        let key = runtime.run(add, vec![name.to_owned()]).await;
        Client {
            app: self.0.clone(),
            key: key.unwrap_or_else(|error| panic!("{}", error.error())),
        }
    }
}

impl Client {
    pub(crate) fn get(&self, path: impl AsRef<str>) -> Call {
        self.app.get(path).header("x-api-key", &self.key)
    }

    pub(crate) fn post(&self, path: impl AsRef<str>) -> Call {
        self.app.post(path).header("x-api-key", &self.key)
    }

    pub(crate) fn delete(&self, path: impl AsRef<str>) -> Call {
        self.app.delete(path).header("x-api-key", &self.key)
    }
}
