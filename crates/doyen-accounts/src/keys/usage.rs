//! When and from where a key is used: written by one task, beside the requests.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};

use doyen_core::sync;
use doyen_core::{Access, SecurityEvent, Timestamp, Unexpected, security};
use doyen_data::sea_orm::prelude::{DateTimeUtc, Uuid};
use doyen_data::{Database, Session};
use tokio::sync::{mpsc, oneshot};

use crate::security::SecurityWriter;

/// How many uses may wait to be written; what comes then is not.
const ROOM: usize = 4_096;
/// How many uses one transaction writes.
const BATCH: usize = 200;
/// How many addresses of one key are kept: those it was used from last.
const PLACES: u32 = 100;

/// One use of a key.
pub(super) struct Use {
    pub(super) key: Uuid,
    pub(super) owner: Arc<str>,
    pub(super) at: Timestamp,
    pub(super) address: Option<IpAddr>,
}

enum Order {
    Write(Use),
    Flush(oneshot::Sender<()>),
}

/// Writes uses of keys. An answer never waits for it.
pub(super) struct UsageWriter {
    database: Database,
    log: Arc<SecurityWriter>,
    sender: OnceLock<mpsc::Sender<Order>>,
    starting: Mutex<()>,
}

impl UsageWriter {
    /// For this database. The task begins with the first use.
    pub(super) fn new(database: Database, log: Arc<SecurityWriter>) -> Self {
        Self {
            database,
            log,
            sender: OnceLock::new(),
            starting: Mutex::new(()),
        }
    }

    /// Hands a use on. When too many wait, it is lost: the time of the last use is for people, and no proof.
    pub(super) fn write(&self, one: Use) {
        let _ = self.sender().try_send(Order::Write(one));
    }

    /// Waits until everything handed on so far is written.
    pub(super) async fn flush(&self) {
        let Some(sender) = self.sender.get() else {
            return;
        };
        let (done, wait) = oneshot::channel();
        if sender.send(Order::Flush(done)).await.is_ok() {
            // The task answers or is gone with its runtime; both mean that there is nothing to wait for.
            let _ = wait.await;
        }
    }

    fn sender(&self) -> &mpsc::Sender<Order> {
        if let Some(sender) = self.sender.get() {
            return sender;
        }
        let _one_at_a_time = sync::lock(&self.starting);
        self.sender.get_or_init(|| {
            let (sender, orders) = mpsc::channel(ROOM);
            let log = Arc::clone(&self.log);
            tokio::spawn(work(self.database.clone(), log, orders));
            sender
        })
    }
}

async fn work(database: Database, log: Arc<SecurityWriter>, mut orders: mpsc::Receiver<Order>) {
    let mut batch = Vec::with_capacity(BATCH);
    while orders.recv_many(&mut batch, BATCH).await > 0 {
        let (mut uses, mut waiting) = (Vec::new(), Vec::new());
        for order in batch.drain(..) {
            match order {
                Order::Write(one) => uses.push(one),
                Order::Flush(done) => waiting.push(done),
            }
        }
        if !uses.is_empty() {
            match keep(&database, &uses).await {
                Ok(news) => news.into_iter().for_each(|event| log.write(event)),
                Err(error) => {
                    tracing::warn!(target: "security", error = %error.error(), "the use of API keys could not be written");
                }
            }
        }
        for done in waiting {
            // Nobody waits any more: fine.
            let _ = done.send(());
        }
    }
}

/// Writes uses in one transaction of its own; gives what is new about them.
async fn keep(database: &Database, uses: &[Use]) -> Result<Vec<SecurityEvent>, Unexpected> {
    let session = database.session(Access::Write);
    let mut news = Vec::new();
    let mut last: BTreeMap<Uuid, &Use> = BTreeMap::new();
    // One order on all nodes: two that write the same keys never wait for each other.
    let mut uses: Vec<&Use> = uses.iter().collect();
    uses.sort_by_key(|one| (one.key, one.address.map(place)));
    for one in uses {
        let newest = last.entry(one.key).or_insert(one);
        if one.at > newest.at {
            *newest = one;
        }
        if let Some(address) = one.address
            && is_new(&session, one, &place(address)).await?
        {
            news.push(
                SecurityEvent::new(security::KEY_NEW_ADDRESS)
                    .subject(&one.owner)
                    .from(Some(address), None)
                    .detail("key", super::rows::KeyId::from(one.key).to_string()),
            );
        }
    }
    for (key, one) in last {
        let sql = "UPDATE auth_keys SET last_used_at = $1, last_address = $2 WHERE id = $3 AND (last_used_at IS NULL OR last_used_at <= $1)";
        let at = DateTimeUtc::from(one.at);
        let address = one
            .address
            .map(|address| address.to_canonical().to_string());
        session
            .execute_sql(sql, [at.into(), address.into(), key.into()])
            .await?;
    }
    session.commit().await?;
    Ok(news)
}

/// Remembers that a key was used from there; true when it was not before.
async fn is_new(session: &Session, one: &Use, place: &str) -> Result<bool, Unexpected> {
    let at = DateTimeUtc::from(one.at);
    let known = session
        .execute_sql(
            "UPDATE auth_key_places SET last_at = $1 WHERE key_id = $2 AND place = $3",
            [at.into(), one.key.into(), place.into()],
        )
        .await?;
    if known > 0 {
        return Ok(false);
    }
    // Another node may do the same at this moment: one of them is first.
    let sql = "INSERT INTO auth_key_places (key_id, place, last_at) VALUES ($1, $2, $3) ON CONFLICT (key_id, place) DO NOTHING";
    let new = session
        .execute_sql(sql, [one.key.into(), place.into(), at.into()])
        .await?;
    if new > 0 {
        let sql = format!(
            "DELETE FROM auth_key_places WHERE key_id = $1 AND place NOT IN \
             (SELECT place FROM auth_key_places WHERE key_id = $1 ORDER BY last_at DESC, place LIMIT {PLACES})"
        );
        session.execute_sql(&sql, [one.key.into()]).await?;
    }
    Ok(new > 0)
}

/// Where an address is: itself, or the first 64 bits of one of IPv6, which change within one house.
fn place(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets[8..].fill(0);
            format!("{}/64", std::net::Ipv6Addr::from(octets))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_house_is_one_place() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(place(address.parse().unwrap()), expected);
        }
    }
}
