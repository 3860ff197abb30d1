use doyen::prelude::*;

/// Play
#[socket("/socket", allow = signed_in, idempotent)]
async fn play(connection: Connection<Board>, message: Move) -> Result<(), Unexpected> {
    Ok(())
}

fn main() {}
