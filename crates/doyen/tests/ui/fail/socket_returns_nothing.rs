//! The function of a socket returns a result, whose error becomes a message.

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
#[socket("/chat", allow = anyone, protocol = "chat.v1")]
async fn chat(connection: Connection<Heard>, said: Said) {
    let _ = connection.send(&Heard { text: said.text });
}

fn main() {}
