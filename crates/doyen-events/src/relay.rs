//! The relay: claims deliveries and runs them, as long as the application runs.

mod lane;
mod pool;

use std::sync::Arc;
use std::time::Duration;

use doyen_app::Shutdown;
use doyen_core::event::{Broker, EventHandler};
use doyen_core::inject::{Container, Context, Inject, Node};
use doyen_core::{Refusal, chain};
use doyen_data::{Database, EVENTS_CHANNEL};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::EventSettings;
use crate::metrics::Stats;
use crate::store::{Store, Target};
use lane::Lane;
use pool::Pool;

/// Pause after a round that failed: the database is unavailable.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// Pause before the next round if another node put events in order.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Maximum time for running deliveries to end when the application stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum publications to the broker at a time.
const BROKER_LANES: usize = 16;

/// Everything that the relay needs.
pub(crate) struct Relay {
    pub(crate) store: Store,
    pub(crate) targets: Vec<Target>,
    pub(crate) handlers: Vec<EventHandler>,
    pub(crate) broker: Option<Arc<dyn Broker>>,
    pub(crate) settings: EventSettings,
    pub(crate) stats: Arc<Stats>,
    /// Identifies this process in leases.
    pub(crate) node: String,
}

/// The container, for the contexts of deliveries.
#[derive(Clone, Debug)]
pub(crate) struct Contexts(pub(crate) Container);

impl Inject for Contexts {
    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        Ok(Self(cx.container().clone()))
    }
}

impl Relay {
    /// Delivers until the application stops.
    pub(crate) async fn run(
        self: Arc<Self>,
        database: Database,
        container: Container,
        shutdown: Shutdown,
    ) {
        let mut wakeups = database.wakeups(EVENTS_CHANNEL);
        let mut pools = Pool::of(&self);
        let ended = Arc::new(Notify::new());
        let mut lanes: JoinSet<()> = JoinSet::new();
        let mut round = 0_u64;
        while !shutdown.is_requested() {
            while lanes.try_join_next().is_some() {}
            round += 1;
            let token = format!("{}/{round}", self.node);
            let pause = match self.round(&mut pools, &token).await {
                Ok((claimed, pause)) => {
                    self.stats.note_error(None);
                    for (lane, permit) in claimed {
                        let (relay, container) = (Arc::clone(&self), container.clone());
                        let ended = Arc::clone(&ended);
                        let paused = pools[permit.pool].paused();
                        lanes.spawn(async move {
                            lane::run(&relay, &container, lane, paused).await;
                            drop(permit);
                            ended.notify_one();
                        });
                    }
                    pause
                }
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(target: "events", error, "events cannot be delivered now");
                    self.stats.note_error(Some(error));
                    tokio::select! {
                        () = tokio::time::sleep(ERROR_PAUSE) => {}
                        () = shutdown.requested() => {}
                    }
                    continue;
                }
            };
            tokio::select! {
                _ = wakeups.wait(pause) => {}
                () = ended.notified() => {}
                () = shutdown.requested() => {}
            }
        }
        let all = async { while lanes.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_TIMEOUT, all).await.is_err() {
            // Their leases are released, so that another node can repeat them at once.
            lanes.shutdown().await;
        }
        if let Err(error) = self.store.release(&self.node).await {
            tracing::warn!(target: "events", error = chain(&error), "leases were not released");
        }
    }

    /// Claims deliveries. Returns the lanes to run, and how long to wait for the next round.
    async fn round(
        &self,
        pools: &mut [Pool],
        token: &str,
    ) -> Result<(Vec<(Lane, pool::LanePermit)>, Duration), doyen_data::sea_orm::DbErr> {
        let poll = self.settings.poll;
        let wishes: Vec<_> = pools.iter().map(Pool::wish).collect();
        if !self.store.has_work().await? {
            return Ok((Vec::new(), poll));
        }
        let lease = self.lease_ms();
        let round = self
            .store
            .round(&self.targets, &wishes, token, lease)
            .await?;
        let pause = if round.has_more {
            Duration::ZERO
        } else if round.is_busy {
            BUSY_PAUSE
        } else {
            poll
        };
        let lanes = lane::group(round.claimed, token);
        let lanes = lanes.into_iter().filter_map(|lane| {
            let pool = pools.iter().position(|pool| pool.has(lane.handler()))?;
            Some((lane, pools[pool].permit(pool)?))
        });
        Ok((lanes.collect(), pause))
    }

    pub(crate) fn lease_ms(&self) -> i64 {
        i64::try_from(self.settings.lease.as_millis()).unwrap_or(i64::MAX / 2)
    }
}
