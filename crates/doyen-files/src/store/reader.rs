//! An object as a blocking reader, for libraries that seek.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use tokio::runtime::Handle;

use super::Object;

/// Bytes that are read ahead.
const AHEAD_BYTES: u64 = 64 << 10;

/// Reads an object in a blocking thread.
pub(crate) struct ObjectReader {
    object: Arc<dyn Object>,
    runtime: Handle,
    position: u64,
    ahead: Bytes,
}

impl ObjectReader {
    /// Creates a reader. It must be used in a blocking thread of this runtime.
    pub(crate) fn new(object: Arc<dyn Object>, runtime: Handle) -> Self {
        Self {
            object,
            runtime,
            position: 0,
            ahead: Bytes::new(),
        }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            let end = self.object.length().min(self.position + AHEAD_BYTES);
            if self.position >= end {
                return Ok(0);
            }
            let mut chunks = self.object.read(self.position..end);
            let next = self.runtime.block_on(chunks.next());
            self.ahead = next.transpose()?.unwrap_or_default();
        }
        let length = into.len().min(self.ahead.len());
        self.ahead.copy_to_slice(&mut into[..length]);
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.object.length().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        if target != self.position {
            self.ahead.clear();
            self.position = target;
        }
        Ok(target)
    }
}
