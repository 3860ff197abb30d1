//! The plugin.

use std::sync::Arc;

use doyen_app::{Health, Manifest, Metrics, Plugin, Registrar, SetupError, Stop};
use doyen_observe::LogTap;
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::OtlpSettings;
use crate::admin;
use crate::collector::Collector;
use crate::counters::{Counters, FAMILIES};
use crate::exemplars::Exemplars;
use crate::export::Exporter;
use crate::logs::Tap;
use crate::metrics::MetricsExporter;
use crate::observer::{Observer, Shared};
use crate::queue::{Item, Queue};
use crate::resource::resource;

/// Exports traces, logs and metrics to a collector of OpenTelemetry. Without the setting
/// `otlp.endpoint` it does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Otlp;

impl Plugin for Otlp {
    const NAME: &'static str = "otlp";
    type Settings = OtlpSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("Traces, logs and metrics over OTLP");
    }

    fn register(self, settings: OtlpSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        let Some(endpoint) = &settings.endpoint else {
            return Ok(());
        };
        let collector = Arc::new(Collector::new(endpoint, &settings)?);
        let counters = Arc::<Counters>::default();
        let counted = Arc::clone(&counters);
        app.metrics(FAMILIES, move |samples| counted.collect(samples));

        let spans = settings.traces.then(|| queue(&settings, &counters));
        let lines = settings.logs.then(|| queue(&settings, &counters));
        let exemplars = settings.metrics.then(Arc::<Exemplars>::default);
        if let Some(lines) = &lines {
            app.contribute(LogTap(Arc::new(Tap(Arc::clone(lines)))));
        }
        if spans.is_some() || lines.is_some() {
            let is_prod = app.info().environment.is_prod();
            let sample = settings.sample.unwrap_or(if is_prod { 0.1 } else { 1.0 });
            let exemplars = exemplars.clone();
            let slow = settings.slow;
            let shared = Shared::new(spans.clone(), lines.clone(), exemplars, sample, slow);
            let shared = Arc::new(shared);
            app.observe_requests(Arc::new(Observer(Arc::clone(&shared))));
            app.provide(shared);
            app.admin(admin::module());
        }

        let resource = resource(app.info(), settings.service.as_deref());
        // A service, because it stops after the last request and after the plugins that follow.
        app.service("otlp", move |of: (Arc<Metrics>, Arc<Health>)| async move {
            let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
            if let Some(queue) = spans {
                let exporter = exporter(&settings, &collector, &resource, queue);
                running.spawn(exporter.run(stop.clone()));
            }
            if let Some(queue) = lines {
                let exporter = exporter(&settings, &collector, &resource, queue);
                running.spawn(exporter.run(stop.clone()));
            }
            if let Some(exemplars) = exemplars {
                let exporter = MetricsExporter {
                    metrics: of.0,
                    health: of.1,
                    collector,
                    counters,
                    exemplars,
                    resource,
                    interval: settings.metrics_interval,
                    stop_timeout: settings.stop_timeout,
                };
                running.spawn(exporter.run(stop.clone()));
            }
            Ok(Stop::with(move || async move {
                stop.cancel();
                // Each has a limit of its own.
                while running.join_next().await.is_some() {}
            }))
        });
        Ok(())
    }
}

fn queue<T: Item>(settings: &OtlpSettings, counters: &Arc<Counters>) -> Arc<Queue<T>> {
    let max_bytes = usize::try_from(settings.queue.bytes()).unwrap_or(usize::MAX);
    Arc::new(Queue::new(max_bytes, Arc::clone(counters)))
}

fn exporter<T: Item>(
    settings: &OtlpSettings,
    collector: &Arc<Collector>,
    resource: &Resource,
    queue: Arc<Queue<T>>,
) -> Exporter<T> {
    Exporter {
        queue,
        collector: Arc::clone(collector),
        interval: settings.interval,
        stop_timeout: settings.stop_timeout,
        resource: resource.clone(),
    }
}
