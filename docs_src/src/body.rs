//! A JSON body: parsed, checked and described by one struct.

use doyen::prelude::*;

/// What a buyer sends.
#[derive(Input)]
struct NewOrder {
    /// Who gets it.
    #[validate(email)]
    #[input(example = "ada@example.com")]
    mail: String,
    /// What is ordered.
    #[validate(items(min = 1, max = 20))]
    lines: Vec<Line>,
    /// Words for the packer.
    #[validate(length(max = 200))]
    note: Option<String>,
}

/// One article.
#[derive(Input)]
struct Line {
    #[validate(pattern = "^[A-Z]{2}-[0-9]{3}$")]
    article: String,
    #[validate(range(min = 1, max = 100))]
    quantity: u32,
}

/// What the buyer is told.
#[derive(Output)]
struct Receipt {
    mail: String,
    articles: Vec<String>,
    pieces: u32,
    note: Option<String>,
}

/// Place an order.
#[post("/orders", allow = anyone)]
async fn place(Json(new): Json<NewOrder>) -> Json<Receipt> {
    Json(Receipt {
        pieces: new.lines.iter().map(|line| line.quantity).sum(),
        articles: new.lines.into_iter().map(|line| line.article).collect(),
        mail: new.mail,
        note: new.note,
    })
}

/// Orders.
pub fn module() -> Module {
    Module::new("orders").routes(routes![place])
}
