use doyen::data::Row;
use doyen::data::sea_orm::{self, FromQueryResult};

#[derive(FromQueryResult)]
struct Person {
    name: String,
}

#[derive(FromQueryResult, Row)]
struct Card {
    id: i64,
    #[sea_orm(nested)]
    reporter: Person,
}

fn main() {
    let _ = |card: Card| (card.id, card.reporter.name);
}
