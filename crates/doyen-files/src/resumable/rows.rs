//! Every statement on the tables of resumable uploads.

use doyen_core::id::Named;
use doyen_core::{Id, Timestamp, Unexpected};
use doyen_data::sea_orm::Value;
use doyen_data::sea_orm::prelude::Uuid;
use doyen_data::{Row, Session};

use super::UploadLimits;
use crate::stored::FileId;

/// The type of upload ids.
#[derive(Debug)]
pub struct UploadRow;

impl Named for UploadRow {
    const PREFIX: &'static str = "upl";
}

/// The id of a resumable upload: `upl_…`.
pub type UploadId = Id<UploadRow>;

/// A resumable upload.
#[derive(Clone, Debug)]
pub(crate) struct Resumable {
    pub(crate) id: UploadId,
    pub(crate) owner: String,
    /// The value of `Upload-Metadata`.
    pub(crate) metadata: String,
    pub(crate) size: u64,
    /// Bytes that are stored.
    pub(crate) received: u64,
    pub(crate) parts: u64,
    pub(crate) expires_at: Timestamp,
}

#[derive(Row)]
struct ResumableRow {
    id: Uuid,
    owner: String,
    metadata: String,
    size: i64,
    received: i64,
    parts: i64,
    expires_at: i64,
}

#[derive(Row)]
struct TotalRow {
    uploads: i64,
    bytes: i64,
}

#[derive(Row)]
struct PartRow {
    id: Uuid,
    upload_id: Uuid,
    size: i64,
}

#[derive(Row)]
struct IdRow {
    id: Uuid,
}

/// Why an upload was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAdmitted {
    /// The limits of the user.
    User,
    /// The limits of all users.
    All,
}

/// Uploads that one sweep step removes.
const EXPIRED_BATCH: u32 = 100;

/// Inserts an upload if the limits admit it. Uploads are admitted one after the other.
pub(super) async fn insert(
    session: &Session,
    upload: &Resumable,
    limits: &UploadLimits,
) -> Result<Result<(), NotAdmitted>, Unexpected> {
    let turn = "UPDATE files_upload_turns SET turn = turn + 1 WHERE id = 1";
    session.execute_sql(turn, []).await?;
    // PostgreSQL adds up to a `numeric`.
    let total = "SELECT count(*) AS uploads, CAST(coalesce(sum(size), 0) AS bigint) AS bytes FROM files_uploads";
    let all: Option<TotalRow> = session.query_one_as(total, []).await?;
    let own = format!("{total} WHERE owner = $1");
    let own: Option<TotalRow> = session
        .query_one_as(&own, [upload.owner.as_str().into()])
        .await?;
    let fits = |total: Option<TotalRow>, count: u64, bytes: u64| {
        let total = total.map_or((0, 0), |total| (total.uploads, total.bytes));
        let used = (u64::try_from(total.0), u64::try_from(total.1));
        let (Ok(uploads), Ok(used)) = used else {
            return false;
        };
        uploads < count && used.saturating_add(upload.size) <= bytes
    };
    if !fits(own, limits.max_user_count, limits.max_user_bytes) {
        return Ok(Err(NotAdmitted::User));
    }
    if !fits(all, limits.max_count, limits.max_bytes) {
        return Ok(Err(NotAdmitted::All));
    }
    let values: [Value; 6] = [
        upload.id.uuid().into(),
        upload.owner.as_str().into(),
        upload.metadata.as_str().into(),
        i64::try_from(upload.size)?.into(),
        upload.id.uuid().into(),
        upload.expires_at.micros().into(),
    ];
    let sql = "INSERT INTO files_uploads (id, owner, metadata, size, received, parts, writer, expires_at) VALUES ($1, $2, $3, $4, 0, 0, $5, $6)";
    session.execute_sql(sql, values).await?;
    Ok(Ok(()))
}

const COLUMNS: &str = "id, owner, metadata, size, received, parts, expires_at";

impl TryFrom<ResumableRow> for Resumable {
    type Error = Unexpected;

    fn try_from(row: ResumableRow) -> Result<Self, Unexpected> {
        Ok(Self {
            id: row.id.into(),
            owner: row.owner,
            metadata: row.metadata,
            size: u64::try_from(row.size)?,
            received: u64::try_from(row.received)?,
            parts: u64::try_from(row.parts)?,
            expires_at: Timestamp::from_micros(row.expires_at),
        })
    }
}

pub(super) async fn find(session: &Session, id: UploadId) -> Result<Option<Resumable>, Unexpected> {
    let mut found = find_all(session, &[id]).await?;
    Ok(found.pop())
}

