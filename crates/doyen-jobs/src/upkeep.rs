//! The upkeep of a node: heartbeat, rescue, cancellation, schedules, figures and retention.

use std::time::Duration;

use doyen_app::Shutdown;
use doyen_core::{Unexpected, chain};
use tokio::time::Instant;

use crate::store::{self, CANCEL_CHANNEL};
use crate::{JobsCore, cron};

/// Pause between two sweeps of ended jobs.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// Runs until the application stops.
pub(crate) async fn keep_up(core: &JobsCore, shutdown: &Shutdown) -> Result<(), Unexpected> {
    let mut wakeups = core.database.wakeups(CANCEL_CHANNEL);
    let heartbeat = core.settings.lease / 3;
    let pause = core.settings.poll_interval.min(heartbeat);
    let (mut beat_at, mut sweep_at) = (Instant::now(), Instant::now());
    let mut next_run = None;
    loop {
        if Instant::now() >= beat_at {
            beat_at = Instant::now() + heartbeat;
            noted(core, "the heartbeat", beat(core).await);
        }
        // The stop ends the jobs of this process anyway.
        if !core.draining.is_cancelled() {
            if !core.is_idle() {
                noted(
                    core,
                    "the check for cancellations",
                    check_cancelled(core).await,
                );
            }
            if next_run.is_none_or(|next| next <= core.now()) && !core.calendars.is_empty() {
                match cron::tick(core).await {
                    Ok(next) => next_run = next,
                    Err(error) => noted(core, "a schedule", Err(error)),
                }
            }
        }
        if Instant::now() >= sweep_at {
            sweep_at = Instant::now() + SWEEP_INTERVAL;
            noted(core, "the sweep", sweep(core).await);
        }
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            _ = wakeups.wait(pause) => {}
        }
    }
}

async fn beat(core: &JobsCore) -> Result<(), Unexpected> {
    let node = core.node();
    // The worker registers it.
    if !node.is_nil() && !store::heartbeat(&core.database, node, core.now()).await? {
        tracing::warn!(target: "jobs", "this process was taken for dead: its jobs belong to others now");
        core.become_node().await?;
    }
    let rescued = store::rescue(&core.database, core.settings.lease, core.now()).await?;
    if rescued > 0 {
        tracing::warn!(target: "jobs", rescued, "jobs of dead processes were rescued");
    }
    core.figures
        .set_depths(store::depths(&core.database).await?);
    Ok(())
}

async fn check_cancelled(core: &JobsCore) -> Result<(), Unexpected> {
    let ids = store::cancelled(&core.database, core.node()).await?;
    core.request_cancel(&ids);
    Ok(())
}

/// Deletes ended jobs and releases unique keys.
pub(crate) async fn sweep(core: &JobsCore) -> Result<(), Unexpected> {
    let (database, now) = (&core.database, core.now());
    store::release_keys(database, now).await?;
    let settings = &core.settings;
    for (statuses, keep) in [
        ("'done', 'cancelled'", settings.keep_done),
        ("'failed'", settings.keep_failed),
    ] {
        while store::sweep(database, statuses, keep, now).await? {
            // Others write in between.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

fn noted(core: &JobsCore, what: &str, result: Result<(), Unexpected>) {
    if let Err(error) = result {
        let error = chain(error.error());
        tracing::warn!(target: "jobs", error, "{what} of jobs failed");
        core.note(Some(error));
    }
}
