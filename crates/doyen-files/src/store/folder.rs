//! A store in a folder.
//!
//! ```text
//! <folder>/quarantine/<id>.part   arrives
//! <folder>/quarantine/<id>        complete
//! <folder>/published/<xx>/<id>    published; <xx> are the last two characters of the id
//! ```
//!
//! The names are ids of this program, never names of clients. Content is flushed before its name
//! appears, and a folder after a name in it has changed: what is acknowledged survives a power
//! failure. A file keeps its time of last change when it moves, which is the age of the sweeper.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use doyen_web::Chunks;
use futures_util::stream::try_unfold;

use super::{Area, Listed, Listing, Object, ObjectWriter, Store, StoreError};
use crate::stored::FileId;

/// Bytes that are read at once, the memory of one download.
const CHUNK_BYTES: u64 = 64 << 10;

/// The suffix of a file that arrives.
const PARTIAL: &str = ".part";

/// A store in a folder. The folders are created when they are needed.
#[derive(Clone, Debug)]
pub struct FolderStore {
    quarantine: PathBuf,
    published: PathBuf,
}

impl FolderStore {
    /// Creates the store. It does no I/O.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        Self {
            quarantine: folder.join("quarantine"),
            published: folder.join("published"),
        }
    }

    fn path(&self, id: FileId, area: Area) -> PathBuf {
        let name = id.to_string();
        match area {
            Area::Quarantine => self.quarantine.join(name),
            // The last characters are random; the first ones are the time.
            Area::Published => {
                let shard = &name[name.len() - 2..];
                self.published.join(shard).join(&name)
            }
        }
    }

    fn partial(&self, id: FileId) -> PathBuf {
        self.quarantine.join(format!("{id}{PARTIAL}"))
    }
}

/// Runs blocking work.
async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|error| StoreError::new(doing, error))
}

/// Turns a missing file into `None`.
fn present<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Flushes the names in a folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    File::open(folder)?.sync_all()
}

#[async_trait]
impl Store for FolderStore {
    async fn create(&self, id: FileId) -> Result<Box<dyn ObjectWriter>, StoreError> {
        let (partial, complete) = (self.partial(id), self.path(id, Area::Quarantine));
        let folder = self.quarantine.clone();
        let writer = blocking("creating an object", move || {
            fs::create_dir_all(folder)?;
            let file = File::options()
                .write(true)
                .create_new(true)
                .open(&partial)?;
            Ok(FolderWriter {
                file: Some(Arc::new(file)),
                partial: Some(partial),
                complete,
            })
        });
        Ok(Box::new(writer.await?))
    }

    async fn open(&self, id: FileId, area: Area) -> Result<Option<Arc<dyn Object>>, StoreError> {
        let path = self.path(id, area);
        let opened = blocking("opening an object", move || {
            let Some(file) = present(File::open(path))? else {
                return Ok(None);
            };
            let length = file.metadata()?.len();
            Ok(Some(FolderObject {
                file: Arc::new(file),
                length,
            }))
        });
        let opened = opened.await?;
        Ok(opened.map(|object| Arc::new(object) as Arc<dyn Object>))
    }

    async fn publish(&self, id: FileId) -> Result<(), StoreError> {
        let from = self.path(id, Area::Quarantine);
        let to = self.path(id, Area::Published);
        blocking("publishing an object", move || {
            if let Some(folder) = to.parent()
                && !folder.is_dir()
            {
                fs::create_dir_all(folder)?;
                sync_folder(folder)?;
            }
            match present(fs::rename(&from, &to))? {
                Some(()) => {}
                None if to.is_file() => return Ok(()),
                None => return Err(io::ErrorKind::NotFound.into()),
            }
            sync_folder(&to)?;
            sync_folder(&from)
        })
        .await
    }

    async fn remove(&self, id: FileId) -> Result<(), StoreError> {
        let paths = [
            self.partial(id),
            self.path(id, Area::Quarantine),
            self.path(id, Area::Published),
        ];
        blocking("removing an object", move || {
            for path in paths {
                present(fs::remove_file(path))?;
            }
            Ok(())
        })
        .await
    }

