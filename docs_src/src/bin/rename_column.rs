//! A column gets another name while the service runs. A variable selects the release, so that the
//! steps are in one file; in an application each release is a commit.

use std::process::ExitCode;
use std::sync::LazyLock;

use doyen::Command;
use doyen::data::{Migrations, Row};
use doyen::prelude::*;
use serde::{Deserialize, Serialize};

/// The release that runs, 1 to 5.
static RELEASE: LazyLock<u8> = LazyLock::new(|| {
    let release = std::env::var("RELEASE").ok();
    release.and_then(|text| text.parse().ok()).unwrap_or(5)
});

/// Rows that one unit of work fills.
const BATCH: u64 = 200;

/// The migrations of the release.
fn migrations() -> Migrations {
    let all = doyen::migrations!("migrations_rename");
    let count = match *RELEASE {
        1 => 1,
        2..=4 => 3,
        _ => 4,
    };
    Migrations {
        sqlite: &all.sqlite[..count],
        postgres: &all.postgres[..count],
        folder: None,
    }
}

/// A person.
#[derive(Input, Output, Row)]
struct Person {
    name: Option<String>,
}

/// There is no person with this id.
#[derive(Debug, Problem)]
enum FindPerson {
    /// There is no person with this id.
    #[problem(not_found, code = "no_person")]
    Missing,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Save a person
#[put("/people/{id}", allow = anyone)]
async fn save(
    session: Session,
    id: i64,
    Json(person): Json<Person>,
) -> Result<NoContent, Unexpected> {
    let sql = match *RELEASE {
        1 => {
            "INSERT INTO people (id, nickname) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET nickname = excluded.nickname"
        }
        2 | 3 => {
            "INSERT INTO people (id, nickname, name) VALUES ($1, $2, $2)
             ON CONFLICT (id) DO UPDATE SET nickname = excluded.nickname, name = excluded.name"
        }
        _ => {
            "INSERT INTO people (id, name) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name"
        }
    };
    let parameters = [id.into(), person.name.into()];
    session.execute_sql(sql, parameters).await?;
    Ok(NoContent)
}

/// Get a person
#[get("/people/{id}", allow = anyone)]
async fn show(session: Session, id: i64) -> Result<Json<Person>, FindPerson> {
    let sql = match *RELEASE {
        1 | 2 => "SELECT nickname AS name FROM people WHERE id = $1",
        _ => "SELECT name FROM people WHERE id = $1",
    };
    let found = session.query_one_as(sql, [id.into()]).await;
    Ok(Json(
        found
            .map_err(Unexpected::from)?
            .ok_or(FindPerson::Missing)?,
    ))
}

/// Fills the new column, a batch in each unit of work, until no row differs.
#[derive(Serialize, Deserialize)]
struct FillNames {}

impl Job for FillNames {
    const NAME: &'static str = "people.fill_names";
    type Needs = (Session, Jobs);
    type Output = u64;

    async fn run(self, (session, jobs): Self::Needs, _: JobRun) -> Result<u64, JobError> {
        let sql = "UPDATE people SET name = nickname WHERE id IN
                   (SELECT id FROM people WHERE name IS DISTINCT FROM nickname LIMIT $1)";
        let limit = i64::try_from(BATCH)?;
        let filled = session.execute_sql(sql, [limit.into()]).await?;
        if filled == BATCH {
            jobs.enqueue(self).await?;
        }
        Ok(filled)
    }
}

fn fill_names() -> Command {
    let about = "Fills the column `name` in the background; release 2, when release 1 has ended";
    Command::new("fill-names", about, &[], |jobs: Jobs, _| async move {
        let job = jobs.enqueue(FillNames {}).await?;
        Ok(format!("started the job {job}"))
    })
}

fn main() -> ExitCode {
    let people = Module::new("people").routes(routes![save, show]);
    let people = people.job::<FillNames>();
    let app = App::new("people").migrations(migrations()).module(people);
    doyen::run(app.command(fill_names()))
}
