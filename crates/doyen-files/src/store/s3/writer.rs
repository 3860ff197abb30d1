//! An object that is written in parts.
//!
//! A part is collected in a file without a name, so that the memory of a slow upload is small, and
//! is in memory only while it is sent.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::{Error, ObjectStoreExt as _};
use tokio::runtime::Handle;

use super::list::Folder;
use super::{Bucket, failed};
use crate::archive::scratch_file;
use crate::store::{ObjectWriter, StoreError};
use crate::stored::FileId;

pub(super) struct S3Writer {
    bucket: Arc<Bucket>,
    id: FileId,
    /// Set until the object is complete.
    upload: Option<String>,
    parts: Vec<PartId>,
    part: Option<Arc<File>>,
    /// Bytes in the file.
    collected: u64,
}

impl S3Writer {
    pub(super) async fn create(bucket: &Arc<Bucket>, id: FileId) -> Result<Self, Error> {
        let key = bucket.key(Folder::Objects, id);
        // An upload without parts costs nothing, if the process ends before the next step.
        let upload = bucket.client.create_multipart(&key).await?;
        let writer = Self {
            bucket: Arc::clone(bucket),
            id,
            upload: Some(upload.clone()),
            parts: Vec::new(),
            part: None,
            collected: 0,
        };
        let key = bucket.key(Folder::Partial, id);
        bucket.client.put(&key, upload.into()).await?;
        Ok(writer)
    }

    async fn collect(&mut self, bytes: Bytes) -> io::Result<()> {
        self.collected += bytes.len() as u64;
        let (part, scratch) = (self.part.take(), self.bucket.scratch.clone());
        let part = blocking(move || {
            let part = match part {
                Some(part) => part,
                None => Arc::new(scratch_file(&scratch)?),
            };
            (&*part).write_all(&bytes)?;
            Ok(part)
        });
        self.part = Some(part.await?);
        Ok(())
    }

    /// Sends what is collected, and begins the next part.
    async fn send(&mut self) -> Result<(), Error> {
        let Some(upload) = &self.upload else {
            return Ok(());
        };
        let place = self.bucket.sends.acquire().await;
        let _place = place.map_err(|error| generic(Box::new(error)))?;
        let (part, length) = (self.part.take(), self.collected);
        let bytes = blocking(move || {
            let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
            if let Some(part) = part {
                part.read_exact_at(&mut bytes, 0)?;
            }
            Ok(bytes)
        });
        let bytes = bytes.await.map_err(|error| generic(Box::new(error)))?;
        self.collected = 0;
        let key = self.bucket.key(Folder::Objects, self.id);
        let (client, index) = (&self.bucket.client, self.parts.len());
        let sent = client.put_part(&key, upload, index, bytes.into()).await?;
        self.parts.push(sent);
        Ok(())
    }

    async fn complete(&mut self) -> Result<(), Error> {
        // An empty object has one empty part.
        if self.collected > 0 || self.parts.is_empty() {
            self.send().await?;
        }
        let Some(upload) = self.upload.clone() else {
            return Ok(());
        };
        let (key, parts) = (
            self.bucket.key(Folder::Objects, self.id),
            std::mem::take(&mut self.parts),
        );
        let client = &self.bucket.client;
        client.complete_multipart(&key, &upload, parts).await?;
        self.upload = None;
        self.bucket.delete(Folder::Partial, self.id).await
    }
}

fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Generic {
        store: "S3",
        source,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[async_trait]
impl ObjectWriter for S3Writer {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            let room = self.bucket.part_bytes - self.collected;
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let next = bytes.split_to(room.min(bytes.len()));
            let collected = self.collect(next).await;
            collected.map_err(|error| StoreError::new("collecting a part", error))?;
            if self.collected == self.bucket.part_bytes {
                self.send().await.map_err(failed("writing an object"))?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        self.complete()
            .await
            .map_err(failed("completing an object"))
    }
}

impl Drop for S3Writer {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take() else {
            return;
        };
        let (bucket, id) = (Arc::clone(&self.bucket), self.id);
        // Without a runtime, or if it fails, the sweeper removes it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = bucket.discard(id, &upload).await {
                    tracing::warn!(target: "files", %id, error = %doyen_core::chain(&error), "an upload was left for the sweeper");
                }
            });
        }
    }
}