    /// One folder at a time: quarantine, then the folders of what is published.
    async fn list(&self, min_age: Duration, after: Option<String>) -> Result<Listing, StoreError> {
        let store = self.clone();
        blocking("listing objects", move || {
            let before = SystemTime::now().checked_sub(min_age);
            let objects = match &after {
                None => list_folder(&store.quarantine, Area::Quarantine, before)?,
                Some(shard) => list_folder(&store.published.join(shard), Area::Published, before)?,
            };
            let mut next: Option<String> = None;
            for shard in present(fs::read_dir(&store.published))?
                .into_iter()
                .flatten()
            {
                let Ok(name) = shard?.file_name().into_string() else {
                    continue;
                };
                let is_next = after.as_ref().is_none_or(|after| name > *after);
                if is_next && next.as_ref().is_none_or(|next| name < *next) {
                    next = Some(name);
                }
            }
            Ok(Listing { objects, next })
        })
        .await
    }

    async fn remove_listed(&self, listed: Listed) -> Result<(), StoreError> {
        let path = match listed.area {
            None => self.partial(listed.id),
            Some(area) => self.path(listed.id, area),
        };
        blocking("removing an object", move || {
            present(fs::remove_file(path)).map(|_| ())
        })
        .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        // Before the first upload there is nothing to check.
        let folder = self.quarantine.clone();
        let exists = blocking("reading its folder", move || folder.try_exists());
        if !exists.await? {
            return Ok(());
        }
        // It is swept like an object if the process ends in between.
        let id = FileId::new();
        let mut writer = self.create(id).await?;
        writer.write(Bytes::from_static(b"health")).await?;
        drop(writer);
        Ok(())
    }
}

fn list_folder(folder: &Path, area: Area, before: Option<SystemTime>) -> io::Result<Vec<Listed>> {
    let mut all = Vec::new();
    // A stray file between the folders has no objects.
    if !folder.is_dir() {
        return Ok(all);
    }
    for entry in present(fs::read_dir(folder))?.into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        let complete = name.strip_suffix(PARTIAL);
        // Other files are not of this store.
        let Ok(id) = complete.unwrap_or(name).parse() else {
            continue;
        };
        // It can vanish meanwhile.
        let Some(metadata) = present(entry.metadata())? else {
            continue;
        };
        let changed = metadata.modified()?;
        if before.is_some_and(|before| changed <= before) {
            let area = complete.is_none().then_some(area);
            all.push(Listed { id, area });
        }
    }
    Ok(all)
}

/// An object that arrives.
struct FolderWriter {
    file: Option<Arc<File>>,
    /// Set until it is complete.
    partial: Option<PathBuf>,
    complete: PathBuf,
}

#[async_trait]
impl ObjectWriter for FolderWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let Some(file) = self.file.clone() else {
            return Ok(());
        };
        blocking("writing an object", move || (&*file).write_all(&bytes)).await
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        let (Some(file), Some(partial)) = (self.file.take(), self.partial.clone()) else {
            return Ok(());
        };
        let complete = self.complete.clone();
        blocking("completing an object", move || {
            file.sync_all()?;
            fs::rename(&partial, &complete)?;
            sync_folder(&complete)
        })
        .await?;
        self.partial = None;
        Ok(())
    }
}

impl Drop for FolderWriter {
    fn drop(&mut self) {
        if let Some(partial) = self.partial.take() {
            // One call of the system, in a destructor that cannot wait. The sweeper removes what
            // stays.
            let _ = fs::remove_file(partial);
        }
    }
}

/// An open file.
struct FolderObject {
    file: Arc<File>,
    length: u64,
}

impl Object for FolderObject {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, range: Range<u64>) -> Chunks {
        let file = Arc::clone(&self.file);
        Box::pin(try_unfold(range, move |range| {
            let file = Arc::clone(&file);
            async move {
                if range.is_empty() {
                    return Ok(None);
                }
                let wanted = CHUNK_BYTES.min(range.end - range.start);
                let read = tokio::task::spawn_blocking(move || {
                    let wanted = usize::try_from(wanted).unwrap_or_default();
                    let mut chunk = BytesMut::zeroed(wanted);
                    file.read_exact_at(&mut chunk, range.start)?;
                    Ok::<_, io::Error>(chunk.freeze())
                });
                let bytes = read.await.map_err(io::Error::other)??;
                Ok(Some((bytes, range.start + wanted..range.end)))
            }
        }))
    }
}
