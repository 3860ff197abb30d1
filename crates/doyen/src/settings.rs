//! The settings that every application has.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use doyen_core::Secret;
use doyen_core::inject::ContainerBuilder;
use doyen_core::settings::{
    ByteSize, Key, Loaded, Loader, Reader, Settings, SettingsError, reference,
};
use doyen_data::{DatabaseOptions, Synchronous};
use doyen_observe::{LogFormat, LogOptions};
use doyen_web::{
    Cidr, Cors, EdgeOptions, ForwardedHeader, HostName, InvalidCors, Origin, ServerOptions,
    TrustedProxies,
};

use crate::limits::LimitSettings;
use crate::redis::RedisSettings;

/// The settings that every application has, next to its own.
#[derive(Debug, Clone, Settings)]
pub struct FrameworkSettings {
    /// The public listener and its limits.
    #[setting(section)]
    pub server: ServerSettings,
    /// The admin listener, for metrics and health details.
    #[setting(section)]
    pub admin: AdminSettings,
    /// The database.
    #[setting(section)]
    pub database: DatabaseSettings,
    /// Authentication: access tokens, sessions and accounts.
    #[setting(section)]
    pub auth: AuthSettings,
    /// Rate limits and quotas.
    #[setting(section)]
    pub limits: LimitSettings,
    /// Redis.
    #[setting(section)]
    pub redis: RedisSettings,
    /// Outgoing mail.
    #[setting(section)]
    pub mail: doyen_mail::MailSettings,
    /// Log output.
    #[setting(section)]
    pub log: LogSettings,
}

/// The public listener and its limits.
#[derive(Debug, Clone, Settings)]
pub struct ServerSettings {
    /// Address and port of the public listener. Port 0 selects a free port.
    #[setting(default = "127.0.0.1:8000")]
    pub bind: SocketAddr,
    /// Maximum concurrent connections. Further connections get a 503.
    #[setting(default = 10000, min = 1, max = 1000000)]
    pub max_connections: u32,
    /// Maximum concurrent connections of one client. An IPv6 client is its 64-bit network. If not
    /// set, half of `max_connections`. Trusted proxies are exempt.
    #[setting(min = 1, max = 1000000)]
    pub max_connections_per_client: Option<u32>,
    /// Maximum concurrent requests. Further requests get a 503. `/livez` and `/readyz` are exempt.
    #[setting(default = 1024, min = 1, max = 1000000)]
    pub max_concurrent_requests: u32,
    /// Maximum bytes held for all clients together: incomplete requests, request bodies until their
    /// handler returns, and responses until they are written. Above it, the client that holds the most
    /// is disconnected. A connection with a quarter of it unread gets a 503 until it reads. Default:
    /// 32 MiB, or four times `server.body_limit` if that is more.
    pub buffer_limit: Option<ByteSize>,
    /// Hosts to serve: `api.example.com`, `api.example.com:8443`, `*.example.com`. Requests for
    /// other hosts get a 421, except `/livez` and `/readyz`. If empty, every host is served.
    #[setting(default = [])]
    pub hosts: Vec<HostName>,
    /// Proxies whose forwarding headers are trusted for the client address: `10.0.0.7`,
    /// `10.1.0.0/16`. Never list all addresses.
    #[setting(default = [])]
    pub trusted_proxies: Vec<Cidr>,
    /// Header in which trusted proxies send the client address. `x-forwarded-for` also reads
    /// `X-Forwarded-Proto`. The other header is ignored.
    #[setting(default = "x-forwarded-for")]
    pub forwarded_field: ForwardedHeader,
    /// Maximum time for a client to send a request header or to read the next part of a response,
    /// and maximum idle time of a connection. The connection is then closed.
    #[setting(default = "10s", min = "1s", max = "5m")]
    pub header_timeout: Duration,
    /// Maximum time for a request body to arrive. A slower request gets a 408.
    #[setting(default = "10s", min = "1s", max = "10m")]
    pub body_timeout: Duration,
    /// Maximum size of a request body, unless the route sets its own. A larger body gets a 413.
    #[setting(default = "1 MiB")]
    pub body_limit: ByteSize,
    /// Maximum duration of a request, unless the route sets its own. A slower request gets a 503.
    #[setting(default = "30s", min = "100ms", max = "10m")]
    pub request_timeout: Duration,
    /// Adds the security headers for browsers to responses. Disable it if a gateway sets them.
    #[setting(default = true)]
    pub security_headers: bool,
    /// Compresses responses of at least 1 KiB for clients that accept gzip. Disable it if a gateway
    /// compresses.
    #[setting(default = true)]
    pub compression: bool,
    /// Origins that may call the API from a browser (CORS), such as `https://app.example.com`. `*`
    /// allows every origin, without credentials.
    #[setting(default = [])]
    pub cors_origins: Vec<Origin>,
    /// Allows cross-origin requests with cookies. Access tokens do not need it.
    #[setting(default = false)]
    pub cors_credentials: bool,
    /// Time that a browser may cache the result of a CORS preflight request.
    #[setting(default = "10m", max = "24h")]
    pub cors_max_age: Duration,
    /// Serves the OpenAPI document and its page (`/openapi.json`, `/docs`). If not set, `false` in
    /// `prod` and `true` otherwise. If disabled, both paths return 404.
    pub docs: Option<bool>,
    /// Time after SIGTERM during which the listener stays open while `/readyz` returns 503.
    #[setting(default = "0s", max = "5m")]
    pub drain_delay: Duration,
    /// Maximum time for open requests to finish after `drain_delay`. Remaining connections are then
    /// closed.
    #[setting(default = "20s", max = "10m")]
    pub drain_deadline: Duration,
}

