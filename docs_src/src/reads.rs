//! Rows read directly into structs: a custom query, and an entity by its key.

use doyen::data::Row;
use doyen::prelude::*;

#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
mod stock {
    use doyen::data::sea_orm::{self, entity::prelude::*};
    use doyen::data::{Entity, Row};

    #[derive(Clone, Debug, DeriveEntityModel, Entity, Row)]
    #[sea_orm(table_name = "stock")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub article: String,
        pub pieces: i64,
    }
}

/// The number of orders of an article.
#[derive(Output, Row)]
struct Demand {
    article: String,
    orders: i64,
}

/// List the articles with the most orders
#[get("/demand", allow = anyone)]
async fn demand(session: Session) -> Result<Json<Vec<Demand>>, Unexpected> {
    let sql = "SELECT article, count(*) AS orders FROM orders GROUP BY article ORDER BY orders DESC, article LIMIT 10";
    Ok(Json(session.query_as(sql, []).await?))
}

/// Get the stock of an article
#[get("/stock/{article}", allow = anyone)]
async fn pieces(session: Session, article: String) -> Result<Text, Unexpected> {
    let row = session.get::<stock::Entity>(article).await?;
    let pieces = row.map_or(0, |row| row.pieces);
    Ok(Text(format!("{pieces} pieces")))
}

/// The module with stock and demand.
pub fn module() -> Module {
    Module::new("reads").routes(routes![demand, pieces])
}
