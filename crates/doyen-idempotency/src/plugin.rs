//! Idempotent requests as a plugin.

use std::sync::Arc;

use doyen_app::{Manifest, Plugin, Registrar, SetupError, TaskKind};
use doyen_core::Idempotency;

use crate::envelope::Sealer;
use crate::metrics::{Counts, FAMILIES};
use crate::running::Running;
use crate::store::Inner;
use crate::table::Table;
use crate::{IdempotencySettings, KeyStore, TABLES, background};

/// Stores the keys and responses of requests to routes that are `idempotent`.
///
/// They are in the database of the application, so that a response is stored if and only if its
/// effect is committed.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdempotencyPlugin;

impl Plugin for IdempotencyPlugin {
    const NAME: &'static str = "idempotency";
    type Settings = IdempotencySettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest
            .about("Keys and responses of idempotent requests")
            .tables(TABLES);
    }

    fn register(
        self,
        settings: IdempotencySettings,
        app: &mut Registrar<'_>,
    ) -> Result<(), SetupError> {
        let table = Table::new(app.database());
        let has_markers = table.has_markers();
        let inner = Arc::new(Inner {
            table,
            running: Running::default(),
            counts: Counts::default(),
            clock: app.clock(),
            settings,
            sealer: Sealer::new(app.derive_keys("idempotency")),
        });
        let store = Arc::new(KeyStore {
            inner: Arc::clone(&inner),
        });
        app.idempotency(Arc::clone(&store) as Arc<dyn Idempotency>);
        app.provide(store);
        app.metrics(FAMILIES, move |samples| inner.counts.collect(samples));
        if has_markers {
            app.task(
                "idempotency leases",
                TaskKind::Forever,
                |store: Arc<KeyStore>, shutdown| {
                    background::renew_leases((*store).clone(), shutdown)
                },
            );
        }
        app.task(
            "idempotency sweep",
            TaskKind::Forever,
            |store: Arc<KeyStore>, shutdown| background::sweep((*store).clone(), shutdown),
        );
        Ok(())
    }
}
