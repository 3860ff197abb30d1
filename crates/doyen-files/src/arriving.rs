//! Bytes of files that arrive in this process, which the disk must hold.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use doyen_core::Refusal;

use crate::core::FilesCore;
use crate::problems;

/// The bytes of one file, until it is complete or dropped.
pub(crate) struct Arriving {
    core: Arc<FilesCore>,
    bytes: u64,
}

impl Arriving {
    pub(crate) fn new(core: &Arc<FilesCore>) -> Self {
        Self {
            core: Arc::clone(core),
            bytes: 0,
        }
    }

    /// Counts more bytes. Refuses them above `files.max_upload_bytes`.
    pub(crate) fn add(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.bytes += bytes;
        let all = self.core.arriving.fetch_add(bytes, Ordering::Relaxed) + bytes;
        match all > self.core.uploads.max_bytes {
            true => Err(problems::uploads_full()),
            false => Ok(()),
        }
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.core.arriving.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
