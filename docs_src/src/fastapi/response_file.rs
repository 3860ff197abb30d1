//! A file, with ranges and an `ETag`.

use doyen::prelude::*;
use doyen::web::File;

/// Send the file
#[get("/", allow = anyone)]
async fn file() -> Result<File, Unexpected> {
    Ok(File::open("Cargo.toml").await?)
}

pub fn module() -> Module {
    Module::new("files").routes(routes![file])
}