/// The admin listener, for metrics and health details. Never expose it publicly.
#[derive(Debug, Clone, Settings)]
pub struct AdminSettings {
    /// Starts the admin listener.
    #[setting(default = true)]
    pub enabled: bool,
    /// Address and port of the admin listener. Port 0 selects a free port.
    #[setting(default = "127.0.0.1:9000")]
    pub bind: SocketAddr,
}

/// The database.
#[derive(Debug, Clone, Settings)]
pub struct DatabaseSettings {
    /// Database URL: `sqlite://path` or `postgres://user:password@host/name`.
    #[setting(default = "sqlite://data/app.db", env = "DATABASE_URL")]
    pub url: Secret<String>,
    /// Action for pending migrations at startup: `auto` applies them, `check` refuses to start,
    /// `off` ignores them. If not set, `check` in `prod` and `auto` otherwise.
    pub migrate: Option<MigrateMode>,
    /// Maximum connections in the pool. On SQLite these are read connections; one write connection
    /// is added.
    #[setting(default = 10, min = 1, max = 1000)]
    pub max_connections: u32,
    /// Additional connections for typed reads on PostgreSQL. With 0, typed reads use the pool, on
    /// SQLite too.
    #[setting(default = 4, min = 0, max = 4)]
    pub read_connections: u32,
    /// Maximum wait for a free connection. The request then gets a 503.
    pub acquire_timeout: Option<Duration>,
    /// Maximum duration of one statement on PostgreSQL. A slower statement is cancelled.
    #[setting(default = "10s", min = "10ms")]
    pub statement_timeout: Duration,
    /// Maximum time that a statement waits for a lock. The statement then fails.
    #[setting(default = "2s", min = "10ms")]
    pub lock_timeout: Duration,
    /// Durability on SQLite: `full` keeps every commit after a power failure; `normal` is faster
    /// but can lose the last commits.
    #[setting(default = "full")]
    pub synchronous: SynchronousMode,
}

/// Action for pending migrations at startup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum MigrateMode {
    /// Applies pending migrations.
    Auto,
    /// Refuses to start if migrations are pending.
    Check,
    /// Ignores pending migrations.
    Off,
}

/// Durability of a commit on SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum SynchronousMode {
    /// Commits survive a power failure.
    Full,
    /// Commits survive a killed process.
    Normal,
}

