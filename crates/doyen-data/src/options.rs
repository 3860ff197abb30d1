//! What a connection to a database is told.

use std::time::Duration;

/// How a [`Database`](crate::Database) is reached and how long it may keep a request waiting.
///
/// ```
/// use doyen_data::DatabaseOptions;
///
/// let options = DatabaseOptions { max_connections: 20, ..DatabaseOptions::new("sqlite://data/shop.db") };
/// assert_eq!(options.max_connections, 20);
/// ```
#[derive(Clone)]
pub struct DatabaseOptions {
    /// `sqlite://data/shop.db` (relative), `sqlite:///var/lib/shop.db` (absolute), or `postgres://user:password@host/database`.
    ///
    /// PostgreSQL over loopback or a Unix socket is spoken to in plain text, anywhere else with TLS where the server offers it. `?sslmode=`
    /// says it otherwise: `require` and `verify-full` insist on TLS.
    pub url: String,
    /// The most connections open at a time: 10. On SQLite this counts the readers; there is always one writer.
    pub max_connections: u32,
    /// The most connections beside those for typed reads ([`Session::get`](crate::Session::get) and its like), shared by all requests
    /// and opened when wanted: 4, and no more than 4 on PostgreSQL; on SQLite there are as many as readers. With 0 there are none, and typed
    /// reads run over the others.
    pub read_connections: u32,
    /// Connections kept open when idle: 0.
    pub min_connections: u32,
    /// How long a request waits for a connection before it is answered 503: 1 s on PostgreSQL, 5 s on SQLite, whose writers queue here.
    pub acquire_timeout: Duration,
    /// A connection older than this is replaced: 30 minutes.
    pub max_lifetime: Duration,
    /// A connection unused for this long is closed: 10 minutes.
    pub idle_timeout: Duration,
    /// The longest a statement may run: 10 s.
    pub statement_timeout: Duration,
    /// The longest a statement may wait for a row or table lock (PostgreSQL): 2 s.
    pub lock_timeout: Duration,
    /// When a commit counts as durable (SQLite): [`Synchronous::Full`].
    pub synchronous: Synchronous,
    /// The longest a statement waits for another process that writes to the same file (SQLite): 5 s.
    pub busy_timeout: Duration,
}

/// When SQLite says that a commit is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// After the bytes are on the disk: what was answered with 2xx survives a power cut.
    #[default]
    Full,
    /// After the bytes are with the operating system: about twice as many inserts a second; the last commits may be lost in a power cut,
    /// but not when the process is killed.
    Normal,
}

impl DatabaseOptions {
    /// The defaults for this URL.
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        let patience = if url.starts_with("sqlite:") { 5 } else { 1 };
        Self {
            url,
            max_connections: 10,
            read_connections: 4,
            min_connections: 0,
            acquire_timeout: Duration::from_secs(patience),
            max_lifetime: Duration::from_secs(30 * 60),
            idle_timeout: Duration::from_secs(10 * 60),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(2),
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(5),
        }
    }

    /// The URL with its password replaced by stars: fit for a log.
    pub fn masked_url(&self) -> String {
        mask(&self.url)
    }
}

impl std::fmt::Debug for DatabaseOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseOptions")
            .field("url", &self.masked_url())
            .finish_non_exhaustive()
    }
}

/// Hides `user:password@` and `?password=`.
fn mask(url: &str) -> String {
    let mut out = url.to_owned();
    if let Some(start) = out.find("://").map(|at| at + 3) {
        // A password may hold an `@`: the host begins after the last one before the path.
        let end = out[start..]
            .find(['/', '?'])
            .map_or(out.len(), |at| start + at);
        let at = out[start..]
            .rfind('@')
            .map(|at| start + at)
            .filter(|at| *at < end || !out[end..*at].contains('?'));
        if let Some(at) = at
            && let Some(colon) = out[start..at].find(':').map(|colon| start + colon)
        {
            out.replace_range(colon + 1..at, "***");
        }
    }
    if let Some(start) = out.find("password=").map(|at| at + "password=".len()) {
        let end = out[start..].find('&').map_or(out.len(), |at| start + at);
        out.replace_range(start..end, "***");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://me:s3cret@db/shop", "postgres://me:***@db/shop"),
            (
                "postgres://me:s3cr@et@db:5432/shop?sslmode=require",
                "postgres://me:***@db:5432/shop?sslmode=require",
            ),
            ("postgres://me:s3/cret@db/shop", "postgres://me:***@db/shop"),
            ("postgres://me@db/shop", "postgres://me@db/shop"),
            (
                "postgres://db/shop?user=me&password=s3cret&sslmode=require",
                "postgres://db/shop?user=me&password=***&sslmode=require",
            ),
            ("sqlite://data/shop.db", "sqlite://data/shop.db"),
        ] {
            assert_eq!(mask(url), shown);
        }
        let shown = format!("{:?}", DatabaseOptions::new("postgres://me:s3cret@db/shop"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
