//! The cache as a plugin.

use std::sync::Arc;
use std::time::Duration;

use doyen_app::{
    AdminReport, Alert, Family, Impact, Manifest, Plugin, Redis, Registrar, Samples, SetupError,
    Stop,
};
use doyen_core::Clock;
use doyen_core::cache::CacheStore;

use crate::{CacheSettings, CacheStats, Engine, admin};

/// Caches values and responses: provides the port [`CacheStore`].
///
/// Without `redis.url` each process caches for itself, and an invalidation reaches this process
/// alone; with it, all nodes share values and invalidations.
#[derive(Clone, Copy, Debug, Default)]
pub struct CachePlugin;

impl Plugin for CachePlugin {
    const NAME: &'static str = "cache";
    type Settings = CacheSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("Cached values and responses");
    }

    fn register(self, settings: CacheSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        if settings.max_entry_bytes > settings.max_bytes {
            app.fault(SetupError::setting(
                "cache.max_entry_bytes",
                "it must not be larger than `cache.max_bytes`: lower it, or raise the other"
                    .to_owned(),
            ));
        }
        let redis = app.redis();
        let engine = engine(app.info().name, settings, app.clock(), redis.as_ref());
        let store = Arc::new(engine.clone());
        app.provide::<dyn CacheStore>(Arc::clone(&store) as Arc<dyn CacheStore>);
        app.provide(store);
        app.response_cache(Arc::new(engine.clone()));
        app.admin(admin::module());
        let reported = engine.clone();
        app.contribute(AdminReport::new("caches", move || admin::report(&reported)));
        let counted = engine.clone();
        app.metrics(FAMILIES, move |samples| collect(&counted.stats(), samples));
        if redis.is_some() {
            let checked = engine.clone();
            let limit = Duration::from_secs(1);
            app.health("cache", Impact::Degrades, limit, move || {
                let state = checked.shared_state();
                async move { state }
            });
        }
        app.service("cache", |engine: Arc<Engine>| async move {
            Ok(match engine.follow() {
                Some(task) => Stop::with(move || async move { task.abort() }),
                None => Stop::with(|| async {}),
            })
        });
        Ok(())
    }
}

#[cfg(feature = "redis")]
fn engine(
    name: &str,
    settings: CacheSettings,
    clock: Arc<dyn Clock>,
    redis: Option<&Redis>,
) -> Engine {
    match redis {
        Some(redis) => Engine::with_redis(settings, clock, redis, name),
        None => Engine::new(settings, clock),
    }
}

#[cfg(not(feature = "redis"))]
fn engine(_: &str, settings: CacheSettings, clock: Arc<dyn Clock>, _: Option<&Redis>) -> Engine {
    Engine::new(settings, clock)
}

const FAMILIES: &[Family] = &[
    Family::counter(
        "cache_hits_total",
        "Reads that found a fresh value, by tier.",
    )
    .labels(&["tier"]),
    Family::counter(
        "cache_misses_total",
        "Reads that found no fresh value, by tier.",
    )
    .labels(&["tier"]),
    Family::counter(
        "cache_stale_hits_total",
        "Reads that returned an expired value.",
    ),
    Family::counter(
        "cache_waits_total",
        "Reads that waited for the load of another request.",
    ),
    Family::counter("cache_loads_total", "Loads, by their end.").labels(&["end"]),
    Family::counter(
        "cache_oversized_total",
        "Loaded values that were too large to store.",
    ),
    Family::counter(
        "cache_evictions_total",
        "Values dropped because the memory was full.",
    )
    .labels(&["tier"]),
    Family::counter(
        "cache_errors_total",
        "Failed commands to Redis and undecodable values, by tier.",
    )
    .labels(&["tier"])
    .alerts(&[Alert::warning(
        "CacheErrors",
        "sum by (job, tier) (rate(cache_errors_total{$app}[5m])) > 0.1",
        "Commands to Redis fail, or values in it are unreadable: the application is slower. Check \
         Redis.",
    )
    .lasting(Duration::from_mins(5))]),
    Family::counter("cache_invalidations_total", "Invalidated tags and keys."),
    Family::counter(
        "cache_resets_total",
        "Times that this process dropped all values, because invalidations may have been missed.",
    ),
    Family::gauge("cache_entries", "Values in this process.").labels(&["tier"]),
    Family::gauge(
        "cache_bytes",
        "Estimated bytes of the values in this process.",
    )
    .labels(&["tier"]),
];

fn collect(stats: &CacheStats, samples: &mut Samples) {
    let (process, redis) = ([("tier", "process")], [("tier", "redis")]);
    samples.value("cache_hits_total", &process, stats.hits);
    samples.value("cache_hits_total", &redis, stats.shared_hits);
    samples.value("cache_misses_total", &process, stats.misses);
    samples.value("cache_misses_total", &redis, stats.shared_misses);
    samples.value("cache_stale_hits_total", &[], stats.stale_hits);
    samples.value("cache_waits_total", &[], stats.waits);
    for (end, value) in [
        ("stored", stats.loads),
        ("failed", stats.failed_loads),
        ("abandoned", stats.abandoned_loads),
    ] {
        samples.value("cache_loads_total", &[("end", end)], value);
    }
    samples.value("cache_oversized_total", &[], stats.oversized);
    samples.value("cache_evictions_total", &process, stats.evictions);
    samples.value("cache_errors_total", &process, stats.undecodable);
    samples.value("cache_errors_total", &redis, stats.shared_errors);
    samples.value("cache_invalidations_total", &[], stats.invalidations);
    samples.value("cache_resets_total", &[], stats.resets);
    samples.value("cache_entries", &process, stats.entries);
    samples.value("cache_bytes", &process, stats.bytes);
}
