//! Values on their way from JSON and the query string to the database and back.

mod cursors;
mod ends;
mod stored;

use std::ops::Deref;

use doyen::data::sea_orm::{ActiveValue::Set, EntityTrait as _};
use doyen::data::{Migration, Migrations, Order};
use doyen::prelude::*;
use doyen_test::{Subject, TestApp};
use serde_json::Value as FreeJson;

mod sample {
    use doyen::data::sea_orm::{self, entity::prelude::*};
    use doyen::data::{Entity, Row};

    #[derive(Clone, Debug, DeriveEntityModel, Entity, Row)]
    #[sea_orm(table_name = "samples")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub tiny: i16,
        pub small: i16,
        pub medium: i32,
        pub big: i64,
        pub byte: i16,
        pub word: i32,
        pub count: i64,
        pub huge: String,
        pub ratio: f64,
        pub at: DateTimeUtc,
        pub day: Date,
        pub flag: bool,
        pub label: String,
        pub free: Json,
    }
}

const MIGRATIONS: Migrations = Migrations {
    sqlite: &[Migration {
        version: 1,
        name: "samples",
        up: "CREATE TABLE samples (id integer PRIMARY KEY, tiny integer NOT NULL, small integer NOT NULL, medium integer NOT NULL,
             big integer NOT NULL, byte integer NOT NULL, word integer NOT NULL, count integer NOT NULL, huge text NOT NULL,
             ratio real NOT NULL, at text NOT NULL, day text NOT NULL, flag integer NOT NULL, label text NOT NULL, free text NOT NULL)",
        down: "DROP TABLE samples",
    }],
    postgres: &[Migration {
        version: 1,
        name: "samples",
        up: "CREATE TABLE samples (id bigint PRIMARY KEY, tiny smallint NOT NULL, small smallint NOT NULL, medium integer NOT NULL,
             big bigint NOT NULL, byte smallint NOT NULL, word integer NOT NULL, count bigint NOT NULL, huge text NOT NULL,
             ratio double precision NOT NULL, at timestamptz NOT NULL, day date NOT NULL, flag boolean NOT NULL, label text NOT NULL,
             free jsonb NOT NULL)",
        down: "DROP TABLE samples",
    }],
    folder: None,
};

/// The application with the table `samples`.
pub struct Samples(TestApp);

impl Subject for Samples {
    fn app() -> App {
        let module = Module::new("samples").routes(routes![keep, find, echo, by_time, by_label]);
        let odd = Module::new("odd").routes(routes![
            ends::number,
            ends::optional,
            ends::list,
            ends::single,
            ends::map,
            ends::whole,
            ends::page,
            ends::day
        ]);
        App::new("samples")
            .migrations(MIGRATIONS)
            .module(module)
            .module(odd)
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Samples {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// One value of each type that JSON and the query string can hold.
#[derive(Input, Output)]
pub struct Scalars {
    tiny: i8,
    small: i16,
    medium: i32,
    big: i64,
    byte: u8,
    word: u16,
    count: u32,
    huge: u64,
    ratio: f64,
    at: Timestamp,
    day: Day,
    flag: bool,
    label: String,
}

type Day = doyen::data::sea_orm::prelude::Date;

/// One value of each type.
#[derive(Input, Output)]
pub struct Sample {
    id: i64,
    scalars: Scalars,
    free: FreeJson,
}

fn to_row(sample: Sample) -> sample::ActiveModel {
    let Sample { id, scalars, free } = sample;
    sample::ActiveModel {
        id: Set(id),
        tiny: Set(scalars.tiny.into()),
        small: Set(scalars.small),
        medium: Set(scalars.medium),
        big: Set(scalars.big),
        byte: Set(scalars.byte.into()),
        word: Set(scalars.word.into()),
        count: Set(scalars.count.into()),
        huge: Set(scalars.huge.to_string()),
        ratio: Set(scalars.ratio),
        at: Set(scalars.at.into()),
        day: Set(scalars.day),
        flag: Set(scalars.flag),
        label: Set(scalars.label),
        free: Set(free),
    }
}

fn from_row(row: sample::Model) -> Result<Sample, Unexpected> {
    Ok(Sample {
        id: row.id,
        scalars: Scalars {
            tiny: row.tiny.try_into()?,
            small: row.small,
            medium: row.medium,
            big: row.big,
            byte: row.byte.try_into()?,
            word: row.word.try_into()?,
            count: row.count.try_into()?,
            huge: row.huge.parse()?,
            ratio: row.ratio,
            at: row.at.into(),
            day: row.day,
            flag: row.flag,
            label: row.label,
        },
        free: row.free,
    })
}

/// Stores a sample.
#[post("/samples", allow = anyone)]
async fn keep(session: Session, Json(new): Json<Sample>) -> Result<Created<Sample>, Unexpected> {
    let id = new.id;
    let row = to_row(new);
    sample::Entity::insert(row)
        .exec_without_returning(&session)
        .await?;
    let row = session.get::<sample::Entity>(id).await?;
    let row = row.ok_or_else(|| Unexpected::new("the row is missing"))?;
    Ok(Created(from_row(row)?))
}

/// Returns a sample.
#[get("/samples/{id}", allow = anyone)]
async fn find(session: Session, id: i64) -> Result<Json<Option<Sample>>, Unexpected> {
    let row = session.get::<sample::Entity>(id).await?;
    Ok(Json(row.map(from_row).transpose()?))
}

/// Returns the values of the query string.
#[get("/echo", allow = anyone)]
async fn echo(Query(scalars): Query<Scalars>) -> Json<Scalars> {
    Json(scalars)
}

/// Lists samples, newest first.
#[get("/by-time", allow = anyone)]
async fn by_time(session: Session, paging: Paging) -> Result<Page<Sample>, Unexpected> {
    let order = Order::by(sample::Column::At)
        .desc()
        .then(sample::Column::Id);
    let all = sample::Entity::find();
    let page = session.page(all, order, &paging, "all").await?;
    page.try_map(from_row)
}

/// Lists samples by their label.
#[get("/by-label", allow = anyone)]
async fn by_label(session: Session, paging: Paging) -> Result<Page<Sample>, Unexpected> {
    let order = Order::by(sample::Column::Label).then(sample::Column::Id);
    let all = sample::Entity::find();
    let page = session.page(all, order, &paging, "all").await?;
    page.try_map(from_row)
}
