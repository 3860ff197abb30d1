use doyen::data::Row;
use doyen::data::sea_orm::{self, FromQueryResult, TryGetable};

struct Status(String);

impl TryGetable for Status {
    fn try_get_by<I: sea_orm::ColIdx>(row: &sea_orm::QueryResult, index: I) -> Result<Self, sea_orm::TryGetError> {
        String::try_get_by(row, index).map(Self)
    }
}

#[derive(FromQueryResult, Row)]
struct Card {
    id: i64,
    status: Status,
}

fn main() {
    let _ = |card: Card| (card.id, card.status.0);
}