/// Authentication: access tokens, sessions and accounts.
#[derive(Debug, Clone, Settings)]
pub struct AuthSettings {
    /// Seed of the signing key: 32 bytes in base64url. Required in `prod`. In `dev` and `test` it
    /// is generated at the first start.
    pub signing_key: Option<Secret<String>>,
    /// Algorithm of new signing keys. Existing keys keep theirs; a change takes effect with
    /// `keys rotate`.
    #[setting(default = "ed25519")]
    pub algorithm: SigningAlgorithm,
    /// File in which the generated development key is stored.
    #[setting(default = "data/dev.key")]
    pub dev_key_file: PathBuf,
    /// Issuer of the tokens, for their `iss` claim.
    #[setting(default = "http://localhost")]
    pub issuer: String,
    /// Audience of the tokens, for their `aud` claim. If not set, the issuer.
    pub audience: Option<String>,
    /// Lifetime of an access token.
    #[setting(default = "15m", min = "1m", max = "24h")]
    pub access_lifetime: Duration,
    /// Login sessions.
    #[setting(section)]
    pub session: doyen_accounts::SessionSettings,
    /// API keys.
    #[setting(section)]
    pub key: doyen_accounts::ApiKeySettings,
    /// The OpenID provider.
    #[setting(section)]
    pub oidc: Option<doyen_accounts::OpenIdSettings>,
    /// Account mails.
    #[setting(section)]
    pub email: doyen_accounts::EmailSettings,
    /// The throttle for failed logins.
    #[setting(section)]
    pub throttle: doyen_accounts::throttle::ThrottleSettings,
    /// Second factors.
    #[setting(section)]
    pub factor: doyen_accounts::factor::FactorSettings,
}

/// Algorithm of signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum SigningAlgorithm {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256, for consumers whose library does not support Ed25519.
    Es256,
}

impl From<SigningAlgorithm> for doyen_auth::Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Ed25519 => doyen_auth::Algorithm::Ed25519,
            SigningAlgorithm::Es256 => doyen_auth::Algorithm::Es256,
        }
    }
}

/// Log output.
#[derive(Debug, Clone, Settings)]
pub struct LogSettings {
    /// Log format. If not set, `json` in `prod` and `pretty` otherwise.
    pub format: Option<LogFormatSetting>,
    /// Log levels, such as `info,sqlx=warn`.
    #[setting(default = "info,sqlx=warn,hyper=warn")]
    pub filter: String,
    /// Maximum log lines per second of one kind: rejected requests with the same status and
    /// problem, requests that no limit counts, or lines from one place in the code. Further lines
    /// are dropped, and one line per second reports their number.
    #[setting(default = 100, min = 1, max = 1000000)]
    pub lines_per_second: u32,
}

/// Log format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum LogFormatSetting {
    /// One JSON object per line.
    Json,
    /// Human-readable lines.
    Pretty,
}

impl ServerSettings {
    pub(crate) fn server(&self) -> ServerOptions {
        ServerOptions {
            max_connections: self.max_connections as usize,
            max_connections_per_client: self
                .max_connections_per_client
                .unwrap_or_else(|| self.max_connections.div_ceil(2))
                as usize,
            header_timeout: self.header_timeout,
            drain_delay: self.drain_delay,
            drain_deadline: self.drain_deadline,
            ..ServerOptions::new(self.bind)
        }
    }

    /// Returns the options of the edge, or the key of an invalid setting and the reason.
    pub(crate) fn edge(&self) -> Result<EdgeOptions, (&'static str, String)> {
        let proxies = TrustedProxies::new(self.trusted_proxies.clone(), self.forwarded_field)
            .map_err(|error| ("server.trusted_proxies", error.to_string()))?;
        Ok(EdgeOptions {
            timeout: self.request_timeout,
            body_limit: usize::try_from(self.body_limit.bytes()).unwrap_or(usize::MAX),
            body_time: self.body_timeout,
            security_headers: self.security_headers,
            cors: self.cors().map_err(|error| {
                let key = match error {
                    InvalidCors::AnyWithCredentials => "server.cors_credentials",
                    InvalidCors::AnyAmongOthers => "server.cors_origins",
                };
                (key, error.to_string())
            })?,
            hosts: self.hosts.clone(),
            proxies,
            max_requests: self.max_concurrent_requests as usize,
            buffer_limit: self.buffer_limit()?,
            compression: self.compression,
            ..EdgeOptions::default()
        })
    }

