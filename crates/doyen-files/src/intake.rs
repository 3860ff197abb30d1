//! One file: limits, kind, hash and quarantine while it arrives, then the archive limits and the
//! scan.
//!
//! The scanner gets a file once it is complete. clamd gives its verdict only then, and a scan that
//! follows the client would let slow clients occupy the scanner.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use doyen_core::problem::Plain;
use doyen_core::{Refusal, Unexpected};
use doyen_data::Session;
use tokio::runtime::Handle;

use crate::arriving::Arriving;
use crate::core::{FilesCore, Scanning};
use crate::figures::add;
use crate::policy::Rules;
use crate::problems::{self, INFECTED, StorageUnavailable};
use crate::recognize::Recognizer;
use crate::scan::{ScanError, Scanner, Verdict};
use crate::store::{Area, Object, ObjectReader, ObjectWriter, StoreError};
use crate::stored::{FileId, FileStatus};
use crate::{archive, name};

/// A file that was received and checked, and waits in quarantine for
/// [`Files::keep`](crate::Files::keep). If it is dropped instead, its content is removed.
#[derive(Debug)]
pub struct Received {
    /// Id.
    pub id: FileId,
    /// Name, safe to show and to send, from that which the client gave.
    pub name: String,
    /// Media type, which the content has.
    pub media_type: &'static str,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// `Clean`, `Scanning` or `Unscanned`.
    pub status: FileStatus,
    /// Removes the content.
    pub(crate) content: Discard,
}

/// Removes an object when it is dropped, unless it is kept.
pub(crate) struct Discard {
    core: Arc<FilesCore>,
    id: Option<FileId>,
}

impl std::fmt::Debug for Discard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Discard").field(&self.id).finish()
    }
}

impl Discard {
    pub(crate) fn new(core: &Arc<FilesCore>, id: FileId) -> Self {
        Self {
            core: Arc::clone(core),
            id: Some(id),
        }
    }

    /// Keeps the object.
    pub(crate) fn keep(&mut self) {
        self.id = None;
    }
}

impl Drop for Discard {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let core = Arc::clone(&self.core);
        // Without a runtime, or if it fails, the sweeper removes it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = core.store.remove(id).await {
                    tracing::warn!(target: "files", %id, error = %doyen_core::chain(&error), "an object was left for the sweeper");
                }
            });
        }
    }
}

/// A file that arrives.
pub(crate) struct Intake {
    core: Arc<FilesCore>,
    id: FileId,
    recognizer: Recognizer,
    size: u64,
    hash: Context,
    writer: Box<dyn ObjectWriter>,
    limit: u64,
    arriving: Arriving,
}

pub(crate) fn storage(error: StoreError) -> Refusal {
    StorageUnavailable::from(error).into()
}

impl Intake {
    /// Begins a file. Refuses a media type that is not accepted, before its content arrives.
    pub(crate) async fn begin(
        core: &Arc<FilesCore>,
        rules: Rules,
        given_name: String,
        media_type: Option<&str>,
    ) -> Result<Self, Refusal> {
        let recognizer = Recognizer::new(rules.kinds, given_name, media_type)?;
        if matches!(core.scanning, Scanning::Missing) {
            return Err(problems::scanner_unavailable());
        }
        let id = FileId::new();
        let writer = core.store.create(id).await.map_err(storage)?;
        Ok(Self {
            core: Arc::clone(core),
            id,
            recognizer,
            size: 0,
            hash: Context::new(&SHA256),
            writer,
            limit: rules.max_bytes.min(core.max_bytes),
            arriving: Arriving::new(core),
        })
    }

