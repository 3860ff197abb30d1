//! The running application.

use std::sync::Arc;
use std::time::Duration;

use doyen::app::Built;
use doyen::auth::PasswordOptions;
use doyen::data::Database;
use doyen::data::sea_orm::Value;
use doyen::domain::{Access, Caller, Identify, Inject, Mail, Refusal, RequestCredentials, chain};
use doyen::mail::{MailWorker, MailerOverride, MemoryMailer};
use doyen::observe::AccessLog;
use doyen::schema::contract::Operation;
use doyen::settings::Loader;
use doyen::web::Service;
use doyen::{App, Runtime};
use serde_json::Value as Json;

use crate::call::REPEATED_STATEMENT;
use crate::callers::TestCallers;
use crate::contract::Document;
use crate::database::{Place, loader};
use crate::subject::Edit;
use crate::{Backend, Call, Live, Setup, TestClock};

/// Maximum time for work after a response.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An application under test, and access to its parts. Clones are the same application.
#[derive(Clone)]
pub struct TestApp(Arc<Inner>);

struct Inner {
    runtime: Runtime,
    document: Document,
    clock: TestClock,
    log: AccessLog,
    callers: TestCallers,
    mails: MemoryMailer,
    backend: Backend,
    url: String,
    make: fn() -> App,
    others: std::sync::Mutex<Vec<TestApp>>,
    failing: Vec<&'static str>,
}

impl std::fmt::Debug for TestApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestApp")
            .field("database", &self.0.url)
            .finish_non_exhaustive()
    }
}

macro_rules! method {
    ($name:ident, $method:literal) => {
        #[doc = concat!("A `", $method, "` request.")]
        pub fn $name(&self, target: impl AsRef<str>) -> Call {
            self.request($method, target)
        }
    };
}

impl TestApp {
    pub(crate) async fn start(make: fn() -> App, setup: Setup, place: &Place) -> Self {
        Self::assemble(make, setup, place.backend, place.url(), TestClock::new()).await
    }

    async fn assemble(
        make: fn() -> App,
        setup: Setup,
        backend: Backend,
        url: &str,
        clock: TestClock,
    ) -> Self {
        let log = AccessLog::memory();
        let mut failing = setup.failing;
        if !setup.allows_repeated_statements {
            failing.push(REPEATED_STATEMENT);
        }
        let mut overrides = setup.overrides;
        overrides.clock = Some(Arc::new(clock.clone()));
        overrides.access_log = Some(Arc::new(log.clone()));
        let callers = TestCallers::default();
        let next = overrides.identify.take();
        overrides.identify = Some(match next {
            Some(next) => Arc::new(InOrder(Arc::new(callers.clone()), next)),
            None => Arc::new(callers.clone()),
        });
        let mails = MemoryMailer::default();
        // Production hashes take a tenth of a second each.
        let app = make()
            .contribute(MailerOverride(Arc::new(mails.clone())))
            .contribute(PasswordOptions::fast_for_tests());
        let (app, loader) = edited(app, setup.edits, setup.values, url);
        let runtime = app
            .start(loader, overrides)
            .await
            .unwrap_or_else(|error| panic!("{}", chain(&error)));
        let document = Document::new(runtime.document(), runtime.service());
        Self(Arc::new(Inner {
            runtime,
            document,
            clock,
            log,
            callers,
            mails,
            backend,
            url: url.to_owned(),
            make,
            others: std::sync::Mutex::default(),
            failing,
        }))
    }

    method!(get, "GET");
    method!(head, "HEAD");
    method!(options, "OPTIONS");
    method!(post, "POST");
    method!(put, "PUT");
    method!(patch, "PATCH");
    method!(delete, "DELETE");

    /// Starts a request with any method. The target is a path with an optional query string, as on
    /// the wire.
    pub fn request(&self, method: &str, target: impl AsRef<str>) -> Call {
        Call::new(self.clone(), method, target.as_ref())
    }

    pub(crate) fn callers(&self) -> &TestCallers {
        &self.0.callers
    }

    /// True if a finding with this code fails the test.
    pub(crate) fn fails_on(&self, code: &str) -> bool {
        self.0.failing.contains(&code)
    }

    /// Starts the same application again, on the same database and with the same clock: another
    /// node, or the one after a restart.
    pub async fn another(&self, setup: Setup) -> TestApp {
        let inner = &self.0;
        let other = Box::pin(Self::assemble(
            inner.make,
            setup,
            inner.backend,
            &inner.url,
            inner.clock.clone(),
        ))
        .await;
        if let Ok(mut others) = inner.others.lock() {
            others.push(other.clone());
        }
        other
    }

    /// Serves it on a socket, on a free port of 127.0.0.1.
    pub async fn serve(&self) -> Live {
        Live::start(self.clone()).await
    }

    /// Returns the manual clock.
    pub fn clock(&self) -> &TestClock {
        &self.0.clock
    }