/// Returns the uploads with these ids that exist, in no order.
pub(super) async fn find_all(
    session: &Session,
    ids: &[UploadId],
) -> Result<Vec<Resumable>, Unexpected> {
    let places = places(ids.len());
    let sql = format!("SELECT {COLUMNS} FROM files_uploads WHERE id IN ({places})");
    let ids = ids.iter().map(|id| id.uuid().into());
    let rows: Vec<ResumableRow> = session.query_as(&sql, ids).await?;
    rows.into_iter().map(Resumable::try_from).collect()
}

fn places(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|n| format!("${n}")).collect();
    places.join(", ")
}

/// Makes this the writer of an upload at its offset. Returns false if the offset is another one.
pub(super) async fn claim(
    session: &Session,
    upload: &Resumable,
    writer: Uuid,
) -> Result<bool, Unexpected> {
    let sql = "UPDATE files_uploads SET writer = $1 WHERE id = $2 AND received = $3";
    let received = i64::try_from(upload.received)?;
    let values = [writer.into(), upload.id.uuid().into(), received.into()];
    Ok(session.execute_sql(sql, values).await? > 0)
}

/// Adds a part to the upload. Returns false if another writer has taken over, or if it is gone.
pub(super) async fn add(
    session: &Session,
    upload: &Resumable,
    writer: Uuid,
    (part, size): (FileId, u64),
    expires_at: Timestamp,
) -> Result<bool, Unexpected> {
    let (start, size) = (i64::try_from(upload.received)?, i64::try_from(size)?);
    let sql = "UPDATE files_uploads SET received = received + $1, parts = parts + 1, expires_at = $2 WHERE id = $3 AND writer = $4 AND received = $5";
    let values: [Value; 5] = [
        size.into(),
        expires_at.micros().into(),
        upload.id.uuid().into(),
        writer.into(),
        start.into(),
    ];
    if session.execute_sql(sql, values).await? == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO files_upload_parts (id, upload_id, start, size) VALUES ($1, $2, $3, $4)";
    let values: [Value; 4] = [
        part.uuid().into(),
        upload.id.uuid().into(),
        start.into(),
        size.into(),
    ];
    session.execute_sql(sql, values).await?;
    Ok(true)
}

/// A part of an upload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(super) upload: UploadId,
    pub(super) object: FileId,
    pub(super) size: u64,
}

/// Returns the parts of these uploads, those of each in their order.
pub(super) async fn parts(session: &Session, ids: &[UploadId]) -> Result<Vec<Part>, Unexpected> {
    let places = places(ids.len());
    let sql = format!(
        "SELECT id, upload_id, size FROM files_upload_parts WHERE upload_id IN ({places}) ORDER BY upload_id, start"
    );
    let ids = ids.iter().map(|id| id.uuid().into());
    let rows: Vec<PartRow> = session.query_as(&sql, ids).await?;
    let read = |row: PartRow| {
        Ok(Part {
            upload: row.upload_id.into(),
            object: row.id.into(),
            size: u64::try_from(row.size)?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Removes uploads. Returns the objects of their parts, or `None` if one of the uploads is gone.
pub(super) async fn remove(
    session: &Session,
    ids: &[UploadId],
) -> Result<Option<Vec<FileId>>, Unexpected> {
    let places = places(ids.len());
    let values = || ids.iter().map(|id| id.uuid().into());
    // First the rows: a writer that adds a part waits for them, and finds them gone.
    let sql = format!("DELETE FROM files_uploads WHERE id IN ({places})");
    if session.execute_sql(&sql, values()).await? < ids.len() as u64 {
        return Ok(None);
    }
    let sql = format!("DELETE FROM files_upload_parts WHERE upload_id IN ({places}) RETURNING id");
    let rows: Vec<IdRow> = session.query_as(&sql, values()).await?;
    Ok(Some(rows.into_iter().map(|row| row.id.into()).collect()))
}

/// Returns some of the uploads that have expired.
pub(super) async fn expired(
    session: &Session,
    now: Timestamp,
) -> Result<Vec<UploadId>, Unexpected> {
    let sql = format!(
        "SELECT id FROM files_uploads WHERE expires_at <= $1 ORDER BY expires_at LIMIT {EXPIRED_BATCH}"
    );
    let rows: Vec<IdRow> = session.query_as(&sql, [now.micros().into()]).await?;
    Ok(rows.into_iter().map(|row| row.id.into()).collect())
}

/// Returns which of these objects are parts of an upload.
pub(crate) async fn known(session: &Session, ids: &[FileId]) -> Result<Vec<FileId>, Unexpected> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places = places(ids.len());
    let sql = format!("SELECT id FROM files_upload_parts WHERE id IN ({places})");
    let ids = ids.iter().map(|id| id.uuid().into());
    let rows: Vec<IdRow> = session.query_as(&sql, ids).await?;
    Ok(rows.into_iter().map(|row| row.id.into()).collect())
}
