//! Adapters of the port [`Broker`].
//!
//! | adapter | Cargo feature | stores messages |
//! | --- | --- | --- |
//! | [`MemoryBroker`] | | in this process, for tests |
//! | [`RedisBroker`] | `redis` | in a Redis stream |
//! | [`NatsBroker`] | `nats` | in a stream of NATS JetStream |

mod memory;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
mod redis;

use std::sync::Arc;

use doyen_app::Registrar;
use doyen_core::event::Broker;

use crate::settings::{BrokerKind, EventSettings};

pub use memory::MemoryBroker;
#[cfg(feature = "nats")]
pub use nats::NatsBroker;
#[cfg(feature = "redis")]
pub use redis::RedisBroker;

/// A setting, and what is wrong with it.
type Wrong = (&'static str, String);

/// Returns the broker that the settings select.
pub(crate) fn of(
    settings: &EventSettings,
    app: &Registrar<'_>,
) -> Result<Option<Arc<dyn Broker>>, Wrong> {
    match settings.broker {
        BrokerKind::None if settings.consume.is_empty() => Ok(None),
        BrokerKind::None => Err((
            "events.consume",
            "it needs a broker: set `events.broker` to `redis` or `nats`, or remove the topics"
                .to_owned(),
        )),
        BrokerKind::Redis => redis_broker(settings, app).map(Some),
        BrokerKind::Nats => nats_broker(settings, app).map(Some),
    }
}

#[cfg(feature = "redis")]
fn redis_broker(settings: &EventSettings, app: &Registrar<'_>) -> Result<Arc<dyn Broker>, Wrong> {
    let Some(redis) = app.redis() else {
        let message = "`redis` needs the setting `redis.url`: set it, or another broker";
        return Err(("events.broker", message.to_owned()));
    };
    let broker = RedisBroker::new(redis.connection(), &settings.stream, settings.stream_max);
    Ok(Arc::new(broker))
}

#[cfg(not(feature = "redis"))]
fn redis_broker(_: &EventSettings, _: &Registrar<'_>) -> Result<Arc<dyn Broker>, Wrong> {
    Err(missing("redis"))
}

#[cfg(feature = "nats")]
fn nats_broker(settings: &EventSettings, app: &Registrar<'_>) -> Result<Arc<dyn Broker>, Wrong> {
    let Some(nats) = app.nats() else {
        let message = "`nats` needs the setting `nats.url`: set it, or another broker";
        return Err(("events.broker", message.to_owned()));
    };
    let broker = NatsBroker::new(nats, &settings.stream, settings.stream_max);
    Ok(Arc::new(broker))
}

#[cfg(not(feature = "nats"))]
fn nats_broker(_: &EventSettings, _: &Registrar<'_>) -> Result<Arc<dyn Broker>, Wrong> {
    Err(missing("nats"))
}

#[cfg(not(all(feature = "redis", feature = "nats")))]
fn missing(feature: &str) -> Wrong {
    let message =
        format!("`{feature}` is not built in: switch on the feature `{feature}` of `doyen`");
    ("events.broker", message)
}
