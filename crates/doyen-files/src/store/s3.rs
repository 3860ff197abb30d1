//! An S3-compatible store.
//!
//! ```text
//! <prefix>/partial/<id>     the id of its multipart upload, while it arrives
//! <prefix>/objects/<id>     complete
//! <prefix>/published/<id>   its length, once it is published
//! ```
//!
//! S3 cannot move an object. Content is therefore written once, and an object is in the area
//! "published" if a small object says so; the row decides who can read it, as with any store. Each
//! step is one request, and the order of the requests is such that a crash between any two leaves
//! only what a listing finds:
//!
//! | step | requests |
//! | --- | --- |
//! | create | begin the upload, write `partial` |
//! | finish | send the last part, complete the upload, remove `partial` |
//! | publish | write `published` |
//! | remove | remove `published`, then the content, then `partial` and its upload |

mod list;
mod writer;

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use doyen_web::Chunks;
use futures_util::stream::try_unfold;
use http::Method;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::MultipartStore as _;
use object_store::path::Path as Key;
use object_store::signer::{SignedUrlOptions, Signer as _};
use object_store::{ClientOptions, Error, ObjectStoreExt as _, RetryConfig};
use tokio::sync::Semaphore;

use super::{Area, Listed, Listing, Object, ObjectWriter, Saved, Store, StoreError};
use crate::settings::S3Settings;
use crate::stored::FileId;

use list::Folder;
use writer::S3Writer;

/// Bytes of one request of a download, and its memory.
const WINDOW_BYTES: u64 = 1 << 20;

/// Minimum size of a part, except the last one, and maximum number of parts, as S3 has them.
const MIN_PART_BYTES: u64 = 5 << 20;
const MAX_PARTS: u64 = 10_000;

/// Maximum parts that are in memory, on their way to the store.
const MAX_SENDS: usize = 8;

/// Maximum time of one request, and of all attempts of it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const RETRY_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_RETRIES: usize = 3;

/// A setting, and what is wrong with it.
type Wrong = (&'static str, String);

/// A store in a bucket.
#[derive(Clone)]
pub struct S3Store(Arc<Bucket>);

impl std::fmt::Debug for S3Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("S3Store").field(&self.0.prefix).finish()
    }
}

/// The client, and where the objects are.
struct Bucket {
    client: AmazonS3,
    prefix: String,
    /// Where a part is collected.
    scratch: std::path::PathBuf,
    part_bytes: u64,
    sends: Semaphore,
    presigned: Option<Duration>,
}

impl S3Store {
    /// Creates the store, for files of at most `max_bytes`. Parts are collected in files in
    /// `scratch`. It does no I/O.
    ///
    /// # Errors
    ///
    /// Returns the setting that is wrong, and what is wrong with it.
    pub fn new(settings: &S3Settings, scratch: &Path, max_bytes: u64) -> Result<Self, Wrong> {
        let Some(bucket) = &settings.bucket else {
            let message = "`files.store = s3` needs the name of a bucket: set it";
            return Err(("files.s3.bucket", message.to_owned()));
        };
        let keys = (&settings.access_key, &settings.secret_key);
        let client = match keys {
            (Some(id), Some(secret)) => AmazonS3Builder::new()
                .with_access_key_id(id)
                .with_secret_access_key(secret.expose()),
            // What the environment of the cloud provides.
            (None, None) => AmazonS3Builder::from_env(),
            (Some(_), None) => {
                let message = "it belongs to `files.s3.access_key`: set both, or neither";
                return Err(("files.s3.secret_key", message.to_owned()));
            }
            (None, Some(_)) => {
                let message = "it belongs to `files.s3.secret_key`: set both, or neither";
                return Err(("files.s3.access_key", message.to_owned()));
            }
        };
        let mut client = client
            .with_bucket_name(bucket)
            // Not every store has the request that deletes many.
            .with_disable_bulk_delete(true)
            .with_virtual_hosted_style_request(settings.endpoint.is_none())
            .with_retry(RetryConfig {
                max_retries: MAX_RETRIES,
                retry_timeout: RETRY_TIMEOUT,
                ..RetryConfig::default()
            });
        if let Some(region) = &settings.region {
            client = client.with_region(region);
        }
        let mut options = ClientOptions::new().with_timeout(REQUEST_TIMEOUT);
        if let Some(endpoint) = &settings.endpoint {
            let is_plain = endpoint.starts_with("http://");
            if !is_plain && !endpoint.starts_with("https://") {
                let message = "it must be a URL such as `https://s3.example.com`";
                return Err(("files.s3.endpoint", message.to_owned()));
            }
            client = client.with_endpoint(endpoint.trim_end_matches('/'));
            options = options.with_allow_http(is_plain);
        }
        let client = client.with_client_options(options).build();
        let client = client.map_err(|error| ("files.s3", doyen_core::chain(&error)))?;
        let prefix = settings.prefix.trim_matches('/');
        Ok(Self(Arc::new(Bucket {
            client,
            prefix: prefix.to_owned(),
            scratch: scratch.to_owned(),
            part_bytes: max_bytes.div_ceil(MAX_PARTS).max(MIN_PART_BYTES),
            sends: Semaphore::new(MAX_SENDS),
            presigned: settings.presigned,
        })))
    }
}

