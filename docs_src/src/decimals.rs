//! Exact decimals: as a parameter, in bodies, and in a column.

use doyen::data::sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _,
};
use doyen::data::{Migration, Migrations, StoredDecimal};
use doyen::domain::Decimal;
use doyen::prelude::*;

#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
mod price {
    use doyen::data::sea_orm::{self, entity::prelude::*};
    use doyen::data::{Entity, Row, StoredDecimal};

    #[derive(Clone, Debug, DeriveEntityModel, Entity, Row)]
    #[sea_orm(table_name = "prices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub article: String,
        pub amount: StoredDecimal,
        pub discount: Option<StoredDecimal>,
    }
}

/// The price of an article.
#[derive(Input, Output)]
struct Price {
    article: String,
    #[validate(range(exclusive_min = 0, max = 999_999.99))]
    amount: Decimal,
    discount: Option<Decimal>,
}

impl From<price::Model> for Price {
    fn from(row: price::Model) -> Self {
        Self {
            article: row.article,
            amount: row.amount.into(),
            discount: row.discount.map(Decimal::from),
        }
    }
}

/// Set a price
#[post("/prices", allow = anyone)]
async fn set(session: Session, Json(new): Json<Price>) -> Result<Json<Price>, Unexpected> {
    let row = price::ActiveModel {
        article: Set(new.article),
        amount: Set(new.amount.into()),
        discount: Set(new.discount.map(StoredDecimal)),
    };
    let row = price::Entity::insert(row)
        .exec_with_returning(&session)
        .await?;
    Ok(Json(row.into()))
}

/// List the articles with this price
#[get("/prices", allow = anyone)]
async fn find(session: Session, #[query] amount: Decimal) -> Result<Json<Vec<Price>>, Unexpected> {
    let select = price::Entity::find().filter(price::Column::Amount.eq(StoredDecimal(amount)));
    let rows: Vec<price::Model> = session.all_as(&select).await?;
    Ok(Json(rows.into_iter().map(Price::from).collect()))
}

/// Add up all prices
#[get("/prices/total", allow = anyone)]
async fn total(session: Session) -> Result<Json<Decimal>, Unexpected> {
    let rows = price::Entity::find().all(&session).await?;
    Ok(Json(rows.iter().map(|row| row.amount.0).sum()))
}

const TABLE: Migration = Migration {
    version: 1,
    name: "prices",
    up: "CREATE TABLE prices (article text PRIMARY KEY NOT NULL, amount text NOT NULL, discount text);",
    down: "DROP TABLE prices;",
};

/// Builds the application.
pub fn app() -> App {
    App::new("prices")
        .migrations(Migrations {
            folder: None,
            sqlite: &[TABLE],
            postgres: &[TABLE],
        })
        .module(Module::new("prices").routes(routes![set, find, total]))
}
