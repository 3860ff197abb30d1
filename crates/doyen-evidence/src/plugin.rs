//! The plugin.

use std::sync::Arc;

use doyen_app::{Manifest, Plugin, Registrar, SetupError};

use crate::EvidenceSettings;
use crate::finding::{Counts, FAMILIES};
use crate::limits::Limits;
use crate::observer::{Observer, Shared};

/// Finds anti-patterns in requests while the application runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence;

impl Plugin for Evidence {
    const NAME: &'static str = "evidence";
    type Settings = EvidenceSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("Findings about anti-patterns in requests");
        #[cfg(feature = "database")]
        manifest.command(crate::explain::command());
    }

    fn register(
        self,
        settings: EvidenceSettings,
        app: &mut Registrar<'_>,
    ) -> Result<(), SetupError> {
        let mut limits =
            Limits::new(&settings).map_err(|error| SetupError::setting("evidence.allow", error))?;
        // With the plugin, requests are uncounted only if the application switched it off.
        limits.is_limited_elsewhere = app.has("limits");
        let is_prod = app.info().environment.is_prod();
        let sample = settings.sample.unwrap_or(if is_prod { 0.0 } else { 1.0 });
        #[cfg(feature = "database")]
        let record = crate::record::register(&settings, sample > 0.0, app);
        if sample <= 0.0 {
            return Ok(());
        }
        let shared = Arc::new(Shared {
            limits,
            counts: Counts::default(),
            #[cfg(feature = "database")]
            record,
        });
        app.observe_requests(Arc::new(Observer::new(Arc::clone(&shared), sample)));
        app.metrics(FAMILIES, move |samples| shared.counts.collect(samples));
        Ok(())
    }
}
