//! `cargo xtask contract [document]`: the contract gates without the tests.

use std::path::Path;

use toolkit::Result;

use crate::{contract, setup};

pub(super) fn run(args: &[String]) -> Result {
    let tools = setup::prepare()?;
    match args {
        [] => contract::check(&tools),
        documents => documents
            .iter()
            .try_for_each(|document| contract::check_file(Path::new(document), &tools)),
    }
}
