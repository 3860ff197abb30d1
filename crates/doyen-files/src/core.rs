//! What all requests of a process share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use doyen_core::{Clock, Timestamp};
use doyen_data::Database;
use tokio::sync::Semaphore;

use crate::archive::ArchiveLimits;
use crate::figures::Figures;
use crate::link::LinkKey;
use crate::resumable::UploadLimits;
use crate::scan::Scanner;
use crate::settings::{FileSettings, ScanTime};
use crate::store::Store;

/// The store, the scanner and the limits.
pub struct FilesCore {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scanning: Scanning,
    pub(crate) archives: ArchiveLimits,
    /// One place for each processor.
    pub(crate) archive_checks: Arc<Semaphore>,
    /// Where archives in archives are unpacked.
    pub(crate) scratch: PathBuf,
    /// Maximum size of a file, from the settings and the scanner.
    pub(crate) max_bytes: u64,
    pub(crate) sweep_after: Duration,
    pub(crate) links: LinkKey,
    pub(crate) figures: Figures,
    pub(crate) uploads: UploadLimits,
    /// Bytes of files that arrive in this process.
    pub(crate) arriving: AtomicU64,
    pub(crate) database: Database,
    clock: Arc<dyn Clock>,
}

/// How files are scanned.
#[derive(Clone)]
pub(crate) enum Scanning {
    /// They are accepted without a scan.
    Off,
    /// No scanner is set in production: no file is accepted.
    Missing,
    /// Before the response.
    Before(Arc<dyn Scanner>),
    /// In a background job.
    Later(Arc<dyn Scanner>),
}

impl std::fmt::Debug for FilesCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilesCore")
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl FilesCore {
    pub(crate) fn new(
        settings: &FileSettings,
        store: Arc<dyn Store>,
        scanner: Option<Arc<dyn Scanner>>,
        is_scan_required: bool,
        links: LinkKey,
        (clock, database): (Arc<dyn Clock>, Database),
    ) -> Self {
        let limit = scanner
            .as_ref()
            .map_or(u64::MAX, |scanner| scanner.max_bytes());
        let scanning = match (scanner, settings.scan) {
            (None, _) if is_scan_required => Scanning::Missing,
            (None, _) => Scanning::Off,
            (Some(scanner), ScanTime::Before) => Scanning::Before(scanner),
            (Some(scanner), ScanTime::Later) => Scanning::Later(scanner),
        };
        Self {
            store,
            scanning,
            archives: ArchiveLimits::of(settings),
            archive_checks: Arc::new(Semaphore::new(processors())),
            scratch: settings.folder.join("scratch"),
            max_bytes: settings.max_bytes.bytes().min(limit),
            sweep_after: settings.sweep_after,
            links,
            figures: Figures::default(),
            uploads: UploadLimits::of(settings),
            arriving: AtomicU64::new(0),
            database,
            clock,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn scanner(&self) -> Option<&Arc<dyn Scanner>> {
        match &self.scanning {
            Scanning::Before(scanner) | Scanning::Later(scanner) => Some(scanner),
            Scanning::Off | Scanning::Missing => None,
        }
    }

    /// Checks the store, for the health of the process.
    pub(crate) async fn check_store(&self) -> Result<(), String> {
        let checked = self.store.check().await;
        checked.map_err(|error| doyen_core::chain(&error))
    }

    /// Checks the scanner, for the health of the process.
    pub(crate) async fn check_scanner(&self) -> Result<(), String> {
        let Some(scanner) = self.scanner() else {
            return Ok(());
        };
        let checked = scanner.check().await;
        checked.map_err(|error| doyen_core::chain(&error))
    }
}
