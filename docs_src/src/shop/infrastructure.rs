//! Stores orders in SQLite or PostgreSQL.

use doyen::data::sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use doyen::data::{Order as By, Session};
use doyen::prelude::*;

use super::domain::{Order, OrderId, OrderRepository};

/// The table `orders`.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
mod order {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "orders")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub article: String,
        pub quantity: i32,
        pub placed_at: DateTimeUtc,
    }
}

/// The order repository. Uses the session of the request.
#[derive(Clone, Inject)]
pub(super) struct SqlOrders {
    session: Session,
}

#[port]
impl OrderRepository for SqlOrders {
    async fn take(&self, article: &str, quantity: u32) -> Result<bool, Unexpected> {
        let sql = "UPDATE stock SET pieces = pieces - $2 WHERE article = $1 AND pieces >= $2";
        let parameters = [article.into(), i64::from(quantity).into()];
        Ok(self.session.execute_sql(sql, parameters).await? == 1)
    }

    async fn insert(&self, order: &Order) -> Result<(), Unexpected> {
        let row = order::ActiveModel {
            id: Set(order.id.uuid()),
            article: Set(order.article.clone()),
            quantity: Set(i32::try_from(order.quantity)?),
            placed_at: Set(order.placed_at.into()),
        };
        order::Entity::insert(row)
            .exec_without_returning(&self.session)
            .await?;
        Ok(())
    }

    async fn find(&self, id: OrderId) -> Result<Option<Order>, Unexpected> {
        let select = order::Entity::find().filter(order::Column::Id.eq(id.uuid()));
        select.one(&self.session).await?.map(read).transpose()
    }

    async fn list(&self, paging: &Paging) -> Result<Page<Order>, Unexpected> {
        let newest = By::by(order::Column::PlacedAt)
            .desc()
            .then(order::Column::Id)
            .desc();
        let all = order::Entity::find();
        let page = self.session.page(all, newest, paging, "all").await?;
        page.try_map(read)
    }
}

fn read(row: order::Model) -> Result<Order, Unexpected> {
    Ok(Order {
        id: row.id.into(),
        article: row.article,
        quantity: u32::try_from(row.quantity)?,
        placed_at: row.placed_at.into(),
    })
}
