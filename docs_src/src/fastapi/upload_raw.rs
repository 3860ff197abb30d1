//! A body that is one file.

use doyen::files::{FileKind, NoFields, RawUpload, UploadPolicy};
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
#[post("/files/", allow = anyone)]
async fn upload(upload: RawUpload<OneText>) -> Json<Value> {
    Json(json!({"file_size": upload.file.size}))
}

pub fn module() -> Module {
    Module::new("files").routes(routes![upload])
}
