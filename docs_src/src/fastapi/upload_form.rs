//! A file and fields of one form.

use doyen::files::{FileKind, Upload, UploadPolicy};
use doyen::prelude::*;
use serde_json::{Value, json};

struct TextWithToken;

impl UploadPolicy for TextWithToken {
    type Fields = Fields;
    const KINDS: &'static [FileKind] = &[FileKind::TEXT];
    const MAX_BYTES: u64 = 1 << 20;
    const MAX_FILES: usize = 1;
}

/// The fields of the form.
#[derive(Input)]
struct Fields {
    token: String,
}

/// Upload a file
#[post("/files/", allow = anyone)]
async fn upload(upload: Upload<TextWithToken>) -> Json<Value> {
    let file = &upload.files[0];
    Json(
        json!({"file_size": file.size, "token": upload.fields.token, "content_type": file.media_type}),
    )
}

pub fn module() -> Module {
    Module::new("files").routes(routes![upload])
}
