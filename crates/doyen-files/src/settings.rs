//! The settings of files.

use std::path::PathBuf;
use std::time::Duration;

use doyen_settings::{ByteSize, Settings};

/// Uploads and stored files.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct FileSettings {
    /// Directory of the stored files. It must be on a durable disk that all processes share.
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
    /// longest upload.
    #[setting(default = "24h", min = "1h", max = "30d")]
    pub sweep_after: Duration,
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
