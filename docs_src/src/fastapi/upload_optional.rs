//! A file that may be missing.

use doyen::files::{FileKind, NoFields, Upload, UploadPolicy};
use doyen::prelude::*;
use serde_json::{Value, json};

struct PerhapsText;

impl UploadPolicy for PerhapsText {
    type Fields = NoFields;
    const KINDS: &'static [FileKind] = &[FileKind::TEXT];
    const MAX_BYTES: u64 = 1 << 20;
    const MAX_FILES: usize = 1;
    const MIN_FILES: usize = 0;
}

/// Upload a file, or none
#[post("/uploadfile/", allow = anyone)]
async fn upload(upload: Upload<PerhapsText>) -> Json<Value> {
    match upload.into_file() {
        Some(file) => Json(json!({"filename": file.name})),
        None => Json(json!({"message": "No upload file sent"})),
    }
}

pub fn module() -> Module {
    Module::new("files").routes(routes![upload])
}
