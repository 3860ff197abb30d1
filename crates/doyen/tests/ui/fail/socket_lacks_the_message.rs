//! A socket handles messages: the second parameter is one.

use doyen::prelude::*;

#[derive(Output)]
struct Heard {
    text: String,
}

/// Chat
#[socket("/chat", allow = anyone, protocol = "chat.v1")]
async fn chat(connection: Connection<Heard>) -> Result<(), Unexpected> {
    connection.send(&Heard {
        text: "hello".to_owned(),
    })
}

fn main() {}
