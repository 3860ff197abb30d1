//! Doyen: typed functions in, a production API out.
//!
//! A route is an async function. Its signature is the contract: parameters, body, validation,
//! responses, errors and security appear in the OpenAPI document without a second declaration.
//!
//! ```
//! use doyen::prelude::*;
//!
//! /// A greeting.
//! #[derive(Output)]
//! struct Greeting {
//!     message: String,
//! }
//!
//! /// Greet a person by name
//! #[get("/hello/{name}", allow = anyone)]
//! async fn hello(name: String) -> Json<Greeting> {
//!     Json(Greeting { message: format!("Hello, {name}!") })
//! }
//!
//! fn app() -> App {
//!     App::new("greeter").module(Module::new("greetings").routes(routes![hello]))
//! }
//! # let _ = app();
//! ```
//!
//! `doyen::run(app())` in `main` gives the application its command line: `serve`, `migrate`,
//! `routes`, `openapi`, `plugins`, `config`.
//!
//! | module | contents |
//! | --- | --- |
//! | [`prelude`] | what a file of handlers needs |
//! | [`domain`] | everything that a domain may import: no web, no database |
//! | [`data`] | the Session, pages, migrations |
//! | [`web`] | routes, extractors, responses, the server |
//! | [`app`] | plugins: the interface, and what they can register |
//! | [`settings`] | settings of the application and of the framework |
//! | [`limits`] | rate limits and quotas |
//! | [`cache`] | cached values |
//! | [`idempotency`] | keys and responses of idempotent requests |
//! | [`redis`], [`nats`] | the connections that nodes share |
//! | [`auth`] | passwords, tokens, accounts |
//! | [`jobs`] | the worker of background jobs |
//! | [`files`] | uploads, stored files and downloads |
//! | [`live`] | WebSockets and server-sent events |
//! | [`mail`] | outgoing mail |
//! | [`events`] | delivery of events to handlers and to a message broker |
//! | [`otlp`] | traces, logs and metrics over OTLP |
//! | [`outbound`] | calls to other services |
//! | [`evidence`] | findings about anti-patterns in requests |
//! | [`webhooks`] | signed webhooks |
//!
//! # Cargo features
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `sqlite`, `postgres` | `sqlite` | a database; without either there is no [`data`] |
//! | `accounts` | yes | the plugins `keys` (access tokens) and `auth` ([`auth::Accounts`]), with `mail` |
//! | `limits` | yes | the plugin `limits` |
//! | `cache` | no | the plugin `cache`: [cached values](cache) and responses |
//! | `events` | no | the plugin `events`: delivery of events |
//! | `idempotency` | no | the plugin `idempotency`: the policy `idempotent` |
//! | `jobs` | no | the plugin `jobs`: background jobs |
//! | `files` | no | the plugin `files`: uploads, stored files and downloads, with `jobs` |
//! | `s3` | no | files in an S3-compatible store, with `files` |
//! | `live` | no | the plugin `live`: WebSockets and server-sent events, with `events` |
//! | `docs` | yes | the plugin `docs`: `/docs`, `/openapi.json`, `/problems/{code}` |
//! | `swagger-ui` | no | Swagger UI as the page of the document: the setting `docs.ui` |
//! | `evidence` | yes | the plugin `evidence`: findings about anti-patterns, and the command `explain` |
//! | `migration-lint` | yes | the command `migrate lint`; in `prod`, `migrate up` refuses unsafe migrations |
//! | `mail` | with `accounts` | the plugin `mail` |
//! | `smtp` | no | mail over SMTP |
//! | `redis` | no | rate limits, sessions and cached values in Redis, events in Redis Streams |
//! | `nats` | no | events in NATS JetStream, messages between nodes over NATS |
//! | `zstd`, `brotli` | no | responses compressed with Zstandard (a C library) and Brotli, next to gzip |
//! | `tls` | no | TLS in the server, without a proxy in front |
//! | `oidc` | no | login by an OpenID provider |
//! | `decimal` | no | [`domain::Decimal`]: exact decimals in requests, responses and columns |
//! | `otlp` | no | the plugin `otlp`: traces, logs and metrics over OTLP |
//! | `outbound` | no | the plugin `outbound` |
//! | `webhooks` | no | signing and verifying webhooks |
//!
//! `accounts`, `events`, `files`, `idempotency`, `jobs` and `limits` need a database.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod plugins;

