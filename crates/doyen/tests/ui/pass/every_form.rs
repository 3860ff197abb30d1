//! Every form a handler may have.

use doyen::prelude::*;

pub(crate) fn module() -> Module {
    Module::new("x")
}
