//! The bytes of one request, which become parts of the upload.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use doyen_core::cache::CommitHooks as _;
use doyen_core::problem::Plain;
use doyen_core::{Access, Refusal};
use doyen_data::sea_orm::prelude::Uuid;
use doyen_web::extract::{BodyStream, HeldMemory};

use super::protocol::{Checksum, Metadata};
use super::rows::{self, Resumable};
use crate::core::FilesCore;
use crate::figures::add;
use crate::intake::{Discard, storage};
use crate::policy::Rules;
use crate::problems::{self, CHECKSUM_MISMATCH, OFFSET_CONFLICT, TOO_MANY_PARTS, UPLOAD_NOT_FOUND};
use crate::recognize::Recognizer;
use crate::store::ObjectWriter;
use crate::stored::FileId;

/// Size and age at which a part is completed while more arrives. A process that is killed loses
/// less than that.
const MIN_PART_BYTES: u64 = 16 << 20;
const PART_TIME: Duration = Duration::from_secs(10);

/// Maximum number of parts of an upload. Half of them are for requests that were cut.
const MAX_PARTS: u64 = 10_000;

/// A body that arrives.
pub(super) struct Incoming {
    pub(super) body: BodyStream,
    pub(super) memory: HeldMemory,
}

/// Appends a body to an upload, which is at the offset of the client. It runs in a task of its own,
/// because what has arrived is kept also if the client disconnects, which ends the request.
pub(super) async fn append(
    core: &Arc<FilesCore>,
    rules: Rules,
    upload: Resumable,
    incoming: Incoming,
    checksum: Option<Checksum>,
) -> Result<Resumable, Refusal> {
    let missing = upload.size - upload.received;
    if incoming.body.announced().is_some_and(|all| all > missing) {
        return Err(problems::too_large(upload.size));
    }
    let core = Arc::clone(core);
    let task = tokio::spawn(async move {
        let Incoming { body, memory } = incoming;
        let mut appender = Appender::begin(core, rules, upload, checksum).await?;
        let received = appender.receive(body).await;
        drop(memory);
        if appender.is_refused {
            appender.core.remove_upload(appender.upload.id).await?;
        }
        received.map(|()| appender.upload)
    });
    task.await.map_err(doyen_core::Unexpected::from)?
}

struct Appender {
    core: Arc<FilesCore>,
    upload: Resumable,
    writer: Uuid,
    checksum: Option<Checksum>,
    /// From the beginning of a file, so that a wrong one is refused at once. All is checked again
    /// once the file is complete.
    recognizer: Option<Recognizer>,
    part: Option<Part>,
    part_bytes: u64,
    /// True if the content is refused, however it continues.
    is_refused: bool,
}

/// A part that arrives.
struct Part {
    id: FileId,
    writer: Box<dyn ObjectWriter>,
    size: u64,
    since: Instant,
}

impl Appender {
    /// Takes over the upload.
    async fn begin(
        core: Arc<FilesCore>,
        rules: Rules,
        upload: Resumable,
        checksum: Option<Checksum>,
    ) -> Result<Self, Refusal> {
        if upload.parts >= MAX_PARTS {
            return Err(Plain::new(&TOO_MANY_PARTS).into());
        }
        let recognizer = match upload.received {
            0 => {
                let Metadata { name, media_type } = Metadata::parse(&upload.metadata)?;
                Some(Recognizer::new(rules.kinds, name, media_type.as_deref())?)
            }
            _ => None,
        };
        let writer = FileId::new().uuid();
        let session = core.database.session(Access::Write);
        let is_claimed = rows::claim(&session, &upload, writer).await?;
        session.commit().await?;
        if !is_claimed {
            return Err(Plain::new(&OFFSET_CONFLICT).into());
        }
        let part_bytes = upload.size.div_ceil(MAX_PARTS / 2).max(MIN_PART_BYTES);
        Ok(Self {
            core,
            upload,
            writer,
            checksum,
            recognizer,
            part: None,
            part_bytes,
            is_refused: false,
        })
    }

    async fn receive(&mut self, mut body: BodyStream) -> Result<(), Refusal> {
        loop {
            match body.next().await {
                Ok(Some(bytes)) => self.take(bytes).await?,
                Ok(None) => break,
                Err(refusal) => {
                    // Without its end, the bytes cannot have their checksum.
                    if self.checksum.is_none() {
                        self.record().await?;
                    }
                    return Err(refusal);
                }
            }
        }
        drop(body);
        if self
            .checksum
            .take()
            .is_some_and(|checksum| !checksum.matches())
        {
            return Err(Plain::new(&CHECKSUM_MISMATCH).into());
        }
        if self.arrived() == self.upload.size
            && let Some(recognizer) = &mut self.recognizer
            && let Err(refusal) = recognizer.finish()
        {
            self.is_refused = true;
            return Err(refusal);
        }
        self.record().await
    }

    /// Returns the offset after what has arrived.
    fn arrived(&self) -> u64 {
        self.upload.received + self.part.as_ref().map_or(0, |part| part.size)
    }

    async fn take(&mut self, bytes: Bytes) -> Result<(), Refusal> {
        let length = bytes.len() as u64;
        if self.arrived() + length > self.upload.size {
            return Err(problems::too_large(self.upload.size));
        }
        if let Some(recognizer) = &mut self.recognizer {
            recognizer
                .see(&bytes)
                .inspect_err(|_| self.is_refused = true)?;
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&bytes);
        }
        let mut part = match self.part.take() {
            Some(part) => part,
            None => {
                let id = FileId::new();
                Part {
                    id,
                    writer: self.core.store.create(id).await.map_err(storage)?,
                    size: 0,
                    since: Instant::now(),
                }
            }
        };
        part.writer.write(bytes).await.map_err(storage)?;
        part.size += length;
        let is_full = part.size >= self.part_bytes || part.since.elapsed() >= PART_TIME;
        self.part = Some(part);
        match is_full && self.checksum.is_none() {
            true => self.record().await,
            false => Ok(()),
        }
    }

    /// Completes the part and adds it to the upload.
    async fn record(&mut self) -> Result<(), Refusal> {
        let Some(part) = self.part.take() else {
            return Ok(());
        };
        // Removes the object unless its row is committed.
        let mut content = Discard::new(&self.core, part.id);
        part.writer.finish().await.map_err(storage)?;
        let session = self.core.database.session(Access::Write);
        let expires_at = self.core.now() + self.core.uploads.lifetime;
        let added = (part.id, part.size);
        if !rows::add(&session, &self.upload, self.writer, added, expires_at).await? {
            let found = rows::find(&session, self.upload.id).await?;
            session.rollback().await;
            return Err(match found {
                Some(_) => Plain::new(&OFFSET_CONFLICT).into(),
                None => Plain::new(&UPLOAD_NOT_FOUND).into(),
            });
        }
        session.after_possible_commit(Box::pin(async move { content.keep() }));
        session.commit().await?;
        self.upload.received += part.size;
        self.upload.parts += 1;
        self.upload.expires_at = expires_at;
        add(&self.core.figures.bytes, part.size);
        Ok(())
    }
}
