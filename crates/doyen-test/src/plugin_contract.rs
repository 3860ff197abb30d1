//! What every plugin promises, checked on a real database.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use doyen::app::{Built, Plugin};
use doyen::data::sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement};
use doyen::domain::Access;

use crate::{Setup, TestApp};

/// Maximum time until the tasks of a stopped application have ended.
const TASKS_LIMIT: Duration = Duration::from_secs(3);

/// Starts that must each leave a task before it counts as that of the plugin: `app` works
/// meanwhile, and may open a connection, which has a task of its own.
const ATTEMPTS: u32 = 3;

/// Time without a change after which the number of tasks counts.
const QUIET: Duration = Duration::from_millis(300);

/// Checks what every plugin promises:
///
/// - its tables, indexes and other objects begin with its name, and no foreign key refers to a
///   table of another owner;
/// - its migrations can be applied, reverted and applied again, with the same schema as the result;
/// - its services stop in time, and it leaves no background task.
///
/// `app` is an application without the plugin. `setup` adds the plugin, with its settings if it
/// needs any:
///
/// ```
/// # use doyen::prelude::*;
/// # use doyen_test::{Setup, TestApp, plugin_contract};
/// # struct Nodes;
/// # impl doyen::app::Plugin for Nodes {
/// #     const NAME: &'static str = "nodes";
/// #     type Settings = ();
/// #     fn register(
/// #         self,
/// #         (): (),
/// #         _: &mut doyen::app::Registrar<'_>,
/// #     ) -> Result<(), doyen::app::SetupError> {
/// #         Ok(())
/// #     }
/// # }
/// # struct Empty(TestApp);
/// # impl doyen_test::Subject for Empty {
/// #     fn app() -> App { App::new("empty") }
/// #     fn new(app: TestApp) -> Self { Self(app) }
/// # }
/// #[doyen_test::test]
/// async fn keeps_the_contract(app: Empty) {
///     plugin_contract::<Nodes>(&app.0, || Setup::new().plugin(Nodes)).await;
/// }
/// ```
///
/// # Panics
///
/// Panics with the promise that the plugin breaks.
pub async fn plugin_contract<P: Plugin>(app: &TestApp, setup: impl Fn() -> Setup) {
    Box::pin(schema::<P>(app, setup())).await;
    Box::pin(lifecycle::<P>(app, setup)).await;
}

/// Applies, reverts and applies the migrations, and checks the names of the objects.
async fn schema<P: Plugin>(app: &TestApp, setup: Setup) {
    let name = P::NAME;
    let built = app.connected(setup).await;
    let (before, others) = (dump(&built).await, names(&built, OBJECTS).await);
    let applied = built.migrator().up().await;
    applied.unwrap_or_else(|error| panic!("`{name}`: the migrations fail: {error}"));
    let after = dump(&built).await;
    for object in names(&built, OBJECTS).await.difference(&others) {
        assert!(
            is_own(name, object),
            "`{object}` must begin with the name of its plugin: `{name}_{object}`"
        );
    }
    for reference in names(&built, FOREIGN_KEYS).await {
        let (from, to) = reference.split_once(' ').unwrap_or_default();
        assert!(
            is_own(name, from) == is_own(name, to),
            "no foreign key may cross the border of a plugin: `{from}` refers to `{to}`"
        );
    }
    let reverted = built.migrator().revert(name).await;
    reverted.unwrap_or_else(|error| panic!("`{name}`: the down migrations fail: {error}"));
    assert_eq!(
        dump(&built).await,
        before,
        "`{name}`: the schema differs after up and down"
    );
    let again = built.migrator().up().await;
    again.unwrap_or_else(|error| panic!("`{name}`: the migrations fail after down: {error}"));
    assert_eq!(
        dump(&built).await,
        after,
        "`{name}`: the schema differs after up, down and up"
    );
    built.close().await;
}

fn is_own(plugin: &str, object: &str) -> bool {
    let rest = object.strip_prefix(plugin);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Starts and stops an application without the plugin, then one with it.
async fn lifecycle<P: Plugin>(app: &TestApp, setup: impl Fn() -> Setup) {
    let name = P::NAME;
    let before = settled().await;
    let usual = start_and_stop(app, Setup::new()).await;
    // Tasks of the database end some time after the application.
    let without = settled().await;
    let growth = without.saturating_sub(before);
    let mut expected = without + growth;
    for attempt in 1..=ATTEMPTS {
        let taken = start_and_stop(app, setup()).await;
        let hanging: Vec<&String> = taken.iter().filter(|one| !usual.contains(one)).collect();
        assert!(
            hanging.is_empty(),
            "`{name}`: services that do not stop in time: {hanging:?}"
        );
        let left = at_most(expected).await;
        if left <= expected {
            return;
        }
        assert!(
            attempt < ATTEMPTS,
            "`{name}` leaves {} background tasks running",
            left - expected
        );
        expected = left + growth;
    }
}

/// The services that did not stop in time.
async fn start_and_stop(app: &TestApp, setup: Setup) -> Vec<String> {
    let runtime = app.connected(setup).await.start().await;
    let runtime = runtime.unwrap_or_else(|error| panic!("{error}"));
    runtime.stop().await
}

/// Tasks that have not ended.
fn alive() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// Waits until at most this many tasks are left, and returns their number.
async fn at_most(expected: usize) -> usize {
    let deadline = Instant::now() + TASKS_LIMIT;
    while alive() > expected && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    alive()
}

/// Waits until the number of tasks does not change any more, and returns it.
async fn settled() -> usize {
    let deadline = Instant::now() + TASKS_LIMIT;
    let (mut count, mut since) = (alive(), Instant::now());
    while since.elapsed() < QUIET && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = alive();
        if now != count {
            (count, since) = (now, Instant::now());
        }
    }
    count
}

async fn dump(built: &Built) -> String {
    let schema = built.migrator().schema().await;
    schema.unwrap_or_else(|error| panic!("the schema cannot be read: {error}"))
}

/// SQL for SQLite and for PostgreSQL with one column of text.
type Query = (&'static str, &'static str);

/// Tables, indexes, views, triggers and sequences.
const OBJECTS: Query = (
    "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
    "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace",
);

/// The two tables of each foreign key.
const FOREIGN_KEYS: Query = (
    "SELECT m.name || ' ' || f.\"table\" FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f \
     WHERE m.type = 'table'",
    "SELECT conrelid::regclass || ' ' || confrelid::regclass FROM pg_constraint WHERE contype = 'f'",
);

async fn names(built: &Built, (sqlite, postgres): Query) -> BTreeSet<String> {
    let backend = built.database().backend();
    let sql = if backend == DbBackend::Sqlite {
        sqlite
    } else {
        postgres
    };
    let session = built.database().session(Access::Read);
    let rows = session
        .query_all_raw(Statement::from_string(backend, sql))
        .await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let name = |row: &QueryResult| row.try_get_by_index(0);
    let names: Result<_, _> = rows.iter().map(name).collect();
    names.unwrap_or_else(|error| panic!("{sql}: {error}"))
}
