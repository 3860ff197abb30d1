use doyen::data::Row;
use doyen::data::sea_orm::{self, FromQueryResult};

#[derive(FromQueryResult, Row)]
struct Card {
    id: i64,
    #[row(from = "String")]
    status: String,
}

fn main() {
    let _ = |card: Card| (card.id, card.status);
}
