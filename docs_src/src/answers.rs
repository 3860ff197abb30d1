//! What a handler returns is what the client gets.

use doyen::prelude::*;

/// A note.
#[derive(Output)]
#[output(etag = version, location = path, computed(words: u32 = Self::words))]
struct Note {
    id: u32,
    text: String,
    /// Not shown: it is in the `ETag`.
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

/// What to write down.
#[derive(Input)]
struct NewNote {
    #[validate(length(min = 1, max = 1000))]
    text: String,
}

/// Write a note. Answers 201 with `Location` and `ETag`.
#[post("/", allow = anyone)]
async fn create(Json(new): Json<NewNote>) -> Created<Note> {
    Created(Note {
        id: 1,
        text: new.text,
        version: 1,
    })
}

/// Show a note. Answers 304 to whoever has this version.
#[get("/{id}", allow = anyone, sparse)]
async fn show(id: u32) -> Json<Note> {
    let text = "Buy more tea".to_owned();
    Json(Note {
        id,
        text,
        version: 3,
    })
}

/// Throw a note away. Answers 204.
#[delete("/{id}", allow = anyone)]
async fn remove(_id: u32) -> NoContent {
    NoContent
}

/// Notes.
pub fn module() -> Module {
    Module::new("notes").routes(routes![create, show, remove].at("/notes"))
}
