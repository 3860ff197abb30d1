//! Several files, and the page with the form.

use doyen::files::{FileKind, NoFields, Upload, UploadPolicy};
use doyen::prelude::*;
use serde_json::{Value, json};

struct Texts;

impl UploadPolicy for Texts {
    type Fields = NoFields;
    const KINDS: &'static [FileKind] = &[FileKind::TEXT];
    const MAX_BYTES: u64 = 1 << 20;
    const MAX_FILES: usize = 10;
    const PART: &'static str = "files";
}

/// Upload files
#[post("/uploadfiles/", allow = anyone)]
async fn upload(upload: Upload<Texts>) -> Json<Value> {
    let names: Vec<&str> = upload.files.iter().map(|file| &*file.name).collect();
    Json(json!({"filenames": names}))
}

const PAGE: &str = r#"
<body>
<form action="/uploadfiles/" enctype="multipart/form-data" method="post">
<input name="files" type="file" multiple>
<input type="submit">
</form>
</body>
"#;

/// Show the form
#[get("/", allow = anyone)]
async fn page() -> Html {
    Html(PAGE.to_owned())
}

pub fn module() -> Module {
    Module::new("files").routes(routes![upload, page])
}