    fn buffer_limit(&self) -> Result<usize, (&'static str, String)> {
        let body = self.body_limit.bytes();
        // One body may take a quarter.
        let least = body.saturating_mul(4);
        let bytes = match self.buffer_limit {
            Some(set) if set.bytes() < least => {
                return Err((
                    "server.buffer_limit",
                    format!(
                        "it must be at least four times `server.body_limit`, which is {body} bytes: \
                         one body may take a quarter of it"
                    ),
                ));
            }
            Some(set) => set.bytes(),
            None => least.max(EdgeOptions::default().buffer_limit as u64),
        };
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    fn cors(&self) -> Result<Option<Cors>, InvalidCors> {
        if self.cors_origins.is_empty() {
            return Ok(None);
        }
        let origins = self.cors_origins.clone();
        Cors::new(origins, self.cors_credentials, self.cors_max_age).map(Some)
    }
}

impl DatabaseSettings {
    pub(crate) fn options(&self) -> DatabaseOptions {
        let mut options = DatabaseOptions::new(self.url.expose().clone());
        options.max_connections = self.max_connections;
        options.read_connections = self.read_connections;
        options.acquire_timeout = self.acquire_timeout.unwrap_or(options.acquire_timeout);
        options.statement_timeout = self.statement_timeout;
        options.lock_timeout = self.lock_timeout;
        options.synchronous = match self.synchronous {
            SynchronousMode::Full => Synchronous::Full,
            SynchronousMode::Normal => Synchronous::Normal,
        };
        options
    }

    pub(crate) fn mode(&self, prod: bool) -> MigrateMode {
        self.migrate.unwrap_or(if prod {
            MigrateMode::Check
        } else {
            MigrateMode::Auto
        })
    }
}

impl LogSettings {
    pub(crate) fn options(&self, prod: bool) -> LogOptions {
        let json = self
            .format
            .map_or(prod, |format| format == LogFormatSetting::Json);
        LogOptions {
            format: if json {
                LogFormat::Json
            } else {
                LogFormat::Pretty
            },
            filter: self.filter.clone(),
            lines_per_second: self.lines_per_second,
        }
    }
}

/// Reads the settings of the framework and of the application together, so that a key is reported
/// as unknown only if neither has it.
#[derive(Clone, Copy)]
pub(crate) struct AppSettings {
    pub(crate) load: fn(Loader) -> Result<Loaded<Whole>, SettingsError>,
    pub(crate) reference: fn(&str) -> String,
}

impl AppSettings {
    /// Returns the reader for an application with its own settings.
    pub(crate) fn of<S: Settings + Send + Sync + 'static>() -> Self {
        Self {
            load: |loader| {
                let loaded = loader.load::<Both<S>>()?;
                let own = Arc::new(loaded.value.own);
                let provide: Provide =
                    Arc::new(move |container| container.provide(Arc::clone(&own)));
                let value = Whole {
                    framework: loaded.value.framework,
                    provide,
                };
                Ok(Loaded {
                    value,
                    environment: loaded.environment,
                    report: loaded.report,
                })
            },
            reference: reference::<Both<S>>,
        }
    }
}

/// The settings of the framework, and a function that provides those of the application.
#[derive(Clone)]
pub(crate) struct Whole {
    pub(crate) framework: FrameworkSettings,
    pub(crate) provide: Provide,
}

type Provide = Arc<dyn Fn(&mut ContainerBuilder) + Send + Sync>;

/// The settings of the framework and of the application.
struct Both<S> {
    framework: FrameworkSettings,
    own: S,
}

impl<S: Settings> Settings for Both<S> {
    fn keys() -> Vec<Key> {
        FrameworkSettings::keys()
            .into_iter()
            .chain(S::keys())
            .collect()
    }
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Both are read before either may fail, so that every error is reported at once.
        let (framework, own) = (FrameworkSettings::read(reader), S::read(reader));
        Some(Self {
            framework: framework?,
            own: own?,
        })
    }
}

/// The settings of an application that has none of its own.
pub(crate) struct NoSettings;

impl Settings for NoSettings {
    fn keys() -> Vec<Key> {
        Vec::new()
    }
    fn read(_: &mut Reader<'_>) -> Option<Self> {
        Some(Self)
    }
}
