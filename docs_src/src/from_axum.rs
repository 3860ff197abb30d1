//! An axum application in Doyen: state, extractors, a layer, errors, nesting, and the old router.

use std::sync::{Arc, Mutex};

use doyen::domain::sync::lock;
use doyen::prelude::*;

/// `State<AppState>`: each part is provided and injected by its type.
#[derive(Default)]
pub struct Notes(Mutex<Vec<String>>);

/// A note.
#[derive(Output)]
#[output(location = path)]
struct Note {
    id: usize,
    text: String,
}

impl Note {
    fn path(&self) -> String {
        format!("/notes/{}", self.id)
    }
}

/// A new note. `Deserialize` and a validator in one.
#[derive(Input)]
struct NewNote {
    #[validate(length(min = 1, max = 200))]
    text: String,
}

/// `impl IntoResponse for AppError`: the status, the text and the entry in the document.
#[derive(Debug, Problem)]
enum NoteError {
    /// There is no such note. Check its id.
    #[problem(not_found, code = "note_not_found")]
    Missing,
}

/// `impl FromRequestParts for Tenant`.
pub struct Tenant(String);

#[extractor]
async fn tenant(#[header(length(min = 1, max = 20))] x_tenant: String) -> Tenant {
    Tenant(x_tenant)
}

/// List notes: `Path`, `Query` and `State` are parameters by name and by type.
#[get("/", allow = anyone)]
async fn list(
    notes: Arc<Notes>,
    #[query(default = 10, range(max = 100))] limit: u16,
) -> Json<Vec<String>> {
    Json(lock(&notes.0).iter().take(limit.into()).cloned().collect())
}

/// Get a note
#[get("/{id}", allow = anyone)]
async fn show(notes: Arc<Notes>, id: usize) -> Result<Json<Note>, NoteError> {
    let text = lock(&notes.0).get(id).cloned().ok_or(NoteError::Missing)?;
    Ok(Json(Note { id, text }))
}

/// Add a note: `(StatusCode::CREATED, Json(note))`
#[post("/", allow = anyone)]
async fn add(tenant: Tenant, notes: Arc<Notes>, Json(new): Json<NewNote>) -> Created<Note> {
    let text = format!("{}: {}", tenant.0, new.text);
    let mut notes = lock(&notes.0);
    notes.push(text.clone());
    Created(Note {
        id: notes.len() - 1,
        text,
    })
}

/// `middleware::from_fn`
#[around]
async fn marked(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let value = doyen::web::http::HeaderValue::from_static("notes");
    response.headers_mut().insert("x-served-by", value);
    response
}

/// A router that stays as it is.
fn legacy() -> axum::Router {
    axum::Router::new().route("/ping", axum::routing::get(|| async { "pong" }))
}

/// Builds the application: `nest`, `merge`, `layer` and `with_state`.
pub fn app() -> App {
    let notes = routes![list, show, add].at("/notes").around(marked);
    App::new("notes")
        .provide(Arc::new(Notes::default()))
        .module(Module::new("notes").routes(notes))
        .module(Module::new("legacy").route(Route::mount("/legacy", legacy()).allow(anyone)))
}