    /// Takes the next bytes.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), Refusal> {
        let length = bytes.len() as u64;
        self.size += length;
        if self.size > self.limit {
            return Err(problems::too_large(self.limit));
        }
        self.arriving.add(length)?;
        self.recognizer.see(&bytes)?;
        self.hash.update(&bytes);
        self.writer.write(bytes).await.map_err(storage)
    }

    /// Completes the file: the archive limits and the verdict.
    pub(crate) async fn finish(mut self) -> Result<Received, Refusal> {
        let kind = self.recognizer.finish()?;
        // Removes the complete object if this fails, or if the client disconnects.
        let content = Discard::new(&self.core, self.id);
        self.writer.finish().await.map_err(storage)?;
        if archive::is_archive(self.recognizer.head()) {
            check_archive(&self.core, self.id).await?;
        }
        let status = match &self.core.scanning {
            Scanning::Before(scanner) => {
                let verdict = scan_stored(&self.core, scanner, self.id).await;
                count(&self.core, &verdict);
                match verdict.map_err(unscanned)? {
                    Verdict::Clean => FileStatus::Clean,
                    Verdict::Infected(found) => {
                        tracing::warn!(target: "files", found, size = self.size, "an infected upload was refused");
                        return Err(Plain::new(&INFECTED).into());
                    }
                }
            }
            Scanning::Later(_) => FileStatus::Scanning,
            Scanning::Off | Scanning::Missing => FileStatus::Unscanned,
        };
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.finish().as_ref());
        add(&self.core.figures.accepted, 1);
        add(&self.core.figures.bytes, self.size);
        Ok(Received {
            id: self.id,
            name: name::sanitize(&self.recognizer.given_name, kind),
            media_type: kind.media_type(),
            size: self.size,
            sha256,
            status,
            content,
        })
    }
}

/// The problem of a scan without a verdict.
fn unscanned(error: ScanError) -> Refusal {
    match error {
        ScanError::TooLarge => Plain::new(&problems::TOO_LARGE)
            .detail("the file exceeds a limit of the virus scanner")
            .into(),
        ScanError::Unavailable(error) => {
            tracing::warn!(target: "files", %error, "an upload was refused: the virus scanner does not respond");
            problems::scanner_unavailable()
        }
    }
}

pub(crate) fn count(core: &FilesCore, verdict: &Result<Verdict, ScanError>) {
    let figures = &core.figures;
    let counter = match verdict {
        Ok(Verdict::Clean) => &figures.clean,
        Ok(Verdict::Infected(_)) => &figures.infected,
        Err(_) => &figures.failed,
    };
    add(counter, 1);
}

async fn open(core: &FilesCore, id: FileId) -> Result<Option<Arc<dyn Object>>, StoreError> {
    match core.store.open(id, Area::Quarantine).await? {
        Some(object) => Ok(Some(object)),
        // A background scan that was interrupted may have published it.
        None => core.store.open(id, Area::Published).await,
    }
}

/// Scans an object that has arrived.
pub(crate) async fn scan_stored(
    core: &FilesCore,
    scanner: &Arc<dyn Scanner>,
    id: FileId,
) -> Result<Verdict, ScanError> {
    let object = open(core, id).await.map_err(std::io::Error::other)?;
    let object = object.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))?;
    scanner.scan(&*object).await
}

async fn check_archive(core: &Arc<FilesCore>, id: FileId) -> Result<(), Refusal> {
    let object = open(core, id).await.map_err(storage)?;
    let object = object.ok_or_else(|| Unexpected::new("an object vanished from quarantine"))?;
    let core = Arc::clone(core);
    // Its memory and its share of the processor are limited, however many uploads end at once.
    let place = Arc::clone(&core.archive_checks).acquire_owned().await;
    let place = place.map_err(Unexpected::from)?;
    let runtime = Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut reader = ObjectReader::new(object, runtime);
        archive::check(&mut reader, core.archives, &core.scratch)
    });
    let checked = checked.await.map_err(Unexpected::from)?;
    checked.map_err(Refusal::from)
}

/// Removes an object once its row is gone for certain. The sweeper does it otherwise.
pub(crate) fn discard_after_commit(session: &Session, core: &Arc<FilesCore>, id: FileId) {
    let core = Arc::clone(core);
    session.after_commit(async move {
        if let Err(error) = core.store.remove(id).await {
            tracing::warn!(target: "files", %id, error = %doyen_core::chain(&error), "an object was left for the sweeper");
        }
    });
}
