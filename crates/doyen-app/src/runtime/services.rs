//! Services: started in order, stopped in reverse.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use doyen_core::inject::{Container, Context};
use futures_util::FutureExt as _;
use tokio::time::Instant;

use crate::Stop;
use crate::fault::Fault;
use crate::lifecycle::ServiceEntry;
use crate::report::Plugins;

/// Maximum time for one service to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum time for all tasks and services together to stop.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The services that have started.
#[derive(Debug)]
pub(super) struct Services {
    container: Container,
    started: Vec<Started>,
}

#[derive(Debug)]
struct Started {
    name: &'static str,
    stop: Stop,
    context: Context,
}

impl Services {
    pub(super) const fn new(container: Container) -> Self {
        Self {
            container,
            started: Vec::new(),
        }
    }

    /// Starts all services, those of a plugin in the order in which it registered them.
    pub(super) async fn start(
        &mut self,
        mut services: Vec<ServiceEntry>,
        order: &[&'static str],
        report: &Plugins,
    ) -> Result<(), Fault> {
        // What the application does itself comes after all plugins.
        let place = |plugin| {
            let place = order.iter().position(|other| *other == plugin);
            place.unwrap_or(order.len())
        };
        services.sort_by_key(|service| place(service.plugin));
        for service in services {
            let began = Instant::now();
            let (plugin, name) = (service.plugin, service.name);
            let context = self.container.context();
            match start(service, context.clone()).await {
                Ok(stop) => self.started.push(Started {
                    name,
                    stop,
                    context,
                }),
                Err(fault) => {
                    context.close().await;
                    return Err(fault);
                }
            }
            report.note_started(plugin, began.elapsed());
        }
        Ok(())
    }

    /// Stops the services in reverse order. Each gets an equal share of the time that is left, so
    /// that one that hangs does not use up the time of the others. Returns those that hang.
    pub(super) async fn stop(&mut self, limit: Duration) -> Vec<String> {
        let deadline = Instant::now() + limit;
        let mut hanging = Vec::new();
        while let Some(Started {
            name,
            stop,
            context,
        }) = self.started.pop()
        {
            let left = u32::try_from(self.started.len()).unwrap_or(u32::MAX);
            let share = deadline.saturating_duration_since(Instant::now()) / left.saturating_add(1);
            if let Some(stop) = stop.into_future() {
                // A task of its own: a stop that panics or blocks does not end the others.
                let stopping = tokio::spawn(stop);
                match tokio::time::timeout(share, stopping).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => {
                        tracing::error!(service = name, "a service panicked while it stopped")
                    }
                    Err(_) => {
                        tracing::error!(service = name, ?share, "a service did not stop in time");
                        hanging.push(name.to_string());
                    }
                }
            }
            context.close().await;
        }
        hanging
    }
}

/// Starts one service.
async fn start(service: ServiceEntry, context: Context) -> Result<Stop, Fault> {
    let ServiceEntry {
        plugin,
        name,
        start,
        ..
    } = service;
    let began = Instant::now();
    let failed = |what: String| {
        let seconds = began.elapsed().as_secs_f64();
        Fault::of(
            plugin,
            format!("service `{name}` {what} after {seconds:.1} s").into(),
        )
    };
    let starting = AssertUnwindSafe(start(context)).catch_unwind();
    match tokio::time::timeout(START_TIMEOUT, starting).await {
        Ok(Ok(Ok(stop))) => Ok(stop),
        // A wrong setting says what to do; nothing is added to it.
        Ok(Ok(Err(error))) if error.key.is_some() => Err(Fault::of(plugin, error)),
        Ok(Ok(Err(error))) => {
            let mut fault = failed(format!("failed ({error})"));
            fault.source = error.source;
            Err(fault)
        }
        Ok(Err(_)) => Err(failed("panicked".to_owned())),
        Err(_) => Err(failed("did not start".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::SetupError;

    type Log = Arc<Mutex<Vec<String>>>;

    fn note(log: &Log, what: String) {
        log.lock().unwrap().push(what);
    }

    /// A service that writes what happens to it, and may hang.
    fn service(name: &'static str, log: &Log, start_hangs: bool, stop_hangs: bool) -> ServiceEntry {
        let log = Arc::clone(log);
        ServiceEntry::new::<(), _, _>(name, name, move |()| async move {
            if start_hangs {
                pending::<()>().await;
            }
            note(&log, format!("{name} started"));
            Ok::<_, SetupError>(Stop::with(move || async move {
                note(&log, format!("{name} stops"));
                if stop_hangs {
                    pending::<()>().await;
                }
            }))
        })
    }

    fn services() -> (Services, Plugins) {
        let container = Container::builder().build(&[]).unwrap();
        (Services::new(container), Plugins::new(&[], &[]))
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_hangs_at_the_start_is_named_and_those_before_it_are_stopped() {
        let (mut services, report) = services();
        let log = Log::default();
        let all = vec![
            service("c", &log, true, false),
            service("b", &log, false, false),
            service("a", &log, false, false),
        ];
        let began = tokio::time::Instant::now();
        let started = services.start(all, &["a", "b", "c"], &report).await;
        assert_eq!(began.elapsed(), START_TIMEOUT);
        let text = started.unwrap_err().to_string();
        assert!(text.contains("service `c` did not start"), "{text}");
        services.stop(STOP_TIMEOUT).await;
        let log = log.lock().unwrap();
        assert_eq!(*log, ["a started", "b started", "b stops", "a stops"]);
    }

    #[tokio::test(start_paused = true)]
    async fn services_that_hang_at_the_stop_share_the_time_and_starve_none() {
        let (mut services, report) = services();
        let log = Log::default();
        let all = vec![
            service("a", &log, false, false),
            service("b", &log, false, true),
            service("c", &log, false, true),
        ];
        let order = ["a", "b", "c"];
        services.start(all, &order, &report).await.unwrap();
        let began = tokio::time::Instant::now();
        services.stop(STOP_TIMEOUT).await;
        assert!(began.elapsed() <= STOP_TIMEOUT, "{:?}", began.elapsed());
        let log = log.lock().unwrap();
        assert_eq!(log[3..], ["c stops", "b stops", "a stops"]);
    }
}