pub use doyen_app as app;
pub use doyen_app::{Command, CookieKeys, Overrides, Runtime, StartupError, nats, redis, run};
pub use doyen_core as domain;
#[cfg(feature = "database")]
pub use doyen_data as data;
#[cfg(feature = "events")]
pub use doyen_events as events;
#[cfg(feature = "evidence")]
pub use doyen_evidence as evidence;
#[cfg(feature = "files")]
pub use doyen_files as files;
#[cfg(feature = "idempotency")]
pub use doyen_idempotency as idempotency;
#[cfg(feature = "jobs")]
pub use doyen_jobs as jobs;
#[cfg(feature = "limits")]
pub use doyen_limit as limits;
#[cfg(feature = "live")]
pub use doyen_live as live;
#[cfg(feature = "database")]
pub use doyen_macros::migrations;
#[cfg(feature = "mail")]
pub use doyen_mail as mail;
pub use doyen_observe as observe;
#[cfg(feature = "otlp")]
pub use doyen_otlp as otlp;
#[cfg(feature = "outbound")]
pub use doyen_outbound as outbound;
pub use doyen_schema as schema;
pub use doyen_telemetry as telemetry;
pub use doyen_web as web;
#[cfg(feature = "webhooks")]
pub use doyen_webhooks as webhooks;
pub use plugins::DefaultPlugins;

/// An application with the default plugins. See [`doyen_app::App`].
pub type App = doyen_app::App<DefaultPlugins>;

/// Settings of the application and of the framework. See [`doyen_settings`].
pub mod settings {
    pub use doyen_app::{CoreSettings, RedisSettings, SecretSettings, ServerSettings, TlsSettings};
    #[cfg(feature = "database")]
    pub use doyen_app::{DatabaseSettings, MigrateMode, PoolerMode, SynchronousMode};
    pub use doyen_settings::*;
}

/// Authentication: tokens, keys and passwords, and accounts.
#[cfg(feature = "accounts")]
pub mod auth {
    pub use doyen_accounts::*;
    pub use doyen_auth::*;
    pub use doyen_secret::{BadSeed, KeyDeriver, Seed};
}

/// Cached values: the handles of [`doyen_core::cache`], and the plugin.
pub mod cache {
    #[cfg(feature = "cache")]
    pub use doyen_cache::{CachePlugin, CacheSettings, CacheStats, Engine};
    pub use doyen_core::cache::*;
}

/// What a file of handlers needs.
pub mod prelude {
    pub use doyen_core::event::Delivery;
    pub use doyen_core::{
        Allow, AllowExt as _, Cache, CacheFor, CachePolicy, Caller, Clock, Event, EventData,
        Failures, Id, Inject, Invalid, Job, JobError, JobRun, Jobs, Kind, NewJob, Page, PageFrom,
        Paging, Patch, Port, Problem, Role as _, Scope as _, Secret, Strictness, Timestamp,
        Unexpected, UnknownNames, anyone, port, provider, secs, signed_in,
    };
    pub use doyen_core::{DAY, HOUR, MINUTE};
    pub use doyen_core::{
        per_address, per_client, per_key, per_route, per_user, policy, quota, unlimited,
    };
    #[cfg(feature = "database")]
    pub use doyen_data::Session;
    #[cfg(feature = "live")]
    pub use doyen_live::{Connection, Events, Feed, Live, Topic};
    #[cfg(feature = "live")]
    pub use doyen_macros::socket;
    pub use doyen_macros::{Responses, around, delete, extractor, get, patch, post, put, routes};
    pub use doyen_schema::{Input, Output};
    pub use doyen_settings::Settings;
    pub use doyen_web::around::{Next, Request};
    pub use doyen_web::{
        Accepted, CacheRule, Cookie, Created, Credentials, CsvRows, Either, Form, Header, Html,
        IfMatch, IntoResponse, Json, JsonLines, LinkMap, Links, MergePatch, Module, NoContent,
        NoStore, Path, Query, Redirect, Response, Route, Routes, SetCookie, Sse, Status, Stream,
        Text, class, none, private, public,
    };

    pub use crate::App;
    pub use doyen_app::BackgroundTasks;
}

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "database")]
    pub use doyen_data as data;
    #[cfg(feature = "live")]
    pub use doyen_live as live;
    pub use doyen_schema::__private::*;
    pub use doyen_settings as settings;
    /// The part for routes.
    pub mod web {
        pub use doyen_web::__private::*;
    }
}
