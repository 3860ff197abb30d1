//! Sessions in the table `auth_sessions`.

use doyen_core::{Timestamp, Unexpected};
use doyen_data::sea_orm::prelude::{DateTimeUtc, Uuid};
use doyen_data::sea_orm::{self, FromQueryResult, Value};
use doyen_data::{Row as ReadRow, Session};

use super::{Rotation, Seen, SessionId, SessionKind, SessionRecord, SessionStore};

/// Sessions in the database, in the unit of work of the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct SqlSessions;

const COLUMNS: &str = "id, subject, kind, generation, name, agent, created_at, created_address, seen_at, seen_address, idle_until, \
                       absolute_until, ended_at, counter, salt, secret_hash, previous_hash, spent_at";

#[derive(FromQueryResult, ReadRow)]
struct Row {
    id: Uuid,
    subject: String,
    kind: String,
    generation: i64,
    name: Option<String>,
    agent: Option<String>,
    created_at: DateTimeUtc,
    created_address: Option<String>,
    seen_at: DateTimeUtc,
    seen_address: Option<String>,
    idle_until: DateTimeUtc,
    absolute_until: DateTimeUtc,
    ended_at: Option<DateTimeUtc>,
    counter: i64,
    salt: Vec<u8>,
    secret_hash: Vec<u8>,
    previous_hash: Option<Vec<u8>>,
    spent_at: Option<DateTimeUtc>,
}

#[derive(FromQueryResult, ReadRow)]
struct Generation {
    generation: i64,
}

#[async_trait::async_trait]
impl SessionStore for SqlSessions {
    async fn insert(&self, work: &Session, record: &SessionRecord) -> Result<(), Unexpected> {
        let sql = format!(
            "INSERT INTO auth_sessions ({COLUMNS}) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
        );
        let values: [Value; 18] = [
            record.id.uuid().into(),
            (*record.subject).into(),
            kind(record.kind).into(),
            i64::from(record.generation).into(),
            record.name.clone().into(),
            record.agent.clone().into(),
            time(record.created_at),
            record.created_address.clone().into(),
            time(record.seen_at),
            record.seen_address.clone().into(),
            time(record.idle_until),
            time(record.absolute_until),
            maybe(record.ended_at),
            record.counter.into(),
            record.salt.to_vec().into(),
            record.secret_hash.to_vec().into(),
            record.previous_hash.map(|hash| hash.to_vec()).into(),
            maybe(record.spent_at),
        ];
        work.execute_sql(&sql, values).await?;
        Ok(())
    }

