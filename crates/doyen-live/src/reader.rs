//! Reads new events from the log and delivers them to the subscribers of this process.
//!
//! Positions are assigned after the commit, in order, so a reader that continues from the last one
//! misses nothing. A wake-up makes it fast, polling makes it certain.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use doyen_app::Shutdown;
use doyen_core::{Unexpected, chain};
use doyen_data::EVENT_LOG_CHANNEL;

use crate::CloseReason;
use crate::fanout::Note;
use crate::hub::{Hub, PAGE};

/// Pause after the log could not be read.
const ERROR_PAUSE: Duration = Duration::from_millis(500);

/// Delivers until the application stops.
pub(crate) async fn run(hub: Arc<Hub>, shutdown: Shutdown) {
    let mut wakeups = hub.database.wakeups(EVENT_LOG_CHANNEL);
    let mut position = None;
    while !shutdown.is_requested() {
        match round(&hub, &mut position).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                let error = chain(error.error());
                tracing::warn!(target: "live", error, "the event log cannot be read");
                hub.stats.note_error(Some(error));
                shutdown.sleep(ERROR_PAUSE).await;
                continue;
            }
        }
        hub.stats.note_error(None);
        let reached = position.unwrap_or(0);
        if hub.announced.fetch_max(reached, Ordering::Relaxed) < reached {
            hub.tell_nodes(Note::Log {
                node: hub.node.clone(),
                position: reached,
            });
        }
        tokio::select! {
            _ = wakeups.wait(hub.settings.poll) => {}
            () = shutdown.requested() => {}
        }
    }
}

/// Delivers one page. Returns true if there is more.
async fn round(hub: &Hub, position: &mut Option<i64>) -> Result<bool, Unexpected> {
    let log = hub.parts()?.log;
    let Some(after) = *position else {
        let last = log.last_position().await?;
        *position = Some(last);
        hub.announced.fetch_max(last, Ordering::Relaxed);
        hub.reached(last);
        return Ok(true);
    };
    let page = log.after_topic("*", after, PAGE).await?;
    if page.has_gap {
        tracing::warn!(target: "live", "events were removed before this process read them");
        hub.close_all(CloseReason::Gap);
        *position = None;
        return Ok(true);
    }
    let count = page.events.len();
    for event in page.events {
        *position = Some(event.position);
        hub.deliver(event);
    }
    Ok(u32::try_from(count).is_ok_and(|count| count >= PAGE))
}
