//! Plans of the statements of routes, compared with a file of the repository.
//!
//! A plan is compared by its shape: the kinds of its nodes, their tables and indexes. Costs and
//! numbers of rows are left out, because they change with every row.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use doyen::data::sea_orm::{self, ConnectionTrait as _, DbBackend, DbErr, Statement};
use doyen::data::statement_shape;
use doyen::evidence::plan_shape;

use crate::recorder::RETAINED_STATEMENTS;
use crate::{Answer, Backend, TestApp};

/// Set to `overwrite`, it writes the files instead of comparing them.
const VARIABLE: &str = "DOYEN_PLANS";

/// A table that is read once a second, by whichever request comes then.
const PERIODIC: &str = "auth_revocations";

impl TestApp {
    /// Compares the plans of all statements of these requests with a file, one for each database:
    /// `tests/plans/orders.sqlite.txt` and `tests/plans/orders.postgres.txt`. Each request has a
    /// label that says what is special about it.
    ///
    /// With the environment variable `DOYEN_PLANS=overwrite` it writes the files instead. The plan
    /// depends on the rows and their statistics: create enough of them before. This collects the
    /// statistics.
    ///
    /// # Panics
    ///
    /// Panics with both plans if one has changed, if a request ran more statements than are kept,
    /// and if the database is unavailable.
    pub async fn assert_plans(&self, file: impl AsRef<Path>, requests: &[(&str, &Answer)]) {
        let statistics = match self.backend() {
            Backend::Sqlite => self.database().optimize().await,
            Backend::Postgres => vacuum(self.database_url()).await,
        };
        statistics.unwrap_or_else(|error| panic!("{error}"));
        let mut text = String::new();
        for (label, answer) in requests {
            let _ = writeln!(text, "# {}: {label}\n", answer.route());
            let mut seen: Vec<String> = Vec::new();
            for sql in answer.statements() {
                let shape = statement_shape(sql);
                if seen.contains(&shape) || shape.contains(PERIODIC) {
                    continue;
                }
                if let Some(plan) = self.plan(sql).await {
                    let _ = writeln!(text, "{shape}\n{plan}");
                }
                seen.push(shape);
            }
            assert!(
                answer.statements().len() < RETAINED_STATEMENTS,
                "{label}: only the last {RETAINED_STATEMENTS} statements of a request are kept, and it ran more"
            );
        }
        let database = match self.backend() {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
        };
        compare(
            &file.as_ref().with_extension(format!("{database}.txt")),
            &text,
        );
    }

    /// Returns the plan of a statement, a line for each node.
    async fn plan(&self, sql: &str) -> Option<String> {
        let plan = plan_shape(self.database(), sql).await;
        let plan = plan.unwrap_or_else(|error| panic!("{sql}: {error}"))?;
        Some(plan.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "  {line}");
            text
        }))
    }
}

/// Vacuums, as PostgreSQL does by itself some time after many rows, until all pages are marked as
/// visible to all transactions: plans depend on it. A page is not marked before the commit of its
/// rows is on the disk, and the commits of a test do not wait for the disk.
async fn vacuum(url: &str) -> Result<(), DbErr> {
    const UNMARKED: &str = "SELECT 1 FROM pg_stat_user_tables JOIN pg_class ON pg_class.oid = relid \
        WHERE relallvisible < relpages";
    // Not within a transaction, and so not on a session.
    let server = sea_orm::Database::connect(url).await?;
    for _ in 0..100 {
        server.execute_unprepared("VACUUM (ANALYZE)").await?;
        let unmarked = Statement::from_string(DbBackend::Postgres, UNMARKED);
        if server.query_one_raw(unmarked).await?.is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.close().await
}

fn compare(file: &Path, now: &str) {
    let name = file.display();
    if std::env::var_os(VARIABLE).is_some_and(|value| value == "overwrite") {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        std::fs::write(file, now).unwrap_or_else(|error| panic!("{name}: {error}"));
        return;
    }
    let before = std::fs::read_to_string(file).unwrap_or_else(|error| {
        panic!("{name}: {error}. Write it with {VARIABLE}=overwrite, and read what it has")
    });
    let before = before.replace("\r\n", "\n");
    if before == now {
        return;
    }
    let (old, new) = (sections(&before), sections(now));
    let mut text = String::new();
    for (title, these, others) in [("in the file", &old, &new), ("now", &new, &old)] {
        for section in these.iter().filter(|section| !others.contains(section)) {
            let _ = write!(text, "\n\n{title}:\n{section}");
        }
    }
    panic!(
        "{name}: the plans have changed. If that is meant, run the test with {VARIABLE}=overwrite and review the file{text}"
    );
}

/// Splits a file into requests and their statements with plans.
fn sections(text: &str) -> Vec<&str> {
    text.split("\n\n").map(str::trim).collect()
}
