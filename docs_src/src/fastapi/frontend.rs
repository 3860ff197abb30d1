//! A page that routes in the browser: other paths get its `index.html`.

use std::path::PathBuf;

use doyen::prelude::*;
use doyen::web::Files;

pub fn module(folder: PathBuf) -> Module {
    Module::new("frontend").files("/", anyone, Files::new(folder).fallback("index.html"))
}
