//! Revoked sessions, keys and machine clients, known to every node within seconds.
//!
//! An access token is valid until it expires, even if its owner loses access. An earlier end is an
//! entry in a list: the id of the session, key or client and a minimum generation. A token of an
//! older generation is refused. The list is read from the table that all nodes write
//! ([`RevocationSource`]), incrementally, when a caller is identified:
//!
//! | age of the list | identification |
//! | --- | --- |
//! | less than a second | uses it; no query |
//! | less than four seconds | uses it, and reads it again in the background |
//! | more | waits until it is read |
//! | more than five seconds, and it cannot be read | returns a 503 |
//!
//! The last line is the price of the promise: a node that cannot read the revocations refuses every
//! token. A revocation made on this node takes effect here at once.
//!
//! What it does not do: it knows no tokens, and it drops entries that are older than any token can
//! be.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use doyen_core::sync;
use doyen_core::{Caller, Unexpected};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The generation of a full revocation: no token reaches it.
pub const REVOKED: u32 = u32::MAX;

/// Age below which the list is not read again.
const MAX_FRESH_AGE: Duration = Duration::from_secs(1);
/// Age above which a caller waits until the list was read.
const MAX_STALE_AGE: Duration = Duration::from_secs(4);
/// Age above which callers are refused with a 503.
const MAX_AGE: Duration = Duration::from_secs(5);
/// Timeout of one read.
const READ_TIMEOUT: Duration = Duration::from_secs(1);
/// Pause after a failed read.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
/// Interval at which old entries are removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// One entry: tokens of this session, key or client with a generation below the minimum are
/// refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The session, key or client.
    pub id: String,
    /// The lowest accepted generation; [`REVOKED`] for none.
    pub floor: u32,
}

/// The result of a read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// New entries.
    pub entries: Vec<Revocation>,
    /// Position of the next read, in a unit of the source.
    pub mark: Option<i64>,
}

/// The table that all nodes write their revocations to.
#[async_trait::async_trait]
pub trait RevocationSource: Send + Sync + 'static {
    /// Returns the entries since this position, or all entries that still matter. An entry may be
    /// returned more than once.
    ///
    /// # Errors
    ///
    /// Returns an error if the table cannot be read.
    async fn since(&self, mark: Option<i64>) -> Result<Reading, Unexpected>;
}

/// The list, one for an application. See the documentation of the module.
pub struct RevocationList {
    source: Arc<dyn RevocationSource>,
    /// Lifetime of an entry.
    kept: Duration,
    began: Instant,
    entries: RwLock<Entries>,
    /// Start of the last successful read, in milliseconds since `began` plus one; 0 if there was
    /// none.
    read: AtomicU64,
    /// The same for the last failed read.
    failed: AtomicU64,
    /// Held by the task that reads the list. The value is the position of the next read.
    turn: Arc<Mutex<Option<i64>>>,
}

struct Entries {
    floors: HashMap<Box<str>, Floor>,
    swept: Instant,
}

#[derive(Clone, Copy)]
struct Floor {
    floor: u32,
    until: Instant,
}

