//! An uploaded file. Its kinds and its size have limits, which have no default.

use doyen::files::{FileKind, NoFields, Upload, UploadPolicy};
use doyen::prelude::*;
use serde_json::{Value, json};

struct OneText;

impl UploadPolicy for OneText {
    type Fields = NoFields;
    const KINDS: &'static [FileKind] = &[FileKind::TEXT];
    const MAX_BYTES: u64 = 1 << 20;
    const MAX_FILES: usize = 1;
}

/// Upload a file
#[post("/uploadfile/", allow = anyone)]
async fn upload(upload: Upload<OneText>) -> Json<Value> {
    let file = &upload.files[0];
    Json(json!({"filename": file.name, "file_size": file.size}))
}

pub fn module() -> Module {
    Module::new("files").routes(routes![upload])
}
