//! The return type of a handler determines the response.

use doyen::prelude::*;

/// A note.
#[derive(Output)]
#[output(etag = version, location = path, computed(words: u32 = Self::words))]
struct Note {
    id: u32,
    text: String,
    /// Sent as the `ETag`, not in the body.
    #[output(skip)]
    version: i64,
}

impl Note {
    fn path(&self) -> String {
        format!("/notes/{}", self.id)
    }

    fn words(&self) -> u32 {
        u32::try_from(self.text.split_whitespace().count()).unwrap_or(u32::MAX)
    }
}

/// A new note.
#[derive(Input)]
struct NewNote {
    #[validate(length(min = 1, max = 1000))]
    text: String,
}

/// Create a note
///
/// Returns 201 with `Location` and `ETag`.
#[post("/", allow = anyone)]
async fn create(Json(new): Json<NewNote>) -> Created<Note> {
    Created(Note {
        id: 1,
        text: new.text,
        version: 1,
    })
}

/// Get a note
///
/// Returns 304 if the client already has the current version.
#[get("/{id}", allow = anyone, sparse)]
async fn show(id: u32) -> Json<Note> {
    let text = "Buy more tea".to_owned();
    Json(Note {
        id,
        text,
        version: 3,
    })
}

/// Delete a note
///
/// Returns 204.
#[delete("/{id}", allow = anyone)]
async fn remove(_id: u32) -> NoContent {
    NoContent
}

/// The module with notes.
pub fn module() -> Module {
    Module::new("notes").routes(routes![create, show, remove].at("/notes"))
}
