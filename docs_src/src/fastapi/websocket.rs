//! A WebSocket with typed messages.

use doyen::live::SocketProblem;
use doyen::prelude::*;

/// A message from the client.
#[derive(Input)]
struct Said {
    text: String,
}

/// A message to the client.
#[derive(Output)]
#[output(tag = "type")]
enum Reply {
    Text { text: String },
    Refused { code: String },
}

impl From<SocketProblem> for Reply {
    fn from(problem: SocketProblem) -> Self {
        Self::Refused { code: problem.code }
    }
}

/// Chat
#[socket("/ws", allow = anyone, protocol = "chat.v1")]
async fn chat(connection: Connection<Reply>, said: Said) -> Result<(), Unexpected> {
    connection.send(&Reply::Text {
        text: format!("Message text was: {}", said.text),
    })
}

pub fn module() -> Module {
    Module::new("chat").routes(routes![chat])
}
