use doyen::prelude::*;

/// Play
#[socket("/socket", allow = signed_in)]
async fn play(connection: Connection<Board>) -> Result<(), Unexpected> {
    Ok(())
}

fn main() {}
