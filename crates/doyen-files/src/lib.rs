//! Uploads, stored files and downloads: the plugin [`FilesPlugin`].
//!
//! [`Upload`] is a parameter of a handler. Its policy states which kinds of files, which size and
//! how many are accepted; an upload without a policy does not compile. The bytes stream through the
//! checks into quarantine. The handler then keeps the file with [`Files`], in its unit of work:
//!
//! ```text
//! client ──► limits ──► kind ──► SHA-256 ──► quarantine ──► archive limits ──► scanner
//! handler ──► Files::keep: object published, row inserted, event emitted ──► COMMIT
//! ```
//!
//! | file | contents |
//! | --- | --- |
//! | `policy.rs`, `kind.rs` | what an upload accepts |
//! | `upload.rs`, `upload` | the extractors: forms and raw bodies |
//! | `intake.rs`, `recognize.rs`, `arriving.rs` | one file as it arrives: checks, kind, bytes in total |
//! | `resumable.rs`, `resumable` | resumable uploads (tus) |
//! | `archive.rs`, `archive` | the limits of archives |
//! | `name.rs` | file names as data |
//! | `store.rs`, `store` | the port of stores, the folder and S3 |
//! | `scan.rs`, `scan` | the port of virus scanners, and clamd |
//! | `scan_later.rs` | the job that scans a file in quarantine |
//! | `files.rs`, `stored.rs`, `rows.rs`, `tables.rs` | kept files: their rows |
//! | `download.rs` | downloads that the store may serve |
//! | `link.rs` | signed links |
//! | `sweep.rs` | removal of what a crash left |
//! | `figures.rs` | metrics |
//!
//! # Why row and object agree
//!
//! An object is complete and durable before its row commits, and is removed after its row is gone.
//! A crash at any point therefore leaves an object without a row, never a row without its object,
//! and the sweeper removes such objects. Only a row makes a file readable, and only if it is clean.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod archive;
mod arriving;
mod core;
mod download;
mod event;
mod figures;
mod files;
mod intake;
mod kind;
mod link;
mod name;
mod plugin;
mod policy;
mod problems;
mod recognize;
mod resumable;
mod rows;
mod scan;
mod scan_later;
mod settings;
mod store;
mod stored;
mod sweep;
mod tables;
mod upload;

pub use crate::core::FilesCore;
pub use archive::ArchiveLimits;
pub use download::Download;
pub use event::FileEvent;
pub use files::Files;
pub use intake::Received;
pub use kind::FileKind;
pub use plugin::{FilesPlugin, ScannerOverride, StoreOverride};
pub use policy::{NoFields, UploadPolicy};
pub use problems::{KeepFile, OpenFile, StorageUnavailable};
pub use resumable::{UploadId, resumable};
pub use scan::{Clamd, ScanError, Scanner, Verdict};
pub use settings::{FileSettings, S3Settings, ScanTime, ScannerKind, StoreKind};
#[cfg(feature = "s3")]
pub use store::S3Store;
pub use store::{
    Area, FolderStore, Listed, Listing, Object, ObjectWriter, Saved, Store, StoreError,
};
pub use stored::{FileId, FileStatus, StoredFile, Usage};
pub use sweep::{Sweep, Swept};
pub use tables::TABLES;
pub use upload::{RawUpload, Upload};

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_data as data;
    pub use doyen_schema::__private::*;
    pub use doyen_settings as settings;
}