impl Bucket {
    fn folder(&self, folder: Folder) -> Key {
        Key::from(format!("{}/{}", self.prefix, folder.name()))
    }

    fn key(&self, folder: Folder, id: FileId) -> Key {
        self.folder(folder).join(id.to_string())
    }

    async fn length(&self, folder: Folder, id: FileId) -> Result<Option<u64>, Error> {
        let found = self.client.head(&self.key(folder, id)).await;
        Ok(found_or_none(found)?.map(|found| found.size))
    }

    /// Returns the text of a small object.
    async fn text(&self, folder: Folder, id: FileId) -> Result<Option<String>, Error> {
        let found = self.client.get(&self.key(folder, id)).await;
        let Some(found) = found_or_none(found)? else {
            return Ok(None);
        };
        let bytes = found.bytes().await?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn delete(&self, folder: Folder, id: FileId) -> Result<(), Error> {
        let deleted = self.client.delete(&self.key(folder, id)).await;
        found_or_none(deleted).map(|_| ())
    }

    /// Removes what has arrived of an object that is not complete.
    async fn discard(&self, id: FileId, upload: &str) -> Result<(), Error> {
        let key = self.key(Folder::Objects, id);
        match self.client.abort_multipart(&key, &upload.to_owned()).await {
            // It has ended: servers say one or the other.
            Ok(()) | Err(Error::NotFound { .. } | Error::PermissionDenied { .. }) => {}
            Err(error) => return Err(error),
        }
        self.delete(Folder::Partial, id).await
    }

    async fn discard_listed(&self, id: FileId) -> Result<(), Error> {
        match self.text(Folder::Partial, id).await? {
            Some(upload) => self.discard(id, &upload).await,
            None => Ok(()),
        }
    }

    async fn publish(&self, id: FileId) -> Result<(), Error> {
        if self.length(Folder::Published, id).await?.is_some() {
            return Ok(());
        }
        let found = self.client.head(&self.key(Folder::Objects, id)).await?;
        let length = found.size.to_string();
        let key = self.key(Folder::Published, id);
        self.client.put(&key, length.into()).await.map(drop)
    }

    async fn open(&self, id: FileId, area: Area) -> Result<Option<u64>, Error> {
        match area {
            Area::Published => {
                let length = self.text(Folder::Published, id).await?;
                let length = length.map(|text| text.parse()).transpose();
                length.map_err(|error| Error::Generic {
                    store: "S3",
                    source: Box::new(error),
                })
            }
            Area::Quarantine => {
                let length = self.length(Folder::Objects, id).await?;
                match self.length(Folder::Published, id).await? {
                    None => Ok(length),
                    Some(_) => Ok(None),
                }
            }
        }
    }

    async fn remove(&self, id: FileId) -> Result<(), Error> {
        self.delete(Folder::Published, id).await?;
        self.delete(Folder::Objects, id).await?;
        self.discard_listed(id).await
    }

    async fn remove_listed(&self, listed: Listed) -> Result<(), Error> {
        let id = listed.id;
        match listed.area {
            None => self.discard_listed(id).await,
            Some(Area::Quarantine) if self.length(Folder::Published, id).await?.is_some() => Ok(()),
            Some(Area::Quarantine) => self.delete(Folder::Objects, id).await,
            Some(Area::Published) => {
                self.delete(Folder::Published, id).await?;
                self.delete(Folder::Objects, id).await
            }
        }
    }
}

/// Turns a missing object into `None`.
fn found_or_none<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says what the store was doing.
fn failed(doing: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| StoreError::new(doing, error)
}

#[async_trait]
impl Store for S3Store {
    async fn create(&self, id: FileId) -> Result<Box<dyn ObjectWriter>, StoreError> {
        let writer = S3Writer::create(&self.0, id).await;
        Ok(Box::new(writer.map_err(failed("creating an object"))?))
    }

