//! The settings every application has.

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
    Cors, EdgeOptions, ForwardedField, HostName, Network, Origin, ServerOptions, TrustedProxies,
    WrongCors,
};

use crate::limits::LimitSettings;
use crate::redis::RedisSettings;

/// The settings every application has. Those of your own stand beside them.
#[derive(Debug, Clone, Settings)]
pub struct FrameworkSettings {
    /// The public address and its limits.
    #[setting(section)]
    pub server: ServerSettings,
    /// The address for metrics and health detail.
    #[setting(section)]
    pub admin: AdminSettings,
    /// Where the data is.
    #[setting(section)]
    pub database: DatabaseSettings,
    /// Access tokens.
    #[setting(section)]
    pub auth: AuthSettings,
    /// How often callers may call.
    #[setting(section)]
    pub limits: LimitSettings,
    /// What all nodes share and may lose.
    #[setting(section)]
    pub redis: RedisSettings,
    /// How mail is sent.
    #[setting(section)]
    pub mail: doyen_mail::MailSettings,
    /// What is written to standard output.
    #[setting(section)]
    pub log: LogSettings,
}

/// The public address and its limits.
#[derive(Debug, Clone, Settings)]
pub struct ServerSettings {
    /// The address to serve on; port 0 takes a free one.
    #[setting(default = "127.0.0.1:8000")]
    pub bind: SocketAddr,
    /// How many connections at once; one more is told 503.
    #[setting(default = 10000, min = 1, max = 1000000)]
    pub max_connections: u32,
    /// How many of them one client may have at once, each network of 64 bits counted as one with IPv6; half of all when it is not set. Trusted proxies may have all.
    #[setting(min = 1, max = 1000000)]
    pub max_connections_per_client: Option<u32>,
    /// How many requests are worked on at once; one more is told 503. `/livez` and `/readyz` are always answered.
    #[setting(default = 1024, min = 1, max = 1000000)]
    pub max_concurrent_requests: u32,
    /// Maximum bytes held for clients: requests that are still arriving, request bodies until their
    /// handler is done, and responses that are not read yet. At the limit, the client that holds
    /// the most is disconnected. A connection that holds a quarter gets a 503 until it reads.
    #[setting(default = "32 MiB")]
    pub buffer_limit: ByteSize,
    /// For which hosts it answers: `api.example.com`, `api.example.com:8443`, `*.example.com`; 421 for others, but for `/livez` and `/readyz`. Empty for every host.
    #[setting(default = [])]
    pub hosts: Vec<HostName>,
    /// The proxies in front of it, whose word counts for who the client is: `10.0.0.7`, `10.1.0.0/16`. Never all addresses.
    #[setting(default = [])]
    pub trusted_proxies: Vec<Network>,
    /// The field in which they say it. `x-forwarded-for` brings `X-Forwarded-Proto` with it; the other one is not read at all.
    #[setting(default = "x-forwarded-for")]
    pub forwarded_field: ForwardedField,
    /// How long a client may take to send the header of a request or to take the next part of an answer, and how long an idle connection is kept.
    #[setting(default = "10s", min = "1s", max = "5m")]
    pub header_timeout: Duration,
    /// How long a body may take to arrive.
    #[setting(default = "10s", min = "1s", max = "10m")]
    pub body_timeout: Duration,
    /// How large a body may be where the route does not say otherwise.
    #[setting(default = "1 MiB")]
    pub body_limit: ByteSize,
    /// How long a request may take where the route does not say otherwise.
    #[setting(default = "30s", min = "100ms", max = "10m")]
    pub request_timeout: Duration,
    /// Whether answers carry the header fields that keep browsers from misusing them. Switch it off where a gateway in front sets them.
    #[setting(default = true)]
    pub security_headers: bool,
    /// Whether answers of at least 1 KiB are compressed for clients that take gzip. Switch it off where a gateway in front does it.
    #[setting(default = true)]
    pub compression: bool,
    /// Which pages of other origins may call (CORS), each as `https://app.example.com`; `*` for all, without credentials.
    #[setting(default = [])]
    pub cors_origins: Vec<Origin>,
    /// Whether those pages may send cookies along. Access tokens do not need it.
    #[setting(default = false)]
    pub cors_credentials: bool,
    /// How long a browser need not ask again whether a page may call.
    #[setting(default = "10m", max = "24h")]
    pub cors_max_age: Duration,
    /// Whether the document and its page are served (`/openapi.json`, `/docs`); not in `prod` when it is not set, else they are. Without
    /// them both answer 404, as if they had never been there.
    pub docs: Option<bool>,
    /// How long the listener stays open after SIGTERM while `/readyz` already answers 503.
    #[setting(default = "0s", max = "5m")]
    pub drain_delay: Duration,
    /// How long requests may take to finish after that.
    #[setting(default = "20s", max = "10m")]
    pub drain_deadline: Duration,
}

/// The address for metrics and health detail; never public.
#[derive(Debug, Clone, Settings)]
pub struct AdminSettings {
    /// Whether to serve it.
    #[setting(default = true)]
    pub enabled: bool,
    /// The address; port 0 takes a free one.
    #[setting(default = "127.0.0.1:9000")]
    pub bind: SocketAddr,
}

