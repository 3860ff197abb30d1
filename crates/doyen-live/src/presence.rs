//! Presence: the users at a topic now, over all nodes.
//!
//! A connection enters a topic in memory. One task of each process writes the difference to
//! `live_presence`, reports that the process is alive, and tells its connections what changed. The
//! rows of a process that reports nothing no longer count, and are removed later.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_app::Shutdown;
use doyen_core::sync::lock;
use doyen_core::{Access, chain};
use doyen_data::Row;
use doyen_data::sea_orm::DbErr;
use tokio::sync::Notify;

use crate::fanout::Note;
use crate::hub::Hub;
use crate::outlet::Outlet;
use crate::tables::{commit, now};

/// The channel of wake-ups for changes of other nodes.
pub(crate) const PRESENCE_CHANNEL: &str = "live_presence";

/// Intervals after which a silent process no longer counts.
const MISSED_REPORTS: i64 = 3;

/// Intervals after which the rows of a silent process are removed.
const KEPT_REPORTS: i64 = 12;

/// Maximum topics of one statement.
const TOPICS: usize = 500;

/// The presence in this process.
#[derive(Debug, Default)]
pub(crate) struct PresenceBook {
    topics: Mutex<HashMap<Arc<str>, Vec<Present>>>,
    pub(crate) changed: Notify,
}

/// A connection at a topic.
#[derive(Debug)]
struct Present {
    who: String,
    outlet: Outlet,
    /// What was sent to it last.
    sent: Option<Arc<[String]>>,
}

#[derive(Row)]
struct PresenceRow {
    topic: String,
    who: String,
}

impl PresenceBook {
    /// Adds a connection. It gets the list of present users.
    pub(crate) fn enter(&self, topic: Arc<str>, who: String, outlet: Outlet) {
        let mut topics = lock(&self.topics);
        let all = topics.entry(topic).or_default();
        all.retain(|present| present.outlet.id != outlet.id);
        all.push(Present {
            who,
            outlet,
            sent: None,
        });
        self.changed.notify_one();
    }

    /// Removes a connection.
    pub(crate) fn leave(&self, topic: &str, id: u64) {
        let mut topics = lock(&self.topics);
        if let Some(all) = topics.get_mut(topic) {
            let before = all.len();
            all.retain(|present| present.outlet.id != id);
            let has_left = all.len() < before;
            if all.is_empty() {
                topics.remove(topic);
            }
            if has_left {
                self.changed.notify_one();
            }
        }
    }

    /// Returns topics and users of this process.
    fn here(&self) -> BTreeSet<(String, String)> {
        let topics = lock(&self.topics);
        let pairs = topics
            .iter()
            .flat_map(|(topic, all)| all.iter().map(|one| (topic.to_string(), one.who.clone())));
        pairs.collect()
    }

    /// Sends the list of present users to connections whose last list differs.
    fn tell(&self, hub: &Hub, all: &BTreeMap<String, BTreeSet<String>>) {
        let mut topics = lock(&self.topics);
        for (topic, present) in &mut *topics {
            let users = all.get(&**topic).into_iter().flatten().cloned();
            let users: Arc<[String]> = users.collect();
            for one in present.iter_mut() {
                // A connection that has just entered is notified once its own row is read.
                if one.sent.as_ref() != Some(&users)
                    && users.contains(&one.who)
                    && hub.tell_presence(&one.outlet, topic, &users)
                {
                    one.sent = Some(Arc::clone(&users));
                }
            }
        }
    }
}

/// Keeps the presence of this process until the application stops.
pub(crate) async fn run(hub: Arc<Hub>, shutdown: Shutdown) {
    let mut wakeups = hub.database.wakeups(PRESENCE_CHANNEL);
    let interval = hub.settings.presence_interval;
    let mut reported = None::<tokio::time::Instant>;
    let mut stored = BTreeSet::new();
    while !shutdown.is_requested() {
        let is_due = reported.is_none_or(|at| at.elapsed() >= interval);
        if reported.is_some_and(|at| at.elapsed() >= interval * 2) {
            // This process was paused: the others may have removed its rows.
            stored.clear();
        }
        match round(&hub, &mut stored, is_due).await {
            Ok(()) if is_due => reported = Some(tokio::time::Instant::now()),
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(target: "live", error = chain(&error), "presence is not known");
                // What was written is not known: it is written again.
                stored.clear();
                reported = None;
                shutdown.sleep(Duration::from_millis(500)).await;
                continue;
            }
        }
        tokio::select! {
            _ = wakeups.wait(interval) => {}
            () = hub.presence.changed.notified() => {}
            () = shutdown.requested() => {}
        }
    }
    if let Err(error) = leave(&hub).await {
        tracing::debug!(target: "live", error = chain(&error), "presence was not withdrawn");
    }
}

