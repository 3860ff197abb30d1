//! Kept files: a row for each, in the unit of work of the request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use doyen_core::cache::CommitHooks as _;
use doyen_core::{Inject, Jobs, Unexpected};
use doyen_data::Session;
use doyen_web::{File, ReadPart};

use crate::core::FilesCore;
use crate::download::Download;
use crate::event::FileEvent;
use crate::intake::{Received, discard_after_commit};
use crate::problems::{FileRemoved, KeepFile, NotScanned, OpenFile, StorageUnavailable};
use crate::rows;
use crate::scan_later::ScanFile;
use crate::store::{Area, Saved};
use crate::stored::{FileId, FileStatus, StoredFile, Usage};

/// Keeps, reads and removes files, in the unit of work of the request or job that injects it.
///
/// It does not check whether the caller may read a file: that is the rule of a domain, which knows
/// what the file belongs to.
#[derive(Clone, Inject)]
pub struct Files {
    session: Session,
    core: Arc<FilesCore>,
    jobs: Jobs,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}

impl Files {
    /// Keeps a received file: it exists if and only if the unit of work commits. The owner is for
    /// [`usage`](Self::usage).
    ///
    /// # Errors
    ///
    /// Returns an error if the store or the database fails.
    pub async fn keep(
        &self,
        received: Received,
        owner: impl fmt::Display,
    ) -> Result<StoredFile, KeepFile> {
        let Received {
            id,
            name,
            media_type,
            size,
            sha256,
            status,
            mut content,
        } = received;
        if status != FileStatus::Scanning {
            let published = self.core.store.publish(id).await;
            published.map_err(StorageUnavailable::from)?;
        }
        let file = StoredFile {
            id,
            status,
            name,
            media_type: media_type.to_owned(),
            size,
            sha256: sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            owner: owner.to_string(),
            created_at: self.core.now(),
        };
        rows::insert(&self.session, &file).await?;
        self.session
            .emit(&match status {
                FileStatus::Scanning => FileEvent::Quarantined { file: id },
                _ => FileEvent::Stored { file: id },
            })
            .await
            .map_err(Unexpected::from)?;
        if status == FileStatus::Scanning {
            self.jobs.enqueue(ScanFile::new(id)).await?;
        }
        // A rollback drops this, and with it the object. An unknown outcome keeps the object: the
        // row may exist, and the sweeper knows.
        self.session
            .after_possible_commit(Box::pin(async move { content.keep() }));
        Ok(file)
    }

    /// Returns a file.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn find(&self, id: FileId) -> Result<Option<StoredFile>, Unexpected> {
        rows::find(&self.session, id).await
    }

    /// Returns the files with these ids that exist, in no order.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn find_all(&self, ids: &[FileId]) -> Result<Vec<StoredFile>, Unexpected> {
        let mut all = Vec::with_capacity(ids.len());
        for batch in ids.chunks(rows::BATCH) {
            all.extend(rows::find_all(&self.session, batch).await?);
        }
        Ok(all)
    }

    /// Returns the same with a session of its own that only reads, and holds no connection between
    /// statements: for a check before a body arrives.
    #[must_use]
    pub fn autocommit(&self) -> Self {
        Self {
            session: self.session.autocommit(),
            ..self.clone()
        }
    }

    /// Returns what an owner stores.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn usage(&self, owner: impl fmt::Display) -> Result<Usage, Unexpected> {
        rows::usage(&self.session, &owner.to_string()).await
    }

    /// Removes a file: its row in this unit of work, its content after the commit. Returns false if
    /// it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn remove(&self, id: FileId) -> Result<bool, Unexpected> {
        if !rows::remove(&self.session, id).await? {
            return Ok(false);
        }
        self.session.emit(&FileEvent::Removed { file: id }).await?;
        discard_after_commit(&self.session, &self.core, id);
        Ok(true)
    }

    /// Returns the content of a file as a response: whole, in ranges, or a 304. Browsers save it
    /// under its name and run nothing in it.
    ///
    /// # Errors
    ///
    /// Returns a problem if the file is not scanned yet or was infected, and an error if the store
    /// fails.
    pub async fn open(&self, file: &StoredFile) -> Result<File, OpenFile> {
        readable(file)?;
        let opened = self.core.store.open(file.id, Area::Published).await;
        let Some(object) = opened.map_err(StorageUnavailable::from)? else {
            let id = file.id;
            return Err(Unexpected::new(format!("the object of {id} is missing")).into());
        };
        let length = object.length();
        if length != file.size {
            let id = file.id;
            return Err(Unexpected::new(format!("the object of {id} has {length} bytes")).into());
        }
        let read = Arc::new(move |range| object.read(range));
        Ok(response(file, read))
    }

    /// Returns the content of a file as [`open`](Self::open) does, or, with `files.s3.presigned`, a
    /// redirect to the store. Its link is for `GET` only, lets its holder read the file until it
    /// expires, and makes browsers save the file. A `HEAD` gets the headers of the content.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`open`](Self::open).
    pub async fn download(&self, file: &StoredFile) -> Result<Download, OpenFile> {
        readable(file)?;
        let saved = Saved {
            disposition: doyen_web::response::attachment(&file.name),
            media_type: file.media_type.clone(),
        };
        let link = self.core.store.link(file.id, &saved).await;
        let link = link.map_err(StorageUnavailable::from)?;
        let file = match link {
            // Only its headers are sent, to a `HEAD`.
            Some(_) => response(file, Arc::new(|_| Box::pin(futures_util::stream::empty()))),
            None => self.open(file).await?,
        };
        Ok(Download { link, file })
    }

    /// Returns a text that lets its holder read a file for this long, for the URL of a route with
    /// `allow = anyone` and `mask_path`. Nothing revokes it: keep the time short.
    pub fn sign(&self, id: FileId, valid_for: Duration) -> String {
        self.core.links.sign(id, self.core.now() + valid_for)
    }

    /// Returns the file that a signed text is for; `None` if the text is not genuine or has
    /// expired, or if the file is gone.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn find_signed(&self, text: &str) -> Result<Option<StoredFile>, Unexpected> {
        match self.core.links.verify(text, self.core.now()) {
            Some(id) => self.find(id).await,
            None => Ok(None),
        }
    }
}

/// Returns the response with the content that `read` returns.
fn response(file: &StoredFile, read: ReadPart) -> File {
    File::stored(file.size, &file.sha256, &file.media_type, read)
        .attachment(&file.name)
        .sandboxed()
}

fn readable(file: &StoredFile) -> Result<(), OpenFile> {
    match file.status {
        FileStatus::Scanning => Err(NotScanned.into()),
        FileStatus::Infected | FileStatus::Unscannable => Err(FileRemoved.into()),
        FileStatus::Clean | FileStatus::Unscanned => Ok(()),
    }
}
