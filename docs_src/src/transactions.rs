//! Other features of a unit of work: a savepoint, an event, and a hook that runs after the commit.

use doyen::data::sea_orm::DbErr;
use doyen::data::{Event, Violation as _};
use doyen::prelude::*;

/// An event: pieces of an article were delivered.
#[derive(Event)]
#[event(topic = "stock.delivered")]
struct Delivered {
    article: String,
    pieces: u32,
}

/// Errors when receiving a delivery.
#[derive(Debug, Problem)]
enum Deliver {
    /// The delivery has more than 1000 pieces. Split it into smaller deliveries.
    #[problem(conflict)]
    TooMany,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Receive a delivery
#[post("/stock/{article}/{pieces}", allow = anyone)]
async fn deliver(session: Session, article: String, pieces: u32) -> Result<NoContent, Deliver> {
    let known = session
        .savepoint(async |session| {
            let sql = "INSERT INTO stock (article, pieces) VALUES ($1, 0)";
            session.execute_sql(sql, [article.as_str().into()]).await
        })
        .await;
    match known {
        // The article already exists. The savepoint is rolled back; the transaction continues.
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
    session.after_commit(async { /* notify waiting tasks */ });
    if pieces > 1000 {
        // The error rolls back everything above.
        return Err(Deliver::TooMany);
    }
    Ok(NoContent)
}

fn unexpected(error: DbErr) -> Unexpected {
    error.into()
}

/// The module with deliveries.
pub fn module() -> Module {
    Module::new("deliveries").routes(routes![deliver])
}
