use std::collections::HashMap;

use doyen::prelude::*;

/// Read the root
#[get("/", allow = anyone)]
async fn root() -> HashMap<String, String> {
    HashMap::from([("message".to_owned(), "Hello World".to_owned())])
}

fn main() {}
