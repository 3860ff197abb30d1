//! A small application; the routes under `/lies` violate their documentation.

use std::ops::Deref;
use std::sync::Arc;

use doyen::data::sea_orm::{self, FromQueryResult};
use doyen::data::{Migration, Migrations};
use doyen::domain::Refusal;
use doyen::prelude::*;
use doyen::schema::Schema;
use doyen::schema::contract::{Answer, Contract};
use doyen::web::{Body, Parts, Response};
use doyen_test::{Subject, TestApp};

pub struct Shop(TestApp);

impl Subject for Shop {
    fn app() -> App {
        App::new("shop").migrations(MIGRATIONS).module(module())
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Shop {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

const STEP: Migration = Migration {
    version: 1,
    name: "notes",
    up: "CREATE TABLE notes (id integer PRIMARY KEY, text text NOT NULL);",
    down: "DROP TABLE notes;",
};
const MIGRATIONS: Migrations = Migrations {
    folder: None,
    sqlite: &[STEP],
    postgres: &[STEP],
};

fn module() -> Module {
    Module::new("shop")
        .routes(routes![hour, keep, notes, missing, slow, received].at("/shop"))
        .routes(routes![status, media, shape, code, header, body, well].at("/lies"))
        .routes(routes![hidden])
        .provide(Arc::new(Word("the shop's word")))
        .provide(Arc::new(Gate::default()))
}

/// A note.
#[derive(Input, Output)]
pub struct Note {
    /// The id.
    pub id: i32,
    /// The text.
    #[validate(length(min = 1, max = 20))]
    pub text: String,
}

/// The time.
#[derive(Output)]
pub struct Hour {
    /// Show the time
    now: Timestamp,
}

#[get("/hour", allow = anyone)]
async fn hour(clock: Arc<dyn Clock>) -> Json<Hour> {
    Json(Hour { now: clock.now() })
}

#[post("/notes", allow = anyone)]
async fn keep(session: Session, Json(note): Json<Note>) -> Result<Created<Note>, Unexpected> {
    session
        .execute_sql(
            "INSERT INTO notes (id, text) VALUES ($1, $2)",
            [note.id.into(), note.text.clone().into()],
        )
        .await?;
    Ok(Created(note))
}

/// Number of notes.
#[derive(Output)]
pub struct Count {
    /// List notes
    notes: i64,
}

#[derive(FromQueryResult, doyen::data::Row)]
struct Row {
    notes: i64,
}

#[get("/notes", allow = anyone)]
async fn notes(session: Session) -> Result<Json<Count>, Unexpected> {
    let row: Option<Row> = session
        .query_one_as("SELECT count(*) AS notes FROM notes", [])
        .await?;
    Ok(Json(Count {
        notes: row.map_or(0, |row| row.notes),
    }))
}

/// An error of the shop.
#[derive(Debug, Problem)]
pub enum Find {
    /// The note does not exist.
    #[problem(not_found, code = "no_note")]
    Missing,
}

#[get("/missing", allow = anyone)]
async fn missing() -> Result<Json<Count>, Find> {
    Err(Find::Missing)
}

#[get("/slow", allow = anyone)]
async fn slow(gate: Arc<Gate>) -> Text {
    gate.entered.notify_one();
    gate.open.notified().await;
    Text("at last".into())
}

#[get("/setting", allow = anyone)]
async fn received(word: Arc<Word>) -> Text {
    Text(word.0.into())
}

/// Holds back `/shop/slow` until it is opened.
#[derive(Default)]
pub struct Gate {
    /// A request waits.
    pub entered: tokio::sync::Notify,
    /// Opens the gate.
    pub open: tokio::sync::Notify,
}

/// The value that `/shop/setting` returns.
pub struct Word(pub &'static str);

/// A response with another content than its documentation.
struct WrongContract(Response);

impl IntoResponse for WrongContract {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        Ok(self.0)
    }
    fn describe(contract: &mut Contract<'_>) {
        let schema = Schema::of("object").with("required", serde_json::json!(["truth"]));
        contract.operation.answers.push(Answer::with_body(
            200,
            "A truth.",
            "application/json",
            schema,
        ));
    }
}

fn wrong(status: u16, media: &'static str, body: &'static str) -> WrongContract {
    let response = http::Response::builder()
        .status(status)
        .header("content-type", media);
    WrongContract(response.body(Body::whole(body)).unwrap())
}

#[get("/well", allow = anyone)]
async fn well() -> WrongContract {
    wrong(200, "application/json", r#"{"truth": 1}"#)
}

#[get("/status", allow = anyone)]
async fn status() -> WrongContract {
    wrong(202, "application/json", r#"{"truth": 1}"#)
}

#[get("/media", allow = anyone)]
async fn media() -> WrongContract {
    wrong(200, "text/plain", r#"{"truth": 1}"#)
}

#[get("/shape", allow = anyone)]
async fn shape() -> WrongContract {
    wrong(200, "application/json", r#"{"lie": 1}"#)
}

/// Documents only the responses of every route.
struct Silent(Refusal);

impl IntoResponse for Silent {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        Err(self.0)
    }
    fn describe(contract: &mut Contract<'_>) {
        contract
            .operation
            .answers
            .push(Answer::empty(204, "Nothing."));
        contract.operation.fails(Other::catalogue());
    }
}

#[derive(Debug, Problem)]
enum Other {
    /// Another error.
    #[problem(not_found, code = "other")]
    #[allow(dead_code, reason = "only its row in the catalogue is wanted")]
    Other,
}

#[get("/code", allow = anyone)]
async fn code() -> Silent {
    Silent(Find::Missing.into())
}

/// Documents a header that it does not send.
struct Headless;

impl IntoResponse for Headless {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        Ok(Response::new(Body::empty()))
    }
    fn describe(contract: &mut Contract<'_>) {
        contract
            .operation
            .answers
            .push(Answer::empty(200, "Nothing.").header(
                "ETag",
                "The version.",
                Schema::of("string"),
            ));
    }
}

#[post("/header", allow = anyone)]
async fn header() -> Headless {
    Headless
}

/// Reads any body and documents a schema that nothing matches.
struct Anything;

impl doyen::web::extract::FromRequest for Anything {
    async fn from_request(_: &mut doyen::web::Request) -> Result<Option<Self>, Refusal> {
        Ok(Some(Self))
    }
    fn describe(contract: &mut Contract<'_>) {
        contract.operation.body = Some(doyen::schema::contract::RequestBody {
            media_types: vec!["application/json"],
            required: true,
            schema: Schema::of("object").with("required", serde_json::json!(["more"])),
            description: String::new(),
        });
    }
}

#[post("/body", allow = anyone)]
async fn body(_anything: Anything) -> NoContent {
    NoContent
}

#[get("/hidden", allow = anyone, hidden)]
async fn hidden() -> WrongContract {
    wrong(299, "text/plain", "not documented")
}
