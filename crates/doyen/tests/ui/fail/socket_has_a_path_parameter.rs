//! A socket has no path parameters: a message names what it is about.

use doyen::live::SocketProblem;
use doyen::prelude::*;

#[derive(Input)]
struct Said {
    text: String,
}

#[derive(Output)]
struct Heard {
    text: String,
}

impl From<SocketProblem> for Heard {
    fn from(problem: SocketProblem) -> Self {
        Self {
            text: problem.detail,
        }
    }
}

/// Chat
#[socket("/rooms/{room}", allow = anyone, protocol = "chat.v1")]
async fn chat(connection: Connection<Heard>, said: Said) -> Result<(), Unexpected> {
    connection.send(&Heard { text: said.text })
}

fn main() {}
