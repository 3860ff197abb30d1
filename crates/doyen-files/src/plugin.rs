//! Files as a plugin.

use std::sync::Arc;
use std::time::Duration;

use doyen_app::{Impact, Manifest, Plugin, Registrar, SetupError};
use doyen_core::{JobHandler, NewJob, Schedule};

use crate::core::FilesCore;
use crate::figures::FAMILIES;
use crate::link::LinkKey;
use crate::scan::{Clamd, Scanner};
use crate::scan_later::ScanFile;
use crate::settings::{FileSettings, ScannerKind, StoreKind};
use crate::store::{FolderStore, Store};
use crate::sweep::Sweep;
use crate::tables::TABLES;

const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// Uploads, downloads and stored files.
///
/// It supplies [`Files`](crate::Files) and the extractors [`Upload`](crate::Upload) and
/// [`RawUpload`](crate::RawUpload).
#[derive(Clone, Copy, Debug, Default)]
pub struct FilesPlugin;

/// A store that replaces that of the settings: an extension point.
#[derive(Clone)]
pub struct StoreOverride(pub Arc<dyn Store>);

/// A scanner that replaces that of the settings: an extension point.
#[derive(Clone)]
pub struct ScannerOverride(pub Arc<dyn Scanner>);

impl std::fmt::Debug for StoreOverride {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreOverride").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ScannerOverride {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScannerOverride").finish_non_exhaustive()
    }
}

impl Plugin for FilesPlugin {
    const NAME: &'static str = "files";
    type Settings = FileSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest
            .about("Uploads that are limited, checked and scanned, and their downloads")
            .after("jobs")
            .tables(TABLES);
    }

    fn register(self, settings: FileSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        // An application without jobs cannot inject `Files`, and has no files.
        if app.has("jobs") {
            app.contribute(JobHandler::of::<ScanFile>());
            app.contribute(JobHandler::of::<Sweep>());
            app.contribute(Schedule::new("files sweep", "23 * * * *", || {
                NewJob::new(Sweep {})
            }));
        }
        // Plugins and modules contribute stores and scanners: all are known after registration.
        app.finish(move |app| {
            wire(&settings, app);
            Ok(())
        });
        Ok(())
    }
}

fn wire(settings: &FileSettings, app: &mut Registrar<'_>) {
    let store = match app.contributions::<StoreOverride>().pop() {
        Some(StoreOverride(store)) => store,
        None => store(settings).unwrap_or_else(|(key, message)| {
            app.fault(SetupError::setting(key, message));
            Arc::new(FolderStore::new(&settings.folder))
        }),
    };
    let is_prod = app.info().environment.is_prod();
    let scanner = match app.contributions::<ScannerOverride>().pop() {
        Some(ScannerOverride(scanner)) => Some(scanner),
        None => scanner(settings, is_prod, app),
    };
    let is_scan_required = is_prod && !settings.accept_unscanned;
    let links = LinkKey::new(&app.derive_key("doyen/files/links"));
    let shared = (app.clock(), app.database());
    let core = FilesCore::new(settings, store, scanner, is_scan_required, links, shared);
    let core = Arc::new(core);
    app.provide(Arc::clone(&core));
    let checked = Arc::clone(&core);
    app.health("files store", Impact::Degrades, HEALTH_TIMEOUT, move || {
        let core = Arc::clone(&checked);
        async move { core.check_store().await }
    });
    if core.scanner().is_some() {
        let checked = Arc::clone(&core);
        app.health(
            "files scanner",
            Impact::Degrades,
            HEALTH_TIMEOUT,
            move || {
                let core = Arc::clone(&checked);
                async move { core.check_scanner().await }
            },
        );
    }
    app.metrics(FAMILIES, move |samples| core.figures.collect(samples));
}

/// Returns the store of the settings, or the setting that is wrong.
fn store(settings: &FileSettings) -> Result<Arc<dyn Store>, (&'static str, String)> {
    match settings.store {
        StoreKind::Folder => Ok(Arc::new(FolderStore::new(&settings.folder))),
        #[cfg(feature = "s3")]
        StoreKind::S3 => {
            let scratch = settings.folder.join("scratch");
            let max_bytes = settings.max_bytes.bytes();
            let store = crate::store::S3Store::new(&settings.s3, &scratch, max_bytes)?;
            Ok(Arc::new(store))
        }
        #[cfg(not(feature = "s3"))]
        StoreKind::S3 => {
            let message = "`s3` is not built in: switch on the feature `s3` of `doyen`";
            Err(("files.store", message.to_owned()))
        }
    }
}

/// Returns the scanner of the settings.
fn scanner(
    settings: &FileSettings,
    is_prod: bool,
    app: &mut Registrar<'_>,
) -> Option<Arc<dyn Scanner>> {
    match settings.scanner {
        Some(ScannerKind::Clamd) => {
            let clamd = Clamd::new(
                &settings.clamd,
                settings.scan_timeout,
                settings.scan_max_bytes.bytes(),
                settings.max_scans,
            );
            match clamd {
                Ok(clamd) => return Some(Arc::new(clamd)),
                Err(message) => app.fault(SetupError::setting("files.clamd", message)),
            }
        }
        Some(ScannerKind::None) if is_prod && !settings.accept_unscanned => {
            let message = "`none` accepts files without a virus scan, which `prod` refuses. Set \
                           APP_FILES__SCANNER=clamd and APP_FILES__CLAMD to the address of clamd; \
                           or set APP_FILES__ACCEPT_UNSCANNED=true";
            app.fault(SetupError::setting("files.scanner", message));
        }
        Some(ScannerKind::None) | None => {}
    }
    None
}
