//! A folder of static files.

use std::path::PathBuf;

use doyen::prelude::*;

pub fn module(folder: PathBuf) -> Module {
    Module::new("pages").files("/static", anyone, folder)
}
