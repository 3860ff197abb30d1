use doyen::prelude::*;

#[derive(Input)]
struct Move {
    to: String,
}

/// Play
#[socket("/games/{game}/socket", allow = signed_in)]
async fn play(connection: Connection<Board>, message: Move) -> Result<(), Unexpected> {
    Ok(())
}

fn main() {}
