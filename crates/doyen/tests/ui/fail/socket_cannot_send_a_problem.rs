use doyen::prelude::*;

#[derive(Input)]
struct Move {
    to: String,
}

#[derive(Output)]
struct Board {
    moves: Vec<String>,
}

/// Play
#[socket("/socket", allow = signed_in)]
async fn play(connection: Connection<Board>, message: Move) -> Result<(), Unexpected> {
    connection.send(&Board {
        moves: vec![message.to],
    })
}

fn main() {}
