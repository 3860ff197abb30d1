//! A socket has the policies that its handshake can observe.

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
#[socket("/chat", allow = anyone, protocol = "chat.v1", body_limit = 1024)]
async fn chat(connection: Connection<Heard>, said: Said) -> Result<(), Unexpected> {
    connection.send(&Heard { text: said.text })
}

fn main() {}