impl std::fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevocationList")
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl RevocationList {
    /// Creates a list from this source, for tokens that are valid for at most `lifetime`.
    pub fn new(source: Arc<dyn RevocationSource>, lifetime: Duration) -> Self {
        let now = Instant::now();
        Self {
            source,
            kept: Self::kept_for(lifetime),
            began: now,
            entries: RwLock::new(Entries {
                floors: HashMap::new(),
                swept: now,
            }),
            read: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            turn: Arc::default(),
        }
    }

    /// Lifetime of an entry for tokens that are valid for at most `lifetime`. Clocks of nodes
    /// differ, and an entry is written shortly before it takes effect.
    pub const fn kept_for(lifetime: Duration) -> Duration {
        lifetime.saturating_add(Duration::from_secs(120))
    }

    /// Returns the lifetime of an entry. A token that is valid for longer could outlive it, and is
    /// refused.
    pub const fn kept(&self) -> Duration {
        self.kept
    }

    /// True if the session, key or client of this caller is not revoked, by a list that is at most
    /// five seconds old.
    ///
    /// # Errors
    ///
    /// `unavailable` (503): the list cannot be read.
    pub async fn permits(self: &Arc<Self>, caller: &Caller) -> Result<bool, Unexpected> {
        let age = self.age();
        if age >= MAX_FRESH_AGE {
            self.renew(age).await?;
        }
        Ok(!self.refuses(caller))
    }

    /// Adds an entry on this node, at once. The caller has already written it to the table that the
    /// other nodes read.
    pub fn put(&self, id: &str, floor: u32) {
        let mut entries = sync::write(&self.entries);
        entries.put(id.into(), floor, Instant::now() + self.kept);
    }

    fn refuses(&self, caller: &Caller) -> bool {
        let entries = sync::read(&self.entries);
        if entries.floors.is_empty() {
            return false;
        }
        [&caller.session, &caller.key]
            .into_iter()
            .flatten()
            .any(|id| {
                entries
                    .floors
                    .get(&**id)
                    .is_some_and(|entry| caller.generation < entry.floor)
            })
    }

    /// Time since the start of the last successful read.
    fn age(&self) -> Duration {
        since(self.began, self.read.load(Ordering::Acquire))
    }

    async fn renew(self: &Arc<Self>, age: Duration) -> Result<(), Unexpected> {
        if age >= MAX_STALE_AGE {
            let turn = Arc::clone(&self.turn).lock_owned().await;
            return self.read(turn).await;
        }
        // Another task is reading.
        if let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() {
            let list = Arc::clone(self);
            // An error is reported when the list has become too old.
            drop(tokio::spawn(async move { drop(list.read(turn).await) }));
        }
        Ok(())
    }

    /// Reads new entries, unless another task did so while this one waited for the lock.
    async fn read(&self, mut turn: OwnedMutexGuard<Option<i64>>) -> Result<(), Unexpected> {
        if self.age() < MAX_FRESH_AGE {
            return Ok(());
        }
        let began = Instant::now();
        let outcome = if since(self.began, self.failed.load(Ordering::Acquire)) < RETRY_INTERVAL {
            Err(Unexpected::unavailable(
                "the list of revocations could not be read in the last attempt",
            ))
        } else {
            match tokio::time::timeout(READ_TIMEOUT, self.source.since(*turn)).await {
                Ok(read) => read,
                Err(_) => Err(Unexpected::unavailable(
                    "reading the list of revocations took too long",
                )),
            }
            .inspect_err(|error| {
                self.failed
                    .store(stamp(self.began, Instant::now()), Ordering::Release);
                tracing::warn!(error = %error.error(), "the list of revocations could not be read");
            })
        };
        match outcome {
            Ok(reading) => {
                self.merge(&reading.entries);
                *turn = reading.mark.or(*turn);
                self.read.store(stamp(self.began, began), Ordering::Release);
                Ok(())
            }
            Err(_) if self.age() < MAX_AGE => Ok(()),
            Err(error) => Err(Unexpected::unavailable(error.error().to_string())),
        }
    }

    fn merge(&self, new: &[Revocation]) {
        let now = Instant::now();
        let mut entries = sync::write(&self.entries);
        for entry in new {
            entries.put(entry.id.as_str().into(), entry.floor, now + self.kept);
        }
        if now.duration_since(entries.swept) >= SWEEP_INTERVAL {
            entries.swept = now;
            entries.floors.retain(|_, entry| entry.until > now);
        }
    }
}

impl Entries {
    fn put(&mut self, id: Box<str>, floor: u32, until: Instant) {
        let entry = self.floors.entry(id).or_insert(Floor { floor, until });
        // A repeated entry changes nothing; only a higher generation restarts its lifetime.
        if floor > entry.floor {
            *entry = Floor { floor, until };
        }
    }
}

/// Encodes a time as a number: milliseconds since the start, plus one.
fn stamp(began: Instant, at: Instant) -> u64 {
    u64::try_from(at.duration_since(began).as_millis()).unwrap_or(u64::MAX - 1) + 1
}

