//! The settings of files.

use std::path::PathBuf;
use std::time::Duration;

use doyen_core::Secret;
use doyen_settings::{ByteSize, Settings};

/// Uploads and stored files.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct FileSettings {
    /// Store of the files: `folder` (`files.folder`), or `s3` for an S3-compatible store
    /// (`files.s3`).
    #[setting(default = "folder")]
    pub store: StoreKind,
    /// Directory of the stored files. It must be on a durable disk that all processes share. With
    /// `files.store = s3` it has temporary files only, and each process has its own.
    #[setting(default = "data/files")]
    pub folder: PathBuf,
    /// Maximum size of one file, in addition to the limit of the route. Larger files get a 413.
    #[setting(default = "10 MiB", min = "1 KiB", max = "1 TiB")]
    pub max_bytes: ByteSize,
    /// Virus scanner: `clamd`, or `none`. In `prod`, `none` is refused unless
    /// `files.accept_unscanned` is true. If not set, `none`; in `prod`, uploads then get a 503.
    pub scanner: Option<ScannerKind>,
    /// Accept files without a scan in `prod`.
    #[setting(default = false)]
    pub accept_unscanned: bool,
    /// Address of clamd: `unix:/run/clamav/clamd.ctl`, or `host:3310`.
    #[setting(default = "unix:/run/clamav/clamd.ctl")]
    pub clamd: String,
    /// Time of the scan. `before`: before the response; without a scanner, uploads get a 503.
    /// `later`: in a background job; the file is kept in quarantine until then.
    #[setting(default = "before")]
    pub scan: ScanTime,
    /// Maximum size of a file that the scanner accepts, not above `StreamMaxLength` and
    /// `MaxFileSize` of clamd. Larger files get a 413. `AlertExceedsMax` of clamd must be on.
    #[setting(default = "25 MiB", min = "1 KiB")]
    pub scan_max_bytes: ByteSize,
    /// Maximum time that the scanner may take to answer. The upload then gets a 503.
    #[setting(default = "30s", min = "100ms", max = "10m")]
    pub scan_timeout: Duration,
    /// Maximum concurrent scans, and with it connections to clamd. Further scans wait, at most for
    /// `files.scan_timeout`; the upload then gets a 503.
    #[setting(default = 8, min = 1, max = 1000)]
    pub max_scans: u32,
    /// Maximum number of members of an archive, including those of archives in it.
    #[setting(default = 1000, min = 1, max = 1_000_000)]
    pub archive_entries: u64,
    /// Maximum size of all members of an archive, unpacked.
    #[setting(default = "200 MiB", min = "1 KiB", max = "1 TiB")]
    pub archive_bytes: ByteSize,
    /// Maximum ratio of the unpacked to the packed size of a member.
    #[setting(default = 100, min = 1, max = 100_000)]
    pub archive_ratio: u64,
    /// Maximum depth of archives in archives: 1 for an archive without archives in it.
    #[setting(default = 3, min = 1, max = 10)]
    pub archive_depth: u32,
    /// Age from which an object without a row is removed. It must be above the duration of the
    /// longest request with an upload.
    #[setting(default = "24h", min = "1h", max = "30d")]
    pub sweep_after: Duration,
    /// Time without new bytes after which a resumable upload is removed that no request has used.
    #[setting(default = "24h", min = "1m", max = "30d")]
    pub upload_lifetime: Duration,
    /// Maximum resumable uploads of one user that no request has used yet. Further ones get a 429.
    #[setting(default = 100, min = 1, max = 100_000)]
    pub max_user_uploads: u32,
    /// Maximum announced bytes of these uploads of one user. Further ones get a 429.
    #[setting(default = "10 GiB", min = "1 KiB")]
    pub max_user_upload_bytes: ByteSize,
    /// Maximum resumable uploads of all users that no request has used yet. Further ones get a 503.
    #[setting(default = 10_000, min = 1, max = 1_000_000)]
    pub max_uploads: u32,
    /// Maximum announced bytes of these uploads of all users. Also the maximum bytes of the files
    /// that arrive in one process, forms included. Further ones get a 503.
    #[setting(default = "100 GiB", min = "1 KiB")]
    pub max_upload_bytes: ByteSize,
    /// The S3-compatible store.
    #[setting(section)]
    pub s3: S3Settings,
}

/// An S3-compatible store.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct S3Settings {
    /// Name of the bucket. It must exist.
    pub bucket: Option<String>,
    /// Region of the bucket. If not set, that of the environment, else `us-east-1`.
    pub region: Option<String>,
    /// URL of the store, such as `https://s3.example.com`. If not set, that of AWS.
    pub endpoint: Option<String>,
    /// Prefix of the keys, for a bucket that has other objects too.
    #[setting(default = "files")]
    pub prefix: String,
    /// Id of the access key. If not set, the credentials are those of the environment: the
    /// variables of AWS, a web identity, or the metadata of the machine.
    pub access_key: Option<String>,
    /// Secret of the access key.
    pub secret_key: Option<Secret<String>>,
    /// Lets clients download from the store itself, with a link that is valid for this time. If not
    /// set, downloads go through this process.
    #[setting(min = "1s", max = "7d")]
    pub presigned: Option<Duration>,
}

/// A store of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum StoreKind {
    /// A directory.
    Folder,
    /// An S3-compatible store.
    S3,
}

/// A virus scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum ScannerKind {
    /// No scan.
    None,
    /// The daemon of ClamAV.
    Clamd,
}

/// When files are scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum ScanTime {
    /// While they arrive.
    Before,
    /// In a background job.
    Later,
}
