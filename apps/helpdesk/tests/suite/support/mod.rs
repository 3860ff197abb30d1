//! The helpdesk under test, and its users.

pub(crate) mod faults;
pub(crate) mod people;
pub(crate) mod prometheus;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::web::Module;
use doyen_test::{Running, Setup, Subject, TestApp};

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

/// The folder of the files of a test, removed with its application.
pub(crate) struct TestFolder(pub(crate) std::path::PathBuf);

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Tests check responses, not times: a busy machine must not fail them.
pub(crate) fn patient() -> Setup {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = format!("doyen-helpdesk-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(folder);
    Setup::new()
        .fail_on("missing_limit")
        .fail_on("cache_stampede")
        .set("files.folder", &folder.display().to_string())
        .module(Module::new("folder").provide(Arc::new(TestFolder(folder))))
        .set("database.acquire_timeout", "30s")
        .set("database.lock_timeout", "30s")
        .set("database.statement_timeout", "30s")
}

/// Waits until the admin address says this of Redis.
pub(crate) fn redis_is(server: &Running, status: &str) {
    server.address();
    let output = server.output();
    let admin = output.split("Admin http://").nth(1).unwrap_or_default();
    let admin = admin.split('/').next().unwrap_or_default().parse();
    let admin = admin.unwrap_or_else(|error| panic!("{error}\n{output}"));
    let ask = "GET /readyz?verbose HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let line = format!("\"name\":\"redis\",\"status\":\"{status}\"");
    let found = server.wait_for(|| {
        let answer = server.try_exchange(admin, ask).unwrap_or_default();
        answer.contains(&line).then_some(())
    });
    assert!(found.is_some(), "never {status}\n{}", server.output());
}
