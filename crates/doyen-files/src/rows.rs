//! Every statement on the table of files.

use doyen_core::{Timestamp, Unexpected};
use doyen_data::sea_orm::Value;
use doyen_data::sea_orm::prelude::Uuid;
use doyen_data::{Row, Session};

use crate::stored::{FileId, FileStatus, StoredFile, Usage};

#[derive(Row)]
struct FileRow {
    id: Uuid,
    status: String,
    name: String,
    media_type: String,
    size: i64,
    sha256: String,
    owner: String,
    created_at: i64,
}

const COLUMNS: &str = "id, status, name, media_type, size, sha256, owner, created_at";

/// Ids in one statement.
pub(crate) const BATCH: usize = 500;

impl TryFrom<FileRow> for StoredFile {
    type Error = Unexpected;

    fn try_from(row: FileRow) -> Result<Self, Unexpected> {
        let status = FileStatus::named(&row.status)
            .ok_or_else(|| Unexpected::new(format!("unknown status of a file: {}", row.status)))?;
        Ok(Self {
            id: row.id.into(),
            status,
            name: row.name,
            media_type: row.media_type,
            size: u64::try_from(row.size)?,
            sha256: row.sha256,
            owner: row.owner,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

pub(crate) async fn insert(session: &Session, file: &StoredFile) -> Result<(), Unexpected> {
    let values: [Value; 8] = [
        file.id.uuid().into(),
        file.status.as_str().into(),
        file.name.as_str().into(),
        file.media_type.as_str().into(),
        i64::try_from(file.size)?.into(),
        file.sha256.as_str().into(),
        file.owner.as_str().into(),
        file.created_at.micros().into(),
    ];
    let sql = format!("INSERT INTO files ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    session.execute_sql(&sql, values).await?;
    Ok(())
}

pub(crate) async fn find(session: &Session, id: FileId) -> Result<Option<StoredFile>, Unexpected> {
    let sql = format!("SELECT {COLUMNS} FROM files WHERE id = $1");
    let row: Option<FileRow> = session.query_one_as(&sql, [id.uuid().into()]).await?;
    row.map(StoredFile::try_from).transpose()
}

/// Returns the files that exist, at most [`BATCH`], in no order.
pub(crate) async fn find_all(
    session: &Session,
    ids: &[FileId],
) -> Result<Vec<StoredFile>, Unexpected> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let places = places.join(", ");
    let sql = format!("SELECT {COLUMNS} FROM files WHERE id IN ({places})");
    let ids = ids.iter().map(|id| id.uuid().into());
    let rows: Vec<FileRow> = session.query_as(&sql, ids).await?;
    rows.into_iter().map(StoredFile::try_from).collect()
}

/// Changes the status of a file that waits for its scan. Returns false if it is gone, or scanned
/// already.
pub(crate) async fn settle(
    session: &Session,
    id: FileId,
    status: FileStatus,
) -> Result<bool, Unexpected> {
    let sql = "UPDATE files SET status = $1 WHERE id = $2 AND status = 'scanning'";
    let values = [status.as_str().into(), id.uuid().into()];
    Ok(session.execute_sql(sql, values).await? > 0)
}

pub(crate) async fn remove(session: &Session, id: FileId) -> Result<bool, Unexpected> {
    let sql = "DELETE FROM files WHERE id = $1";
    Ok(session.execute_sql(sql, [id.uuid().into()]).await? > 0)
}

#[derive(Row)]
struct UsageRow {
    files: i64,
    bytes: i64,
}

pub(crate) async fn usage(session: &Session, owner: &str) -> Result<Usage, Unexpected> {
    // PostgreSQL adds up to a `numeric`.
    let sql = "SELECT count(*) AS files, CAST(coalesce(sum(size), 0) AS bigint) AS bytes FROM files WHERE owner = $1";
    let row: Option<UsageRow> = session.query_one_as(sql, [owner.into()]).await?;
    let (files, bytes) = row.map_or((0, 0), |row| (row.files, row.bytes));
    Ok(Usage {
        files: u64::try_from(files)?,
        bytes: u64::try_from(bytes)?,
    })
}
