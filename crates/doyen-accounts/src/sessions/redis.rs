//! Sessions in Redis.
//!
//! A session is a hash under `<application>:session:<id>`, which expires a day after the session.
//! The ids of a subject are a sorted set. Each atomic step (rotate a secret, end, increment) is one
//! script on one key, so that it runs on a cluster.
//!
//! The cost of a loss: without its data every user has to log in again. After a failover to a
//! replica that missed the last writes, a refresh token that was spent in that moment may look
//! unspent; its holder then gets the same successor as before, and the session continues. A session
//! that was ended in that moment is refused for as long as an access token lives, because
//! revocations are in the database; after that its refresh token or cookie is valid again. If that
//! is not acceptable, keep sessions in the database.
//!
//! While Redis is unavailable, logins, refreshes and cookies get a 503; access tokens stay valid,
//! because they need no store.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_app::redis::RedisConnection;
use doyen_core::{Timestamp, Unexpected};
use doyen_data::Session;
use redis::{AsyncCommands as _, RedisError, Script};

use super::{Rotation, Seen, SessionId, SessionKind, SessionRecord, SessionStore};

/// How long a session is kept after its end.
const ENDED_RETENTION: Duration = Duration::from_secs(86_400);
/// How long the ids of a subject are kept after the last login: longer than any session can live.
const INDEX_TTL_SECONDS: i64 = 402 * 86_400;

/// Maximum number of sessions that are read in one round trip. Each is about a kilobyte.
const MAX_PIPELINE: usize = 200;

/// Changes fields of a hash if it exists and other fields have the expected values. An empty text
/// means a missing field.
const CHANGE_SCRIPT: &str = r"
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local conditions = tonumber(ARGV[1])
for n = 1, conditions do
  local found = redis.call('HGET', KEYS[1], ARGV[2 * n]) or ''
  if found ~= ARGV[2 * n + 1] then return 0 end
end
for n = 2 * conditions + 2, #ARGV, 2 do
  if ARGV[n + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[n])
  else redis.call('HSET', KEYS[1], ARGV[n], ARGV[n + 1]) end
end
return 1";

/// Increments the generation if the session exists and has not ended.
const BUMP_SCRIPT: &str = r"
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'ended_at') == 1 then return -1 end
return redis.call('HINCRBY', KEYS[1], 'generation', 1)";

/// Sessions in Redis.
pub struct RedisSessions {
    connection: RedisConnection,
    prefix: String,
    change: Script,
    bump_generation: Script,
}

impl std::fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSessions")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

type Fields = HashMap<String, String>;

impl RedisSessions {
    /// Creates it for this connection, with keys under the name of the application.
    pub fn new(connection: impl Into<RedisConnection>, application: &str) -> Self {
        Self {
            connection: connection.into(),
            prefix: application.to_owned(),
            change: Script::new(CHANGE_SCRIPT),
            bump_generation: Script::new(BUMP_SCRIPT),
        }
    }

    fn key(&self, id: SessionId) -> String {
        format!("{}:session:{}", self.prefix, id.uuid())
    }

    fn index(&self, subject: &str) -> String {
        format!("{}:sessions-of:{subject}", self.prefix)
    }

    /// Sets fields if others have the expected values.
    async fn change(
        &self,
        id: SessionId,
        expected: &[(&str, String)],
        set: &[(&str, String)],
    ) -> Result<bool, Unexpected> {
        let mut call = self.change.key(self.key(id));
        call.arg(expected.len());
        for (field, value) in expected.iter().chain(set) {
            call.arg(*field).arg(value);
        }
        let mut connection = self.connection.clone();
        let changed: i64 = call.invoke_async(&mut connection).await.map_err(away)?;
        Ok(changed == 1)
    }

    async fn read(&self, id: SessionId) -> Result<Option<SessionRecord>, Unexpected> {
        let mut connection = self.connection.clone();
        let fields: Fields = connection.hgetall(self.key(id)).await.map_err(away)?;
        if fields.is_empty() {
            return Ok(None);
        }
        record(id, &fields).map(Some)
    }
}

