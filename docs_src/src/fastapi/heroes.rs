//! SQL databases: a table, its rows, and a route for each operation.

use doyen::data::sea_orm::{ActiveValue::Set, EntityTrait as _, QueryOrder as _, QuerySelect as _};
use doyen::data::{Migration, Migrations};
use doyen::prelude::*;

#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
mod hero {
    use doyen::data::sea_orm::{self, entity::prelude::*};
    use doyen::data::{Entity, Row};

    #[derive(Clone, Debug, DeriveEntityModel, Entity, Row)]
    #[sea_orm(table_name = "heroes")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
        pub age: Option<i32>,
        pub secret_name: String,
    }
}

/// A new hero.
#[derive(Input)]
struct NewHero {
    #[validate(length(min = 1, max = 100))]
    name: String,
    age: Option<i32>,
    secret_name: String,
}

/// A hero, without its secret name.
#[derive(Output)]
#[output(from = hero::Model)]
struct Hero {
    id: i64,
    name: String,
    age: Option<i32>,
}

/// Why there is no hero.
#[derive(Debug, Problem)]
enum FindHero {
    /// There is no such hero. Check its id.
    #[problem(not_found, code = "hero_not_found", detail = "Hero not found")]
    Missing,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Create a hero
#[post("/heroes", allow = anyone)]
async fn create(session: Session, Json(new): Json<NewHero>) -> Result<Json<Hero>, Unexpected> {
    let row = hero::ActiveModel {
        name: Set(new.name),
        age: Set(new.age),
        secret_name: Set(new.secret_name),
        ..Default::default()
    };
    let row = hero::Entity::insert(row)
        .exec_with_returning(&session)
        .await?;
    Ok(Json(row.into()))
}

/// List heroes
#[get("/heroes", allow = anyone)]
async fn list(
    session: Session,
    #[query(default)] offset: u32,
    #[query(default = 100, range(max = 100))] limit: u32,
) -> Result<Json<Vec<Hero>>, Unexpected> {
    let select = hero::Entity::find().order_by_asc(hero::Column::Id);
    let select = select.offset(u64::from(offset)).limit(u64::from(limit));
    let rows: Vec<hero::Model> = session.all_as(&select).await?;
    Ok(Json(rows.into_iter().map(Hero::from).collect()))
}

/// Get a hero
#[get("/heroes/{id}", allow = anyone)]
async fn show(session: Session, id: i64) -> Result<Json<Hero>, FindHero> {
    let row = session
        .get::<hero::Entity>(id)
        .await
        .map_err(Unexpected::from)?;
    Ok(Json(row.ok_or(FindHero::Missing)?.into()))
}

/// Delete a hero
#[delete("/heroes/{id}", allow = anyone)]
async fn delete(session: Session, id: i64) -> Result<NoContent, FindHero> {
    let deleted = hero::Entity::delete_by_id(id).exec(&session).await;
    match deleted.map_err(Unexpected::from)?.rows_affected {
        0 => Err(FindHero::Missing),
        _ => Ok(NoContent),
    }
}

const MIGRATIONS: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "heroes",
        up: "CREATE TABLE heroes (id integer PRIMARY KEY NOT NULL, name text NOT NULL, age integer, secret_name text NOT NULL);",
        down: "DROP TABLE heroes;",
    }],
    postgres: &[Migration {
        version: 1,
        name: "heroes",
        up: "CREATE TABLE heroes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, age integer, secret_name text NOT NULL);",
        down: "DROP TABLE heroes;",
    }],
};

/// Builds the application.
pub fn app() -> App {
    App::new("heroes")
        .migrations(MIGRATIONS)
        .module(Module::new("heroes").routes(routes![create, list, show, delete]))
}