/// Where the data is.
#[derive(Debug, Clone, Settings)]
pub struct DatabaseSettings {
    /// `sqlite://path` or `postgres://user:password@host/name`.
    #[setting(default = "sqlite://data/app.db", env = "DATABASE_URL")]
    pub url: Secret<String>,
    /// What a start does with pending migrations; `check` in `prod` when it is not set, else `auto`.
    pub migrate: Option<MigrateMode>,
    /// How many connections at most; readers on SQLite, which has one writer besides.
    #[setting(default = 10, min = 1, max = 1000)]
    pub max_connections: u32,
    /// How many connections beside those serve typed reads on PostgreSQL; with 0 typed reads use the others, on SQLite too.
    #[setting(default = 4, min = 0, max = 4)]
    pub read_connections: u32,
    /// How long to wait for a free connection; then 503.
    pub acquire_timeout: Option<Duration>,
    /// How long one statement may take on PostgreSQL.
    #[setting(default = "10s", min = "10ms")]
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    #[setting(default = "2s", min = "10ms")]
    pub lock_timeout: Duration,
    /// SQLite: `full` keeps every commit through a power cut; `normal` may lose the last ones and is faster.
    #[setting(default = "full")]
    pub synchronous: SynchronousMode,
}

/// What a start does with pending migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum MigrateMode {
    /// Applies them.
    Auto,
    /// Refuses to start while there are some.
    Check,
    /// Does not look.
    Off,
}

/// How surely SQLite keeps a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum SynchronousMode {
    /// Through a power cut.
    Full,
    /// Through a killed process.
    Normal,
}

/// Access tokens.
#[derive(Debug, Clone, Settings)]
pub struct AuthSettings {
    /// The seed of the signing key: 32 bytes as base64url. In `dev` and `test` one is made at the first start; `prod` needs it.
    pub signing_key: Option<Secret<String>>,
    /// What signing keys made from now on sign with. Those that are there keep theirs: a change comes into effect by `keys rotate`.
    #[setting(default = "ed25519")]
    pub algorithm: SigningAlgorithm,
    /// Where the key made for development is kept.
    #[setting(default = "data/dev.key")]
    pub dev_key_file: PathBuf,
    /// Who issues the tokens: their `iss`.
    #[setting(default = "http://localhost")]
    pub issuer: String,
    /// Whom the tokens are for: their `aud`; the issuer when it is not set.
    pub audience: Option<String>,
    /// How long an access token is good.
    #[setting(default = "15m", min = "1m", max = "24h")]
    pub access_lifetime: Duration,
    /// Login sessions.
    #[setting(section)]
    pub session: doyen_accounts::SessionSettings,
    /// API keys.
    #[setting(section)]
    pub key: doyen_accounts::ApiKeySettings,
    /// An outside OpenID provider.
    #[setting(section)]
    pub oidc: Option<doyen_accounts::OpenIdSettings>,
    /// Mails of accounts.
    #[setting(section)]
    pub email: doyen_accounts::EmailSettings,
    /// Logins that fail.
    #[setting(section)]
    pub throttle: doyen_accounts::throttle::ThrottleSettings,
    /// Second factors.
    #[setting(section)]
    pub factor: doyen_accounts::factor::FactorSettings,
}

/// What signing keys sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum SigningAlgorithm {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256, for consumers whose library has no Ed25519.
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

/// What is written to standard output.
#[derive(Debug, Clone, Settings)]
pub struct LogSettings {
    /// `json` or `pretty`; JSON in `prod` when it is not set, else pretty.
    pub format: Option<LogFormatSetting>,
    /// Levels, for example `info,sqlx=warn`.
    #[setting(default = "info,sqlx=warn,hyper=warn")]
    pub filter: String,
    /// Maximum lines of one kind in a second: refused requests with the same status and problem,
    /// requests that no limit counts, lines from one place in the code. The rest are counted, and
    /// one line a second tells how many.
    #[setting(default = 100, min = 1, max = 1000000)]
    pub lines_per_second: u32,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum LogFormatSetting {
    /// One object a line.
    Json,
    /// A line for a person.
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

    /// What the edge allows; else the setting that does not fit, and why.
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
                    WrongCors::AnyWithCredentials => "server.cors_credentials",
                    WrongCors::AnyAmongOthers => "server.cors_origins",
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
        let (bytes, least) = (self.buffer_limit.bytes(), self.body_limit.bytes());
        if bytes / 4 < least {
            return Err((
                "server.buffer_limit",
                format!(
                    "it must be at least four times `server.body_limit`, which is {least} bytes: \
                     one body may take a quarter of it"
                ),
            ));
        }
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    fn cors(&self) -> Result<Option<Cors>, WrongCors> {
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

/// Reads the framework's settings and an application's own in one go, so that an unknown key is unknown to both.
#[derive(Clone, Copy)]
pub(crate) struct AppSettings {
    pub(crate) load: fn(Loader) -> Result<Loaded<Whole>, SettingsError>,
    pub(crate) reference: fn(&str) -> String,
}

impl AppSettings {
    /// With settings of an application's own.
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

/// The settings of an application, its own as something to put into the container.
#[derive(Clone)]
pub(crate) struct Whole {
    pub(crate) framework: FrameworkSettings,
    pub(crate) provide: Provide,
}

type Provide = Arc<dyn Fn(&mut ContainerBuilder) + Send + Sync>;

/// The framework's settings and another struct beside them.
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
        // Both are read before either may fail: all mistakes are told at once.
        let (framework, own) = (FrameworkSettings::read(reader), S::read(reader));
        Some(Self {
            framework: framework?,
            own: own?,
        })
    }
}

/// What an application without settings of its own has.
pub(crate) struct NoSettings;

impl Settings for NoSettings {
    fn keys() -> Vec<Key> {
        Vec::new()
    }
    fn read(_: &mut Reader<'_>) -> Option<Self> {
        Some(Self)
    }
}