    async fn open(&self, id: FileId, area: Area) -> Result<Option<Arc<dyn Object>>, StoreError> {
        let opened = self.0.open(id, area).await;
        let length = opened.map_err(failed("opening an object"))?;
        let object = |length| S3Object {
            bucket: Arc::clone(&self.0),
            id,
            length,
        };
        Ok(length.map(|length| Arc::new(object(length)) as Arc<dyn Object>))
    }

    async fn publish(&self, id: FileId) -> Result<(), StoreError> {
        let published = self.0.publish(id).await;
        published.map_err(failed("publishing an object"))
    }

    async fn remove(&self, id: FileId) -> Result<(), StoreError> {
        self.0
            .remove(id)
            .await
            .map_err(failed("removing an object"))
    }

    async fn list(&self, min_age: Duration, after: Option<String>) -> Result<Listing, StoreError> {
        let listed = self.0.list(min_age, after.as_deref()).await;
        listed.map_err(failed("listing objects"))
    }

    async fn remove_listed(&self, listed: Listed) -> Result<(), StoreError> {
        let removed = self.0.remove_listed(listed).await;
        removed.map_err(failed("removing an object"))
    }

    async fn check(&self) -> Result<(), StoreError> {
        let key = Key::from(format!("{}/health", self.0.prefix));
        let written = self.0.client.put(&key, "health".into()).await;
        written.map(drop).map_err(failed("writing an object"))
    }

    async fn link(&self, id: FileId, saved: &Saved) -> Result<Option<String>, StoreError> {
        let Some(valid_for) = self.0.presigned else {
            return Ok(None);
        };
        let options = SignedUrlOptions::new().with_query([
            ("response-content-disposition", &*saved.disposition),
            ("response-content-type", &*saved.media_type),
        ]);
        let key = self.0.key(Folder::Objects, id);
        let signed = self
            .0
            .client
            .signed_url_opts(Method::GET, &key, valid_for, &options);
        let url = signed.await.map_err(failed("signing a link"))?;
        Ok(Some(url.into()))
    }
}

/// A complete object. It is read in windows, so that no connection waits for a slow client.
struct S3Object {
    bucket: Arc<Bucket>,
    id: FileId,
    length: u64,
}

impl Object for S3Object {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, range: Range<u64>) -> Chunks {
        let bucket = Arc::clone(&self.bucket);
        let key = bucket.key(Folder::Objects, self.id);
        Box::pin(try_unfold(range, move |range| {
            let (bucket, key) = (Arc::clone(&bucket), key.clone());
            async move {
                if range.is_empty() {
                    return Ok(None);
                }
                let window = range.start..range.end.min(range.start + WINDOW_BYTES);
                let next = window.end..range.end;
                let bytes = bucket.client.get_range(&key, window.clone()).await?;
                if bytes.len() as u64 != window.end - window.start {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok::<_, io::Error>(Some((bytes, next)))
            }
        }))
    }
}
