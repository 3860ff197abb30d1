//! Tables of plugins: installed late, kept after removal, adopted under a new name.

use doyen::App;
use doyen::app::{Manifest, Plugin, Registrar, SetupError};
use doyen::data::{Migration, Migrations};
use doyen_test::{Setup, Subject, TestApp};

const STEPS: &[Migration] = &[Migration {
    version: 20_261_129_000_000,
    name: "notes",
    up: "CREATE TABLE notebook_notes (text text NOT NULL);",
    down: "DROP TABLE notebook_notes;",
}];

const CHANGED: &[Migration] = &[Migration {
    up: "CREATE TABLE notebook_notes (text text NOT NULL, stars int);",
    ..STEPS[0]
}];

const fn both(steps: &'static [Migration]) -> Migrations {
    Migrations {
        folder: None,
        sqlite: steps,
        postgres: steps,
    }
}

/// A plugin with a table, under its current name; `FORMERLY` has its former one.
struct Notebook<const FORMERLY: bool>(Migrations);

impl<const FORMERLY: bool> Plugin for Notebook<FORMERLY> {
    const NAME: &'static str = if FORMERLY { "notes" } else { "notebook" };
    type Settings = ();

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.tables(self.0);
        if !FORMERLY {
            manifest.formerly("notes");
        }
    }

    fn register(self, (): (), _: &mut Registrar<'_>) -> Result<(), SetupError> {
        Ok(())
    }
}

struct Api(TestApp);

impl Subject for Api {
    fn app() -> App {
        App::new("tables")
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn data_survives_a_late_install_a_removal_and_a_rename(api: Api) {
    let app = &api.0;
    let old = || Setup::new().plugin(Notebook::<true>(both(STEPS)));
    let new = || Setup::new().plugin(Notebook::<false>(both(STEPS)));
    // Installed late, by two processes at once.
    let (first, _second) = tokio::join!(app.another(old()), app.another(old()));
    let sql = "INSERT INTO notebook_notes (text) VALUES ('kept')";
    assert_eq!(first.execute(sql, []).await, 1);
    // Removed: the table stays, and its owner is known.
    let without = app.another(Setup::new()).await;
    assert_eq!(without.count("notebook_notes").await, 1);
    assert_eq!(
        without.runtime().migrator().orphans().await.unwrap(),
        ["notes"]
    );
    // Added again, and under its new name.
    assert_eq!(app.another(old()).await.count("notebook_notes").await, 1);
    let renamed = app.another(new()).await;
    assert_eq!(renamed.count("notebook_notes").await, 1);
    assert!(
        renamed
            .runtime()
            .migrator()
            .orphans()
            .await
            .unwrap()
            .is_empty()
    );
    let owner = "doyen_migrations WHERE owner = 'notebook'";
    assert_eq!(renamed.count(owner).await, 1);
    // Again: nothing is left to rename.
    assert_eq!(app.another(new()).await.count("notebook_notes").await, 1);
}

#[doyen_test::test]
async fn a_changed_migration_names_its_plugin(api: Api) {
    let app = &api.0;
    app.another(Setup::new().plugin(Notebook::<false>(both(STEPS))))
        .await;
    let loader = doyen::settings::Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(doyen::settings::Environment::Test)
        .set("database.url", app.database_url())
        .set("auth.signing_key", doyen_test::SIGNING_KEY);
    let changed = Api::app().plugin(Notebook::<false>(both(CHANGED)));
    let started = changed.start(loader, doyen::Overrides::default()).await;
    let text = started.map(|_| ()).unwrap_err().to_string();
    assert!(
        text.contains("notebook") && text.contains("20261129000000"),
        "{text}"
    );
}

/// Tables whose name does not begin with that of their plugin. A rename would break processes of
/// the previous release that still run during an upgrade.
const OLD_NAMES: [&str; 1] = ["limit_quotas"];

#[doyen_test::test]
async fn tables_begin_with_the_name_of_their_plugin(api: Api) {
    let migrator = api.0.runtime().migrator();
    let owners = migrator.status().await.unwrap();
    let schema = migrator.schema().await.unwrap();
    let tables: std::collections::BTreeSet<&str> = schema
        .lines()
        .filter_map(|line| {
            let sqlite = line.strip_prefix("table ").map(|rest| (rest, ' '));
            let postgres = line.strip_prefix("column public.").map(|rest| (rest, '.'));
            let (rest, end) = sqlite.or(postgres)?;
            rest.split(end).next()
        })
        .collect();
    assert!(tables.contains("limit_quotas"), "{tables:?}");
    for table in tables {
        // `doyen_` is for the tables of the framework itself.
        let owned = owners.iter().any(|one| {
            let rest = table.strip_prefix(one.owner);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        });
        assert!(
            owned || table.starts_with("doyen_") || OLD_NAMES.contains(&table),
            "`{table}` belongs to no plugin"
        );
    }
}