    async fn find(
        &self,
        work: &Session,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, Unexpected> {
        let sql = format!("SELECT {COLUMNS} FROM auth_sessions WHERE id = $1");
        let row: Option<Row> = work.query_one_as(&sql, [id.uuid().into()]).await?;
        row.map(Row::read).transpose()
    }

    async fn of(
        &self,
        work: &Session,
        subject: &str,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, Unexpected> {
        let sql = format!(
            "SELECT {COLUMNS} FROM auth_sessions \
             WHERE subject = $1 AND ended_at IS NULL AND idle_until > $2 AND absolute_until > $2 ORDER BY created_at DESC, id DESC"
        );
        let rows: Vec<Row> = work.query_as(&sql, [subject.into(), time(now)]).await?;
        rows.into_iter().map(Row::read).collect()
    }

    async fn rotate(
        &self,
        work: &Session,
        read: &SessionRecord,
        rotation: &Rotation,
    ) -> Result<bool, Unexpected> {
        // Both databases check the condition again under the row lock: one concurrent update
        // succeeds.
        let sql = "UPDATE auth_sessions SET counter = $1, secret_hash = $2, previous_hash = $3, spent_at = $4, seen_at = $4, \
                   seen_address = $5, idle_until = $6 WHERE id = $7 AND counter = $8 AND generation = $9 AND ended_at IS NULL";
        let values: [Value; 9] = [
            rotation.counter.into(),
            rotation.secret_hash.to_vec().into(),
            rotation.previous_hash.to_vec().into(),
            time(rotation.seen.at),
            rotation.seen.address.clone().into(),
            time(rotation.seen.idle_until),
            read.id.uuid().into(),
            read.counter.into(),
            i64::from(read.generation).into(),
        ];
        Ok(work.execute_sql(sql, values).await? == 1)
    }

    async fn touch(&self, work: &Session, id: SessionId, seen: &Seen) -> Result<(), Unexpected> {
        let sql = "UPDATE auth_sessions SET seen_at = $1, seen_address = COALESCE($2, seen_address), \
                   idle_until = CASE WHEN absolute_until < $3 THEN absolute_until ELSE $3 END \
                   WHERE id = $4 AND ended_at IS NULL";
        let values: [Value; 4] = [
            time(seen.at),
            seen.address.clone().into(),
            time(seen.idle_until),
            id.uuid().into(),
        ];
        work.execute_sql(sql, values).await?;
        Ok(())
    }

    async fn rename(
        &self,
        work: &Session,
        subject: &str,
        id: SessionId,
        name: Option<&str>,
    ) -> Result<bool, Unexpected> {
        let sql = "UPDATE auth_sessions SET name = $1 WHERE id = $2 AND subject = $3 AND ended_at IS NULL";
        let values: [Value; 3] = [
            name.map(str::to_owned).into(),
            id.uuid().into(),
            subject.into(),
        ];
        Ok(work.execute_sql(sql, values).await? == 1)
    }

    async fn end(&self, work: &Session, id: SessionId, now: Timestamp) -> Result<bool, Unexpected> {
        let sql = "UPDATE auth_sessions SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL";
        Ok(work.execute_sql(sql, [time(now), id.uuid().into()]).await? == 1)
    }

    async fn bump_generation(
        &self,
        work: &Session,
        id: SessionId,
    ) -> Result<Option<u32>, Unexpected> {
        let sql = "UPDATE auth_sessions SET generation = generation + 1 WHERE id = $1 AND ended_at IS NULL RETURNING generation";
        let row: Option<Generation> = work.query_one_as(sql, [id.uuid().into()]).await?;
        row.map(|row| Ok(u32::try_from(row.generation)?))
            .transpose()
    }

    async fn prune(&self, work: &Session, before: Timestamp) -> Result<(), Unexpected> {
        let sql = "DELETE FROM auth_sessions WHERE absolute_until < $1 OR idle_until < $1 OR ended_at < $1";
        work.execute_sql(sql, [time(before)]).await?;
        Ok(())
    }
}

impl Row {
    fn read(self) -> Result<SessionRecord, Unexpected> {
        Ok(SessionRecord {
            id: self.id.into(),
            subject: self.subject.into(),
            kind: match self.kind.as_str() {
                "bearer" => SessionKind::Bearer,
                "cookie" => SessionKind::Cookie,
                other => {
                    return Err(Unexpected::new(format!("`{other}` is no kind of session")));
                }
            },
            generation: u32::try_from(self.generation)?,
            name: self.name,
            agent: self.agent,
            created_at: self.created_at.into(),
            created_address: self.created_address,
            seen_at: self.seen_at.into(),
            seen_address: self.seen_address,
            idle_until: self.idle_until.into(),
            absolute_until: self.absolute_until.into(),
            ended_at: self.ended_at.map(Timestamp::from),
            counter: self.counter,
            salt: bytes(&self.salt)?,
            secret_hash: bytes(&self.secret_hash)?,
            previous_hash: self.previous_hash.as_deref().map(bytes).transpose()?,
            spent_at: self.spent_at.map(Timestamp::from),
        })
    }
}

fn bytes(bytes: &[u8]) -> Result<[u8; 32], Unexpected> {
    Ok(bytes.try_into()?)
}

fn kind(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Bearer => "bearer",
        SessionKind::Cookie => "cookie",
    }
}

fn time(at: Timestamp) -> Value {
    DateTimeUtc::from(at).into()
}

fn maybe(at: Option<Timestamp>) -> Value {
    at.map(DateTimeUtc::from).into()
}
