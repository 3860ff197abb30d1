//! A finished upload as a file of a request, and the removal of uploads.

use std::sync::Arc;

use doyen_core::problem::Plain;
use doyen_core::{Access, Refusal, Unexpected};
use doyen_data::Session;
use futures_util::StreamExt as _;

use super::protocol::Metadata;
use super::rows::{self, Part, Resumable, UploadId};
use crate::core::FilesCore;
use crate::intake::{Intake, Received, discard_after_commit, storage};
use crate::policy::Rules;
use crate::problems::{UPLOAD_INCOMPLETE, UPLOAD_UNKNOWN};
use crate::store::{Area, StoreError};

/// Finished uploads that a request uses.
pub(crate) struct Redeemed {
    pub(crate) files: Vec<Received>,
    ids: Vec<UploadId>,
}

/// Puts the parts of each upload through the checks of any other upload, into one object. No
/// transaction is open meanwhile.
pub(crate) async fn redeem(
    core: &Arc<FilesCore>,
    session: &Session,
    rules: Rules,
    owner: &str,
    ids: Vec<UploadId>,
) -> Result<Redeemed, Refusal> {
    if ids.is_empty() {
        let files = Vec::new();
        return Ok(Redeemed { files, ids });
    }
    let session = session.autocommit();
    let now = core.now();
    let mut uploads = rows::find_all(&session, &ids).await?;
    uploads.retain(|upload| upload.owner == owner && upload.expires_at > now);
    let parts = rows::parts(&session, &ids).await?;
    let mut files = Vec::with_capacity(ids.len());
    for id in &ids {
        let upload = uploads.iter().find(|upload| upload.id == *id);
        let upload = upload.ok_or_else(|| Plain::new(&UPLOAD_UNKNOWN))?;
        if upload.received < upload.size {
            return Err(Plain::new(&UPLOAD_INCOMPLETE).into());
        }
        let own = parts.iter().filter(|part| part.upload == *id);
        let received = receive(core, rules, upload, own).await;
        // Another request may have used the upload meanwhile, and its parts are gone.
        if received.is_err() && rows::find(&session, *id).await?.is_none() {
            return Err(Plain::new(&UPLOAD_UNKNOWN).into());
        }
        files.push(received?);
    }
    Ok(Redeemed { files, ids })
}

/// Reads the parts of an upload.
async fn receive(
    core: &Arc<FilesCore>,
    rules: Rules,
    upload: &Resumable,
    parts: impl Iterator<Item = &Part> + Send,
) -> Result<Received, Refusal> {
    let Metadata { name, media_type } = Metadata::parse(&upload.metadata)?;
    let mut intake = Intake::begin(core, rules, name, media_type.as_deref()).await?;
    for Part {
        object: id, size, ..
    } in parts
    {
        let object = core.store.open(*id, Area::Quarantine).await;
        let object = object.map_err(storage)?;
        let object = object.filter(|object| object.length() == *size);
        let object = object.ok_or_else(|| Unexpected::new(format!("the part {id} is damaged")))?;
        let mut chunks = object.read(0..*size);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| StoreError::new("reading a part", error));
            intake.write(chunk.map_err(storage)?).await?;
        }
    }
    let received = intake.finish().await?;
    if received.size != upload.size {
        return Err(Unexpected::new(format!("{} has parts of another size", upload.id)).into());
    }
    Ok(received)
}

impl Redeemed {
    /// Removes the uploads in the unit of work that uses them, and their parts after the commit.
    pub(crate) async fn consume(
        self,
        core: &Arc<FilesCore>,
        session: &Session,
    ) -> Result<Vec<Received>, Refusal> {
        if self.ids.is_empty() {
            return Ok(self.files);
        }
        let parts = rows::remove(session, &self.ids).await?;
        for part in parts.ok_or_else(|| Plain::new(&UPLOAD_UNKNOWN))? {
            discard_after_commit(session, core, part);
        }
        Ok(self.files)
    }
}

impl FilesCore {
    /// Removes an upload and its parts. Returns false if it is gone.
    pub(super) async fn remove_upload(self: &Arc<Self>, id: UploadId) -> Result<bool, Unexpected> {
        let session = self.database.session(Access::Write);
        let parts = rows::remove(&session, &[id]).await?;
        let is_removed = parts.is_some();
        for part in parts.unwrap_or_default() {
            discard_after_commit(&session, self, part);
        }
        session.commit().await?;
        Ok(is_removed)
    }

    /// Removes the uploads that have expired.
    pub(crate) async fn remove_expired(self: &Arc<Self>) -> Result<(), Unexpected> {
        loop {
            let session = self.database.session(Access::Read);
            let expired = rows::expired(&session, self.now()).await?;
            if expired.is_empty() {
                return Ok(());
            }
            for id in expired {
                self.remove_upload(id).await?;
            }
        }
    }
}