    /// Returns the lines of the access log so far, each an object.
    pub fn log(&self) -> Vec<Json> {
        let parse = |line: &String| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("a line of the log is not JSON ({error}): {line}"))
        };
        self.0.log.lines().iter().map(parse).collect()
    }

    /// Returns the mails sent so far, the oldest first, once the queue is empty.
    pub async fn mails(&self) -> Vec<Mail> {
        let worker = self.inject::<Arc<MailWorker>>().await;
        let done = worker.flush(TIMEOUT).await;
        assert!(done, "mails are still queued after {TIMEOUT:?}");
        let delivered = tokio::time::timeout(TIMEOUT, self.mail_jobs());
        let done = delivered.await.is_ok();
        assert!(done, "mails are still jobs after {TIMEOUT:?}");
        self.0.mails.mails()
    }

    /// Waits for the mails that are background jobs.
    async fn mail_jobs(&self) {
        let plugins = self.0.runtime.plugins();
        if !plugins.all().iter().any(|plugin| plugin.name == "jobs") {
            return;
        }
        let waiting = "jobs WHERE queue = 'mail' AND status IN ('queued', 'running')";
        while self.count(waiting).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns an injected value, as a handler gets it.
    pub async fn inject<T: Inject>(&self) -> T {
        let value = self.0.runtime.get::<T>().await;
        value.unwrap_or_else(|error| panic!("{}", error.error()))
    }

    /// Returns the kind of its database.
    pub fn backend(&self) -> Backend {
        self.0.backend
    }

    /// Returns its database.
    pub fn database(&self) -> &Database {
        self.0.runtime.database()
    }

    /// Returns the URL of its database, for another process.
    pub fn database_url(&self) -> &str {
        &self.0.url
    }

    /// Returns the HTTP service.
    pub fn service(&self) -> &Service {
        self.0.runtime.service()
    }

    /// Returns the running application: migrations, commands, plugins, settings.
    pub fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    /// Returns every route, including hidden ones.
    pub fn operations(&self) -> &[Operation] {
        self.service().operations()
    }

    /// Returns the OpenAPI document.
    pub fn document(&self) -> &Json {
        self.0.document.json()
    }

    pub(crate) fn contract(&self) -> &Document {
        &self.0.document
    }

    /// Runs a statement and commits it. Returns the number of affected rows. Parameters are `$1`,
    /// `$2` ...
    pub async fn execute(&self, sql: &str, parameters: impl IntoIterator<Item = Value>) -> u64 {
        let session = self.database().session(Access::Write);
        let touched = session
            .execute_sql(sql, parameters)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        session
            .commit()
            .await
            .unwrap_or_else(|error| panic!("{sql}: {}", error.error()));
        touched
    }

    /// Returns the rows of a query, each an object with the names of the columns. Parameters are
    /// `$1`, `$2` ...
    pub async fn rows(&self, sql: &str, parameters: impl IntoIterator<Item = Value>) -> Vec<Json> {
        use doyen::data::sea_orm::{ConnectionTrait as _, FromQueryResult as _, Statement};
        let session = self.database().session(Access::Read);
        let backend = self.database().backend();
        let statement = Statement::from_sql_and_values(backend, sql, parameters);
        let rows = session
            .query_all_raw(statement)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let json = rows.iter().map(|row| Json::from_query_result(row, ""));
        json.collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Returns the number of rows of a table.
    pub async fn count(&self, table: &str) -> i64 {
        use doyen::data::sea_orm::{ConnectionTrait as _, Statement};
        let session = self.database().session(Access::Read);
        let sql = format!("SELECT count(*) FROM {table}");
        let statement = Statement::from_string(self.database().backend(), sql.clone());
        let row = session
            .query_one_raw(statement)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        row.and_then(|row| row.try_get_by_index(0).ok())
            .unwrap_or_else(|| panic!("{sql}: no number"))
    }

    /// The same application on the same database, connected and not started: nothing is migrated.
    pub(crate) async fn connected(&self, setup: Setup) -> Built {
        let inner = &self.0;
        let (app, loader) = edited((inner.make)(), setup.edits, setup.values, &inner.url);
        let mut overrides = setup.overrides;
        overrides.access_log = Some(Arc::new(AccessLog::memory()));
        let built = app.build(loader, overrides);
        let built = built.unwrap_or_else(|error| panic!("{error}"));
        let connected = built.connect().await;
        connected.unwrap_or_else(|error| panic!("{error}"));
        built
    }

    pub(crate) async fn close(&self) {
        let others = self
            .0
            .others
            .lock()
            .map(|mut others| std::mem::take(&mut *others))
            .unwrap_or_default();
        for app in others.iter().chain([self]) {
            app.runtime().stop().await;
        }
    }
}

/// Asks the first, then the second.
struct InOrder(Arc<dyn Identify>, Arc<dyn Identify>);

#[doyen::domain::__private::async_trait::async_trait]
impl Identify for InOrder {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        match self.0.identify(credentials).await? {
            None => self.1.identify(credentials).await,
            found => Ok(found),
        }
    }
}

/// The application and its settings, with the changes of a test.
fn edited(app: App, edits: Vec<Edit>, values: Vec<(String, String)>, url: &str) -> (App, Loader) {
    let app = edits.into_iter().fold(app, |app, edit| edit(app));
    let loader = values
        .into_iter()
        .fold(loader(url), |loader, (key, value)| loader.set(key, value));
    (app, loader)
}
