use doyen::data::sea_orm::{self, DbErr, FromQueryResult};
use doyen::prelude::*;

#[derive(FromQueryResult)]
struct Count {
    tickets: i64,
}

async fn count(session: &Session) -> Result<Option<Count>, DbErr> {
    session.query_one_as("SELECT count(*) AS tickets FROM tickets", []).await
}

fn main() {
    let _ = (count, |count: Count| count.tickets);
}