/// Writes what changed here, and tells connections what changed anywhere.
async fn round(
    hub: &Hub,
    stored: &mut BTreeSet<(String, String)>,
    is_due: bool,
) -> Result<(), DbErr> {
    let here = hub.presence.here();
    let is_changed = here != *stored;
    if is_due || is_changed {
        write(hub, &here, stored).await?;
        *stored = here.clone();
    }
    if is_changed {
        hub.database.wake(PRESENCE_CHANNEL);
        hub.tell_nodes(Note::Presence {
            node: hub.node.clone(),
        });
    }
    let topics: BTreeSet<&String> = here.iter().map(|(topic, _)| topic).collect();
    let topics: Vec<&String> = topics.into_iter().collect();
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for part in topics.chunks(TOPICS) {
        for row in read(hub, part).await? {
            all.entry(row.topic).or_default().insert(row.who);
        }
    }
    hub.presence.tell(hub, &all);
    Ok(())
}

async fn write(
    hub: &Hub,
    here: &BTreeSet<(String, String)>,
    stored: &BTreeSet<(String, String)>,
) -> Result<(), DbErr> {
    let session = hub.database.session(Access::Write);
    let time = now(session.backend());
    let alive = format!(
        "INSERT INTO live_nodes (node, seen_ms) VALUES ($1, {time})
         ON CONFLICT (node) DO UPDATE SET seen_ms = {time}"
    );
    session
        .execute_sql(&alive, [hub.node.as_str().into()])
        .await?;
    for (topic, who) in stored.difference(here) {
        let sql = "DELETE FROM live_presence WHERE topic = $1 AND node = $2 AND who = $3";
        let parameters = [
            topic.as_str().into(),
            hub.node.as_str().into(),
            who.as_str().into(),
        ];
        session.execute_sql(sql, parameters).await?;
    }
    for (topic, who) in here.difference(stored) {
        let sql = "INSERT INTO live_presence (topic, node, who) VALUES ($1, $2, $3)
                   ON CONFLICT (topic, node, who) DO NOTHING";
        let parameters = [
            topic.as_str().into(),
            hub.node.as_str().into(),
            who.as_str().into(),
        ];
        session.execute_sql(sql, parameters).await?;
    }
    let limit = interval_ms(hub) * KEPT_REPORTS;
    let silent = format!("SELECT node FROM live_nodes WHERE seen_ms < {time} - $1");
    for sql in [
        format!("DELETE FROM live_presence WHERE node IN ({silent})"),
        format!("DELETE FROM live_nodes WHERE seen_ms < {time} - $1"),
        format!("DELETE FROM live_tokens WHERE expires_ms < {time} - $1"),
    ] {
        session.execute_sql(&sql, [limit.into()]).await?;
    }
    commit(&session).await
}

async fn read(hub: &Hub, topics: &[&String]) -> Result<Vec<PresenceRow>, DbErr> {
    let session = hub.database.session(Access::Read);
    let time = now(session.backend());
    let places: Vec<String> = (2..topics.len() + 2).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT DISTINCT p.topic, p.who FROM live_presence AS p
         JOIN live_nodes AS n ON n.node = p.node
         WHERE n.seen_ms > {time} - $1 AND p.topic IN ({})",
        places.join(", ")
    );
    let limit = interval_ms(hub) * MISSED_REPORTS;
    let topics = topics.iter().map(|topic| topic.as_str().into());
    let parameters: Vec<_> = std::iter::once(limit.into()).chain(topics).collect();
    session.query_as::<PresenceRow>(&sql, parameters).await
}

/// Withdraws the presence of this process.
async fn leave(hub: &Hub) -> Result<(), DbErr> {
    let session = hub.database.session(Access::Write);
    for table in ["live_presence", "live_nodes"] {
        let sql = format!("DELETE FROM {table} WHERE node = $1");
        session
            .execute_sql(&sql, [hub.node.as_str().into()])
            .await?;
    }
    commit(&session).await?;
    hub.database.wake(PRESENCE_CHANNEL);
    Ok(())
}

fn interval_ms(hub: &Hub) -> i64 {
    i64::try_from(hub.settings.presence_interval.as_millis()).unwrap_or(i64::MAX / 100)
}