/// Time elapsed since then; the maximum if there was no such time.
fn since(began: Instant, stamp: u64) -> Duration {
    match stamp {
        0 => Duration::MAX,
        stamp => began
            .elapsed()
            .saturating_sub(Duration::from_millis(stamp - 1)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;
    use std::sync::atomic::{AtomicBool, AtomicU32};

    use doyen_core::Problem as _;

    use super::*;

    #[derive(Default)]
    struct Table {
        rows: StdMutex<Vec<Revocation>>,
        away: AtomicBool,
        asked: AtomicU32,
    }

    #[async_trait::async_trait]
    impl RevocationSource for Table {
        async fn since(&self, mark: Option<i64>) -> Result<Reading, Unexpected> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            if self.away.load(Ordering::SeqCst) {
                return Err(Unexpected::new("away"));
            }
            let rows = self.rows.lock().unwrap();
            let from = usize::try_from(mark.unwrap_or(0)).unwrap();
            Ok(Reading {
                entries: rows[from..].to_vec(),
                mark: Some(i64::try_from(rows.len()).unwrap()),
            })
        }
    }

    fn caller(session: &str, generation: u32) -> Caller {
        let mut caller = Caller::new("usr_1");
        caller.session = Some(session.into());
        caller.generation = generation;
        caller
    }

    fn list() -> (Arc<Table>, Arc<RevocationList>) {
        let table = Arc::new(Table::default());
        let list = RevocationList::new(
            Arc::clone(&table) as Arc<dyn RevocationSource>,
            Duration::from_secs(900),
        );
        (table, Arc::new(list))
    }

    /// Pretends that this much time has passed since the last read.
    fn grow_old(list: &RevocationList, by: Duration) {
        let read = stamp(list.began, Instant::now());
        let by = u64::try_from(by.as_millis()).unwrap();
        // A list that is younger than that was never read.
        list.read.store(read.saturating_sub(by), Ordering::SeqCst);
    }

    fn aged(by: Duration) -> (Arc<Table>, Arc<RevocationList>) {
        let (table, mut list) = list();
        let inner = Arc::get_mut(&mut list).unwrap();
        inner.began = inner
            .began
            .checked_sub(Duration::from_secs(60))
            .unwrap_or(inner.began);
        grow_old(&list, by);
        (table, list)
    }

    #[tokio::test]
    async fn a_floor_refuses_what_is_older() {
        let (table, list) = list();
        table.rows.lock().unwrap().extend([
            Revocation {
                id: "ses_1".to_owned(),
                floor: 2,
            },
            Revocation {
                id: "ses_2".to_owned(),
                floor: REVOKED,
            },
        ]);
        for (session, generation, permitted) in [
            ("ses_1", 0, false),
            ("ses_1", 1, false),
            ("ses_1", 2, true),
            ("ses_2", u32::MAX - 1, false),
            ("ses_3", 0, true),
        ] {
            let answer = list.permits(&caller(session, generation)).await.unwrap();
            assert_eq!(answer, permitted, "{session} {generation}");
        }
        // One read: the list is fresh.
        assert_eq!(table.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_key_is_refused_like_a_session_and_who_has_neither_is_not() {
        let (_, list) = list();
        list.put("key_1", REVOKED);
        let mut machine = Caller::new("key_1");
        assert!(list.permits(&machine).await.unwrap());
        machine.key = Some("key_1".into());
        assert!(!list.permits(&machine).await.unwrap());
    }

    #[tokio::test]
    async fn a_floor_never_sinks() {
        let (_, list) = list();
        list.put("ses_1", REVOKED);
        list.put("ses_1", 1);
        assert!(!list.permits(&caller("ses_1", 5)).await.unwrap());
    }

    #[tokio::test]
    async fn a_stale_list_is_read_by_one_while_the_others_wait() {
        let (table, list) = aged(MAX_STALE_AGE);
        table.rows.lock().unwrap().push(Revocation {
            id: "ses_1".to_owned(),
            floor: REVOKED,
        });
        let asked: Vec<_> = (0..50)
            .map(|_| {
                let list = Arc::clone(&list);
                tokio::spawn(async move { list.permits(&caller("ses_1", 0)).await.unwrap() })
            })
            .collect();
        for answer in asked {
            assert!(!answer.await.unwrap());
        }
        assert_eq!(table.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn an_older_list_is_read_in_the_background() {
        let (table, list) = aged(MAX_FRESH_AGE);
        table.rows.lock().unwrap().push(Revocation {
            id: "ses_1".to_owned(),
            floor: REVOKED,
        });
        assert!(list.permits(&caller("ses_1", 0)).await.unwrap());
        while list.permits(&caller("ses_1", 0)).await.unwrap() {
            tokio::task::yield_now().await;
        }
        assert_eq!(table.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn who_cannot_know_says_so() {
        let (table, list) = aged(MAX_AGE);
        table.away.store(true, Ordering::SeqCst);
        let error = list.permits(&caller("ses_1", 0)).await.unwrap_err();
        assert_eq!(error.info().code, "unavailable");
        // A failed source is not queried by every request.
        assert!(list.permits(&caller("ses_1", 0)).await.is_err());
        assert_eq!(table.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_short_absence_is_bridged() {
        let (table, list) = aged(MAX_STALE_AGE);
        table.away.store(true, Ordering::SeqCst);
        assert!(list.permits(&caller("ses_1", 0)).await.unwrap());
    }
}