#[async_trait::async_trait]
impl SessionStore for RedisSessions {
    async fn insert(&self, _: &Session, record: &SessionRecord) -> Result<(), Unexpected> {
        let (key, index) = (self.key(record.id), self.index(&record.subject));
        let life = record.absolute_until.since(record.created_at) + ENDED_RETENTION;
        let mut connection = self.connection.clone();
        // The index first: a session that is not in it could not be ended with the others.
        redis::pipe()
            .zadd(
                &index,
                record.id.uuid().to_string(),
                record.created_at.micros(),
            )
            .expire(&index, INDEX_TTL_SECONDS)
            .hset_multiple(&key, &fields(record))
            .expire(&key, i64::try_from(life.as_secs())?)
            .exec_async(&mut connection)
            .await
            .map_err(away)
    }

    async fn find(&self, _: &Session, id: SessionId) -> Result<Option<SessionRecord>, Unexpected> {
        self.read(id).await
    }

    async fn of(
        &self,
        _: &Session,
        subject: &str,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, Unexpected> {
        let index = self.index(subject);
        let mut connection = self.connection.clone();
        let ids: Vec<String> = connection.zrevrange(&index, 0, -1).await.map_err(away)?;
        let ids = ids.into_iter();
        let ids: Result<Vec<_>, _> = ids.map(|id| id.parse().map(SessionId::from_uuid)).collect();
        let ids = ids?;
        let (mut live, mut gone) = (Vec::new(), Vec::new());
        for some in ids.chunks(MAX_PIPELINE) {
            let mut reads = redis::pipe();
            for id in some {
                reads.hgetall(self.key(*id));
            }
            let found: Vec<Fields> = reads.query_async(&mut connection).await.map_err(away)?;
            for (id, fields) in some.iter().zip(found) {
                if fields.is_empty() {
                    gone.push(id.uuid().to_string());
                    continue;
                }
                let record = record(*id, &fields)?;
                if record.is_live(now) {
                    live.push(record);
                }
            }
        }
        if !gone.is_empty() {
            let _: () = connection.zrem(&index, gone).await.map_err(away)?;
        }
        Ok(live)
    }

    async fn rotate(
        &self,
        _: &Session,
        read: &SessionRecord,
        rotation: &Rotation,
    ) -> Result<bool, Unexpected> {
        let expected = [
            ("counter", read.counter.to_string()),
            ("generation", read.generation.to_string()),
            ("ended_at", String::new()),
        ];
        let seen = &rotation.seen;
        let set = [
            ("counter", rotation.counter.to_string()),
            ("secret_hash", text(&rotation.secret_hash)),
            ("previous_hash", text(&rotation.previous_hash)),
            ("spent_at", micros(seen.at)),
            ("seen_at", micros(seen.at)),
            ("seen_address", seen.address.clone().unwrap_or_default()),
            ("idle_until", micros(seen.idle_until)),
        ];
        self.change(read.id, &expected, &set).await
    }

    async fn touch(&self, _: &Session, id: SessionId, seen: &Seen) -> Result<(), Unexpected> {
        let mut connection = self.connection.clone();
        let end: Option<i64> = connection
            .hget(self.key(id), "absolute_until")
            .await
            .map_err(away)?;
        let Some(end) = end.map(Timestamp::from_micros) else {
            return Ok(());
        };
        let mut set = vec![
            ("seen_at", micros(seen.at)),
            ("idle_until", micros(seen.idle_until.min(end))),
        ];
        set.extend(
            seen.address
                .clone()
                .map(|address| ("seen_address", address)),
        );
        self.change(id, &[("ended_at", String::new())], &set)
            .await
            .map(drop)
    }

    async fn rename(
        &self,
        _: &Session,
        subject: &str,
        id: SessionId,
        name: Option<&str>,
    ) -> Result<bool, Unexpected> {
        let expected = [("ended_at", String::new()), ("subject", subject.to_owned())];
        let set = [("name", name.unwrap_or_default().to_owned())];
        self.change(id, &expected, &set).await
    }

    async fn end(&self, _: &Session, id: SessionId, now: Timestamp) -> Result<bool, Unexpected> {
        let expected = [("ended_at", String::new())];
        self.change(id, &expected, &[("ended_at", micros(now))])
            .await
    }

    async fn bump_generation(&self, _: &Session, id: SessionId) -> Result<Option<u32>, Unexpected> {
        let mut connection = self.connection.clone();
        let call = self.bump_generation.key(self.key(id));
        let generation: i64 = call.invoke_async(&mut connection).await.map_err(away)?;
        // -1: it has ended.
        Ok(u32::try_from(generation).ok())
    }

    /// Redis expires them itself.
    async fn prune(&self, _: &Session, _: Timestamp) -> Result<(), Unexpected> {
        Ok(())
    }
}

/// Returns the fields of a session that have a value.
fn fields(record: &SessionRecord) -> Vec<(&'static str, String)> {
    let kind = match record.kind {
        SessionKind::Bearer => "bearer",
        SessionKind::Cookie => "cookie",
    };
    let mut all = vec![
        ("subject", record.subject.to_string()),
        ("kind", kind.to_owned()),
        ("generation", record.generation.to_string()),
        ("created_at", micros(record.created_at)),
        ("seen_at", micros(record.seen_at)),
        ("idle_until", micros(record.idle_until)),
        ("absolute_until", micros(record.absolute_until)),
        ("counter", record.counter.to_string()),
        ("salt", text(&record.salt)),
        ("secret_hash", text(&record.secret_hash)),
    ];
    let maybe = [
        ("name", record.name.clone()),
        ("agent", record.agent.clone()),
        ("created_address", record.created_address.clone()),
        ("seen_address", record.seen_address.clone()),
        ("ended_at", record.ended_at.map(micros)),
        ("previous_hash", record.previous_hash.as_ref().map(text)),
        ("spent_at", record.spent_at.map(micros)),
    ];
    all.extend(
        maybe
            .into_iter()
            .filter_map(|(field, value)| Some((field, value?))),
    );
    all
}

fn record(id: SessionId, fields: &Fields) -> Result<SessionRecord, Unexpected> {
    let maybe = |field: &str| fields.get(field).filter(|value| !value.is_empty());
    let must = |field: &str| {
        maybe(field).ok_or_else(|| Unexpected::new(format!("a session in Redis has no `{field}`")))
    };
    let time = |value: &String| Ok::<_, Unexpected>(Timestamp::from_micros(value.parse()?));
    Ok(SessionRecord {
        id,
        subject: must("subject")?.as_str().into(),
        kind: match must("kind")?.as_str() {
            "cookie" => SessionKind::Cookie,
            _ => SessionKind::Bearer,
        },
        generation: must("generation")?.parse()?,
        name: maybe("name").cloned(),
        agent: maybe("agent").cloned(),
        created_at: time(must("created_at")?)?,
        created_address: maybe("created_address").cloned(),
        seen_at: time(must("seen_at")?)?,
        seen_address: maybe("seen_address").cloned(),
        idle_until: time(must("idle_until")?)?,
        absolute_until: time(must("absolute_until")?)?,
        ended_at: maybe("ended_at").map(time).transpose()?,
        counter: must("counter")?.parse()?,
        salt: bytes(must("salt")?)?,
        secret_hash: bytes(must("secret_hash")?)?,
        previous_hash: maybe("previous_hash").map(bytes).transpose()?,
        spent_at: maybe("spent_at").map(time).transpose()?,
    })
}

fn micros(at: Timestamp) -> String {
    at.micros().to_string()
}

fn text(bytes: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(text: &String) -> Result<[u8; 32], Unexpected> {
    Ok(URL_SAFE_NO_PAD.decode(text)?.as_slice().try_into()?)
}

/// Any error of Redis is temporary for the client: it says nothing about the session.
fn away(error: RedisError) -> Unexpected {
    Unexpected::unavailable(error)
}
