//! Delivers claimed events of one lane, one after another.

use std::time::Duration;

use doyen_core::event::{BrokerMessage, RecordedEvent};
use doyen_core::inject::Container;
use doyen_core::{Clock as _, SystemClock, chain};

use super::Relay;
use super::pool::Paused;
use crate::deliver::{DeliveryError, deliver};
use crate::metrics::Outcome;
use crate::store::{BROKER, Claimed, Next};

/// The claimed deliveries of one lane, in order.
pub(crate) struct Lane {
    token: String,
    deliveries: Vec<Claimed>,
}

impl Lane {
    pub(crate) fn handler(&self) -> &str {
        self.deliveries.first().map_or("", |first| &first.handler)
    }
}

/// Groups deliveries by lane.
pub(crate) fn group(claimed: Vec<Claimed>, token: &str) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Vec::new();
    for mut delivery in claimed {
        let aggregate = &delivery.record.aggregate;
        let of_lane = |lane: &&mut Lane| {
            let first = &lane.deliveries[0];
            aggregate.is_some()
                && first.handler == delivery.handler
                && first.record.aggregate == *aggregate
        };
        if let Some(lane) = lanes.iter_mut().find(of_lane) {
            // The claim has counted the attempt of the first one only.
            delivery.record.attempt += 1;
            lane.deliveries.push(delivery);
        } else {
            lanes.push(Lane {
                // One token for each lane would need one claim for each.
                token: token.to_owned(),
                deliveries: vec![delivery],
            });
        }
    }
    lanes
}

/// Delivers the events of a lane until one fails. Meanwhile its leases are renewed.
pub(crate) async fn run(relay: &Relay, container: &Container, lane: Lane, paused: Paused) {
    let renewing = async {
        let mut interval = tokio::time::interval(relay.settings.lease / 3);
        interval.tick().await;
        loop {
            interval.tick().await;
            if let Err(error) = relay.store.extend(&lane.token, relay.lease_ms()).await {
                tracing::warn!(target: "events", error = chain(&error), "a lease was not renewed");
            }
        }
    };
    let delivering = async {
        for claimed in &lane.deliveries {
            let delivered = if claimed.handler == BROKER {
                publish(relay, claimed, &lane.token, &paused).await
            } else {
                handle(relay, container, claimed, &lane.token).await
            };
            if !delivered {
                break;
            }
        }
    };
    tokio::select! {
        () = delivering => {}
        () = renewing => {}
    }
}

/// Delivers to a handler. Returns false if the lane must stop.
async fn handle(relay: &Relay, container: &Container, claimed: &Claimed, token: &str) -> bool {
    let is_this = |handler: &&doyen_core::event::EventHandler| handler.name() == claimed.handler;
    let Some(handler) = relay.handlers.iter().find(is_this) else {
        return false;
    };
    let settings = &relay.settings;
    let attempts = u32::from(settings.attempts);
    let record = &claimed.record;
    let error = if record.attempt > attempts {
        // Each claim counts, so that an event that kills the process is parked, too.
        let text = "the process ended during each attempt, or lost its lease";
        DeliveryError {
            text: text.to_owned(),
            is_permanent: true,
        }
    } else {
        match deliver(container, handler, claimed, token, settings.timeout).await {
            Ok(()) => {
                delivered(relay, claimed);
                return true;
            }
            Err(error) => error,
        }
    };
    let parks = error.is_permanent || record.attempt >= attempts;
    let next = if parks {
        Next::Park {
            leaves_lane: handler.skips_parked(),
        }
    } else {
        Next::RetryIn(pause(settings.pause, settings.max_pause, record.attempt))
    };
    tracing::warn!(
        target: "events", handler = claimed.handler, event = %record.id, topic = record.topic,
        attempt = record.attempt, parked = parks, error = error.text, "an event was not delivered"
    );
    relay.stats.note(
        &claimed.handler,
        if parks {
            Outcome::Parked
        } else {
            Outcome::Failed
        },
    );
    if let Err(error) = relay.store.failed(claimed, token, &error.text, next).await {
        // The lease ends, and the delivery is repeated.
        tracing::warn!(target: "events", error = chain(&error), "a failed delivery was not recorded");
    }
    false
}

/// Publishes to the broker. A failure is that of the broker, not of the event: it counts no attempt
/// and is never parked.
async fn publish(relay: &Relay, claimed: &Claimed, token: &str, paused: &Paused) -> bool {
    let Some(broker) = &relay.broker else {
        return false;
    };
    let published = broker.publish(&message(&claimed.record)).await;
    if let Err(error) = published {
        tracing::warn!(target: "events", broker = broker.name(), %error, "the broker took no event");
        paused.pause();
        relay.stats.note(BROKER, Outcome::Failed);
        let mut claimed = claimed.clone();
        claimed.record.attempt = 0;
        let next = Next::RetryIn(Duration::ZERO);
        let error = error.to_string();
        if let Err(error) = relay.store.failed(&claimed, token, &error, next).await {
            tracing::warn!(target: "events", error = chain(&error), "an event was not released");
        }
        return false;
    }
    paused.recover();
    match relay.store.published(claimed, token).await {
        Ok(true) => {
            delivered(relay, claimed);
            true
        }
        // Another node has published it too, and the broker has dropped one of both.
        Ok(false) => false,
        Err(error) => {
            tracing::warn!(target: "events", error = chain(&error), "a publication was not marked");
            false
        }
    }
}

fn delivered(relay: &Relay, claimed: &Claimed) {
    relay.stats.note(&claimed.handler, Outcome::Delivered);
    // The outbox has the time of the machine, also where a test replaces the clock.
    let latency = SystemClock.now().since(claimed.record.created_at);
    relay.stats.note_latency(latency);
}

fn message(record: &RecordedEvent) -> BrokerMessage {
    BrokerMessage {
        id: record.id.to_string(),
        topic: record.topic.clone(),
        aggregate: record.aggregate.clone(),
        payload: record.payload.clone(),
        trace: record.trace.clone(),
    }
}

/// Twice the pause of the attempt before, and up to a quarter more, so that events that failed
/// together do not return together.
fn pause(first: Duration, longest: Duration, attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1).min(31));
    let pause = first.saturating_mul(doubled).min(longest);
    pause + pause.mul_f64(random_fraction() / 4.0)
}

fn random_fraction() -> f64 {
    let bits = uuid::Uuid::new_v4().as_u128() as u32;
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_the_longest() {
        let secs = Duration::from_secs;
        for (attempt, expected) in [(1, 1), (2, 2), (5, 16), (40, 300)] {
            let pause = pause(secs(1), secs(300), attempt);
            assert!(
                pause >= secs(expected) && pause <= secs(expected) * 5 / 4,
                "{pause:?}"
            );
        }
    }
}
