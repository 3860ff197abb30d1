//! One struct parses, validates and documents a JSON body.

use doyen::prelude::*;

/// A new order.
#[derive(Input)]
struct NewOrder {
    /// Email address of the recipient.
    #[validate(email)]
    #[input(example = "ada@example.com")]
    mail: String,
    /// Ordered articles.
    #[validate(items(min = 1, max = 20))]
    lines: Vec<Line>,
    /// Note for the warehouse.
    #[validate(length(max = 200))]
    note: Option<String>,
}

/// An order line: an article and its quantity.
#[derive(Input)]
struct Line {
    #[validate(pattern = "^[A-Z]{2}-[0-9]{3}$")]
    article: String,
    #[validate(range(min = 1, max = 100))]
    quantity: u32,
}

/// The order as the buyer sees it.
#[derive(Output)]
struct Receipt {
    mail: String,
    articles: Vec<String>,
    pieces: u32,
    note: Option<String>,
}

/// Place an order
#[post("/orders", allow = anyone)]
async fn place(Json(new): Json<NewOrder>) -> Json<Receipt> {
    Json(Receipt {
        pieces: new.lines.iter().map(|line| line.quantity).sum(),
        articles: new.lines.into_iter().map(|line| line.article).collect(),
        mail: new.mail,
        note: new.note,
    })
}

/// The module with orders.
pub fn module() -> Module {
    Module::new("orders").routes(routes![place])
}
