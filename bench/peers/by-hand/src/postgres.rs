//! PostgreSQL by tokio-postgres: a pool, and statements that each connection prepares once.

use deadpool_postgres::{Manager, Pool};
use tokio_postgres::{NoTls, Row};

use crate::{
    Assignee, Created, Failure, Item, NewTicket, Page, Ticket,
    database::{now_ms, twenty_keys},
    sql,
};

#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
}

impl Postgres {
    pub(crate) fn open(url: &str) -> Result<Self, Failure> {
        let manager = Manager::new(url.parse()?, NoTls);
        let pool = Pool::builder(manager).max_size(settings::POOL).build()?;
        Ok(Self { pool })
    }

    pub(crate) async fn ticket(&self, id: i64) -> Result<Option<Ticket>, Failure> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(sql::TICKET).await?;
        let row = client.query_opt(&statement, &[&id]).await?;
        Ok(row.as_ref().map(ticket))
    }

    pub(crate) async fn twenty(&self, start: u32) -> Result<Vec<Ticket>, Failure> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(sql::TICKET).await?;
        let mut tickets = Vec::with_capacity(20);
        for id in twenty_keys(start) {
            let row = client.query_one(&statement, &[&id]).await?;
            tickets.push(ticket(&row));
        }
        Ok(tickets)
    }

    pub(crate) async fn page(&self, before: i64) -> Result<Page, Failure> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(sql::PAGE).await?;
        let rows = client.query(&statement, &[&before]).await?;
        Ok(Page::new(rows.iter().map(item).collect()))
    }

    pub(crate) async fn create(&self, ticket: NewTicket) -> Result<Created, Failure> {
        let NewTicket {
            subject,
            body,
            priority,
        } = ticket;
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        let statement = transaction.prepare_cached(sql::INSERT).await?;
        let row = transaction
            .query_one(&statement, &[&subject, &body, &priority, &now_ms()])
            .await?;
        transaction.commit().await?;
        Ok(Created {
            id: row.get(0),
            subject,
            status: "open",
            priority,
        })
    }
}

fn ticket(row: &Row) -> Ticket {
    Ticket {
        id: row.get(0),
        subject: row.get(1),
        status: row.get(2),
        priority: row.get(3),
        reporter_id: row.get(4),
        assignee_id: row.get(5),
        created_ms: row.get(6),
    }
}

fn item(row: &Row) -> Item {
    Item {
        id: row.get(0),
        subject: row.get(1),
        status: row.get(2),
        priority: row.get(3),
        created_ms: row.get(4),
        assignee: Assignee::joined(row.get(5), row.get(6)),
        comments: row.get(7),
    }
}
