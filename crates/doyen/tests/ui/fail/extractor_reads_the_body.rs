use doyen::prelude::*;

/// What a client sends.
#[derive(Input)]
struct Sent {
    name: String,
}

struct Read(String);

#[extractor]
async fn read(#[body] name: String) -> Read {
    Read(name)
}

#[extractor]
async fn several(Json(sent): Json<Sent>) -> Vec<Read> {
    vec![Read(sent.name)]
}

fn main() {}
