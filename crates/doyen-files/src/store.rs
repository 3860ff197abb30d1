//! The port of stores: where the bytes of files are.
//!
//! An object begins in quarantine and is published once. A store knows nothing of rows: see the
//! [crate] for how both stay in agreement. `tests/files/stores.rs` is the suite that every
//! store passes.

mod folder;
mod reader;
#[cfg(feature = "s3")]
mod s3;

pub use folder::FolderStore;
pub(crate) use reader::ObjectReader;
#[cfg(feature = "s3")]
pub use s3::S3Store;

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use doyen_web::Chunks;

use crate::stored::FileId;

/// The part of a store that an object is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Received, and not readable by clients.
    Quarantine,
    /// Readable, if its row says so.
    Published,
}

/// A store of objects.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Begins an object in quarantine.
    async fn create(&self, id: FileId) -> Result<Box<dyn ObjectWriter>, StoreError>;

    /// Opens a complete object, or returns `None` if it does not exist in this area.
    async fn open(&self, id: FileId, area: Area) -> Result<Option<Arc<dyn Object>>, StoreError>;

    /// Moves an object out of quarantine, durably and at once. Does nothing if it is published
    /// already.
    async fn publish(&self, id: FileId) -> Result<(), StoreError>;

    /// Removes an object from both areas, and what a crash has left of it. Does nothing if there
    /// is none.
    async fn remove(&self, id: FileId) -> Result<(), StoreError>;

    /// Returns some of the objects that are at least this old, complete or not: the first ones, or
    /// those after an earlier listing, in any order. A listing can be empty and have a next one.
    async fn list(&self, min_age: Duration, after: Option<String>) -> Result<Listing, StoreError>;

    /// Removes what a listing has found, in its area only: the object may be in another area by
    /// now. Does nothing if it is gone.
    async fn remove_listed(&self, listed: Listed) -> Result<(), StoreError>;

    /// Checks that objects can be written.
    async fn check(&self) -> Result<(), StoreError>;

    /// Returns a URL at which clients get a published object from the store itself, for a short
    /// time; `None` if the store does not offer it.
    async fn link(&self, id: FileId, saved: &Saved) -> Result<Option<String>, StoreError> {
        let _ = (id, saved);
        Ok(None)
    }
}

/// How clients save an object that they get from the store itself.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The value of `Content-Disposition`.
    pub disposition: String,
    /// The value of `Content-Type`.
    pub media_type: String,
}

/// A part of all objects of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The objects.
    pub objects: Vec<Listed>,
    /// Where the next listing begins; `None` at the end.
    pub next: Option<String>,
}

/// An object in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: FileId,
    /// The area; `None` for one that is not complete.
    pub area: Option<Area>,
}

/// An object that is being written. If it is dropped before the end, it is removed, at once or a
/// moment later.
#[async_trait]
pub trait ObjectWriter: Send {
    /// Appends bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError>;

    /// Completes the object, durably.
    async fn finish(self: Box<Self>) -> Result<(), StoreError>;
}

/// A complete object. If it is removed meanwhile, a read returns its bytes or fails.
pub trait Object: Send + Sync + 'static {
    /// Returns the length in bytes.
    fn length(&self) -> u64;

    /// Reads a range.
    fn read(&self, range: Range<u64>) -> Chunks;
}

/// A store failed.
#[derive(Debug)]
pub struct StoreError {
    doing: &'static str,
    cause: io::Error,
}

impl StoreError {
    /// Creates an error: what the store was doing, and the cause.
    pub fn new(doing: &'static str, cause: impl Into<io::Error>) -> Self {
        Self {
            doing,
            cause: cause.into(),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store of files failed {}", self.doing)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
