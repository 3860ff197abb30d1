//! SQLite by rusqlite, on the runtime's blocking threads: readers that are handed out, and one
//! writer.

use std::{
    path::Path,
    sync::{Arc, Mutex as BlockingMutex},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};
use tokio::{
    sync::{Mutex, Semaphore},
    task::spawn_blocking,
};

use crate::{
    Assignee, Created, Failure, Item, NewTicket, Page, Ticket,
    database::{now_ms, twenty_keys},
    sql,
};

#[derive(Clone)]
pub struct Sqlite {
    readers: Arc<BlockingMutex<Vec<Connection>>>,
    /// One permit for each idle reader, so that waiting for one takes no thread.
    idle: Arc<Semaphore>,
    writer: Arc<Mutex<Connection>>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        // The writer first: it turns the file to WAL.
        let writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        writer.pragma_update(None, "journal_mode", "wal")?;
        let readers = (0..settings::POOL)
            .map(|_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            readers: Arc::new(BlockingMutex::new(readers)),
            idle: Arc::new(Semaphore::new(settings::POOL)),
            writer: Arc::new(Mutex::new(writer)),
        })
    }

    pub(crate) async fn ticket(&self, id: i64) -> Result<Option<Ticket>, Failure> {
        self.read(move |connection| {
            connection
                .prepare_cached(sql::TICKET)?
                .query_row([id], ticket)
                .optional()
        })
        .await
    }

    pub(crate) async fn twenty(&self, start: u32) -> Result<Vec<Ticket>, Failure> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql::TICKET)?;
            twenty_keys(start)
                .map(|id| statement.query_row([id], ticket))
                .collect()
        })
        .await
    }

    pub(crate) async fn page(&self, before: i64) -> Result<Page, Failure> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql::PAGE)?;
            let mut items = Vec::with_capacity(Page::LENGTH);
            for item in statement.query_map([before], item)? {
                items.push(item?);
            }
            Ok(Page::new(items))
        })
        .await
    }

    pub(crate) async fn create(&self, ticket: NewTicket) -> Result<Created, Failure> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let insert = move || -> rusqlite::Result<_> {
            let NewTicket {
                subject,
                body,
                priority,
            } = ticket;
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let id = transaction
                .prepare_cached(sql::INSERT)?
                .query_row(params![subject, body, priority, now_ms()], |row| row.get(0))?;
            transaction.commit()?;
            Ok(Created {
                id,
                subject,
                status: "open",
                priority,
            })
        };
        Ok(spawn_blocking(insert).await??)
    }

    /// Takes a reader, works with it on a blocking thread, and puts it back.
    async fn read<T, W>(&self, work: W) -> Result<T, Failure>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        // The permit goes along: a client that leaves does not free a reader that is still at work.
        let permit = Arc::clone(&self.idle).acquire_owned().await?;
        let readers = Arc::clone(&self.readers);
        let borrow = move || {
            let reader = readers
                .lock()
                .unwrap()
                .pop()
                .expect("a permit stands for an idle reader");
            let answer = work(&reader);
            readers.lock().unwrap().push(reader);
            drop(permit);
            answer
        };
        Ok(spawn_blocking(borrow).await??)
    }
}

fn connect(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    Ok(Ticket {
        id: row.get(0)?,
        subject: row.get(1)?,
        status: row.get(2)?,
        priority: row.get(3)?,
        reporter_id: row.get(4)?,
        assignee_id: row.get(5)?,
        created_ms: row.get(6)?,
    })
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        id: row.get(0)?,
        subject: row.get(1)?,
        status: row.get(2)?,
        priority: row.get(3)?,
        created_ms: row.get(4)?,
        assignee: Assignee::joined(row.get(5)?, row.get(6)?),
        comments: row.get(7)?,
    })
}
