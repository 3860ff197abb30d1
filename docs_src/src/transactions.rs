//! What the unit of work can do besides statements: a part that may fail, an event, work for after the commit.

use doyen::data::sea_orm::DbErr;
use doyen::data::{Event, Violation as _};
use doyen::prelude::*;

/// An article came in.
#[derive(Output)]
struct Delivered {
    article: String,
    pieces: u32,
}

impl Event for Delivered {
    const TOPIC: &'static str = "stock.delivered";
}

/// Why a delivery was not taken.
#[derive(Debug, Problem)]
enum Deliver {
    /// Nobody takes so many at once.
    #[problem(conflict)]
    TooMany,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Take a delivery.
#[post("/stock/{article}/{pieces}", allow = anyone)]
async fn deliver(session: Session, article: String, pieces: u32) -> Result<NoContent, Deliver> {
    let known = session
        .savepoint(async |session| {
            let sql = "INSERT INTO stock (article, pieces) VALUES ($1, 0)";
            session.execute_sql(sql, [article.as_str().into()]).await
        })
        .await;
    match known {
        // It is there already. The savepoint is undone, the transaction goes on.
        Err(error) if error.is_unique("stock.article") => {}
        Err(error) => return Err(unexpected(error).into()),
        Ok(_) => {}
    }
    let sql = "UPDATE stock SET pieces = pieces + $2 WHERE article = $1";
    let parameters = [article.as_str().into(), i64::from(pieces).into()];
    session
        .execute_sql(sql, parameters)
        .await
        .map_err(unexpected)?;
    session
        .emit(&Delivered { article, pieces })
        .await
        .map_err(unexpected)?;
    session.after_commit(async { /* wake whoever waits for it */ });
    if pieces > 1000 {
        // Everything above is undone.
        return Err(Deliver::TooMany);
    }
    Ok(NoContent)
}

fn unexpected(error: DbErr) -> Unexpected {
    error.into()
}

/// Deliveries.
pub fn module() -> Module {
    Module::new("deliveries").routes(routes![deliver])
}
